using Commerce.Types.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Commerce.ServiceDefaults;

/// <summary>Where the messages of a method name stores: in fields "store_id", and in names that begin with "stores/".</summary>
internal sealed class StoreFields
{
    private const int Depth = 4;

    private static readonly string[] NameFields = ["name", "names", "parent"];
    private static readonly string[] Collections = ["stores/", "shippingRules/"];

    private readonly FieldDescriptor[][] _paths;
    private readonly FieldDescriptor[]? _fillable;

    private StoreFields(FieldDescriptor[][] paths)
    {
        _paths = paths;
        _fillable = paths.Where(path => path.All(field => !field.IsRepeated) && path[^1].Name == "store_id").MinBy(path => path.Length);
    }

    /// <summary>There is a field that can name a store.</summary>
    public bool Any => _paths.Length > 0;

    public static StoreFields Of(MessageDescriptor message) => new([.. PathsOf(message, [])]);

    /// <summary>A request that names a store, for tests.</summary>
    public static IMessage Naming(MessageDescriptor message, string store)
    {
        var request = message.Parser.ParseFrom(ByteString.Empty);
        var fields = Of(message);
        var path = fields._fillable ?? fields._paths.OrderBy(one => one.Count(field => field.IsRepeated)).First();
        Set(request, path, path[^1].Name == "store_id" ? store : Collections[message.Name.Contains("ShippingRules", StringComparison.Ordinal) ? 1 : 0] + store);
        return request;
    }

    /// <exception cref="Failure">STORE_NOT_ALLOWED, INVALID_FIELD.</exception>
    public void Check(IMessage request, IReadOnlySet<string> allowed, bool required)
    {
        var named = false;
        foreach (var path in _paths)
            named |= Check(request, path, 0, allowed);
        if (named || !required)
            return;
        if (_fillable is null)
            throw Failure.Invalid(new FieldError("name", "Name one of your stores, as stores/{store_id}."));
        if (allowed.Count != 1)
            throw Failure.Invalid(new FieldError(string.Join('.', _fillable.Select(field => field.Name)), $"Name one of your stores: {string.Join(", ", allowed.Order(StringComparer.Ordinal))}."));
        Set(request, _fillable, allowed.Single());
    }

    private static bool Check(IMessage message, FieldDescriptor[] path, int at, IReadOnlySet<string> allowed)
    {
        var field = path[at];
        var value = field.Accessor.GetValue(message);
        var named = false;
        foreach (var one in field.IsRepeated ? (System.Collections.IEnumerable)value : new[] { value })
        {
            if (one is IMessage inner)
                named |= Check(inner, path, at + 1, allowed);
            else if (one is string text && StoreOf(field, text) is { } store)
                named |= allowed.Contains(store) ? true : throw new Failure(ErrorReason.StoreNotAllowed, $"{field.Name}: the store {store} is not one of the caller's.");
        }

        return named;
    }

    private static string? StoreOf(FieldDescriptor field, string text)
    {
        if (field.Name == "store_id")
            return text.Length > 0 ? text : null;
        foreach (var collection in Collections)
        {
            if (text.StartsWith(collection, StringComparison.OrdinalIgnoreCase))
                return text[collection.Length..].Split('/')[0];
        }

        return null;
    }

    private static void Set(IMessage request, FieldDescriptor[] path, string text)
    {
        var message = request;
        foreach (var field in path[..^1])
        {
            var value = field.Accessor.GetValue(message);
            var inner = value as IMessage;
            if (value is System.Collections.IList several)
                several.Add(inner = field.MessageType.Parser.ParseFrom(ByteString.Empty));
            else if (inner is null)
                field.Accessor.SetValue(message, inner = field.MessageType.Parser.ParseFrom(ByteString.Empty));
            message = inner!;
        }

        path[^1].Accessor.SetValue(message, text);
    }

    private static IEnumerable<FieldDescriptor[]> PathsOf(MessageDescriptor message, FieldDescriptor[] before)
    {
        foreach (var field in message.Fields.InDeclarationOrder())
        {
            FieldDescriptor[] path = [.. before, field];
            if (field.FieldType == FieldType.String && (field.Name == "store_id" || NameFields.Contains(field.Name)))
                yield return path;
            else if (field is { FieldType: FieldType.Message, IsMap: false } && path.Length < Depth && field.MessageType.File.Package.StartsWith("commerce.", StringComparison.Ordinal))
            {
                foreach (var deeper in PathsOf(field.MessageType, path))
                    yield return deeper;
            }
        }
    }
}
