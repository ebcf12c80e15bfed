using System.Globalization;
using Commerce.Orders.Checking;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Npgsql;

namespace Commerce.Orders.FindingOrders;

/// <summary>Lists a store's orders, newest first, by the index that fits the filter.</summary>
public sealed class ListOrders(NpgsqlDataSource database, OrderReader orders, StoreBook stores)
{
    private const int MostOnPage = 500;
    private const int DefaultOnPage = 50;

    /// <exception cref="Failure">INVALID_FIELD, STORE_NOT_FOUND, PAGE_TOKEN_INVALID.</exception>
    public async Task<ListOrdersResponse> List(ListOrdersRequest request, CancellationToken cancellationToken)
    {
        var (from, until) = Check(request);
        var size = request.PageSize == 0 ? DefaultOnPage : request.PageSize;
        var after = Position.Parse(PageToken.Decode(request));
        await stores.Get(request.StoreId, cancellationToken);

        var page = await Page(request, from, until, after, size + 1, cancellationToken);
        var found = await orders.Find([.. page.Take(size).Select(p => p.OrderId)], cancellationToken);
        var response = new ListOrdersResponse();
        foreach (var position in page.Take(size))
            response.Orders.Add(found[position.OrderId]);
        if (page.Count > size)
            response.NextPageToken = PageToken.Encode(request, page[size - 1].ToString());
        return response;
    }

    private static (DateTimeOffset? From, DateTimeOffset? Until) Check(ListOrdersRequest request)
    {
        var errors = new FieldErrors();
        errors.Between("page_size", request.PageSize, 0, MostOnPage);
        if (!StoreBook.IsStoreId(request.StoreId))
            errors.Add("store_id", "Say which store, for example \"main\".");
        if (request.Email.Length > 0 && !Plausible.Email(request.Email))
            errors.Add("email", "Is not an e-mail address.");
        if (!Enum.IsDefined(request.State))
            errors.Add("state", "Is not a state of an order.");
        errors.Optional("external_id", request.ExternalId, 64);
        var times = errors.CreateTimes("", request.CreateTimeFrom, request.CreateTimeUntil);
        errors.ThrowIfAny();
        return times;
    }

    // The text differs with the filters that are given, never with their values: each combination is one prepared
    // statement, planned for the one index that serves it.
    private async Task<List<Position>> Page(
        ListOrdersRequest request, DateTimeOffset? from, DateTimeOffset? until, Position? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand();
        var where = "store_id = $1";
        command.With(request.StoreId);
        if (request.ExternalId.Length > 0)
            And("external_id = ", request.ExternalId);
        if (Plausible.EmailKey(request.Email) is { } email)
            And("email_key = ", email);
        if (request.State != OrderState.Unspecified)
            And("state = ", (short)request.State);
        if (from is not null)
            And("create_time >= ", from.Value);
        if (until is not null)
            And("create_time < ", until.Value);
        if (after is not null)
        {
            command.With(after.Time).With(after.OrderId);
            where += FieldErrors.Text($" AND (create_time, order_id) < (${command.Parameters.Count - 1}, ${command.Parameters.Count})");
        }

        command.With(limit);
        command.CommandText = FieldErrors.Text(
            $"SELECT create_time, order_id FROM orders WHERE {where} ORDER BY create_time DESC, order_id DESC LIMIT ${command.Parameters.Count}");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var page = new List<Position>();
        while (await reader.ReadAsync(cancellationToken))
            page.Add(new Position(reader.GetFieldValue<DateTimeOffset>(0), reader.GetInt64(1)));
        return page;

        void And<T>(string condition, T value)
        {
            command.With(value);
            where += FieldErrors.Text($" AND {condition}${command.Parameters.Count}");
        }
    }

    private sealed record Position(DateTimeOffset Time, long OrderId)
    {
        public static Position? Parse(string? text)
        {
            if (text is null)
                return null;
            return text.Split(' ') is [var ticks, var orderId]
                && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var time) && time <= DateTimeOffset.MaxValue.Ticks
                && long.TryParse(orderId, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                ? new Position(new DateTimeOffset(time, TimeSpan.Zero), id)
                : throw PageToken.Invalid("It is not a token that this method gave out; leave it empty for the first page.");
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Time.UtcTicks} {OrderId}");
    }
}
