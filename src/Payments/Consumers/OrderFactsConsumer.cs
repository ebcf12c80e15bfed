using System.Text.Json;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.Documents;
using Commerce.Payments.ErasingCustomers;
using Commerce.Payments.Providers;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Payments.Consumers;

/// <summary>
/// Begins a payment for each order placed, and has the money of a cancelled one go back; follows what an order costs when its
/// lines change. The facts come in any order: all take the order's lock first, so that the later one sees what the earlier
/// one did.
/// </summary>
public sealed class OrderFactsConsumer(PaymentProviders providers, EraseOrder eraseOrder, TimeProvider time)
    : IConsumeFact<OrderPlaced>, IConsumeFact<OrderCancelled>, IConsumeFact<OrderLinesChanged>, IConsumeFact<OrderChangeProposed>, IConsumeFact<OrderChangeWithdrawn>, IConsumeFact<OrderErased>
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

    public Task Consume(OrderLinesChanged fact, FactContext context)
    {
        PaymentsTelemetry.TagOrder(fact.OrderId);
        Lock(context.Batch, fact.OrderId);
        Add(
            context.Batch,
            "INSERT INTO order_changes (order_id, version, change_number, difference_minor, lines) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            Text(fact.OrderId),
            new NpgsqlParameter<long> { TypedValue = fact.Version },
            new NpgsqlParameter<int> { TypedValue = fact.Change },
            new NpgsqlParameter<long> { TypedValue = fact.Total.Minor - fact.TotalBefore.Minor },
            new NpgsqlParameter<string>
            {
                TypedValue = JsonSerializer.Serialize(fact.Lines.Select(l => new ChangedLine(l.LineNumber, l.Pieces, l.UnitPrice.Minor)), JsonSerializerOptions.Web),
                NpgsqlDbType = NpgsqlDbType.Jsonb,
            });
        Touch(context, fact.OrderId);
        context.Intend(new RecoveryPoint(AdvancePayment.Collect, $"{fact.OrderId}/change-{fact.Version}"));
        if (IssueDocuments.DueOf(fact) is { } due)
            context.Intend(due);
        return Task.CompletedTask;
    }

    // The order was paid before it could be proposed, so the payment is there.
    public async Task Consume(OrderChangeProposed fact, FactContext context)
    {
        PaymentsTelemetry.TagOrder(fact.OrderId);
        await using var batch = new NpgsqlBatch(context.Connection, context.Transaction);
        Lock(batch, fact.OrderId);
        Add(
            batch,
            """
            INSERT INTO payment_parts (order_id, part_number, method, token, amount_minor, instalments, provider, state, change_number, withdrawn)
            SELECT h.order_id, (SELECT max(part_number) + 1 FROM payment_parts p WHERE p.order_id = h.order_id), $2, $3, $4, $5, $6, $7, $8,
                   EXISTS (SELECT FROM withdrawn_changes w WHERE w.order_id = h.order_id AND w.change_number = $8)
            FROM payments h WHERE h.order_id = $1 ON CONFLICT DO NOTHING
            """,
            Text(fact.OrderId),
            Text(fact.Payment.Method),
            Text(fact.Payment.Token),
            new NpgsqlParameter<long> { TypedValue = fact.Payment.Amount.Minor },
            new NpgsqlParameter<int> { TypedValue = Math.Max(1, fact.Payment.Instalments) },
            Text(providers.For(fact.Payment.Method)),
            new NpgsqlParameter<short> { TypedValue = (short)PartState.Pending },
            new NpgsqlParameter<int> { TypedValue = fact.Change });
        await batch.ExecuteNonQueryAsync(context.CancellationToken);
        await using var charge = new NpgsqlCommand("SELECT count(*) FROM payment_parts WHERE order_id = $1 AND change_number = $2", context.Connection, context.Transaction)
        {
            Parameters = { Text(fact.OrderId), new NpgsqlParameter<int> { TypedValue = fact.Change } },
        };
        if ((long)(await charge.ExecuteScalarAsync(context.CancellationToken))! == 0)
            throw new InvalidOperationException($"Order {fact.OrderId} charges for change {fact.Change}, and has no payment.");
        Touch(context, fact.OrderId);
        context.Intend(new RecoveryPoint(AdvancePayment.Collect, $"{fact.OrderId}/charge-{fact.Change}"));
    }

    public Task Consume(OrderChangeWithdrawn fact, FactContext context)
    {
        PaymentsTelemetry.TagOrder(fact.OrderId);
        Lock(context.Batch, fact.OrderId);
        Add(
            context.Batch,
            "INSERT INTO withdrawn_changes (order_id, change_number) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            Text(fact.OrderId),
            new NpgsqlParameter<int> { TypedValue = fact.Change });
        Add(
            context.Batch,
            "UPDATE payment_parts SET withdrawn = true WHERE order_id = $1 AND change_number = $2",
            Text(fact.OrderId),
            new NpgsqlParameter<int> { TypedValue = fact.Change });
        Touch(context, fact.OrderId);
        context.Intend(new RecoveryPoint(AdvancePayment.Collect, $"{fact.OrderId}/withdrawn-{fact.Change}"));
        return Task.CompletedTask;
    }

    public async Task Consume(OrderErased fact, FactContext context)
    {
        PaymentsTelemetry.TagOrder(fact.OrderId);
        await using var batch = new NpgsqlBatch(context.Connection, context.Transaction);
        Lock(batch, fact.OrderId);
        await batch.ExecuteNonQueryAsync(context.CancellationToken);
        await eraseOrder.Erase(fact, context);
    }

    // Whoever read the payment before reads it again.
    private void Touch(FactContext context, string orderId) => Add(
        context.Batch,
        "UPDATE payments SET revision = revision + 1, updated_at = $2 WHERE order_id = $1",
        Text(orderId),
        new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() });

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
