using Commerce.Orders.V1;

namespace Commerce.Orders.Tests;

public class ReorderTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task An_old_basket_is_quoted_at_todays_prices_and_stock_and_says_what_is_gone()
    {
        var old = await Old();
        var quote = await Service.Orders.ReorderAsync(new ReorderRequest { Name = old.Name });
        Assert.Equal(
            [
                (1, ReorderAvailability.Available, 2, 1000L, 1500L),
                (2, ReorderAvailability.FewerLeft, 3, 1000L, 1000L),
                (3, ReorderAvailability.OutOfStock, 0, 1000L, 1000L),
                (4, ReorderAvailability.UnknownSku, 0, 1000L, 0L),
                (5, ReorderAvailability.OutOfStock, 0, 1000L, 1000L),
            ],
            quote.Lines.Select(line => (line.LineNumber, line.Availability, line.QuantityNow, Cents(line.UnitPriceThen), Cents(line.UnitPriceNow))));
        Assert.Equal((12_400L, 6_400L, 400L), (Cents(quote.TotalThen), Cents(quote.TotalNow), Cents(quote.ShippingChargeNow)));
        Assert.Null(quote.Order);
        Assert.Equal(3, (await Service.StockOf(old.Lines[1].Sku)).Available);
    }

    [Fact]
    public async Task A_quote_is_placed_once_with_what_can_be_had()
    {
        var old = await Old();
        var request = new ReorderRequest { Name = old.Name, Place = true, RequestId = Guid.NewGuid().ToString() };
        request.PaymentParts.Add(new PaymentPart { Method = PaymentMethod.Card, Token = "tok_ok", Amount = Request.Euro(6_400) });
        var placed = (await Service.Orders.ReorderAsync(request)).Order;
        Assert.Equal(Request.Euro(6_400), placed.Total);
        Assert.Equal([2, 3], placed.Lines.Select(line => line.Quantity));
        Assert.Equal((old.Customer, old.ShippingAddress), (placed.Customer, placed.ShippingAddress));
        Assert.NotEqual(old.OrderId, placed.OrderId);
        Assert.Equal(placed, (await Service.Orders.ReorderAsync(request)).Order);
        Assert.Equal(0, (await Service.StockOf(old.Lines[1].Sku)).Available);

        var other = request.Clone();
        other.PaymentParts[0].Token = "tok_other";
        await Refusal.Is("REQUEST_ID_REUSED", Service.Orders.ReorderAsync(other));
    }

    [Fact]
    public async Task What_is_paid_must_be_what_it_costs_today_and_something_must_be_there()
    {
        var old = await Old();
        var request = new ReorderRequest { Name = old.Name, Place = true, RequestId = Guid.NewGuid().ToString() };
        request.PaymentParts.Add(new PaymentPart { Token = "tok_ok", Amount = Request.Euro(12_400) });
        var (_, info, fields, _) = await Refusal.Of(Service.Orders.ReorderAsync(request));
        Assert.Equal("INVALID_FIELD", info.Reason);
        Assert.Contains("64.00 EUR", fields["payment_parts"], StringComparison.Ordinal);

        var gone = await Service.Orders.PlaceOrderAsync(Request.Order());
        await Refusal.Is("OUT_OF_STOCK", Service.Orders.ReorderAsync(new ReorderRequest { Name = gone.Name, Place = true, RequestId = "gone" }));
        await Refusal.Is("INVALID_FIELD", Service.Orders.ReorderAsync(new ReorderRequest { Name = gone.Name, Place = true }));
        await Refusal.Is("ORDER_NOT_FOUND", Service.Orders.ReorderAsync(new ReorderRequest { Name = "orders/" + new OrderId("ORD", 9) }));
    }

    // Today: the first costs more, three of the second and third together are left, of the fourth nobody knows any more, the fifth is gone.
    private async Task<V1.Order> Old()
    {
        var run = Guid.NewGuid().ToString("N")[..8];
        string[] skus = ["r1-" + run, "r2-" + run, "r2-" + run, "r4-" + run, "r5-" + run];
        await Service.Stocked(10, skus[0], skus[1], skus[4]);
        var lines = new[] { 2, 5, 1, 2, 2 }.Zip(skus, (quantity, sku) => Request.Line(sku, quantity)).ToArray();
        var old = await Service.Orders.PlaceOrderAsync(Request.Order(lines).With(r =>
        {
            r.ShippingCharge = Request.Euro(400);
            r.PaymentParts[0].Amount = Request.Euro(12_400);
        }));
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = old.Name, RequestId = Guid.NewGuid().ToString() });
        await Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest
        {
            Parent = "stores/main",
            Products = { new Product { Sku = skus[0], Title = "Dearer", UnitPrice = Request.Euro(1500), StockTracked = true } },
        });
        await Service.Stock.BatchSetStockAsync(new BatchSetStockRequest
        {
            Parent = "stores/main",
            Levels = { new StockLevel { Sku = skus[1], OnHand = 3 }, new StockLevel { Sku = skus[4], OnHand = 0 } },
        });
        return old;
    }

    private static long Cents(Google.Type.Money? money) => money is null ? 0 : money.Units * 100 + money.Nanos / 10_000_000;
}
