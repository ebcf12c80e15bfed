using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Shipments.Storage;
using Npgsql;

namespace Commerce.Shipments.CancellingShipments;

/// <summary>
/// An order was cancelled: what was not sold to a carrier yet is cancelled at once, and a label is voided. A label that is
/// being bought at this moment is bought to its end and then voided, since only so do we learn its number.
/// </summary>
internal static class CancelShipments
{
    public static async Task Of(OrderCancelled fact, FactContext context, DateTimeOffset now)
    {
        await using (var batch = new NpgsqlBatch(context.Connection, context.Transaction))
        {
            // Remembered even before we hear that the order was confirmed: planning looks here under the same lock.
            batch.BatchCommands.Add(ShipmentStore.OrderLock(fact.OrderId));
            batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO cancelled_orders (order_id, cancelled_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = fact.OrderId }, new NpgsqlParameter<DateTimeOffset> { TypedValue = now } },
            });
            await batch.ExecuteNonQueryAsync(context.CancellationToken);
        }

        Cancel(await ShipmentStore.LockOrder(context.Connection, context.Transaction, fact.OrderId, context.CancellationToken), context, now);
    }

    /// <summary>The shopper keeps the goods: their parcels are not wanted any more.</summary>
    public static async Task Of(ReturnCancelled fact, FactContext context, DateTimeOffset now) => Cancel(await NotWanted(fact, context), context, now);

    /// <summary>Everything came, in whatever way: a label that nobody used is void. What a carrier has comes to its end.</summary>
    public static async Task Of(ReturnReceived fact, FactContext context, DateTimeOffset now) =>
        Cancel([.. (await NotWanted(fact, context)).Where(parcel => !parcel.IsOver && !TrackingStatusRules.WasHandedOver(parcel.Tracking))], context, now);

    // Remembered, for a plan that is being made at this moment.
    private static async Task<IReadOnlyList<Shipment>> NotWanted(IReturnFact fact, FactContext context)
    {
        await using (var batch = new NpgsqlBatch(context.Connection, context.Transaction))
        {
            batch.BatchCommands.Add(ShipmentStore.OrderLock(fact.OrderId));
            batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO cancelled_returns (order_id, return_number) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = fact.OrderId }, new NpgsqlParameter<int> { TypedValue = fact.ReturnNumber } },
            });
            await batch.ExecuteNonQueryAsync(context.CancellationToken);
        }

        return await ShipmentStore.LockReturn(context.Connection, context.Transaction, fact.OrderId, fact.ReturnNumber, context.CancellationToken);
    }

    private static void Cancel(IReadOnlyList<Shipment> shipments, FactContext context, DateTimeOffset now)
    {
        foreach (var shipment in shipments)
        {
            (shipment.CancelRequested, shipment.Recut) = (true, false);
            if (shipment.LabelId is not null)
            {
                context.Intend(VoidLabel.PointOf(shipment));
            }
            else if (shipment.IsRegistered && TrackingStatusRules.WasHandedOver(shipment.Tracking))
            {
                if (shipment.Raise(V1.ShipmentException.Types.Kind.CancelledInTransit, VoidLabel.InTransit, 1, now) is { } raised)
                    context.Tell(raised);
            }
            else if (shipment.BuyingCarrier is null && shipment.Cancel(now) is { } cancelled)
            {
                context.Tell(cancelled);
            }

            context.Batch.BatchCommands.Add(ShipmentStore.Update(shipment));
        }
    }
}
