using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Orders.Stock;

/// <summary>Changes what is on the shelf by hand, with a reason, and reads how it came to be what it is.</summary>
public sealed class AdjustStock(NpgsqlDataSource database, StoreBook stores, StockBook stock, Requests requests, Outbox outbox)
{
    private const int MostOnPage = 500;
    private const int DefaultOnPage = 50;
    private const long MostAtOnce = 1_000_000_000;
    private const string NotOversold = "stock_not_oversold";

    /// <exception cref="Failure">INVALID_FIELD, STORE_NOT_FOUND, PRODUCT_NOT_FOUND, OUT_OF_STOCK, REQUEST_ID_REUSED.</exception>
    public async Task<V1.Stock> Adjust(AdjustStockRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var (storeId, sku) = Names.Product("name", request.Name, "/stock");
        Check(request);
        var now = await stock.Get(storeId, sku, cancellationToken);
        await using var batch = database.CreateBatch();
        batch.With(requests.Record(key, now.Name, 1));
        Say(batch, request.Reason == StockAdjustmentReason.Received ? StockMovementKind.Restock : StockMovementKind.Adjust, key.Caller, Note(request));
        batch.With(Sql.Command("INSERT INTO stock (store_id, sku, on_hand, reserved, backorder) SELECT store_id, sku, 0, 0, backorder FROM products WHERE store_id = $1 AND sku = $2 ON CONFLICT DO NOTHING")
            .With(storeId).With(sku));
        batch.With(Sql.Command("UPDATE stock SET on_hand = on_hand + $3 WHERE store_id = $1 AND sku = $2").With(storeId).With(sku).With(request.Change));
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
            outbox.Wake();
        }
        catch (PostgresException exception) when (Requests.IsRepeated(exception))
        {
            // The first call did the work. A changed payload is refused here.
            await requests.Find(key, cancellationToken);
        }
        catch (PostgresException exception) when (exception.ConstraintName == NotOversold)
        {
            throw new Failure(
                ErrorReason.OutOfStock, FieldErrors.Text($"{now.OnHand} pieces of \"{sku}\" are on the shelf and orders hold {now.Reserved}: {-request.Change} cannot be taken away."));
        }

        return await stock.Get(storeId, sku, cancellationToken);
    }

    /// <exception cref="Failure">INVALID_FIELD, STORE_NOT_FOUND, PRODUCT_NOT_FOUND, REQUEST_ID_REUSED.</exception>
    public async Task<V1.Stock> SetThreshold(SetStockThresholdRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var (storeId, sku) = Names.Product("name", request.Name, "/stock");
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: true);
        if (request.HasLowAt)
            errors.Between("low_at", request.LowAt, 1, MostAtOnce);
        errors.ThrowIfAny();
        var now = await stock.Get(storeId, sku, cancellationToken);
        await using var batch = database.CreateBatch();
        batch.With(requests.Record(key, now.Name, 1));
        batch.With(Sql.Command(
            """
            INSERT INTO stock (store_id, sku, on_hand, reserved, backorder, low_at)
            SELECT store_id, sku, 0, 0, backorder, $3 FROM products WHERE store_id = $1 AND sku = $2
            ON CONFLICT (store_id, sku) DO UPDATE SET low_at = excluded.low_at
            """).With(storeId).With(sku).With(request.HasLowAt ? request.LowAt : (long?)null));
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
            outbox.Wake();
        }
        catch (PostgresException exception) when (Requests.IsRepeated(exception))
        {
            await requests.Find(key, cancellationToken);
        }

        return await stock.Get(storeId, sku, cancellationToken);
    }

    /// <summary>A store's stock by SKU, all of it or what runs out.</summary>
    /// <exception cref="Failure">INVALID_FIELD, STORE_NOT_FOUND, PAGE_TOKEN_INVALID.</exception>
    public async Task<ListStockResponse> List(ListStockRequest request, CancellationToken cancellationToken)
    {
        var storeId = Names.Store("parent", request.Parent);
        var size = PageSize(request.PageSize);
        var errors = new FieldErrors();
        if (!Enum.IsDefined(request.State))
            errors.Add("state", "Is not a state of a stock.");
        errors.ThrowIfAny();
        var only = request.State switch
        {
            StockState.Enough => "AND stock_level(on_hand - reserved, low_at) = 0 ",
            StockState.Low => "AND stock_level(on_hand - reserved, low_at) > 0 ",
            StockState.Out => "AND on_hand - reserved <= 0 ",
            _ => "",
        };
        await stores.Get(storeId, cancellationToken);
        var skus = new List<string>();
        await using (var command = database.CreateCommand(
            $"SELECT sku FROM stock WHERE store_id = $1 AND sku > $2 {(request.HasAvailableAtMost ? "AND on_hand - reserved <= $4 " : "")}{only}ORDER BY sku LIMIT $3")
            .With(storeId).With(PageToken.Decode(request) ?? "").With(size + 1))
        {
            if (request.HasAvailableAtMost)
                command.With(request.AvailableAtMost);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                skus.Add(reader.GetString(0));
        }

        var found = await stock.Find(storeId, [.. skus.Take(size)], cancellationToken);
        return new ListStockResponse
        {
            Stock = { skus.Take(size).Select(sku => found[sku]) },
            NextPageToken = skus.Count > size ? PageToken.Encode(request, skus[size - 1]) : "",
        };
    }

    /// <summary>What moved, newest first.</summary>
    /// <exception cref="Failure">INVALID_FIELD, PRODUCT_NOT_FOUND, STORE_NOT_FOUND, PAGE_TOKEN_INVALID.</exception>
    public async Task<ListStockMovementsResponse> Movements(ListStockMovementsRequest request, CancellationToken cancellationToken)
    {
        var (storeId, sku) = Names.Product("parent", request.Parent);
        var size = PageSize(request.PageSize);
        var before = PageToken.Decode(request) is not { } token ? long.MaxValue
            : long.TryParse(token, System.Globalization.NumberStyles.None, null, out var id) ? id
            : throw PageToken.Invalid("It is not a token that this method gave out; leave it empty for the first page.");
        await stock.Get(storeId, sku, cancellationToken);
        await using var command = database.CreateCommand(
            """
            SELECT m.movement_id, m.kind, m.on_hand_change, m.reserved_change, m.on_hand, m.reserved, m.time, m.order_id, s.order_prefix, m.actor, m.note
            FROM stock_movements m JOIN stores s USING (store_id)
            WHERE m.store_id = $1 AND m.sku = $2 AND m.movement_id < $3 ORDER BY m.movement_id DESC LIMIT $4
            """).With(storeId).With(sku).With(before).With(size + 1);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var response = new ListStockMovementsResponse();
        long last = 0;
        while (await reader.ReadAsync(cancellationToken))
        {
            if (response.Movements.Count == size)
            {
                response.NextPageToken = PageToken.Encode(request, FieldErrors.Text($"{last}"));
                break;
            }

            last = reader.GetInt64(0);
            response.Movements.Add(new StockMovement
            {
                Kind = (StockMovementKind)reader.GetInt16(1),
                OnHandChange = reader.GetInt64(2),
                ReservedChange = reader.GetInt64(3),
                OnHand = reader.GetInt64(4),
                Reserved = reader.GetInt64(5),
                Time = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(reader.GetFieldValue<DateTimeOffset>(6)),
                OrderId = reader.IsDBNull(7) ? "" : new OrderId(reader.GetString(8), reader.GetInt64(7)).ToString(),
                Actor = reader.GetString(9),
                Note = reader.GetString(10),
            });
        }

        return response;
    }

    /// <summary>Says in the transaction of a change by hand what it is, for its movements.</summary>
    public static void Say(NpgsqlBatch batch, StockMovementKind kind, string actor, string note) =>
        batch.With(Sql.Command("SELECT set_config('commerce.stock_kind', $1, true), set_config('commerce.stock_actor', $2, true), set_config('commerce.stock_note', $3, true)")
            .With(FieldErrors.Text($"{(int)kind}")).With(actor).With(note));

    private static string Note(AdjustStockRequest request) =>
        request.Note.Length == 0 ? FactName.Of(request.Reason) : $"{FactName.Of(request.Reason)}: {request.Note}";

    private static void Check(AdjustStockRequest request)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: true);
        errors.Between("change", request.Change, -MostAtOnce, MostAtOnce);
        if (request.Change == 0)
            errors.Add("change", "Is zero; say how many pieces came or went.");
        if (!Enum.IsDefined(request.Reason) || request.Reason == StockAdjustmentReason.Unspecified)
            errors.Add("reason", "Say why.");
        errors.Optional("note", request.Note, 500);
        errors.ThrowIfAny();
    }

    private static int PageSize(int asked)
    {
        var errors = new FieldErrors();
        errors.Between("page_size", asked, 0, MostOnPage);
        errors.ThrowIfAny();
        return asked == 0 ? DefaultOnPage : asked;
    }
}
