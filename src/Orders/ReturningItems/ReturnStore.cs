using System.Text.Json;
using Commerce.Messaging;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Npgsql;

namespace Commerce.Orders.ReturningItems;

/// <summary>A locked order with what its returns need: its prices and its money, its store's rules, and the returns themselves.</summary>
public sealed record ReturnsOfOrder(
    Order Order, string Currency, IReadOnlyList<PricedLine> Lines, PaidFor Paid, long TakenMinor, long RefundedMinor,
    ReturnPolicy Policy, TimeZoneInfo Zone, IReadOnlyList<Return> Returns, string? CustomerId = null)
{
    /// <summary>
    /// What of the order's money can still be promised, as far as it is known here; Payments has the last word. What a return was
    /// given, or is promised, is known at times before the payment tells of it, and the other way round: a refund that is on its way
    /// here may be among what went back already, and is not to be counted twice, or nothing would be asked for what comes next.
    /// </summary>
    public long AvailableMinor => Math.Max(0, TakenMinor - Math.Max(RefundedMinor, Returns.Sum(r => r.GivenMinor + r.PendingMinor)));

    /// <summary>What of the order's money is there.</summary>
    public long LeftMinor => Math.Max(0, TakenMinor - RefundedMinor);

    /// <exception cref="Failure">RETURN_NOT_FOUND.</exception>
    public Return Return(int number) => Returns.FirstOrDefault(r => r.Number == number) ?? throw ReturnNames.NotFound(Order.Id, number);
}

/// <summary>A return as it is shown: with what is left of its order's money.</summary>
public sealed record ShownReturn(Return Return, long LeftMinor);

/// <summary>Reads and writes returns.</summary>
public sealed class ReturnStore(NpgsqlDataSource database)
{
    private const string Shown =
        $"""
        SELECT r.order_id, s.order_prefix, r.store_id, r.number, r.state, r.version, r.create_time, r.update_time, r.content,
               {Sql.KeptMinor}
        FROM order_returns r JOIN orders o USING (order_id) JOIN stores s ON s.store_id = r.store_id
        """;

    /// <summary>Everything about the returns of an order that is locked.</summary>
    public static async Task<ReturnsOfOrder> Load(NpgsqlConnection connection, NpgsqlTransaction transaction, Order order, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction)
            .With(Sql.Command(
                """
                SELECT o.currency, o.shipping_minor, o.total_minor, o.refunded_minor, o.adjustments, s.return_policy, s.time_zone, o.customer_id, o.untaken_minor
                FROM orders o JOIN stores s USING (store_id) WHERE o.order_id = $1
                """).With(order.Id.Value))
            .With(Sql.Command("SELECT line_number, title, quantity, unit_price_minor, discount_minor FROM order_lines WHERE order_id = $1 ORDER BY line_number").With(order.Id.Value))
            .With(Sql.Command("SELECT number, state, version, create_time, update_time, content FROM order_returns WHERE order_id = $1 ORDER BY number").With(order.Id.Value));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (currency, shipping, total, refunded) = (reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3));
        var adjustments = JsonSerializer.Deserialize<AdjustmentRow[]>(reader.GetString(4), OrderJson.Options)!;
        var policy = ReturnPolicies.FromJson(reader.TextOrNull(5));
        var customerId = reader.TextOrNull(7);
        var taken = total - reader.GetInt64(8);
        var zone = TimeZoneInfo.FindSystemTimeZoneById(reader.GetString(6));

        var lines = new List<PricedLine>();
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            lines.Add(new PricedLine(reader.GetInt32(0), reader.GetString(1), reader.GetInt32(2), reader.GetInt64(3), reader.IsDBNull(4) ? null : reader.GetInt64(4)));

        var returns = new List<Return>();
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            returns.Add(Read(order.Id, order.StoreId, reader, 0));
        return new ReturnsOfOrder(order, currency, lines, new PaidFor(lines, adjustments, shipping, total), taken, refunded, policy, zone, returns, customerId);
    }

    /// <summary>Adds a return, new or changed, to the batch.</summary>
    public static void Save(NpgsqlBatch batch, Return one) => batch.With(Sql.Command(
        """
        INSERT INTO order_returns (order_id, number, store_id, state, version, create_time, update_time, content)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (order_id, number) DO UPDATE
        SET state = excluded.state, version = excluded.version, update_time = excluded.update_time, content = excluded.content
        """)
        .With(one.OrderId.Value).With(one.Number).With(one.StoreId).With((short)one.State).With(one.Version).With(one.CreatedAt).With(one.UpdatedAt)
        .WithJson(JsonSerializer.Serialize(one.Content, OrderJson.Options)));

    /// <summary>Adds to the batch how many pieces of each line are back.</summary>
    public static void SaveCameBack(NpgsqlBatch batch, Order order, IReadOnlyCollection<int> lineNumbers)
    {
        var lines = order.Lines.Where(line => lineNumbers.Contains(line.LineNumber)).ToList();
        batch.With(Sql.Command(
            """
            UPDATE order_lines l SET returned = m.returned
            FROM unnest($2, $3) AS m (line_number, returned) WHERE l.order_id = $1 AND l.line_number = m.line_number
            """)
            .With(order.Id.Value).With(lines.Column(l => l.LineNumber)).With(lines.Column(l => l.Returned)));
    }

    /// <summary>Adds to the batch what came on the shelf, and what of it is written off.</summary>
    public static void SaveStock(NpgsqlBatch batch, Return one, IEnumerable<(string Sku, int AsNew, int Damaged)> pieces, string actor)
    {
        var bySku = pieces.GroupBy(p => p.Sku, (sku, of) => of.Aggregate((Sku: sku, AsNew: 0L, Damaged: 0L), (sum, p) => (sku, sum.AsNew + p.AsNew, sum.Damaged + p.Damaged)))
            .Where(p => p.AsNew + p.Damaged > 0).OrderBy(p => p.Sku, StringComparer.Ordinal).ToList();
        if (bySku.Count == 0)
            return;
        batch.With(Sql.Command("SELECT return_stock($1, $2, $3, $4, $5, $6, $7)")
            .With(one.StoreId).With(bySku.Column(p => p.Sku)).With(bySku.Column(p => p.AsNew)).With(bySku.Column(p => p.Damaged))
            .With(one.OrderId.Value).With(actor).With(ReturnNames.NumberOf(one.OrderId, one.Number)));
    }

    /// <summary>What is to be asked now about refunds of an order's returns, since its payment moved.</summary>
    public static async Task<IReadOnlyList<RecoveryPoint>> Waiting(
        NpgsqlConnection connection, NpgsqlTransaction transaction, OrderId orderId, long paymentVersion, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT store_id, number, state, version, create_time, update_time, content FROM order_returns WHERE order_id = $1", connection, transaction)
            .With(orderId.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var points = new List<RecoveryPoint>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var one = Read(orderId, reader.GetString(0), reader, 1);
            points.AddRange(one.Content.Refunds.Where(r => r.State == ReturnRefund.Types.State.Pending).Select(r => RefundReturn.PointOf(one, r.Number, paymentVersion)));
        }

        return points;
    }

    /// <summary>One return, null if there is none.</summary>
    public async Task<ShownReturn?> Find(OrderId orderId, int number, CancellationToken cancellationToken) =>
        (await ReadAll(
            database.CreateCommand(Shown + " WHERE r.order_id = $1 AND r.number = $2 AND s.order_prefix = $3").With(orderId.Value).With(number).With(orderId.Prefix),
            cancellationToken)).SingleOrDefault();

    /// <summary>Returns of an order after a number, first one first.</summary>
    public Task<List<ShownReturn>> OfOrder(OrderId orderId, ReturnState state, int after, int limit, CancellationToken cancellationToken) => ReadAll(
        database.CreateCommand(
            Shown + $" WHERE r.order_id = $1 AND s.order_prefix = $2 AND r.number > $3 {(state == ReturnState.Unspecified ? "AND $5 = 0" : "AND r.state = $5")} ORDER BY r.number LIMIT $4")
            .With(orderId.Value).With(orderId.Prefix).With(after).With(limit).With((short)state),
        cancellationToken);

    /// <summary>Returns of a store, newest first.</summary>
    /// <param name="until">Before this (time, order, number), which is the last one of the page before.</param>
    public Task<List<ShownReturn>> OfStore(
        string storeId, ReturnState state, DateTimeOffset? from, (DateTimeOffset Time, long OrderId, int Number) until, int limit, CancellationToken cancellationToken)
    {
        // The text differs with the filters and never with their values: each is planned for the one index that serves it.
        var command = database.CreateCommand().With(storeId).With(until.Time).With(until.OrderId).With(until.Number).With(limit);
        var where = "r.store_id = $1 AND (r.create_time, r.order_id, r.number) < ($2, $3, $4)";
        if (state != ReturnState.Unspecified)
        {
            command.With((short)state);
            where += " AND r.state = $6";
        }

        if (from is { } time)
        {
            command.With(time);
            where += FormattableString.Invariant($" AND r.create_time >= ${command.Parameters.Count}");
        }

        command.CommandText = $"{Shown} WHERE {where} ORDER BY r.create_time DESC, r.order_id DESC, r.number DESC LIMIT $5";
        return ReadAll(command, cancellationToken);
    }

    private static async Task<List<ShownReturn>> ReadAll(NpgsqlCommand query, CancellationToken cancellationToken)
    {
        await using var command = query;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<ShownReturn>();
        while (await reader.ReadAsync(cancellationToken))
        {
            if (!Principal.CurrentMaySee(reader.GetString(2)))
                continue;
            found.Add(new ShownReturn(Read(new OrderId(reader.GetString(1), reader.GetInt64(0)), reader.GetString(2), reader, 3), reader.GetInt64(9)));
        }

        return found;
    }

    private static Return Read(OrderId orderId, string storeId, NpgsqlDataReader reader, int first) => ReturningItems.Return.Restore(
        orderId, storeId, reader.GetInt32(first),
        JsonSerializer.Deserialize<ReturnContent>(reader.GetString(first + 5), OrderJson.Options)!,
        (ReturnState)reader.GetInt16(first + 1), reader.GetInt64(first + 2),
        reader.GetFieldValue<DateTimeOffset>(first + 3), reader.GetFieldValue<DateTimeOffset>(first + 4));
}
