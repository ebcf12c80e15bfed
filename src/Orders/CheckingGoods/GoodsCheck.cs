using System.Globalization;
using Commerce.Facts;
using Commerce.Orders.Checking;
using Commerce.Orders.Consumers;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Npgsql;

namespace Commerce.Orders.CheckingGoods;

/// <summary>
/// Looks at orders, their parcels and the stock in slices: each order's lines against the parcels that it knows and against those that
/// Shipments has, each stock against its last movement and the chain of them, and what orders hold against what is reserved. Facts and
/// triggers keep all of this right; the check finds where one was lost, or went round them.
/// </summary>
public sealed class GoodsCheck(NpgsqlDataSource database, ShipmentService.ShipmentServiceClient shipments, TimeProvider time)
{
    // Facts are on their way for seconds; for minutes only where something is wrong, and that has metrics of its own.
    private static readonly TimeSpan AtRest = TimeSpan.FromMinutes(10);

    // Enough to find a break, without going through a stock's whole life each time.
    private const int LastMovements = 200;
    private const int MostParcels = 500;

    /// <summary>The kinds of slices. The one that asks Shipments is last: where it does not answer, the others were looked at.</summary>
    public const int Kinds = 4;

    /// <summary>Looks at the next slice of a kind after a key: the last key of it, null if there was nothing more, and what differs.</summary>
    public Task<(string? Last, IReadOnlyList<Difference> Differences)> Slice(int kind, string after, int size, CancellationToken cancellationToken) => kind switch
    {
        0 => Stock(after, size, cancellationToken),
        1 => Reserved(after, cancellationToken),
        2 => Orders(after, size, askShipments: false, cancellationToken),
        _ => Orders(after, size, askShipments: true, cancellationToken),
    };

    /// <summary>An order as it is checked.</summary>
    internal sealed record Checked(OrderId Id, OrderState State, FulfilmentState Fulfilment, bool Imported, IReadOnlyList<HeldLine> Lines, IReadOnlyList<OrderParcel> Parcels);

    /// <summary>What of an order does not agree with itself.</summary>
    internal static IEnumerable<string> Compare(Checked order)
    {
        var lines = order.Lines.ToDictionary(line => line.LineNumber);
        foreach (var parcel in order.Parcels)
        {
            foreach (var content in parcel.Content.Where(content => !lines.ContainsKey(content.LineNumber)))
                yield return FieldErrors.Text($"parcel {parcel.ShipmentId} has {content.Quantity} pieces of line {content.LineNumber}, which the order does not have");
        }

        foreach (var line in order.Lines)
        {
            if (line.Held > line.Quantity || (order.State != OrderState.Open && line.Held > 0))
                yield return FieldErrors.Text($"line {line.LineNumber} of {line.Quantity} pieces holds {line.Held} of the stock, and the order is {FactName.Of(order.State)}");
        }

        // How an imported order came to its state nobody here knows.
        if (!order.Imported && FulfilmentStates.Of(order.Lines, order.Parcels) is var derived && derived != order.Fulfilment)
            yield return $"it is {FactName.Of(order.Fulfilment)}, and by its parcels {FactName.Of(derived)}";
    }

    /// <summary>What of an order does not agree with the parcels that Shipments has of it.</summary>
    internal static IEnumerable<string> Compare(Checked order, IReadOnlyList<Shipment> theirs)
    {
        var known = order.Parcels.ToDictionary(parcel => parcel.ShipmentId, StringComparer.Ordinal);
        foreach (var shipment in theirs)
        {
            if (!known.Remove(shipment.ShipmentId, out var parcel))
            {
                yield return $"Shipments has parcel {shipment.ShipmentId}, and the order does not know it";
                continue;
            }

            var (ours, others) = (Pieces(parcel.Content.Select(c => (c.LineNumber, c.Quantity))), Pieces(shipment.Lines.Select(l => (l.LineNumber, l.Quantity))));
            if (ours != others)
                yield return $"in parcel {shipment.ShipmentId} are by the order {ours}, by Shipments {others}";
            if (parcel.TrackingNumber != shipment.TrackingNumber)
                yield return $"parcel {shipment.ShipmentId} has another tracking number by Shipments than by the order";
            var state = shipment.Status == TrackingStatus.Cancelled
                ? ParcelState.Cancelled
                : ShipmentFacts.StateOf(FactName.Of(shipment.Status), shipment.Scans.Select(scan => FactName.Of(scan.Status))) ?? ParcelState.Planned;
            // Whatever becomes of a parcel whose pieces are sent again, the order goes by what was sent instead.
            if (parcel.State != state && parcel.State != ParcelState.Replaced)
                yield return $"parcel {shipment.ShipmentId} is {FactName.Of(parcel.State)} by the order, {FactName.Of(state)} by Shipments";
        }

        foreach (var parcel in known.Values)
            yield return $"the order has parcel {parcel.ShipmentId}, and Shipments does not";
    }

    private static string Pieces(IEnumerable<(int Line, int Pieces)> content) => string.Join(
        ", ", content.GroupBy(c => c.Line).OrderBy(c => c.Key).Select(c => FieldErrors.Text($"{c.Sum(one => one.Pieces)} of line {c.Key}")));

    private async Task<(string? Last, IReadOnlyList<Difference> Differences)> Orders(string after, int size, bool askShipments, CancellationToken cancellationToken)
    {
        var since = time.GetUtcNow() - AtRest;
        var (last, resting) = await Resting(after, size, since, cancellationToken);
        var differences = new List<Difference>();
        foreach (var order in resting)
        {
            if (!askShipments)
                differences.AddRange(Compare(order).Select(what => new Difference(order.Id.ToString(), what)));
            else if (!order.Imported && await TheirsAtRest(order.Id, since, cancellationToken) is { } theirs)
                differences.AddRange(Compare(order, theirs).Select(what => new Difference(order.Id.ToString(), what)));
        }

        return (last, differences);
    }

    // Null where one of them moved lately: the fact of it may be on its way.
    private async Task<IReadOnlyList<Shipment>?> TheirsAtRest(OrderId id, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var theirs = new List<Shipment>();
        var request = new ListShipmentsRequest { OrderId = id.ToString(), PageSize = MostParcels };
        do
        {
            var page = await shipments.ListShipmentsAsync(request, cancellationToken: cancellationToken);
            theirs.AddRange(page.Shipments.Where(shipment => shipment.Direction != Shipment.Types.Direction.Return));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return theirs.Any(shipment => shipment.UpdateTime.ToDateTimeOffset() >= since) ? null : theirs;
    }

    private async Task<(string? Last, List<Checked> Orders)> Resting(string after, int size, DateTimeOffset since, CancellationToken cancellationToken)
    {
        const string Slice = "WITH slice AS (SELECT order_id FROM orders WHERE order_id > $1 ORDER BY order_id LIMIT $2) ";
        var first = after.Length == 0 ? long.MinValue : long.Parse(after, CultureInfo.InvariantCulture);
        // One snapshot for all three: an order that changes meanwhile would differ from itself.
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction)
            .With(Sql.Command(
                Slice + """
                SELECT o.order_id, s.order_prefix, o.state, o.fulfilment_state, o.import_time IS NOT NULL, o.update_time < $3
                FROM slice JOIN orders o USING (order_id) JOIN stores s USING (store_id) ORDER BY o.order_id
                """).With(first).With(size).With(since))
            .With(Sql.Command(Slice + "SELECT order_id, line_number, sku, quantity, held, returned FROM slice JOIN order_lines USING (order_id)").With(first).With(size))
            .With(Sql.Command(Slice + "SELECT order_id, shipment_id, position, carrier, tracking_number, state, line_numbers, quantities FROM slice JOIN order_parcels USING (order_id)").With(first).With(size));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        string? last = null;
        var orders = new List<(OrderId Id, OrderState State, FulfilmentState Fulfilment, bool Imported)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            last = reader.GetInt64(0).ToString(CultureInfo.InvariantCulture);
            if (reader.GetBoolean(5))
                orders.Add((new OrderId(reader.GetString(1), reader.GetInt64(0)), (OrderState)reader.GetInt16(2), (FulfilmentState)reader.GetInt16(3), reader.GetBoolean(4)));
        }

        var lines = new List<(long Order, HeldLine Line)>();
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            lines.Add((reader.GetInt64(0), new HeldLine(reader.GetInt32(1), reader.GetString(2), reader.GetInt32(3), reader.GetInt32(4), reader.GetInt32(5))));

        var parcels = new List<(long Order, OrderParcel Parcel)>();
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var content = reader.GetFieldValue<int[]>(6).Zip(reader.GetFieldValue<int[]>(7), (number, quantity) => new ShipmentLineFact(number, quantity));
            parcels.Add((reader.GetInt64(0), new OrderParcel(reader.GetString(1), reader.GetInt32(2), reader.GetString(3), reader.GetString(4), (ParcelState)reader.GetInt16(5), [.. content])));
        }

        var (linesOf, parcelsOf) = (lines.ToLookup(one => one.Order, one => one.Line), parcels.ToLookup(one => one.Order, one => one.Parcel));
        return (last, [.. orders.Select(o => new Checked(o.Id, o.State, o.Fulfilment, o.Imported, [.. linesOf[o.Id.Value]], [.. parcelsOf[o.Id.Value]]))]);
    }

    // A stock is what its last movement says, and each movement begins where the one before it ended. Stock that has not moved since
    // movements are kept has none.
    private async Task<(string? Last, IReadOnlyList<Difference> Differences)> Stock(string after, int size, CancellationToken cancellationToken)
    {
        var (store, sku) = after.Split('/') is [var a, var b] ? (a, b) : ("", "");
        await using var command = database.CreateCommand(
            """
            WITH slice AS (SELECT store_id, sku, on_hand, reserved FROM stock WHERE (store_id, sku) > ($1, $2) ORDER BY store_id, sku LIMIT $3),
            moved AS (
              SELECT s.*, m.on_hand AS moved_on_hand, m.reserved AS moved_reserved, m.newest, m.gap FROM slice s CROSS JOIN LATERAL (
                SELECT m.on_hand, m.reserved, row_number() OVER (ORDER BY movement_id DESC) = 1 AS newest,
                  lead(m.on_hand) OVER w <> m.on_hand - m.on_hand_change OR lead(m.reserved) OVER w <> m.reserved - m.reserved_change AS gap
                FROM (SELECT * FROM stock_movements WHERE store_id = s.store_id AND sku = s.sku ORDER BY movement_id DESC LIMIT $4) m
                WINDOW w AS (ORDER BY movement_id DESC)) m
            )
            SELECT (SELECT store_id || '/' || sku FROM slice ORDER BY store_id DESC, sku DESC LIMIT 1), store_id || '/' || sku, what FROM (SELECT 1) one LEFT JOIN (
              SELECT store_id, sku, format('%s on hand and %s reserved, by its last movement %s and %s', on_hand, reserved, moved_on_hand, moved_reserved) AS what
              FROM moved WHERE newest AND (on_hand <> moved_on_hand OR reserved <> moved_reserved)
              UNION ALL
              SELECT store_id, sku, format('%s of its last movements do not begin where the one before ended', count(*)) FROM moved WHERE gap GROUP BY store_id, sku
            ) found ON true
            """).With(store).With(sku).With(size).With(LastMovements);
        return await Read(command, cancellationToken);
    }

    // What open orders and changes that wait hold is what is reserved. One statement and so one moment, a store at a time: it reads the
    // open orders alone.
    private async Task<(string? Last, IReadOnlyList<Difference> Differences)> Reserved(string after, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            WITH one AS (SELECT store_id FROM stores WHERE store_id > $1 ORDER BY store_id LIMIT 1),
            held AS (
              SELECT sku, sum(held) AS held FROM (
                SELECT l.sku, l.held::bigint AS held FROM one JOIN orders o ON o.store_id = one.store_id AND o.state = $2 JOIN order_lines l USING (order_id) WHERE l.held > 0
                UNION ALL
                SELECT d ->> 'sku', (d ->> 'held')::bigint FROM one JOIN orders o ON o.store_id = one.store_id AND o.state = $2
                CROSS JOIN LATERAL jsonb_array_elements(o.pending_change -> 'deltas') d WHERE o.pending_change IS NOT NULL AND (d ->> 'held')::bigint > 0) all_of
              GROUP BY sku
            ), differing AS (
              SELECT (SELECT store_id FROM one) || '/' || sku AS key, format('%s reserved, and orders hold %s', coalesce(s.reserved, 0), coalesce(h.held, 0)) AS what
              FROM (SELECT sku, reserved FROM stock WHERE store_id = (SELECT store_id FROM one) AND reserved <> 0) s FULL JOIN held h USING (sku)
              WHERE coalesce(s.reserved, 0) <> coalesce(h.held, 0)
            )
            SELECT (SELECT store_id FROM one), key, what FROM (SELECT 1) single LEFT JOIN differing ON true
            """).With(after).With((short)OrderState.Open);
        return await Read(command, cancellationToken);
    }

    private static async Task<(string? Last, IReadOnlyList<Difference> Differences)> Read(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        string? last = null;
        var differences = new List<Difference>();
        while (await reader.ReadAsync(cancellationToken))
        {
            last = reader.TextOrNull(0);
            if (!reader.IsDBNull(1))
                differences.Add(new Difference("stock " + reader.GetString(1), reader.GetString(2)));
        }

        return (last, differences);
    }
}
