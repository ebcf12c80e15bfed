using System.Text.Json.Nodes;
using Google.Api;
using Google.Protobuf.Reflection;

namespace Commerce.Gateway.OpenApi;

/// <summary>
/// The OpenAPI 3.1 document of the whole public API, made from the protos: their google.api.http rules are the operations and
/// their comments the texts. No library makes one for transcoded methods of several services.
/// </summary>
internal sealed class OpenApiDocument(Protos protos)
{
    private const string ProblemComponent = "Problem";
    private const string ExportMethod = "ExportOrders";
    private const string FileType = ".google.api.HttpBody";

    // What a method that answers with a file answers with: the protos do not say it.
    private static readonly Dictionary<string, string[]> Files = new(StringComparer.Ordinal)
    {
        ["GetLabel"] = ["application/pdf", "application/zpl", "image/png"],
        ["RenderManifest"] = ["application/pdf"],
    };

    private readonly Schemas _schemas = new(protos);
    private readonly SortedDictionary<string, JsonObject> _paths = new(StringComparer.Ordinal);

    /// <summary>Makes the document.</summary>
    public static JsonObject Build(Protos protos) => new OpenApiDocument(protos).Build();

    private JsonObject Build()
    {
        var tags = new JsonArray();
        // What is for those who run the suite has no REST form, and no place in the public description.
        var services = protos.Services.ToDictionary(one => one.FullName, one => one.Service);
        foreach (var fullName in PublicApi.Services.Select(one => one.FullName))
        {
            var service = services[fullName];
            tags.Add(new JsonObject { ["name"] = service.Name, ["description"] = protos.CommentOf("." + fullName) });
            foreach (var method in service.Method)
                Add(fullName, service, method);
        }

        var components = _schemas.Components;
        components[ProblemComponent] = Problems.Schema();
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Commerce",
                ["version"] = "v1",
                ["description"] = "Orders, payments, shipments and notifications behind one door, and the answer to \"where is my order?\" from either code. "
                    + "64-bit integers are strings, enums are their names, times are RFC 3339. Every error is an RFC 9457 problem with a `reason`. "
                    + "A write may be repeated under its `Idempotency-Key`; what has an `ETag` can be read with `If-None-Match` and changed with `If-Match`. "
                    + "The same methods can be called over gRPC and gRPC-Web.",
                ["contact"] = new JsonObject { ["name"] = "The Commerce authors" },
                ["license"] = new JsonObject { ["name"] = "MIT", ["identifier"] = "MIT" },
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/", ["description"] = "Where this document comes from." }),
            ["security"] = new JsonArray(new JsonObject { ["bearer"] = new JsonArray() }, new JsonObject { ["apiKey"] = new JsonArray() }),
            ["tags"] = tags,
            ["paths"] = new JsonObject(_paths.Select(one => KeyValuePair.Create<string, JsonNode?>(one.Key, one.Value))),
            ["components"] = new JsonObject
            {
                ["schemas"] = components,
                ["responses"] = Problems.Responses(Schemas.Reference(ProblemComponent)),
                ["securitySchemes"] = new JsonObject
                {
                    ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["description"] = "A token of an issuer that is known here, or an API key." },
                    ["apiKey"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = "x-api-key", ["description"] = "A shop's API key." },
                },
            },
        };
    }

    private void Add(string serviceName, ServiceDescriptorProto service, MethodDescriptorProto method)
    {
        var rule = method.Options?.GetExtension(AnnotationsExtensions.Http);
        // A stream has no rule of its own; the one that there is on REST is served by hand.
        var operations = rule is not null ? Enumerable.Repeat(rule, 1).Concat(rule.AdditionalBindings)
            : method.ServerStreaming && method.Name == "WatchLookup" ? [new HttpRule { Get = "/v1/lookup/{code}:watch" }]
            : method.ServerStreaming && method.Name == "WatchStock" ? [new HttpRule { Get = "/v1/{parent=stores/*}/stock:watch" }]
            : method.ServerStreaming && method.Name == ExportMethod ? [new HttpRule { Get = "/v1/orders:export" }]
            : [];
        var number = 0;
        foreach (var binding in operations)
        {
            var (verb, template) = PublicApi.PathOf(binding);
            var path = PathTemplate.Parse(template);
            if (!_paths.TryGetValue(path.Path, out var item))
                _paths[path.Path] = item = [];
            var suffix = number++ == 0 ? "" : $"_{number}";
            item[verb.ToLowerInvariant()] = Operation($".{serviceName}.{method.Name}", $"{service.Name}_{method.Name}{suffix}", service.Name, method, binding, path);
        }
    }

    private JsonObject Operation(string fullName, string id, string tag, MethodDescriptorProto method, HttpRule rule, PathTemplate path)
    {
        var comment = protos.CommentOf(fullName);
        var operation = new JsonObject
        {
            ["operationId"] = id,
            ["tags"] = new JsonArray(tag),
            ["summary"] = Summary(comment, method.Name),
            ["description"] = comment,
        };
        if (PublicApi.IsForAnybody(fullName[1..]))
            operation["security"] = new JsonArray();
        var fields = protos.Messages[method.InputType].Field;
        var unbound = fields.Where(field => !path.Binds(field.Name)).ToList();

        var parameters = new JsonArray();
        foreach (var variable in path.Variables)
            parameters.Add((JsonNode)PathParameter(method.InputType, variable));
        if (rule.Body.Length == 0)
            AddQuery(parameters, method.InputType, unbound, "", 0);
        if (unbound.Any(field => field.Name == "request_id"))
            parameters.Add((JsonNode)Header("Idempotency-Key", "Makes the call safe to repeat; may stand here instead of in request_id."));
        var tagged = !method.ServerStreaming && HasTag(method.OutputType);
        if (tagged && rule.Get.Length > 0)
            parameters.Add((JsonNode)Header("If-None-Match", "The ETag of what was read before: answered with 304 and no body while it is still that."));
        if (ExpectsTag(fields))
            parameters.Add((JsonNode)Header("If-Match", "The ETag that it still must have, or it is refused with 412 and ETAG_MISMATCH; may stand here instead of in etag."));
        if (method.ServerStreaming && method.Name != ExportMethod)
            parameters.Add((JsonNode)Header("Last-Event-ID", "The id of the last event seen: only what is newer comes."));
        foreach (var parameter in parameters)
        {
            if (Examples.ParameterOf(id, parameter!["name"]!.GetValue<string>()) is { } value)
                parameter["example"] = value;
        }

        if (parameters.Count > 0)
            operation["parameters"] = parameters;

        if (rule.Body.Length > 0)
        {
            var body = rule.Body == "*"
                ? unbound.Count == fields.Count ? _schemas.Message(method.InputType) : _schemas.Object(method.InputType, unbound)
                : _schemas.Field(method.InputType, fields.Single(field => field.Name == rule.Body));
            var content = Content("application/json", body);
            if (Examples.BodyOf(id) is { } example)
                content["application/json"]!["example"] = example;
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = content };
        }

        var responses = new JsonObject
        {
            ["200"] = method.Name == ExportMethod
                ? new JsonObject
                {
                    ["description"] = "A CSV file with a header, one line an order.",
                    ["content"] = Content("text/csv", new JsonObject { ["type"] = "string" }),
                }
                : method.OutputType == FileType
                ? new JsonObject
                {
                    ["description"] = "The file itself.",
                    ["content"] = new JsonObject(Files[method.Name].Select(type =>
                        KeyValuePair.Create<string, JsonNode?>(type, new JsonObject { ["schema"] = new JsonObject { ["type"] = "string", ["format"] = "binary" } }))),
                }
                : method.ServerStreaming
                ? new JsonObject
                {
                    ["description"] = "Server-sent events: each event's id is the version, its data the message as JSON. A comment keeps an idle stream alive.",
                    ["content"] = Content("text/event-stream", _schemas.Message(method.OutputType)),
                }
                : new JsonObject { ["description"] = Answer(method.OutputType), ["content"] = Content("application/json", _schemas.Message(method.OutputType)) },
        };
        if (tagged)
        {
            responses["200"]!["headers"] = new JsonObject
            {
                ["ETag"] = new JsonObject { ["description"] = "Names the state that is answered with.", ["schema"] = new JsonObject { ["type"] = "string" } },
            };
            if (rule.Get.Length > 0)
                responses["304"] = new JsonObject { ["description"] = "It is still what If-None-Match names." };
        }

        responses["4XX"] = new JsonObject { ["$ref"] = "#/components/responses/Refused" };
        responses["5XX"] = new JsonObject { ["$ref"] = "#/components/responses/Failed" };
        operation["responses"] = responses;
        return operation;
    }

    private bool HasTag(string type) =>
        protos.Messages.TryGetValue(type, out var message)
        && message.Field.Any(field => field.Name == "etag" || field is { Name: "version", Type: FieldDescriptorProto.Types.Type.Int64 });

    private bool ExpectsTag(IEnumerable<FieldDescriptorProto> fields) => fields.Any(field => field.Name == "etag"
        || field.Type == FieldDescriptorProto.Types.Type.Message && field.Label != FieldDescriptorProto.Types.Label.Repeated
            && protos.Messages.TryGetValue(field.TypeName, out var message) && message.Field.Any(one => one.Name == "etag"));

    private string Answer(string type)
    {
        var comment = protos.CommentOf(type);
        return comment.Length > 0 ? comment : "The answer.";
    }

    private JsonObject PathParameter(string owner, PathVariable variable)
    {
        // "order.name" is the name of the order in the request.
        var steps = variable.Field.Split('.');
        foreach (var step in steps[..^1])
            owner = protos.Messages[owner].Field.Single(one => one.Name == step).TypeName;
        var field = protos.Messages[owner].Field.Single(one => one.Name == steps[^1]);
        var comment = protos.CommentOf($"{owner}.{field.Name}");
        return new JsonObject
        {
            ["name"] = variable.Name,
            ["in"] = "path",
            ["required"] = true,
            ["description"] = variable.IsWhole ? comment : $"Part of {field.Name}: {comment}",
            ["schema"] = new JsonObject { ["type"] = "string" },
        };
    }

    private void AddQuery(JsonArray parameters, string owner, IEnumerable<FieldDescriptorProto> fields, string prefix, int depth)
    {
        foreach (var field in fields)
        {
            if (Schemas.IsObject(field))
            {
                // Objects are given by their fields, "a.b"; a list of objects cannot be said in a query.
                if (depth < 3 && field.Label != FieldDescriptorProto.Types.Label.Repeated)
                    AddQuery(parameters, field.TypeName, protos.Messages[field.TypeName].Field, $"{prefix}{field.JsonName}.", depth + 1);
                continue;
            }

            var schema = _schemas.Field(owner, field);
            var description = schema["description"]?.GetValue<string>();
            schema.Remove("description");
            var parameter = new JsonObject { ["name"] = prefix + field.JsonName, ["in"] = "query" };
            if (depth == 0 && Schemas.IsRequired(field))
                parameter["required"] = true;
            if (description is not null)
                parameter["description"] = description;
            parameter["schema"] = schema;
            parameters.Add((JsonNode)parameter);
        }
    }

    private static JsonObject Header(string name, string description) => new()
    {
        ["name"] = name,
        ["in"] = "header",
        ["description"] = description,
        ["schema"] = new JsonObject { ["type"] = "string" },
    };

    private static JsonObject Content(string type, JsonObject schema) => new() { [type] = new JsonObject { ["schema"] = schema } };

    private static string Summary(string comment, string name)
    {
        var end = comment.AsSpan().IndexOfAny('.', ':');
        return end > 0 ? comment[..end] : name;
    }
}
