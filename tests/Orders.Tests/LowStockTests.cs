using System.Text.Json;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Testing;
using Grpc.Core;

namespace Commerce.Orders.Tests;

/// <summary>A stock that crosses a line is told of once each time, whoever races for it.</summary>
public class LowStockTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task Of_64_buyers_who_race_for_10_pieces_10_get_one_and_that_it_is_low_and_out_is_told_once()
    {
        await Service.RememberFacts();
        await Service.Stocked(10, "rush");
        await Threshold("rush", 3);
        var sold = (await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => TryPlace("rush")))).OfType<V1.Order>().ToList();
        Assert.Equal(10, sold.Count);
        Assert.Equal([(1L, nameof(StockLow)), (2L, nameof(StockOut))], await Told("rush"));
        Assert.Equal((3L, 3L), (await Service.FactsOf(Key("rush")))[0].Body is var body ? (Read<StockLow>(body).Available, Read<StockLow>(body).LowAt) : default);

        // A released piece is sold at once: to one of the many who wait for it.
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = sold[0].Name, RequestId = Guid.NewGuid().ToString() });
        Assert.Single((await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => TryPlace("rush")))).OfType<V1.Order>());
        Assert.Equal([nameof(StockLow), nameof(StockOut), nameof(StockReplenished), nameof(StockOut)], (await Told("rush")).Select(told => told.Fact));
        await Eventually.True(async () => await Service.Count("FROM messaging.outbox WHERE key = $1", Key("rush")) == 0);
    }

    [Fact]
    public async Task Each_crossing_is_told_with_the_next_version_whatever_crossed_it()
    {
        await Service.RememberFacts();
        await Service.Stocked(10, "line");
        Assert.Equal((StockState.Enough, false), (await Service.StockOf("line")) is var before ? (before.State, before.HasLowAt) : default);
        var set = await Threshold("line", 5);
        Assert.Equal((StockState.Enough, 5L), (set.State, set.LowAt));
        Assert.Empty(await Told("line"));

        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("line", 6)));
        await Adjust("line", -1);
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = "line-pieces", Lines = { new LinePieces { LineNumber = 1, Pieces = 4 } } });
        await Adjust("line", -7);
        await Adjust("line", 3);
        await Adjust("line", 10);
        await Threshold("line", 20);
        await Threshold("line", null);
        Assert.Equal(
            [
                (1L, nameof(StockLow)), (2L, nameof(StockReplenished)), (3L, nameof(StockOut)), (4L, nameof(StockReplenished)), (5L, nameof(StockReplenished)),
                (6L, nameof(StockLow)), (7L, nameof(StockReplenished)),
            ],
            await Told("line"));
        var facts = await Service.FactsOf(Key("line"));
        Assert.Equal(("main", "line", 13L), Read<StockReplenished>(facts[^1].Body) is var last ? (last.StoreId, last.Sku, last.Available) : default);
        Assert.Equal(Key("line"), Read<StockReplenished>(facts[^1].Body).Key);
        Assert.True((TimeProvider.System.GetUtcNow() - Read<StockReplenished>(facts[^1].Body).OccurredAt).Duration() < TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task What_is_rolled_back_is_not_told()
    {
        await Service.RememberFacts();
        await Service.Stocked(1, "rolled");
        await Refusal.Is("OUT_OF_STOCK", Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("rolled", 1), Request.Line("rolled", 1))));
        Assert.Empty(await Told("rolled"));
    }

    [Fact]
    public async Task What_is_low_or_out_is_listed()
    {
        await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = FindingTests.Shop("lowshelf", "LOW") });
        string[] skus = ["a", "b", "c"];
        await Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest
        {
            Parent = "stores/lowshelf",
            Products = { skus.Select(sku => new Product { Sku = sku, Title = sku, UnitPrice = Request.Euro(1), StockTracked = true }) },
        });
        await Service.Stock.BatchSetStockAsync(new BatchSetStockRequest { Parent = "stores/lowshelf", Levels = { skus.Select((sku, i) => new StockLevel { Sku = sku, OnHand = i * 2 }) } });
        await Threshold("b", 2, "lowshelf");
        Assert.Equal(["a", "b"], await Listed(StockState.Low));
        Assert.Equal(["a"], await Listed(StockState.Out));
        Assert.Equal(["c"], await Listed(StockState.Enough));
        await Refusal.Is("INVALID_FIELD", Service.Stock.ListStockAsync(new ListStockRequest { Parent = "stores/lowshelf", State = (StockState)9 }));

        async Task<IEnumerable<string>> Listed(StockState state) =>
            (await Service.Stock.ListStockAsync(new ListStockRequest { Parent = "stores/lowshelf", State = state })).Stock.Select(stock => stock.Sku);
    }

    [Fact]
    public async Task What_is_no_threshold_is_refused()
    {
        await Service.Stocked(1, "none");
        var (_, _, fields, _) = await Refusal.Of(Service.Stock.SetStockThresholdAsync(new SetStockThresholdRequest { Name = Key("none"), LowAt = 0 }));
        Assert.Equal(["low_at", "request_id"], fields.Keys.Order());
        await Refusal.Is("PRODUCT_NOT_FOUND", Service.Stock.SetStockThresholdAsync(new SetStockThresholdRequest { Name = Key("nowhere"), RequestId = "x", LowAt = 1 }));
        var request = new SetStockThresholdRequest { Name = Key("none"), RequestId = "once", LowAt = 4 };
        await Service.Stock.SetStockThresholdAsync(request);
        await Threshold("none", 5);
        Assert.Equal(5, (await Service.Stock.SetStockThresholdAsync(request)).LowAt);
        request.LowAt = 6;
        await Refusal.Is("REQUEST_ID_REUSED", Service.Stock.SetStockThresholdAsync(request));
    }

    private static string Key(string sku) => $"stores/main/products/{sku}/stock";

    private static T Read<T>(string body) => JsonSerializer.Deserialize<T>(body, FactJson.Options)!;

    private async Task<IEnumerable<(long Version, string Fact)>> Told(string sku) => (await Service.FactsOf(Key(sku))).Select(told => (told.Version, told.Fact));

    private async Task<V1.Stock> Threshold(string sku, long? lowAt, string store = "main")
    {
        var request = new SetStockThresholdRequest { Name = $"stores/{store}/products/{sku}/stock", RequestId = Guid.NewGuid().ToString() };
        if (lowAt is { } low)
            request.LowAt = low;
        return await Service.Stock.SetStockThresholdAsync(request);
    }

    private async Task Adjust(string sku, long change) => await Service.Stock.AdjustStockAsync(
        new AdjustStockRequest { Name = Key(sku), RequestId = Guid.NewGuid().ToString(), Change = change, Reason = StockAdjustmentReason.Counted });

    private async Task<V1.Order?> TryPlace(string sku)
    {
        try
        {
            return await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line(sku, 1)));
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.FailedPrecondition)
        {
            return null;
        }
    }
}
