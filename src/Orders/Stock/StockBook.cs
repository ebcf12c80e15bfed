using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Orders.Stock;

/// <summary>Sets and reads what is on the shelf.</summary>
public sealed class StockBook(NpgsqlDataSource database, StoreBook stores, Requests requests, Outbox outbox)
{
    private const int MostAtOnce = 1_000;
    private const long MostOnHand = 1_000_000_000;

    /// <exception cref="Failure">INVALID_FIELD, STORE_NOT_FOUND, PRODUCT_NOT_FOUND, REQUEST_ID_REUSED.</exception>
    public async Task<BatchSetStockResponse> Set(BatchSetStockRequest request, RequestKey? key, string actor, CancellationToken cancellationToken)
    {
        var store = await stores.Get(Names.Store("parent", request.Parent), cancellationToken);
        Check(request);

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var sorted = request.Levels.OrderBy(level => level.Sku, StringComparer.Ordinal).ToList();
        try
        {
            await using var batch = new NpgsqlBatch(connection, transaction);
            if (key is not null)
                batch.With(requests.Record(key, store.Name, 1));
            AdjustStock.Say(batch, StockMovementKind.Set, actor, "");
            batch.With(Sql.Command(
                """
                INSERT INTO stock (store_id, sku, on_hand, reserved, backorder)
                SELECT p.store_id, p.sku, 0, 0, p.backorder FROM products p WHERE p.store_id = $1 AND p.sku = ANY ($2) ORDER BY p.sku
                ON CONFLICT DO NOTHING
                """).With(store.StoreId).With(sorted.Column(l => l.Sku)));
            batch.With(Sql.Command("SELECT sku, CASE WHEN backorder THEN 0 ELSE reserved END FROM stock WHERE store_id = $1 AND sku = ANY ($2) ORDER BY sku FOR UPDATE")
                .With(store.StoreId).With(sorted.Column(l => l.Sku)));
            var reserved = await ReadReserved(batch, cancellationToken);
            Check(request, store, reserved);

            await using var update = new NpgsqlCommand(
                """
                UPDATE stock s SET on_hand = l.on_hand FROM unnest($2, $3) AS l (sku, on_hand)
                WHERE s.store_id = $1 AND s.sku = l.sku
                """,
                connection,
                transaction);
            await update.With(store.StoreId).With(sorted.Column(l => l.Sku)).With(sorted.Column(l => l.OnHand)).ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            outbox.Wake();
        }
        catch (PostgresException exception) when (key is not null && exception.ConstraintName == Requests.Constraint)
        {
            // The first call did the work; its answer is the stock, read below. A changed payload is refused here.
            await transaction.RollbackAsync(cancellationToken);
            await requests.Find(key, cancellationToken);
        }

        var now = await Find(store.StoreId, [.. request.Levels.Select(l => l.Sku)], cancellationToken);
        return new BatchSetStockResponse { Stock = { request.Levels.Select(level => now[level.Sku]) } };
    }

    /// <exception cref="Failure">STORE_NOT_FOUND, PRODUCT_NOT_FOUND.</exception>
    public async Task<V1.Stock> Get(string storeId, string sku, CancellationToken cancellationToken)
    {
        await stores.Get(storeId, cancellationToken);
        return (await Find(storeId, [sku], cancellationToken)).GetValueOrDefault(sku)
            ?? throw new Failure(ErrorReason.ProductNotFound, $"Store \"{storeId}\" has no product \"{sku}\".");
    }

    /// <summary>What is on the shelf of those of the SKUs that are in the catalogue.</summary>
    public async Task<Dictionary<string, V1.Stock>> Find(string storeId, string[] skus, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT p.sku, coalesce(s.on_hand, 0), coalesce(s.reserved, 0), s.low_at
            FROM products p LEFT JOIN stock s USING (store_id, sku) WHERE p.store_id = $1 AND p.sku = ANY ($2)
            """).With(storeId).With(skus);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new Dictionary<string, V1.Stock>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            var level = Read(storeId, reader);
            found[level.Sku] = level;
        }

        return found;
    }

    /// <summary>A stock of which the row begins with SKU, pieces on the shelf, reserved ones and the threshold.</summary>
    public static V1.Stock Read(string storeId, NpgsqlDataReader reader)
    {
        var (sku, onHand, reserved) = (reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2));
        long? lowAt = reader.IsDBNull(3) ? null : reader.GetInt64(3);
        var level = new V1.Stock
        {
            Name = $"stores/{storeId}/products/{sku}/stock",
            Sku = sku,
            OnHand = onHand,
            Reserved = reserved,
            Available = onHand - reserved,
            State = onHand - reserved <= 0 ? StockState.Out : onHand - reserved <= lowAt ? StockState.Low : StockState.Enough,
        };
        if (lowAt is { } low)
            level.LowAt = low;
        return level;
    }

    private static async Task<Dictionary<string, long>> ReadReserved(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        var reserved = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        do
        {
            // The settings' answer has another shape.
            while (reader.FieldCount == 2 && await reader.ReadAsync(cancellationToken))
                reserved[reader.GetString(0)] = reader.GetInt64(1);
        }
        while (await reader.NextResultAsync(cancellationToken));

        return reserved;
    }

    private static void Check(BatchSetStockRequest request)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: false);
        errors.Count("levels", request.Levels.Count, 1, MostAtOnce, "SKUs");
        if (request.Levels.Count > MostAtOnce)
            errors.ThrowIfAny();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < request.Levels.Count; i++)
        {
            errors.Sku($"levels[{i}].sku", request.Levels[i].Sku);
            errors.Between($"levels[{i}].on_hand", request.Levels[i].OnHand, 0, MostOnHand);
            if (!seen.Add(request.Levels[i].Sku))
                errors.Add($"levels[{i}].sku", "Is given twice.");
        }

        errors.ThrowIfAny();
    }

    private static void Check(BatchSetStockRequest request, Store store, Dictionary<string, long> reserved)
    {
        var unknown = new List<FieldError>();
        var errors = new FieldErrors();
        for (var i = 0; i < request.Levels.Count; i++)
        {
            var level = request.Levels[i];
            if (!reserved.TryGetValue(level.Sku, out var held))
                unknown.Add(new FieldError($"levels[{i}].sku", $"Store \"{store.StoreId}\" has no product \"{level.Sku}\"; add it first."));
            else if (level.OnHand < held)
                errors.Add($"levels[{i}].on_hand", FieldErrors.Text($"Is {level.OnHand}, but orders hold {held} pieces of \"{level.Sku}\"; cancel orders first."));
        }

        if (unknown.Count > 0)
            throw new Failure(ErrorReason.ProductNotFound, unknown[0].Description, [.. unknown.Take(FieldErrors.MostNamed)]);
        errors.ThrowIfAny();
    }
}
