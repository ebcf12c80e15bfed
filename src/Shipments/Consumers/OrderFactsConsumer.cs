using System.Text.Json;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Shipments.CancellingShipments;
using Commerce.Shipments.PlanningShipments;

namespace Commerce.Shipments.Consumers;

/// <summary>Orders that are to be shipped, and those that are not any more; in whatever order the two come.</summary>
internal sealed class OrderFactsConsumer(TimeProvider time) : IConsumeFact<OrderConfirmed>, IConsumeFact<OrderCancelled>
{
    public Task Consume(OrderConfirmed fact, FactContext context)
    {
        ShipmentsTelemetry.TagOrder(fact.OrderId);
        context.Intend(new RecoveryPoint(PlanShipments.PointKind, fact.OrderId, JsonSerializer.Serialize(new PlanPayload(fact.Version), JsonSerializerOptions.Web)));
        return Task.CompletedTask;
    }

    public Task Consume(OrderCancelled fact, FactContext context)
    {
        ShipmentsTelemetry.TagOrder(fact.OrderId);
        return CancelShipments.Of(fact, context, time.GetUtcNow());
    }
}
