using Commerce.Orders.Checking;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Orders.FindingOrders;

/// <summary>
/// Finds orders by any combination of filters. Of the indexes that serve a filter the one with the fewest rows drives the
/// search, counted and not guessed; what it gives is looked at order by order. Nothing examines more than
/// <see cref="SearchSql.MostExamined"/> orders a page: sorted by time it goes on from there, otherwise it is refused.
/// </summary>
public sealed class SearchOrders(NpgsqlDataSource database, OrderReader orders, FindOrders find, StoreBook stores)
{
    private const int MostOnPage = 500;
    private const int DefaultOnPage = 50;

    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED, STORE_NOT_FOUND, PAGE_TOKEN_INVALID, NARROW_SEARCH.</exception>
    public async Task<SearchOrdersResponse> Search(SearchOrdersRequest request, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        errors.Between("page_size", request.PageSize, 0, MostOnPage);
        var sort = OrderSort.Parse(request.OrderBy);
        if (sort is null)
            errors.Add("order_by", "Give \"create_time\", \"update_time\" or \"total\", with \" desc\" behind it for the latest or largest first.");
        var query = OrderQuery.Check(request.Filter, errors);
        errors.ThrowIfAny();
        var after = OrderPosition.Parse(PageToken.Decode(request));
        var size = request.PageSize == 0 ? DefaultOnPage : request.PageSize;

        var page = await Page(await Prepare(query, cancellationToken), sort!, after, size, cancellationToken);
        var found = await orders.Find([.. page.Found.Select(position => position.OrderId)], cancellationToken);
        return new SearchOrdersResponse
        {
            Orders = { page.Found.Select(position => found[position.OrderId]) },
            NextPageToken = page.Next is null ? "" : PageToken.Encode(request, page.Next.ToString()),
            Narrow = page.Narrow ? new NarrowSearch { Examined = SearchSql.MostExamined, Add = { query.ToAdd } } : null,
        };
    }

    /// <summary>Looks up what a query names.</summary>
    /// <exception cref="Failure">ORDER_ID_MISTYPED, STORE_NOT_FOUND.</exception>
    internal async Task<PreparedQuery> Prepare(OrderQuery query, CancellationToken cancellationToken)
    {
        if (query.StoreId is not null)
            await stores.Get(query.StoreId, cancellationToken);
        if (query.OrderId is null)
            return new PreparedQuery(query, null, true);

        // A code with another store's prefix is not this order's code.
        var id = await find.Resolve("orders/" + query.OrderId, cancellationToken);
        return new PreparedQuery(query, id.Value, await orders.Find(id.Value, cancellationToken) is { } order && order.Name == OrderMessage.NameOf(id));
    }

    /// <summary>One page after a position, and from where it goes on.</summary>
    internal async Task<SearchPage> Page(PreparedQuery prepared, OrderSort sort, OrderPosition? after, int size, CancellationToken cancellationToken)
    {
        if (!prepared.MayExist)
            return new SearchPage([], null, false);
        var (query, orderId) = (prepared.Query, prepared.OrderId);
        var driver = await Choose(prepared, sort, cancellationToken);
        if (!driver.Ordered || !sort.ByCreateTime)
        {
            await using var few = SearchSql.Sorted(driver, query, orderId, sort, after, size + 1);
            return Full(await Read(few, query, size, cancellationToken), size) ?? throw new InvalidOperationException("A set has an end.");
        }

        List<OrderPosition> found;
        await using (var command = SearchSql.Page(driver, query, orderId, sort, after, size + 1))
            found = await Read(command, query, size, cancellationToken);
        if (found.Count > size || !Examines(driver, prepared))
            return Full(found, size)!;

        await using var last = SearchSql.LastExamined(driver, sort, after);
        var end = await Read(last, null, 1, cancellationToken);
        return new SearchPage(found, end.SingleOrDefault(), end.Count > 0);
    }

    /// <summary>The driver of a search: for one key its index, and for several the one with the fewest rows.</summary>
    internal async Task<SearchDriver> Choose(PreparedQuery prepared, OrderSort sort, CancellationToken cancellationToken)
    {
        var query = prepared.Query;
        var drivers = SearchSql.Drivers(query, prepared.OrderId);
        if (drivers is [var only])
            return sort.ByCreateTime || !only.Ordered ? only : await Smallest([only]);
        if (drivers[0].Filter is "order_id" or "external_id" or "tracking_number")
            return drivers[0];

        // Without bounds, all orders of the store are never the fewest.
        var measured = query.From is null && query.Until is null ? drivers[..^1] : drivers;
        return sort.ByCreateTime && measured is [{ Ordered: true } single, ..] && (measured.Count == 1 || measured.Count == 2 && measured[1].Filter is "states" or "create_time")
            ? single
            : await Smallest(measured);

        async Task<SearchDriver> Smallest(IReadOnlyList<SearchDriver> candidates)
        {
            await using var command = SearchSql.Measure(candidates, sort);
            var counts = new long[candidates.Count];
            await using (var scope = await database.OpenConnectionAsync(cancellationToken))
            {
                command.Connection = scope;
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                await reader.ReadAsync(cancellationToken);
                for (var i = 0; i < counts.Length; i++)
                    counts[i] = reader.GetInt64(i);
            }

            var least = Enumerable.Range(0, counts.Length).MinBy(i => counts[i]);
            if (counts[least] <= SearchSql.MostExamined)
                return candidates[least];
            // What is in too many orders to be gathered and sorted is met soon when orders are read in their order.
            if (sort.ByCreateTime)
                return candidates.FirstOrDefault(candidate => candidate.Ordered) ?? drivers[^1];
            throw TooMany(query);
        }
    }

    private static bool Examines(SearchDriver driver, PreparedQuery prepared)
    {
        using var command = SearchSql.Page(driver, prepared.Query, prepared.OrderId, OrderSort.Newest, null, 1);
        return command.CommandText.Contains("LATERAL", StringComparison.Ordinal);
    }

    private static Failure TooMany(OrderQuery query)
    {
        var add = string.Join(", ", query.ToAdd);
        return new Failure(
            ErrorReason.NarrowSearch,
            FieldErrors.Text($"More than {SearchSql.MostExamined} orders would have to be examined to sort them; add one of the filters {add}, or sort by create_time."))
        {
            Metadata = new Dictionary<string, string> { ["add"] = add, ["examined"] = FieldErrors.Text($"{SearchSql.MostExamined}") },
        };
    }

    private static SearchPage? Full(List<OrderPosition> found, int size) =>
        found.Count > size ? new SearchPage(found[..size], found[size - 1], false) : new SearchPage(found, null, false);

    // Words are compared here, where they are cut: reading stops as soon as the page is full and one more is known.
    private async Task<List<OrderPosition>> Read(NpgsqlCommand command, OrderQuery? query, int size, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        command.Connection = connection;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<OrderPosition>();
        while (found.Count <= size && await reader.ReadAsync(cancellationToken))
        {
            if (query?.HasWords != true || HasWords(reader, query))
                found.Add(new OrderPosition(reader.GetFieldType(0) == typeof(long) ? reader.GetInt64(0) : reader.GetFieldValue<DateTimeOffset>(0).UtcTicks, reader.GetInt64(1)));
        }

        return found;
    }

    private static bool HasWords(NpgsqlDataReader reader, OrderQuery query)
    {
        string[] names = [reader.GetString(2), reader.GetString(4), .. reader.GetFieldValue<string[]>(3)];
        return (query.NameWords.Count == 0 || SearchWords.Matches(query.NameWords, SearchWords.Of(names)))
            && (query.TextWords.Count == 0
                || SearchWords.Matches(query.TextWords, SearchWords.Of([.. names, reader.GetString(5), reader.GetString(6), .. reader.GetFieldValue<string[]>(7)])));
    }
}

/// <summary>A query whose names were looked up.</summary>
/// <param name="MayExist">False where its Order ID is nobody's.</param>
internal sealed record PreparedQuery(OrderQuery Query, long? OrderId, bool MayExist);

/// <summary>A page of a search.</summary>
/// <param name="Next">After which the next page begins; null on the last.</param>
/// <param name="Narrow">As many orders were examined as may be, and the page is not full.</param>
internal sealed record SearchPage(List<OrderPosition> Found, OrderPosition? Next, bool Narrow);
