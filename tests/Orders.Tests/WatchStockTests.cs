using System.Net.Http.Headers;
using Commerce.Orders.V1;
using Grpc.Core;

namespace Commerce.Orders.Tests;

/// <summary>What is on the shelf, as it changes.</summary>
public class WatchStockTests(OrdersService service) : OrdersServiceTests(service)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_there_is_comes_first_and_then_each_change_whoever_makes_it()
    {
        await Service.Stocked(5, "watch-a", "watch-b");
        using var watch = Watch(0, "watch-a", "watch-b");
        Assert.Equal([("watch-a", 5L), ("watch-b", 5L)], await First(watch));

        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("watch-a", 2)));
        Assert.Equal(("watch-a", 3L), await Next(watch));
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = Guid.NewGuid().ToString() });
        Assert.Equal(("watch-a", 5L), await Next(watch));
        await Service.Stock.SetStockThresholdAsync(new SetStockThresholdRequest { Name = "stores/main/products/watch-b/stock", RequestId = "watch-b-low", LowAt = 9 });
        Assert.Equal(("watch-b", 5L), await Next(watch));
        Assert.Equal(StockState.Low, watch.ResponseStream.Current.Stock[0].State);
    }

    [Fact]
    public async Task After_a_break_what_changed_meanwhile_comes_as_it_is_now()
    {
        await Service.Stocked(5, "break-a", "break-b");
        long version;
        using (var watch = Watch(0))
        {
            await First(watch);
            version = watch.ResponseStream.Current.Version;
        }

        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("break-b", 1)));
        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("break-b", 1)));
        using var again = Watch(version, "break-a", "break-b");
        Assert.True(await again.ResponseStream.MoveNext(CancellationToken.None));
        // Where another transaction was open meanwhile, what was seen comes again, as it was.
        Assert.Equal(5, again.ResponseStream.Current.Stock.FirstOrDefault(stock => stock.Sku == "break-a")?.Available ?? 5);
        Assert.Equal(3, again.ResponseStream.Current.Stock.Single(stock => stock.Sku == "break-b").Available);
        Assert.True(again.ResponseStream.Current.Version >= version);
    }

    [Fact]
    public async Task A_change_that_is_committed_late_is_not_missed_and_what_came_before_it_is_told_once()
    {
        await Service.Stocked(5, "late-a", "late-b");
        using var watch = Watch(0, "late-a", "late-b");
        await First(watch);
        await using var connection = await Service.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var update = new Npgsql.NpgsqlCommand("UPDATE stock SET on_hand = 4 WHERE store_id = 'main' AND sku = 'late-a'", connection, transaction))
            await update.ExecuteNonQueryAsync();

        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("late-b", 1)));
        Assert.Equal(("late-b", 4L), await Next(watch));
        await transaction.CommitAsync();
        Assert.Equal(("late-a", 4L), await Next(watch));
    }

    [Fact]
    public async Task Of_64_buyers_who_race_a_watcher_sees_fewer_and_fewer_pieces_and_in_the_end_what_there_is()
    {
        await Service.Stocked(40, "rush");
        using var watch = Watch(0, "rush");
        await First(watch);
        var buying = Task.WhenAll(Enumerable.Range(0, 64).Select(async _ =>
        {
            try
            {
                await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("rush", 1)));
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.FailedPrecondition)
            {
                // Sold out.
            }
        }));
        var last = 40L;
        while (last > 0)
        {
            var (_, available) = await Next(watch);
            Assert.True(available < last, $"{available} came after {last}");
            last = available;
        }

        await buying;
    }

    [Fact]
    public async Task Over_REST_it_is_a_stream_of_events_that_resumes_by_the_last_id()
    {
        await Service.Stocked(5, "events");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/stores/main/stock:watch?skus=events");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var response = await Service.Rest.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var bound = new CancellationTokenSource(Bound, TimeProvider.System);
        string? line, id = null, data = null;
        while (id is null && (line = await reader.ReadLineAsync(bound.Token)) is not null)
        {
            data ??= line.StartsWith("data: ", StringComparison.Ordinal) ? line : null;
            id = line.StartsWith("id: ", StringComparison.Ordinal) ? line[4..] : null;
        }

        Assert.Contains("\"events\"", data, StringComparison.Ordinal);
        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("events", 1)));
        using var resumed = new HttpRequestMessage(HttpMethod.Get, "/v1/stores/main/stock:watch?skus=events");
        resumed.Headers.Add("Last-Event-ID", id);
        using var rest = await Service.Rest.SendAsync(resumed, HttpCompletionOption.ResponseHeadersRead);
        using var more = new StreamReader(await rest.Content.ReadAsStreamAsync());
        while ((line = await more.ReadLineAsync(bound.Token)) is not null && !line.StartsWith("data: ", StringComparison.Ordinal))
        {
        }

        Assert.Contains("\"available\": \"4\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_watched_is_said()
    {
        async Task<string> Reason(WatchStockRequest request)
        {
            using var call = Service.Stock.WatchStock(request);
            var refused = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
            return refused.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Reason;
        }

        Assert.Equal("STORE_NOT_FOUND", await Reason(new WatchStockRequest { Parent = "stores/nobody" }));
        Assert.Equal("INVALID_FIELD", await Reason(new WatchStockRequest { Parent = "main" }));
        Assert.Equal("INVALID_FIELD", await Reason(new WatchStockRequest { Parent = "stores/main", AfterVersion = -1 }));
        Assert.Equal("INVALID_FIELD", await Reason(new WatchStockRequest { Parent = "stores/main", Skus = { "no such thing" } }));

        // A version of another life of the database: everything comes anew.
        await Service.Stocked(5, "anew");
        using var watch = Watch(long.MaxValue, "anew");
        Assert.Equal([("anew", 5L)], await First(watch));
    }

    private AsyncServerStreamingCall<WatchStockResponse> Watch(long after, params string[] skus) => Service.Stock.WatchStock(
        new WatchStockRequest { Parent = "stores/main", AfterVersion = after, Skus = { skus } }, deadline: TimeProvider.System.GetUtcNow().UtcDateTime + Bound);

    private static async Task<List<(string Sku, long Available)>> First(AsyncServerStreamingCall<WatchStockResponse> watch)
    {
        var all = new List<(string, long)>();
        do
        {
            Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
            all.AddRange(watch.ResponseStream.Current.Stock.Select(stock => (stock.Sku, stock.Available)));
        }
        while (watch.ResponseStream.Current.Version == 0);
        return all;
    }

    private static async Task<(string Sku, long Available)> Next(AsyncServerStreamingCall<WatchStockResponse> watch)
    {
        do
        {
            Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        }
        while (watch.ResponseStream.Current.Stock.Count == 0);
        var stock = Assert.Single(watch.ResponseStream.Current.Stock);
        return (stock.Sku, stock.Available);
    }
}
