using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Shipments.CancellingShipments;
using Commerce.Shipments.ErasingCustomers;
using Commerce.Shipments.PlanningShipments;
using Commerce.Shipments.ReaddressingShipments;
using Commerce.Shipments.RecuttingShipments;
using Commerce.Shipments.ResolvingExceptions;
using Commerce.Shipments.Returning;
using Commerce.Shipments.Storage;
using Npgsql;

namespace Commerce.Shipments.Consumers;

/// <summary>Orders that are to be shipped, and those that are not any more, and returns likewise; in whatever order the two come.</summary>
internal sealed class OrderFactsConsumer(EraseOrder eraseOrder, TimeProvider time) :
    IConsumeFact<OrderConfirmed>, IConsumeFact<OrderEdited>, IConsumeFact<OrderLinesChanged>, IConsumeFact<ParcelReplaced>, IConsumeFact<OrderCancelled>, IConsumeFact<ReturnApproved>, IConsumeFact<ReturnReceived>, IConsumeFact<ReturnCancelled>, IConsumeFact<OrderErased>
{
    public Task Consume(OrderConfirmed fact, FactContext context)
    {
        ShipmentsTelemetry.TagOrder(fact.OrderId);
        context.Intend(new RecoveryPoint(PlanShipments.PointKind, fact.OrderId, new OrderVersion(fact.Version).ToPayload()));
        return Task.CompletedTask;
    }

    public Task Consume(OrderErased fact, FactContext context)
    {
        ShipmentsTelemetry.TagOrder(fact.OrderId);
        return eraseOrder.Erase(fact, context);
    }

    public Task Consume(OrderEdited fact, FactContext context)
    {
        // A parcel bears the address, the name that is written over it and how it is delivered; how else to reach the shopper is asked when it is needed.
        if (!fact.Fields.Any(field => field is "shipping_address" or "customer.name" or "delivery_wishes"))
            return Task.CompletedTask;
        Remember(fact, context);
        context.Intend(ReaddressShipments.PointOf(fact.OrderId, fact.Version));
        return Task.CompletedTask;
    }

    public Task Consume(OrderLinesChanged fact, FactContext context)
    {
        Remember(fact, context);
        context.Intend(RecutShipments.PointOf(fact.OrderId, fact.Version));
        return Task.CompletedTask;
    }

    public async Task Consume(ParcelReplaced fact, FactContext context)
    {
        Remember(fact, context);
        if (await ShipmentStore.Lock(context.Connection, context.Transaction, Guid.ParseExact(fact.ShipmentId, "N"), context.CancellationToken) is { } parcel
            && parcel.Settle(Remedy.Reshipped, time.GetUtcNow()) is { } told)
        {
            context.Tell(told);
            context.Batch.BatchCommands.Add(ShipmentStore.Update(parcel));
        }

        context.Intend(RecutShipments.PointOf(fact.OrderId, fact.Version));
    }

    // For whoever read the order before: planning, and packing anew.
    private static void Remember(IOrderFact fact, FactContext context)
    {
        ShipmentsTelemetry.TagOrder(fact.OrderId);
        context.Batch.BatchCommands.Add(ShipmentStore.OrderLock(fact.OrderId));
        context.Batch.BatchCommands.Add(new NpgsqlBatchCommand(
            "INSERT INTO edited_orders AS e (order_id, version) VALUES ($1, $2) ON CONFLICT (order_id) DO UPDATE SET version = greatest(e.version, $2)")
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = fact.OrderId }, new NpgsqlParameter<long> { TypedValue = fact.Version } },
        });
    }

    public Task Consume(OrderCancelled fact, FactContext context)
    {
        ShipmentsTelemetry.TagOrder(fact.OrderId);
        return CancelShipments.Of(fact, context, time.GetUtcNow());
    }

    public Task Consume(ReturnApproved fact, FactContext context)
    {
        ShipmentsTelemetry.TagOrder(fact.OrderId);
        if (fact.LabelWanted)
            context.Intend(PlanReturn.PointOf(fact));
        return Task.CompletedTask;
    }

    public Task Consume(ReturnReceived fact, FactContext context)
    {
        ShipmentsTelemetry.TagOrder(fact.OrderId);
        return fact.Complete ? CancelShipments.Of(fact, context, time.GetUtcNow()) : Task.CompletedTask;
    }

    public Task Consume(ReturnCancelled fact, FactContext context)
    {
        ShipmentsTelemetry.TagOrder(fact.OrderId);
        return CancelShipments.Of(fact, context, time.GetUtcNow());
    }
}
