using Commerce.Orders.V1;
using Grpc.Core;
using Npgsql;

namespace Commerce.Orders.Tests;

public class StockTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task Every_movement_is_kept_with_its_kind_its_order_and_who_made_it()
    {
        await Service.Stocked(10, "moves");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("moves", 4)));
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = "moves-cancel" });
        var request = Adjustment("moves", -2, StockAdjustmentReason.Damaged);
        request.Note = "fell off";
        var adjusted = await Service.Stock.AdjustStockAsync(request);
        Assert.Equal((8L, 0L, 8L), (adjusted.OnHand, adjusted.Reserved, adjusted.Available));
        Assert.Equal(adjusted, await Service.Stock.AdjustStockAsync(request));
        await Service.Stock.AdjustStockAsync(Adjustment("moves", 5, StockAdjustmentReason.Received));

        var movements = (await Service.Stock.ListStockMovementsAsync(new ListStockMovementsRequest { Parent = "stores/main/products/moves" })).Movements;
        Assert.Equal(
            [
                (StockMovementKind.Restock, 5L, 0L, 13L, ""), (StockMovementKind.Adjust, -2L, 0L, 8L, ""), (StockMovementKind.Release, 0L, -4L, 10L, order.OrderId),
                (StockMovementKind.Reserve, 0L, 4L, 10L, order.OrderId), (StockMovementKind.Set, 10L, 0L, 10L, ""),
            ],
            movements.Select(m => (m.Kind, m.OnHandChange, m.ReservedChange, m.OnHand, m.OrderId)));
        Assert.Equal(("staff/developer", "DAMAGED: fell off"), (movements[1].Actor, movements[1].Note));

        var page = await Service.Stock.ListStockMovementsAsync(new ListStockMovementsRequest { Parent = "stores/main/products/moves", PageSize = 2 });
        var next = await Service.Stock.ListStockMovementsAsync(new ListStockMovementsRequest { Parent = "stores/main/products/moves", PageSize = 3, PageToken = page.NextPageToken });
        Assert.Equal(movements, page.Movements.Concat(next.Movements));
        Assert.Equal("", next.NextPageToken);
    }

    [Theory]
    [InlineData("UPDATE stock_movements SET note = 'other'")]
    [InlineData("DELETE FROM stock_movements")]
    [InlineData("TRUNCATE stock_movements")]
    public async Task What_moved_cannot_be_changed_afterwards(string sql)
    {
        await Service.Stocked(1, "kept");
        await using var command = Service.Database.CreateCommand(sql);
        var error = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        Assert.Equal("CM003", error.SqlState);
    }

    [Fact]
    public async Task A_released_piece_is_sold_at_once_and_the_movements_add_up_to_the_stock()
    {
        await Service.Stocked(10, "racing");
        var results = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => TryPlace("racing")));
        var sold = results.OfType<V1.Order>().ToList();
        Assert.Equal(10, sold.Count);
        // Each cancelled order's piece goes to one of many who wait for it.
        foreach (var order in sold.Take(5))
        {
            await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = Guid.NewGuid().ToString() });
            Assert.Single((await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TryPlace("racing")))).OfType<V1.Order>());
        }

        var stock = await Service.StockOf("racing");
        Assert.Equal((10L, 10L, 0L), (stock.OnHand, stock.Reserved, stock.Available));
        await using var command = Service.Database.CreateCommand("SELECT sum(on_hand_change)::bigint, sum(reserved_change)::bigint, count(*) FROM stock_movements WHERE sku = 'racing'");
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        await reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal((10L, 10L, 21L), (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2)));
    }

    [Fact]
    public async Task What_orders_hold_cannot_be_taken_away()
    {
        await Service.Stocked(3, "held");
        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("held", 2)));
        await Refusal.Is("OUT_OF_STOCK", Service.Stock.AdjustStockAsync(Adjustment("held", -2, StockAdjustmentReason.Lost)));
        Assert.Equal(3, (await Service.StockOf("held")).OnHand);
        await Refusal.Is("PRODUCT_NOT_FOUND", Service.Stock.AdjustStockAsync(Adjustment("nowhere", 1, StockAdjustmentReason.Found)));
        var (_, _, fields, _) = await Refusal.Of(Service.Stock.AdjustStockAsync(new AdjustStockRequest { Name = "stores/main/products/held/stock" }));
        Assert.Equal(["change", "reason", "request_id"], fields.Keys.Order());
    }

    [Fact]
    public async Task What_may_be_backordered_is_sold_beyond_the_shelf_until_the_policy_ends()
    {
        var product = new Product { Sku = "later", Title = "Later", UnitPrice = Request.Euro(1000), StockTracked = true, Backorder = true };
        var update = new BatchUpdateProductsRequest { Parent = "stores/main", Products = { product } };
        Assert.True((await Service.Catalogue.BatchUpdateProductsAsync(update)).Products[0].Backorder);
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("later", 3)));
        Assert.Equal(-3, (await Service.StockOf("later")).Available);
        await Service.Stock.BatchSetStockAsync(new BatchSetStockRequest { Parent = "stores/main", Levels = { new StockLevel { Sku = "later", OnHand = 1 } } });

        product.Backorder = false;
        await Refusal.Is("INVALID_FIELD", Service.Catalogue.BatchUpdateProductsAsync(update));
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = "later-cancel" });
        Assert.False((await Service.Catalogue.BatchUpdateProductsAsync(update)).Products[0].Backorder);
        await Refusal.Is("OUT_OF_STOCK", Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("later", 2))));
    }

    [Fact]
    public async Task Stock_is_listed_by_sku_and_what_runs_out_by_itself()
    {
        await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = FindingTests.Shop("shelf", "SHF") });
        string[] skus = ["a", "b", "c", "d"];
        await Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest
        {
            Parent = "stores/shelf",
            Products = { skus.Select(sku => new Product { Sku = sku, Title = sku, UnitPrice = Request.Euro(1), StockTracked = true }) },
        });
        await Service.Stock.BatchSetStockAsync(new BatchSetStockRequest { Parent = "stores/shelf", Levels = { skus.Select((sku, i) => new StockLevel { Sku = sku, OnHand = i * 2 }) } });
        var page = await Service.Stock.ListStockAsync(new ListStockRequest { Parent = "stores/shelf", PageSize = 3 });
        var next = await Service.Stock.ListStockAsync(new ListStockRequest { Parent = "stores/shelf", PageSize = 3, PageToken = page.NextPageToken });
        Assert.Equal(skus, page.Stock.Concat(next.Stock).Select(stock => stock.Sku));
        Assert.Equal(["a", "b"], (await Service.Stock.ListStockAsync(new ListStockRequest { Parent = "stores/shelf", AvailableAtMost = 2 })).Stock.Select(stock => stock.Sku));
        Assert.Equal(["a"], (await Service.Stock.ListStockAsync(new ListStockRequest { Parent = "stores/shelf", AvailableAtMost = 0 })).Stock.Select(stock => stock.Sku));
    }

    private static AdjustStockRequest Adjustment(string sku, long change, StockAdjustmentReason reason) =>
        new() { Name = $"stores/main/products/{sku}/stock", RequestId = Guid.NewGuid().ToString(), Change = change, Reason = reason };

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
