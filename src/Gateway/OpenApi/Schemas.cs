using System.Text.Json.Nodes;
using Google.Api;
using Google.Protobuf.Reflection;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Commerce.Gateway.OpenApi;

/// <summary>JSON schemas of messages and enums, as protobuf JSON writes them. Only what is referred to gets one.</summary>
internal sealed class Schemas(Protos protos)
{
    private readonly SortedDictionary<string, JsonNode> _components = new(StringComparer.Ordinal);

    /// <summary>Everything that was referred to, by component name.</summary>
    public JsonObject Components => new(_components.Select(one => KeyValuePair.Create<string, JsonNode?>(one.Key, one.Value.DeepClone())));

    /// <summary>A reference to a message's schema.</summary>
    public JsonObject Message(string fullName)
    {
        if (WellKnown(fullName) is { } wellKnown)
            return wellKnown;
        var component = ComponentOf(fullName);
        if (!_components.ContainsKey(component))
        {
            // Before its fields are looked at, since a message may contain itself.
            _components[component] = new JsonObject();
            _components[component] = Object(fullName, protos.Messages[fullName].Field);
        }

        return Reference(component);
    }

    /// <summary>The schema of some fields of a message.</summary>
    public JsonObject Object(string fullName, IEnumerable<FieldDescriptorProto> fields)
    {
        var schema = new JsonObject { ["type"] = "object" };
        Describe(schema, protos.CommentOf(fullName));
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var field in fields)
        {
            properties[field.JsonName] = Field(fullName, field);
            // The header Idempotency-Key may stand in its place.
            if (IsRequired(field) && field.Name != "request_id")
                required.Add((JsonNode)field.JsonName);
        }

        schema["properties"] = properties;
        if (required.Count > 0)
            schema["required"] = required;
        return schema;
    }

    /// <summary>The schema of a field, with what its proto says about it.</summary>
    public JsonObject Field(string owner, FieldDescriptorProto field)
    {
        var schema = field.Type switch
        {
            Type.Message => Message(field.TypeName),
            Type.Enum => Enum(field.TypeName),
            _ => Scalar(field.Type),
        };
        if (field.Label == FieldDescriptorProto.Types.Label.Repeated)
            schema = new JsonObject { ["type"] = "array", ["items"] = schema };
        Describe(schema, protos.CommentOf($"{owner}.{field.Name}"));
        return schema;
    }

    public static bool IsRequired(FieldDescriptorProto field) =>
        field.Options?.GetExtension(FieldBehaviorExtensions.FieldBehavior)?.Contains(FieldBehavior.Required) == true;

    /// <summary>Whether a field is an object with fields of its own, not a value.</summary>
    public static bool IsObject(FieldDescriptorProto field) => field.Type == Type.Message && WellKnown(field.TypeName) is null;

    public static JsonObject Reference(string component) => new() { ["$ref"] = "#/components/schemas/" + component };

    private JsonObject Enum(string fullName)
    {
        var component = ComponentOf(fullName);
        if (!_components.ContainsKey(component))
        {
            var values = protos.Enums[fullName].Value;
            // An enum's values are its siblings in the protos' namespace, but their comments stand below it.
            var lines = values.Select(value => $"- `{value.Name}`: {protos.CommentOf($"{fullName}.{value.Name}")}");
            var schema = new JsonObject
            {
                ["type"] = "string",
                ["enum"] = new JsonArray([.. values.Select(value => (JsonNode)value.Name)]),
            };
            Describe(schema, protos.CommentOf(fullName) + "\n\n" + string.Join('\n', lines));
            _components[component] = schema;
        }

        return Reference(component);
    }

    private static JsonObject Scalar(Type type) => type switch
    {
        Type.Bool => new JsonObject { ["type"] = "boolean" },
        Type.Int32 or Type.Sint32 or Type.Sfixed32 => new JsonObject { ["type"] = "integer", ["format"] = "int32" },
        Type.Uint32 or Type.Fixed32 => new JsonObject { ["type"] = "integer", ["format"] = "int64", ["minimum"] = 0 },
        // A number of JavaScript cannot hold them all.
        Type.Int64 or Type.Sint64 or Type.Sfixed64 => new JsonObject { ["type"] = "string", ["format"] = "int64", ["pattern"] = "^-?[0-9]+$" },
        Type.Uint64 or Type.Fixed64 => new JsonObject { ["type"] = "string", ["format"] = "uint64", ["pattern"] = "^[0-9]+$" },
        Type.Double => new JsonObject { ["type"] = "number", ["format"] = "double" },
        Type.Float => new JsonObject { ["type"] = "number", ["format"] = "float" },
        Type.Bytes => new JsonObject { ["type"] = "string", ["contentEncoding"] = "base64" },
        _ => new JsonObject { ["type"] = "string" },
    };

    private static JsonObject? WellKnown(string fullName) => fullName switch
    {
        ".google.protobuf.Timestamp" => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
        ".google.protobuf.Duration" => new JsonObject { ["type"] = "string", ["pattern"] = "^-?[0-9]+(\\.[0-9]{1,9})?s$" },
        ".google.protobuf.FieldMask" => new JsonObject { ["type"] = "string" },
        ".google.protobuf.Empty" => new JsonObject { ["type"] = "object" },
        _ => null,
    };

    private static void Describe(JsonObject schema, string text)
    {
        if (text.Length > 0)
            schema["description"] = text;
    }

    // ".commerce.orders.v1.Order" is "orders.v1.Order": unique, and short enough to read.
    private static string ComponentOf(string fullName) =>
        fullName.StartsWith(".commerce.", StringComparison.Ordinal) ? fullName[".commerce.".Length..] : fullName[1..];
}
