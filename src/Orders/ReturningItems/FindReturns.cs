using System.Globalization;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.ReturningItems;

/// <summary>Finds returns by their name, of an order and of a store.</summary>
public sealed class FindReturns(FindOrders find, ReturnStore returns, StoreBook stores)
{
    private const int MostOnPage = 500;
    private const int DefaultOnPage = 50;

    private static readonly TimeSpan VersionRetry = TimeSpan.FromMilliseconds(50);
    private static readonly DateTimeOffset EndOfTime = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <exception cref="Failure">RETURN_NOT_FOUND, ORDER_ID_MISTYPED, VERSION_NOT_REACHED, INVALID_FIELD.</exception>
    public async Task<V1.Return> Get(GetReturnRequest request, CancellationToken cancellationToken)
    {
        if (request.MinVersion < 0)
            throw Failure.Invalid(new FieldError("min_version", "Give 0 or a version that a write answered with."));
        var (orderId, number) = await find.Resolve("name", request.Name, cancellationToken);
        var shown = await returns.Find(orderId, number, cancellationToken) ?? throw ReturnNames.NotFound(orderId, number);
        if (shown.Return.Version < request.MinVersion)
        {
            throw new Failure(ErrorReason.VersionNotReached, FieldErrors.Text($"Return {ReturnNames.NumberOf(orderId, number)} is at version {shown.Return.Version} here, not yet at {request.MinVersion}; try again."))
            {
                RetryAfter = VersionRetry,
            };
        }

        return ReturnMessage.Of(shown);
    }

    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED, ORDER_NOT_FOUND, STORE_NOT_FOUND, PAGE_TOKEN_INVALID.</exception>
    public async Task<ListReturnsResponse> List(ListReturnsRequest request, CancellationToken cancellationToken)
    {
        var (from, until) = Check(request);
        var size = request.PageSize == 0 ? DefaultOnPage : request.PageSize;
        var token = PageToken.Decode(request);
        List<ShownReturn> page;
        var orderVersion = 0L;
        if (request.OrderId.Length > 0)
        {
            var orderId = await find.Resolve("orders/" + request.OrderId, cancellationToken);
            // Before the returns are read, so that they have at least what this version has.
            orderVersion = (await find.Get("orders/" + orderId, 0, cancellationToken)).Version;
            page = await returns.OfOrder(orderId, request.State, token is null ? 0 : Number(token), size + 1, cancellationToken);
        }
        else
        {
            await stores.Get(request.StoreId, cancellationToken);
            page = await returns.OfStore(request.StoreId, request.State, from, token is null ? (until ?? EndOfTime, 0, 0) : Position(token), size + 1, cancellationToken);
        }

        var response = new ListReturnsResponse { Returns = { page.Take(size).Select(ReturnMessage.Of) }, OrderVersion = orderVersion };
        if (page.Count > size)
        {
            var last = page[size - 1].Return;
            response.NextPageToken = PageToken.Encode(request, request.OrderId.Length > 0
                ? last.Number.ToString(CultureInfo.InvariantCulture)
                : string.Create(CultureInfo.InvariantCulture, $"{last.CreatedAt.UtcTicks} {last.OrderId.Value} {last.Number}"));
        }

        return response;
    }

    private static (DateTimeOffset? From, DateTimeOffset? Until) Check(ListReturnsRequest request)
    {
        var errors = new FieldErrors();
        errors.Between("page_size", request.PageSize, 0, MostOnPage);
        if (request.OrderId.Length > 0 == request.StoreId.Length > 0)
            errors.Add("order_id", "Give either order_id or store_id, and not both.");
        if (!Enum.IsDefined(request.State))
            errors.Add("state", "Is not a state of a return.");
        if (request.OrderId.Length > 0 && (request.CreateTimeFrom is not null || request.CreateTimeUntil is not null))
            errors.Add("create_time_from", "Is of use only for a store's returns.");
        var times = errors.CreateTimes("", request.CreateTimeFrom, request.CreateTimeUntil);
        errors.ThrowIfAny();
        return times;
    }

    private static int Number(string token) =>
        int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Damaged();

    private static (DateTimeOffset, long, int) Position(string token) =>
        token.Split(' ') is [var ticks, var orderId, var number]
        && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var time) && time <= DateTimeOffset.MaxValue.Ticks
        && long.TryParse(orderId, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
        && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var one)
            ? (new DateTimeOffset(time, TimeSpan.Zero), id, one)
            : throw Damaged();

    private static Failure Damaged() => PageToken.Invalid("It is not a token that this method gave out; leave it empty for the first page.");
}
