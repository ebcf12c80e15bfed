using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Commerce.ServiceDefaults;

/// <summary>The orders that a request names, as "orders/{order_id}" or what belongs to it: see OrderAccess in the protos.</summary>
internal static class OrderNames
{
    private const string Collection = "orders/";

    private static readonly string[] Fields = ["parent", "name", "names"];

    /// <summary>There is a field that can name an order.</summary>
    public static bool Any(MessageDescriptor message) => FieldsOf(message).Any();

    /// <summary>A request names an order, and no other one than this. Read as its reader reads it: case, dashes and look-alikes do not count.</summary>
    public static bool AreOf(IMessage request, string orderId)
    {
        var named = false;
        foreach (var field in FieldsOf(request.Descriptor))
        {
            var value = field.Accessor.GetValue(request);
            foreach (var name in field.IsRepeated ? ((System.Collections.IEnumerable)value).Cast<string>() : [(string)value])
            {
                if (!name.StartsWith(Collection, StringComparison.Ordinal) || !OrderId.TryParse(name[Collection.Length..].Split('/')[0], out var id) || id.ToString() != orderId)
                    return false;
                named = true;
            }
        }

        return named;
    }

    private static IEnumerable<FieldDescriptor> FieldsOf(MessageDescriptor message) =>
        message.Fields.InDeclarationOrder().Where(field => field.FieldType == FieldType.String && Fields.Contains(field.Name));
}
