using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Testing;
using Npgsql;

namespace Commerce.Orders.Tests;

/// <summary>Pieces that an order gave up leave all the same, when their parcel is handed over at that moment: the stock follows the shelf.</summary>
public class UnheldPiecesTests(OrdersService service) : OrdersServiceTests(service)
{
    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task A_cancelled_order_whose_parcel_leaves_all_the_same_takes_its_pieces_from_the_shelf_once()
    {
        await Service.Stocked(5, "gone");
        var order = await Planned("gone", 2);
        await Cancel(order);
        Assert.Equal((5L, 0L), await Stock("gone"));

        await Leaves(order, 2, "IN_TRANSIT");
        Assert.Equal((3L, 0L), await Stock("gone"));
        await Leaves(order, 3, "DELIVERED");
        Assert.Equal((3L, 0L), await Stock("gone"));

        var movements = (await Service.Stock.ListStockMovementsAsync(new ListStockMovementsRequest { Parent = "stores/main/products/gone" })).Movements;
        Assert.Equal(
            (StockMovementKind.Commit, -2L, 0L, 3L, order.OrderId, "nothing held them any more"),
            (movements[0].Kind, movements[0].OnHandChange, movements[0].ReservedChange, movements[0].OnHand, movements[0].OrderId, movements[0].Note));
        // What is said of one movement is not said of the next.
        await Service.Stocked(7, "gone");
        Assert.Equal("", (await Service.Stock.ListStockMovementsAsync(new ListStockMovementsRequest { Parent = "stores/main/products/gone" })).Movements[0].Note);
    }

    [Fact]
    public async Task Pieces_that_were_cut_from_a_line_and_leave_in_the_parcel_planned_before_leave_the_shelf_too()
    {
        await Service.Stocked(5, "cut");
        var order = await Planned("cut", 3);
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest
        {
            Name = order.Name,
            RequestId = Guid.NewGuid().ToString(),
            Lines = { new LinePieces { LineNumber = 1, Pieces = 1 } },
        });
        Assert.Equal((5L, 2L), await Stock("cut"));
        await Leaves(order, 2, "IN_TRANSIT");
        Assert.Equal((2L, 0L), await Stock("cut"));
    }

    [Fact]
    public async Task Pieces_that_were_sold_again_and_left_all_the_same_are_missing_until_others_come()
    {
        await Service.RememberFacts();
        await Service.Stocked(2, "sold");
        var first = await Planned("sold", 2);
        await Cancel(first);
        var second = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("sold", 2)));
        await Leaves(first, 2, "IN_TRANSIT");

        var stock = await Service.StockOf("sold");
        Assert.Equal((0L, 2L, -2L, StockState.Out), (stock.OnHand, stock.Reserved, stock.Available, stock.State));
        await Refusal.Is("OUT_OF_STOCK", Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("sold", 1))));
        // No more can be taken away by hand than is there.
        await Refusal.Is("OUT_OF_STOCK", Adjust("sold", -1));
        await Adjust("sold", 1);
        Assert.Equal(1L, await Missing("sold"));
        await Refusal.Is("OUT_OF_STOCK", Adjust("sold", -1));

        // The other order ends, and with it what is missing.
        await Cancel(second);
        Assert.Equal((1L, 0L), await Stock("sold"));
        Assert.Equal(0L, await Missing("sold"));
        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("sold", 1)));
        await Refusal.Is("OUT_OF_STOCK", Adjust("sold", -1));
        await Eventually.True(async () => (await Service.FactsOf("stores/main/products/sold/stock")) is [.., { Fact: nameof(StockOut) }]);
    }

    [Fact]
    public async Task What_is_not_counted_leaves_no_stock()
    {
        var order = await Planned("kettle", 2);
        await Cancel(order);
        await Leaves(order, 2, "IN_TRANSIT");
        Assert.Equal(0, await Service.Count("FROM stock_movements WHERE order_id = (SELECT order_id FROM order_parcels WHERE shipment_id = $1)", Shipment(order)));
    }

    private async Task<V1.Order> Planned(string sku, int pieces)
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line(sku, pieces)));
        await (await Service.Shared("payments")).Tell(new PaymentCaptured(order.OrderId, "main", 1, Now, new Money(order.Total.Units * 100, "EUR")));
        await (await Service.Shared("shipments")).Tell(new ShipmentCreated(Shipment(order), order.OrderId, "main", 1, Now, [new ShipmentLineFact(1, pieces)]));
        return await Eventually.Value(() => Service.OrderWith(order.OrderId), o => o is { PaymentState: PaymentState.Paid, Parcels.Count: 1 });
    }

    private async Task Leaves(V1.Order order, long version, string status)
    {
        await (await Service.Shared("shipments")).Tell(
            new ParcelTracked(Shipment(order), order.OrderId, "main", version, Now, "ups", "1Z", status, "PRE_TRANSIT", ["IN_TRANSIT", status], Now, 1));
        var state = status == "DELIVERED" ? ParcelState.Delivered : ParcelState.Shipped;
        await Eventually.Value(() => Service.OrderWith(order.OrderId), o => o.Parcels[0].State == state);
    }

    private async Task Cancel(V1.Order order) =>
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = Guid.NewGuid().ToString() });

    private Grpc.Core.AsyncUnaryCall<V1.Stock> Adjust(string sku, int change) => Service.Stock.AdjustStockAsync(new AdjustStockRequest
    {
        Name = $"stores/main/products/{sku}/stock",
        RequestId = Guid.NewGuid().ToString(),
        Change = change,
        Reason = change > 0 ? StockAdjustmentReason.Received : StockAdjustmentReason.Lost,
    });

    private async Task<(long OnHand, long Reserved)> Stock(string sku)
    {
        var stock = await Service.StockOf(sku);
        return (stock.OnHand, stock.Reserved);
    }

    private async Task<long> Missing(string sku)
    {
        await using var command = Service.Database.CreateCommand("SELECT missing FROM stock WHERE sku = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = sku });
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    private static string Shipment(V1.Order order) => "un" + order.OrderId;
}
