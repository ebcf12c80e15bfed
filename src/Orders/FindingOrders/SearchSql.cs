using System.Globalization;
using Commerce.Orders.Storage;
using Npgsql;

namespace Commerce.Orders.FindingOrders;

/// <summary>
/// One way into the orders: the index that a search is driven by. An ordered one gives orders by their create_time, so that a
/// page ends its scan; the others give a set that has to be small.
/// </summary>
/// <param name="Filter">The filter that it serves.</param>
/// <param name="Ordered">Whether it can be read in the order of create_time.</param>
/// <param name="Covers">Filters that need not be looked at again.</param>
/// <param name="Select">Its statement for so many rows, after a position if it is ordered.</param>
internal sealed record SearchDriver(string Filter, bool Ordered, IReadOnlyList<string> Covers, Func<SearchSql, OrderSort, OrderPosition?, int, string> Select);

/// <summary>
/// Writes the statements of a search. Their text differs with the filters that are given and never with their values. Every
/// driver ends in a LIMIT: that is what bounds a search, in the database and not by hope.
/// </summary>
internal sealed class SearchSql
{
    /// <summary>The most rows of an index that a page of a combination reads.</summary>
    public const int MostExamined = 10_000;

    // The last code point: behind every text that begins with what it is put behind.
    private const string End = "\U0010FFFF";

    public NpgsqlCommand Command { get; } = new();

    /// <summary>A placeholder for the value.</summary>
    public string P<T>(T value)
    {
        Command.With(value);
        return string.Create(CultureInfo.InvariantCulture, $"${Command.Parameters.Count}");
    }

    /// <summary>The ways into the orders of a query; the best first where several serve as well.</summary>
    public static List<SearchDriver> Drivers(OrderQuery query, long? orderId)
    {
        var drivers = new List<SearchDriver>();
        if (orderId is { } value)
            drivers.Add(new("order_id", false, ["order_id"], (sql, _, _, limit) => $"SELECT create_time, order_id FROM orders WHERE order_id = {sql.P(value)} LIMIT {sql.P(limit)}"));
        if (query.ExternalId is { } externalId && query.StoreId is not null)
        {
            drivers.Add(new("external_id", false, [], (sql, _, _, limit) =>
                $"SELECT create_time, order_id FROM orders WHERE store_id = {sql.P(query.StoreId)} AND external_id = {sql.P(externalId)} LIMIT {sql.P(limit)}"));
        }

        if (query.TrackingNumber is { } number)
        {
            // The condition is the index's own, for a plan that does not know the number.
            drivers.Add(new("tracking_number", false, ["tracking_number"], (sql, _, _, limit) =>
                $"SELECT o.create_time, o.order_id FROM (SELECT DISTINCT order_id FROM (SELECT order_id FROM order_parcels WHERE tracking_number = {sql.P(number)} AND tracking_number <> '' ORDER BY order_id DESC LIMIT {sql.P(limit)}) p) d JOIN orders o USING (order_id)"));
        }

        if (drivers.Count > 0 || query.StoreId is not { } storeId)
            return drivers;

        if (query.EmailKey is { } email)
            drivers.Add(Ordered("email", "orders", query, sql => $"store_id = {sql.P(storeId)} AND email_key = {sql.P(email)}"));
        if (query.Phone is { } phone)
            drivers.Add(Term("phone", query, OrderTerms.Phone(phone)) with { Covers = ["create_time"] });
        if (query.PostalKey is { } code)
            drivers.Add(Term("postal_code", query, OrderTerms.PostalCode(code)));
        if (query.Sku is { } sku)
            drivers.Add(Term("sku", query, OrderTerms.Sku(sku)));
        drivers.AddRange(query.NameWords.Select(word => Words("name", sql => Beginning(sql, storeId, OrderTerms.Name(word)))));
        drivers.AddRange(query.TextWords.Select(word => Words("text", sql => Text(sql, storeId, word))));
        if (query.States is [var state])
            drivers.Add(Ordered("states", "orders", query, sql => $"store_id = {sql.P(storeId)} AND state = {sql.P(state)}"));
        drivers.Add(Ordered("create_time", "orders", query, sql => $"store_id = {sql.P(storeId)}"));
        return drivers;
    }

    /// <summary>How many rows each of the drivers has, each counted no further than one beyond what may be examined.</summary>
    public static NpgsqlCommand Measure(IEnumerable<SearchDriver> drivers, OrderSort sort)
    {
        var sql = new SearchSql();
        var counts = drivers.Select(driver => $"(SELECT count(*) FROM ({driver.Select(sql, sort, null, MostExamined + 1)}) d)");
        sql.Command.CommandText = "SELECT " + string.Join(", ", counts);
        return sql.Command;
    }

    /// <summary>
    /// The orders of an ordered driver that meet the rest of the query, after a position. The inner query cannot be merged
    /// (OFFSET 0), so its orders are looked at one by one in the driver's order, and no further than is read.
    /// </summary>
    public static NpgsqlCommand Page(SearchDriver driver, OrderQuery query, long? orderId, OrderSort sort, OrderPosition? after, int limit)
    {
        var sql = new SearchSql();
        var rest = sql.Rest(query, orderId, driver.Covers);
        var whole = rest.Length == 0 && !query.HasWords;
        var inner = driver.Select(sql, sort, after, whole ? limit : MostExamined);
        sql.Command.CommandText = whole
            ? $"SELECT create_time, order_id FROM ({inner}) d ORDER BY create_time {Direction(sort)}, order_id {Direction(sort)}"
            : $"""
               SELECT d.create_time, d.order_id{Documents(query)} FROM ({inner}) d
               CROSS JOIN LATERAL (SELECT * FROM orders o WHERE o.order_id = d.order_id{rest} OFFSET 0) o
               ORDER BY d.create_time {Direction(sort)}, d.order_id {Direction(sort)}{(query.HasWords ? "" : $" LIMIT {sql.P(limit)}")}
               """;
        return sql.Command;
    }

    /// <summary>The last row that <see cref="Page"/> may examine; none where it came to the driver's end before.</summary>
    public static NpgsqlCommand LastExamined(SearchDriver driver, OrderSort sort, OrderPosition? after)
    {
        var sql = new SearchSql();
        sql.Command.CommandText = $"SELECT create_time, order_id FROM ({driver.Select(sql, sort, after, MostExamined)}) d OFFSET {sql.P(MostExamined - 1)}";
        return sql.Command;
    }

    /// <summary>The orders of a driver with few rows that meet the rest of the query, sorted, after a position.</summary>
    public static NpgsqlCommand Sorted(SearchDriver driver, OrderQuery query, long? orderId, OrderSort sort, OrderPosition? after, int limit)
    {
        var sql = new SearchSql();
        var inner = driver.Select(sql, sort, null, MostExamined + 1);
        var rest = sql.Rest(query, orderId, driver.Covers);
        if (after is not null)
        {
            var value = sort.Column == "total_minor" ? sql.P(after.Value) : sql.P(after.Time);
            rest += $" AND (o.{sort.Column}, o.order_id) {(sort.Descending ? '<' : '>')} ({value}, {sql.P(after.OrderId)})";
        }

        sql.Command.CommandText =
            $"""
            SELECT o.{sort.Column}, o.order_id{Documents(query)} FROM (SELECT DISTINCT order_id FROM ({inner}) i) d
            CROSS JOIN LATERAL (SELECT * FROM orders o WHERE o.order_id = d.order_id{rest} OFFSET 0) o
            ORDER BY o.{sort.Column} {Direction(sort)}, o.order_id {Direction(sort)}{(query.HasWords ? "" : $" LIMIT {sql.P(limit)}")}
            """;
        return sql.Command;
    }

    private static string Direction(OrderSort sort) => sort.Descending ? "DESC" : "ASC";

    private static SearchDriver Ordered(string filter, string table, OrderQuery query, Func<SearchSql, string> key) => new(
        filter,
        true,
        [filter, "create_time"],
        (sql, sort, after, limit) =>
        {
            var where = key(sql);
            if (query.From is { } from)
                where += $" AND create_time >= {sql.P(from)}";
            if (query.Until is { } until)
                where += $" AND create_time < {sql.P(until)}";
            if (after is not null)
                where += $" AND (create_time, order_id) {(sort.Descending ? '<' : '>')} ({sql.P(after.Time)}, {sql.P(after.OrderId)})";
            // Sorted by something else, the newest are as good as any: all of them are there or it is refused.
            var direction = sort.ByCreateTime ? Direction(sort) : "DESC";
            return $"SELECT create_time, order_id FROM {table} WHERE {where} ORDER BY create_time {direction}, order_id {direction} LIMIT {sql.P(limit)}";
        });

    private static SearchDriver Term(string filter, OrderQuery query, string term) =>
        Ordered(filter, "order_terms", query, sql => $"store_id = {sql.P(query.StoreId!)} AND term = {sql.P(term)}");

    private static SearchDriver Words(string filter, Func<SearchSql, string> select) => new(
        filter, false, [], (sql, _, _, limit) => $"{select(sql)} LIMIT {sql.P(limit)}");

    // Ordered, because without an order any way to the first rows is as good, reading the table among them.
    private static string Beginning(SearchSql sql, string storeId, string term) =>
        $"SELECT create_time, order_id FROM order_terms WHERE store_id = {sql.P(storeId)} AND term >= {sql.P(term)} AND term < {sql.P(term + End)} ORDER BY term";

    private static string Text(SearchSql sql, string storeId, string word)
    {
        var most = sql.P(MostExamined + 1);
        var named = Beginning(sql, storeId, OrderTerms.Name(word));
        var noted = Beginning(sql, storeId, OrderTerms.Note(word));
        return
            $"""
            SELECT create_time, order_id FROM (
              ({named} LIMIT {most})
              UNION ALL ({noted} LIMIT {most})
              UNION ALL (
                SELECT t.create_time, t.order_id FROM (
                  SELECT DISTINCT sku FROM (
                    SELECT sku FROM article_words WHERE store_id = {sql.P(storeId)} AND word >= {sql.P(word)} AND word < {sql.P(word + End)} ORDER BY word LIMIT {most}) w) a
                CROSS JOIN LATERAL (
                  SELECT create_time, order_id FROM order_terms
                  WHERE store_id = {sql.P(storeId)} AND term = 's' || lower(a.sku) ORDER BY create_time DESC, order_id DESC LIMIT {most}) t)) x
            """;
    }

    private static string Documents(OrderQuery query) => !query.HasWords ? "" :
        """
        , o.customer_name, o.to_recipients, o.to_organization
        """ + (query.TextWords.Count == 0 ? "" :
        """
        , coalesce(o.cancel_note, ''), jsonb_path_query_array(o.adjustments, '$[*].label')::text,
          ARRAY(SELECT l.title FROM order_lines l WHERE l.order_id = o.order_id ORDER BY l.line_number)
        """);

    /// <summary>What the driver does not answer for: looked at order by order.</summary>
    private string Rest(OrderQuery query, long? orderId, IReadOnlyList<string> covered)
    {
        var rest = "";
        if (query.StoreId is { } storeId && !covered.Contains("create_time"))
            And($"o.store_id = {P(storeId)}");
        if (orderId is { } id && !covered.Contains("order_id"))
            And($"o.order_id = {P(id)}");
        if (query.ExternalId is { } externalId)
            And($"o.external_id = {P(externalId)}");
        if (query.TrackingNumber is { } number && !covered.Contains("tracking_number"))
            And($"EXISTS (SELECT FROM order_parcels p WHERE p.order_id = o.order_id AND p.tracking_number = {P(number)})");
        if (query.EmailKey is { } email && !covered.Contains("email"))
            And($"o.email_key = {P(email)}");
        if (query.Phone is { } phone)
            And(phone[0] == '+' ? $"o.customer_phone = {P(phone)}" : $"right(o.customer_phone, {P(phone.Length)}) = {P(phone)}");
        if (query.PostalKey is { } code && !covered.Contains("postal_code"))
            And($"upper(regexp_replace(o.to_postal_code, '[^[:alnum:]]', '', 'g')) = {P(code)}");
        if (query.Sku is { } sku && !covered.Contains("sku"))
            And($"EXISTS (SELECT FROM order_lines l WHERE l.order_id = o.order_id AND lower(l.sku) = {P(sku)})");
        if (query.States.Length > 0 && !covered.Contains("states"))
            And($"o.state = ANY ({P(query.States)})");
        if (query.PaymentStates.Length > 0)
            And($"o.payment_state = ANY ({P(query.PaymentStates)})");
        if (query.FulfilmentStates.Length > 0)
            And($"o.fulfilment_state = ANY ({P(query.FulfilmentStates)})");
        if (query.From is { } from && !covered.Contains("create_time"))
            And($"o.create_time >= {P(from)}");
        if (query.Until is { } until && !covered.Contains("create_time"))
            And($"o.create_time < {P(until)}");
        if (query.Currency is { } currency)
            And($"o.currency = {P(currency)}");
        if (query.TotalFrom is { } least)
            And($"o.total_minor >= {P(least)}");
        if (query.TotalUntil is { } most)
            And($"o.total_minor <= {P(most)}");
        return rest;

        void And(string condition) => rest += " AND " + condition;
    }
}
