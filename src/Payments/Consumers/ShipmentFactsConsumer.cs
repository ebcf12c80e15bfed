using System.Collections.Frozen;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Payments.CapturingPayment;
using Npgsql;

namespace Commerce.Payments.Consumers;

/// <summary>
/// Hears of the parcels of orders whose money is taken as they are handed over; of all others, nothing is kept. A parcel exists
/// only after its order was confirmed, which such a payment does, so the payment is always there first.
/// </summary>
public sealed class ShipmentFactsConsumer : IConsumeFact<ShipmentCreated>, IConsumeFact<ParcelTracked>
{
    // Statuses that only a parcel has which was handed over. Held up or delayed, it may still be with the shop.
    private static readonly FrozenSet<string> HandedOver =
        new[] { "PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "AVAILABLE_FOR_PICKUP", "DELIVERED", "DELIVERY_FAILED", "RETURN_TO_SENDER" }.ToFrozenSet(StringComparer.Ordinal);

    public Task Consume(ShipmentCreated fact, FactContext context) => Keep(
        fact,
        """
        INSERT INTO payment_shipments (order_id, shipment_id, line_numbers, quantities) VALUES ($1, $2, $3, $4)
        ON CONFLICT (order_id, shipment_id) DO UPDATE SET line_numbers = excluded.line_numbers, quantities = excluded.quantities
        """,
        context,
        new NpgsqlParameter<int[]> { TypedValue = [.. fact.Lines.Select(l => l.LineNumber)] },
        new NpgsqlParameter<int[]> { TypedValue = [.. fact.Lines.Select(l => l.Quantity)] });

    public Task Consume(ParcelTracked fact, FactContext context) =>
        HandedOver.Contains(fact.PreviousStatus) || !(HandedOver.Contains(fact.Status) || fact.Reached.Any(HandedOver.Contains))
            ? Task.CompletedTask
            : Keep(
                fact,
                """
                INSERT INTO payment_shipments (order_id, shipment_id, handed_over) VALUES ($1, $2, true)
                ON CONFLICT (order_id, shipment_id) DO UPDATE SET handed_over = true
                """,
                context);

    private static async Task Keep(IShipmentFact fact, string sql, FactContext context, params NpgsqlParameter[] more)
    {
        // What comes back was paid for when it went.
        if (fact.ReturnNumber > 0)
            return;
        PaymentsTelemetry.TagOrder(fact.OrderId);
        await using var mode = new NpgsqlCommand("SELECT capture_mode FROM payments WHERE order_id = $1", context.Connection, context.Transaction)
        {
            Parameters = { Text(fact.OrderId) },
        };
        if (await mode.ExecuteScalarAsync(context.CancellationToken) is not short found || (CaptureMode)found != CaptureMode.OnShipment)
            return;

        var command = new NpgsqlBatchCommand(sql) { Parameters = { Text(fact.OrderId), Text(fact.ShipmentId) } };
        command.Parameters.AddRange(more);
        context.Batch.BatchCommands.Add(command);
        // A point for each fact: one that is being carried out may have looked before this was there.
        context.Intend(new RecoveryPoint(CaptureShipments.PointKind, $"{fact.OrderId}/{fact.ShipmentId}/{fact.Version}"));
    }

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };
}
