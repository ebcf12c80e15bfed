using Commerce.Facts;
using Commerce.Messaging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Payments.ErasingCustomers;

/// <summary>
/// Takes what is personal from the payment of an order. What was moved is booked, and the books name nobody; documents do, and are kept
/// for as long as the law of the store's country says, out of sight.
/// </summary>
public sealed class EraseOrder(IOptions<PaymentsOptions> options, TimeProvider time)
{
    private const string Service = "payments";

    /// <summary>Does it in the transaction of the fact that wants it, and tells.</summary>
    public async Task Erase(OrderErased fact, FactContext context)
    {
        var kept = await Documents(fact, context);
        // While it is known whose it is.
        await using var notes = new NpgsqlCommand(
            "SELECT erase_notes($1, $2, coalesce((SELECT customer_id FROM payments WHERE order_id = $1), ''))", context.Connection, context.Transaction)
        { Parameters = { Text(fact.OrderId), Text(fact.StoreId) } };
        var booked = (long)(await notes.ExecuteScalarAsync(context.CancellationToken))!;
        await using var batch = new NpgsqlBatch(context.Connection, context.Transaction);
        // Whoever read the payment before reads it again.
        var customer = Add(batch, "UPDATE payments SET customer_id = '', revision = revision + 1, updated_at = $2 WHERE order_id = $1", Text(fact.OrderId), Now());
        var means = Add(batch, "UPDATE payment_parts SET token = '', next_action_url = NULL WHERE order_id = $1", Text(fact.OrderId));
        var words = Add(batch, "UPDATE refunds SET note = '' WHERE order_id = $1 AND note <> ''", Text(fact.OrderId));
        Add(
            batch,
            "INSERT INTO erased_orders (order_id, erasure_id, erased_at, keep_documents_until) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            Text(fact.OrderId), Text(fact.ErasureId), Now(), new NpgsqlParameter<DateOnly?> { TypedValue = kept.Until });
        await batch.ExecuteNonQueryAsync(context.CancellationToken);
        List<ErasedItem> items =
        [
            new("customers of payments", (long)customer.Rows),
            new("tokens of means of payment", (long)means.Rows),
            new("words on refunds and bookings", (long)words.Rows + booked),
            new("amounts, ledger and store credit", 0, (long)customer.Rows, "The books: they name nobody. Store credit is owed under the shop's own number of the customer."),
        ];
        if (kept is { Count: > 0, Until: { } until })
            items.Add(new("invoices, receipts and credit notes", 0, kept.Count, "The law wants them kept; who bought is shown to holders of documents.legal alone.", until));
        context.Tell(new PersonalDataErased(fact.ErasureId, fact.OrderId, fact.StoreId, time.GetUtcNow(), Service, items));
    }

    // To the end of a calendar year, as such laws count.
    private async Task<(long Count, DateOnly? Until)> Documents(OrderErased fact, FactContext context)
    {
        await using var command = new NpgsqlCommand(
            "SELECT count(*), max(year), max(content -> 'store_address' ->> -1) FROM documents WHERE order_id = $1", context.Connection, context.Transaction)
        { Parameters = { Text(fact.OrderId) } };
        await using var reader = await command.ExecuteReaderAsync(context.CancellationToken);
        await reader.ReadAsync(context.CancellationToken);
        return reader.GetInt64(0) == 0
            ? (0, null)
            : (reader.GetInt64(0), new DateOnly(reader.GetInt32(1) + options.Value.YearsToKeepDocuments(reader.IsDBNull(2) ? "" : reader.GetString(2)), 12, 31));
    }

    private NpgsqlParameter<DateTimeOffset> Now() => new() { TypedValue = time.GetUtcNow() };

    private static NpgsqlBatchCommand Add(NpgsqlBatch batch, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(command);
        return command;
    }

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };
}
