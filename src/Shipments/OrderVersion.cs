using System.Text.Json;
using Commerce.Messaging;

namespace Commerce.Shipments;

/// <summary>The version of an order that a recovery point follows from: what it does must have read the order at least that new.</summary>
internal sealed record OrderVersion(long Version)
{
    public string ToPayload() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web);

    public static OrderVersion Of(RecoveryPoint point) => JsonSerializer.Deserialize<OrderVersion>(point.Payload, JsonSerializerOptions.Web) ?? new OrderVersion(0);
}
