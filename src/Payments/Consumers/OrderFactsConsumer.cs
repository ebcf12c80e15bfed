using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.Providers;
using Npgsql;

namespace Commerce.Payments.Consumers;

/// <summary>
/// Begins a payment for each order placed, and has the money of a cancelled one go back. The two facts come in either
/// order: both take the order's lock first, so that the later one sees what the earlier one did.
/// </summary>
public sealed class OrderFactsConsumer(PaymentProviders providers, TimeProvider time) : IConsumeFact<OrderPlaced>, IConsumeFact<OrderCancelled>
{
    public Task Consume(OrderPlaced fact, FactContext context)
    {
        PaymentsTelemetry.TagOrder(fact.OrderId);
        var now = time.GetUtcNow();
        var parts = fact.PaymentParts;
        Lock(context.Batch, fact.OrderId);
        Add(
            context.Batch,
            """
            INSERT INTO payments (order_id, store_id, currency, amount_minor, state, cancelled, created_at, updated_at, customer_id, capture_mode)
            VALUES ($1, $2, $3, $4, $5, EXISTS (SELECT FROM cancelled_orders WHERE order_id = $1), $6, $6, $7, $8)
            ON CONFLICT DO NOTHING
            """,
            Text(fact.OrderId),
            Text(fact.StoreId),
            Text(fact.Total.Currency),
            new NpgsqlParameter<long> { TypedValue = fact.Total.Minor },
            new NpgsqlParameter<short> { TypedValue = (short)PaymentState.Pending },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
            Text(fact.CustomerId ?? ""),
            new NpgsqlParameter<short> { TypedValue = (short)ModeOf(fact) });
        Add(
            context.Batch,
            """
            INSERT INTO payment_parts (order_id, part_number, method, token, amount_minor, instalments, provider, state)
            SELECT $1, p.part_number, p.method, p.token, p.amount_minor, p.instalments, p.provider, $3
            FROM unnest($4, $5, $6, $7, $8, $2) AS p (part_number, method, token, amount_minor, instalments, provider)
            ON CONFLICT DO NOTHING
            """,
            Text(fact.OrderId),
            new NpgsqlParameter<string[]> { TypedValue = [.. parts.Select(p => providers.For(p.Method))] },
            new NpgsqlParameter<short> { TypedValue = (short)PartState.Pending },
            new NpgsqlParameter<int[]> { TypedValue = [.. parts.Select(p => p.PartNumber)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. parts.Select(p => p.Method)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. parts.Select(p => p.Token)] },
            new NpgsqlParameter<long[]> { TypedValue = [.. parts.Select(p => p.Amount.Minor)] },
            new NpgsqlParameter<int[]> { TypedValue = [.. parts.Select(p => Math.Max(1, p.Instalments))] });
        context.Intend(new RecoveryPoint(AdvancePayment.Collect, fact.OrderId));
        return Task.CompletedTask;
    }

    public Task Consume(OrderCancelled fact, FactContext context)
    {
        PaymentsTelemetry.TagOrder(fact.OrderId);
        var now = new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() };
        Lock(context.Batch, fact.OrderId);
        Add(
            context.Batch,
            "UPDATE payments SET cancelled = true, revision = revision + 1, updated_at = $2 WHERE order_id = $1",
            Text(fact.OrderId),
            now);
        Add(
            context.Batch,
            "INSERT INTO cancelled_orders (order_id, store_id, cancelled_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            Text(fact.OrderId),
            Text(fact.StoreId),
            now.Clone());
        context.Intend(new RecoveryPoint(AdvancePayment.Release, fact.OrderId));
        return Task.CompletedTask;
    }

    private static CaptureMode ModeOf(OrderPlaced fact) => fact.CaptureMode switch
    {
        "MANUAL" => CaptureMode.Manual,
        "ON_SHIPMENT" => CaptureMode.OnShipment,
        _ => CaptureMode.Automatic,
    };

    private static void Lock(NpgsqlBatch batch, string orderId) => Add(batch, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", Text(orderId));

    private static void Add(NpgsqlBatch batch, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(command);
    }

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };
}
