using System.Text.Json;
using System.Text.Json.Serialization;

namespace Commerce.Orders.Storage;

/// <summary>How adjustments and payment parts are kept in their jsonb columns: camelCase, enums by name, so that they can grow.</summary>
public static class OrderJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };
}
