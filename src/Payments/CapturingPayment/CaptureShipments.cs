using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.Storage;
using Npgsql;

namespace Commerce.Payments.CapturingPayment;

/// <summary>
/// Takes what an order's parcels so far are worth, as its carriers got them: of the whole, the share that their goods have of all
/// goods, and with the last of them what is left. What the goods cost is asked of Orders; while that is down, it is taken later.
/// </summary>
public sealed class CaptureShipments(PaymentStore payments, NpgsqlDataSource database, OrderService.OrderServiceClient orders, TimeProvider time) : IRecover
{
    public const string PointKind = "capture-shipments";

    public string Kind => PointKind;

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var orderId = PaymentDriver.OrderOf(point);
        PaymentsTelemetry.TagOrder(orderId);
        var gone = await HandedOver(orderId, cancellationToken);
        if (gone.Count == 0 || await payments.Find(orderId, cancellationToken) is not { CaptureMode: CaptureMode.OnShipment } payment)
            return new RecoveryOutcome.Done();

        var order = await orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + orderId }, cancellationToken: cancellationToken);
        return new RecoveryOutcome.Done(context => Promise(payment, order, gone, context));
    }

    /// <summary>What of a payment the goods that are gone come to, in minor units: each line's pieces at their price, all of them the whole.</summary>
    internal static long Share(long whole, IReadOnlyList<OrderLine> lines, IReadOnlyDictionary<int, long> gone)
    {
        Int128 worth = 0, all = 0;
        var complete = true;
        foreach (var line in lines)
        {
            var pieces = Math.Min(gone.GetValueOrDefault(line.LineNumber), line.Quantity);
            complete &= pieces == line.Quantity;
            if (!line.UnitPrice.TryToMoney(out var price, out var error))
                throw new InvalidOperationException($"Orders gave a price that is none: {error}");
            worth += (Int128)price.Minor * pieces;
            all += (Int128)price.Minor * line.Quantity;
        }

        return complete ? whole : all == 0 ? 0 : (long)(whole * worth / all);
    }

    private async Task Promise(Payment payment, Order order, Dictionary<int, long> gone, RecoveryContext context)
    {
        while (true)
        {
            // From what was promised so far: the same parcel again comes to nothing more.
            var promised = payment.Captured.Minor + payment.Captures.SelectMany(c => c.Pieces).Where(p => p.State == CapturePieceState.Promised).Sum(p => p.Amount.Minor);
            var more = Math.Min(Share(payment.Due.Minor, order.Lines, gone) - promised, payment.Capturable.Minor);
            if (more <= 0)
                return;
            var capture = payment.PromiseCapture(payment.Amount with { Minor = more }, "service/shipments", time.GetUtcNow());
            if (await payments.Save(payment, context.Connection, context.Transaction, context.CancellationToken))
            {
                context.Intend(new RecoveryPoint(AdvancePayment.Capture, FormattableString.Invariant($"{payment.OrderId}/{capture.Number}")));
                return;
            }

            payment = (await PaymentStore.Find(context.Connection, context.Transaction, payment.OrderId, context.CancellationToken))!;
        }
    }

    private async Task<Dictionary<int, long>> HandedOver(string orderId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT line_number, sum(quantity)::bigint FROM payment_shipments, unnest(line_numbers, quantities) AS l (line_number, quantity)
            WHERE order_id = $1 AND handed_over GROUP BY line_number
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = orderId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var gone = new Dictionary<int, long>();
        while (await reader.ReadAsync(cancellationToken))
            gone[reader.GetInt32(0)] = reader.GetInt64(1);
        return gone;
    }
}
