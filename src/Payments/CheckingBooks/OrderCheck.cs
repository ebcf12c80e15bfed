using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Npgsql;
using OrderPaymentState = Commerce.Orders.V1.PaymentState;

namespace Commerce.Payments.CheckingBooks;

/// <summary>
/// Holds the payments that have come to rest against what Orders says of the same orders, and with it which invoices there are and,
/// where money is taken by the parcel, what Shipments told of those. Facts bring all of them to the same end; the check finds where one was lost, or a service
/// was restored to an earlier day than the others.
/// </summary>
public sealed class OrderCheck(NpgsqlDataSource database, OrderService.OrderServiceClient orders, TimeProvider time)
{
    /// <summary>Most orders in a slice: as many as one BatchGetOrders answers.</summary>
    public const int MostOrders = 500;

    // Facts are on their way for seconds; for minutes only where something is wrong, and that has metrics of its own.
    private static readonly TimeSpan AtRest = TimeSpan.FromMinutes(10);

    /// <summary>As <see cref="BookCheck.Slice"/>.</summary>
    public async Task<(string? Last, IReadOnlyList<Difference> Differences)> Slice(string after, int size, CancellationToken cancellationToken)
    {
        var restingSince = time.GetUtcNow() - AtRest;
        var (last, payments) = await Resting(after, Math.Min(size, MostOrders), restingSince, cancellationToken);
        var differences = new List<Difference>();
        if (payments.Count == 0)
            return (last, differences);

        var answer = await orders.BatchGetOrdersAsync(
            new BatchGetOrdersRequest { Names = { payments.Keys.Select(orderId => "orders/" + orderId) } }, cancellationToken: cancellationToken);
        differences.AddRange(answer.NotFound.Select(name => new Difference(name["orders/".Length..], "there is a payment, and Orders does not know the order")));
        foreach (var order in answer.Orders.Where(order => order.UpdateTime.ToDateTimeOffset() < restingSince))
            differences.AddRange(Compare(order, payments[order.OrderId]).Select(what => new Difference(order.OrderId, what)));
        return (last, differences);
    }

    private static IEnumerable<string> Compare(Order order, RestingPayment payment)
    {
        if (!order.Total.TryToMoney(out var total, out var error))
            throw new InvalidOperationException($"Orders gave a total that is none: {error}");
        var kept = payment.Captured - payment.Refunded;
        if (total.Currency != payment.Currency)
            yield return $"the order is in {total.Currency}, its payment in {payment.Currency}";
        if (order.State == OrderState.Cancelled && kept != 0)
            yield return $"the order is cancelled, and {kept} of its money is kept";
        else if (order.PaymentState is OrderPaymentState.Pending or OrderPaymentState.Failed && kept != 0)
            yield return $"by Orders it is {order.PaymentState}, and {kept} of its money is kept";
        else if (order.State != OrderState.Cancelled && order.PaymentState == OrderPaymentState.Paid && kept != total.Minor && !(payment.LetGo && kept < total.Minor))
            yield return $"by Orders it is paid and comes to {total.Minor}, and {kept} is kept";
        if (order.PaymentState == OrderPaymentState.Refunded && order.State != OrderState.Cancelled && kept != 0)
            yield return $"by Orders all was given back, and {kept} is kept";
        if (payment is { Sold: true, Invoiced: null })
            yield return "it was sold, and has no invoice";
        // What was given back at the provider has no credit note of ours.
        else if (payment.Invoiced is { } invoiced && payment.Refunded == payment.Given && invoiced != kept)
            yield return $"invoices less credit notes come to {invoiced}, and {kept} is kept";
        foreach (var shipment in payment.HandedOver)
        {
            var parcel = order.Parcels.FirstOrDefault(parcel => parcel.Shipment == "shipments/" + shipment);
            if (parcel is null || parcel.State is ParcelState.Planned or ParcelState.Unspecified)
                yield return $"by Shipments parcel {shipment} was handed over, and by Orders it is {parcel?.State.ToString() ?? "unknown"}";
        }
    }

    private async Task<(string? Last, Dictionary<string, RestingPayment> Payments)> Resting(string after, int size, DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            WITH slice AS (SELECT * FROM payments WHERE order_id > $1 ORDER BY order_id LIMIT $2),
            busy AS (SELECT DISTINCT split_part(key, '/', 1) AS order_id FROM messaging.recovery_points)
            SELECT s.order_id, s.currency, s.captured_minor, s.refunded_minor, s.sold,
              (SELECT sum(CASE d.kind WHEN 1 THEN 1 ELSE -1 END * (d.content->>'total_minor')::bigint)::bigint FROM documents d WHERE d.order_id = s.order_id AND d.kind <> 2),
              ARRAY (SELECT p.shipment_id FROM payment_shipments p WHERE p.order_id = s.order_id AND p.handed_over),
              (SELECT coalesce(sum(r.amount_minor), 0)::bigint FROM refund_pieces r WHERE r.order_id = s.order_id AND r.state = 3),
              EXISTS (SELECT FROM payment_parts p WHERE p.order_id = s.order_id AND p.change_number = 0 AND (p.rest_voided OR p.state = 7)),
              s.updated_at < $3 AND NOT EXISTS (SELECT FROM busy b WHERE b.order_id = s.order_id)
            FROM slice s ORDER BY s.order_id
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = size });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = since });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        string? last = null;
        var found = new Dictionary<string, RestingPayment>();
        while (await reader.ReadAsync(cancellationToken))
        {
            last = reader.GetString(0);
            if (reader.GetBoolean(9))
            {
                found.Add(last, new RestingPayment(
                    reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetBoolean(4), reader.IsDBNull(5) ? null : reader.GetInt64(5),
                    reader.GetFieldValue<string[]>(6), reader.GetInt64(7), reader.GetBoolean(8)));
            }
        }

        return (last, found);
    }

    private sealed record RestingPayment(string Currency, long Captured, long Refunded, bool Sold, long? Invoiced, IReadOnlyList<string> HandedOver, long Given, bool LetGo);
}
