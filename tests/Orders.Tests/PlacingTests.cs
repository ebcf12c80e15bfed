using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Orders.Tests;

public class PlacingTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task A_placed_order_reads_as_it_was_answered()
    {
        await Service.Stocked(10, "read-1");
        var request = Request.Order(Request.Line("read-1", 2), Request.Line("other", 1, 500)).With(r =>
        {
            r.ExternalId = "shop-1";
            r.ShippingCharge = Request.Euro(495);
            r.Adjustments.Add(new Adjustment { Label = "voucher SUMMER", Amount = Request.Euro(-200) });
            r.PaymentParts.Clear();
            r.PaymentParts.Add(new PaymentPart { Method = PaymentMethod.Voucher, Token = "tok_v", Amount = Request.Euro(1000) });
            r.PaymentParts.Add(new PaymentPart { Token = "tok_ok", Amount = Request.Euro(1795), Instalments = 3 });
            r.PromisedDeliveryTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(7));
            r.ShippingAddress.Recipients.Add("Ada & Söhne");
        });
        var placed = await Service.Orders.PlaceOrderAsync(request);
        var read = await Service.OrderWith(placed.OrderId);
        Assert.Equal(placed, read);
        Assert.Equal(Request.Euro(2500), read.Subtotal);
        Assert.Equal(Request.Euro(2795), read.Total);
        Assert.Equal(PaymentMethod.Card, read.PaymentParts[1].Method);
        Assert.Equal([1, 2], read.Lines.Select(line => line.LineNumber));
        Assert.Equal("IE", read.Lines[0].ShipFrom.RegionCode);
        Assert.Equal((OrderState.Open, PaymentState.Pending, FulfilmentState.Unfulfilled, Headline.AwaitingPayment, 1L), (read.State, read.PaymentState, read.FulfilmentState, read.Headline, read.Version));

        Assert.Equal(2, (await Service.StockOf("read-1")).Reserved);
        var entry = Assert.Single(await Service.TimelineOf(read));
        Assert.Equal(("OrderPlaced", "staff/developer", 1L), (entry.Event, entry.Actor, entry.Version));
        Assert.Equal(1, await Service.Count("FROM messaging.recovery_points WHERE kind = 'expire-order' AND key = $1", read.OrderId));
    }

    [Fact]
    public async Task Store_credit_pays_only_for_a_customer_that_is_named_and_needs_no_token()
    {
        var request = Request.Order(Request.Line("other", 1, 500)).With(r =>
        {
            r.PaymentParts.Clear();
            r.PaymentParts.Add(new PaymentPart { Method = PaymentMethod.StoreCredit, Amount = Request.Euro(500) });
        });
        Assert.Contains("customer_id", (await Refusal.Of(Service.Orders.PlaceOrderAsync(request))).Fields.Keys);
        foreach (var wrong in new[] { "ada@example.com", "Ada Lovelace", "a/b", new string('x', 65) })
            Assert.Contains("customer_id", (await Refusal.Of(Service.Orders.PlaceOrderAsync(request.Clone().With(r => r.CustomerId = wrong)))).Fields.Keys);

        var placed = await Service.Orders.PlaceOrderAsync(request.With(r => r.CustomerId = "customer-17"));
        Assert.Equal(("customer-17", CaptureMode.Automatic), (placed.CustomerId, placed.CaptureMode));
        Assert.Equal(placed, await Service.OrderWith(placed.OrderId));
    }

    [Fact]
    public async Task An_order_takes_its_money_as_it_says_itself_or_as_its_store_does()
    {
        var placed = await Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.CaptureMode = CaptureMode.OnShipment));
        Assert.Equal((CaptureMode.OnShipment, placed), (placed.CaptureMode, await Service.OrderWith(placed.OrderId)));
        Assert.Contains("capture_mode", (await Refusal.Of(Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.CaptureMode = (CaptureMode)9)))).Fields.Keys);

        var store = new Store
        {
            StoreId = "by-hand",
            DisplayName = "By hand",
            OrderPrefix = "HAND",
            CurrencyCode = "EUR",
            LanguageCode = "en",
            TimeZone = "Europe/Dublin",
            SenderEmail = "hand@example.com",
            ShipFrom = new Types.V1.Place { RegionCode = "IE" },
            CaptureMode = CaptureMode.Manual,
        };
        Assert.Equal(CaptureMode.Manual, (await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = store })).CaptureMode);
        Assert.Equal(CaptureMode.Manual, (await Service.Stores.GetStoreAsync(new GetStoreRequest { Name = "stores/by-hand" })).CaptureMode);
        Assert.Equal(CaptureMode.Manual, (await Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.StoreId = "by-hand"))).CaptureMode);
    }

    [Fact]
    public async Task A_line_takes_title_price_and_weight_from_the_catalogue()
    {
        var product = new Product { Sku = "full", Title = "Lamp", UnitPrice = Request.Euro(1000), Dimensions = new() { WeightGrams = 250 } };
        product.ShipFrom = new() { LocationId = "wh-2", RegionCode = "PT" };
        await Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest { Parent = "stores/main", Products = { product } });
        var placed = await Service.Orders.PlaceOrderAsync(Request.Order(new OrderLine { Sku = "full", Quantity = 3 }));
        var line = Assert.Single(placed.Lines);
        Assert.Equal(("Lamp", 250, "wh-2"), (line.Title, line.Dimensions.WeightGrams, line.ShipFrom.LocationId));
        Assert.Equal(Request.Euro(3000), line.Amount);
    }

    [Fact]
    public async Task A_price_that_changed_is_refused_with_both_and_an_agreed_one_is_kept()
    {
        await Service.Stocked(100, "price");
        var (code, info, fields, _) = await Refusal.Of(Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("price", 1, 900))));
        Assert.Equal((StatusCode.FailedPrecondition, "PRICE_CHANGED"), (code, info.Reason));
        Assert.Contains("10.00 EUR", fields["lines[0].unit_price"], StringComparison.Ordinal);
        Assert.Contains("9.00 EUR", fields["lines[0].unit_price"], StringComparison.Ordinal);

        var agreed = Request.Line("price", 1, 900);
        agreed.PriceAgreed = true;
        var placed = await Service.Orders.PlaceOrderAsync(Request.Order(agreed));
        Assert.Equal(Request.Euro(900), placed.Total);
        Assert.Equal(1, (await Service.StockOf("price")).Reserved);
    }

    [Fact]
    public async Task A_new_price_counts_from_the_next_order_on()
    {
        await Service.Stocked(100, "moving");
        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("moving", 1)));
        for (var cents = 1100; cents < 1600; cents += 100)
        {
            await Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest
            {
                Parent = "stores/main",
                Products = { new Product { Sku = "moving", Title = "Moving", UnitPrice = Request.Euro(cents), StockTracked = true } },
            });
            await Refusal.Is("PRICE_CHANGED", Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("moving", 1, cents - 100))));
            var placed = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("moving", 1, cents)));
            Assert.Equal(Request.Euro(cents), placed.Total);
        }
    }

    [Fact]
    public async Task An_order_that_costs_nothing_is_confirmed_without_a_payment()
    {
        var placed = await Service.Orders.PlaceOrderAsync(Request.Order().With(r =>
        {
            r.Adjustments.Add(new Adjustment { Label = "gift", Amount = Request.Euro(-2000) });
            r.PaymentParts.Clear();
        }));
        Assert.Equal(Request.Euro(0), placed.Total);
        Assert.Equal((PaymentState.Paid, Headline.Preparing), (placed.PaymentState, placed.Headline));
        Assert.Equal(placed, await Service.OrderWith(placed.OrderId));
        Assert.Equal(["OrderPlaced", "OrderConfirmed"], (await Service.TimelineOf(placed)).Select(entry => entry.Event));
        Assert.Equal(0, await Service.Count("FROM messaging.recovery_points WHERE key = $1", placed.OrderId));
    }

    [Fact]
    public async Task An_unknown_sku_needs_a_title_and_a_price()
    {
        var (code, info, fields, _) = await Refusal.Of(Service.Orders.PlaceOrderAsync(Request.Order(new OrderLine { Sku = "nowhere", Quantity = 1 })));
        Assert.Equal((StatusCode.InvalidArgument, "SKU_UNKNOWN"), (code, info.Reason));
        Assert.Contains("nowhere", fields["lines[0].sku"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sku_that_joins_the_catalogue_is_counted_at_once()
    {
        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("joins", 1)));
        await Service.Stocked(1, "joins");
        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("joins", 1)));
        await Refusal.Is("OUT_OF_STOCK", Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("joins", 1))));
    }

    [Fact]
    public async Task Another_order_cannot_use_the_same_external_id()
    {
        await Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.ExternalId = "once"));
        var (code, info, fields, _) = await Refusal.Of(Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.ExternalId = "once")));
        Assert.Equal((StatusCode.AlreadyExists, "EXTERNAL_ID_USED"), (code, info.Reason));
        Assert.Contains("external_id", fields.Keys);
    }

    [Fact]
    public async Task The_same_request_gives_the_same_order_even_after_its_price_changed()
    {
        await Service.Stocked(5, "again");
        var request = Request.Order(Request.Line("again", 5));
        var first = await Service.Orders.PlaceOrderAsync(request);
        await Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest
        {
            Parent = "stores/main",
            Products = { new Product { Sku = "again", Title = "Dearer", UnitPrice = Request.Euro(2000), StockTracked = true } },
        });
        Assert.Equal(first, await Service.Orders.PlaceOrderAsync(request));
        Assert.Equal(5, (await Service.StockOf("again")).Reserved);
    }

    [Fact]
    public async Task A_request_id_with_another_payload_is_refused()
    {
        var request = Request.Order();
        await Service.Orders.PlaceOrderAsync(request);
        var other = request.Clone();
        other.Customer.Name = "Somebody Else";
        var (code, info, fields, _) = await Refusal.Of(Service.Orders.PlaceOrderAsync(other));
        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_ID_REUSED"), (code, info.Reason));
        Assert.Contains("request_id", fields.Keys);
    }

    [Fact]
    public async Task Twins_that_race_are_one_order()
    {
        await Service.Stocked(1_000, "twin");
        for (var round = 0; round < 10; round++)
        {
            var request = Request.Order(Request.Line("twin", 1));
            var orders = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Service.Orders.PlaceOrderAsync(request).ResponseAsync));
            Assert.Single(orders.Select(order => order.OrderId).Distinct());
        }

        Assert.Equal(10, (await Service.StockOf("twin")).Reserved);
    }

    [Fact]
    public async Task Sixty_four_buyers_of_ten_pieces_get_exactly_ten()
    {
        await Service.Stocked(10, "rare");
        var results = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => TryPlace(Request.Order(Request.Line("rare", 1)))));
        Assert.Equal(10, results.Count(result => result is null));
        Assert.All(results.Where(result => result is not null), result => Assert.Equal("OUT_OF_STOCK", result));
        var stock = await Service.StockOf("rare");
        Assert.Equal((10L, 10L, 0L), (stock.OnHand, stock.Reserved, stock.Available));
        Assert.Equal(10, await Service.Count("FROM order_lines WHERE sku = 'rare'"));
    }

    [Fact]
    public async Task What_is_short_is_named_with_what_there_is()
    {
        await Service.Stocked(3, "short-a", "short-b");
        var request = Request.Order(Request.Line("short-b", 4), Request.Line("short-a", 2), Request.Line("short-a", 2));
        var (code, info, _, error) = await Refusal.Of(Service.Orders.PlaceOrderAsync(request));
        Assert.Equal((StatusCode.FailedPrecondition, "OUT_OF_STOCK"), (code, info.Reason));
        Assert.Equal(("short-a", "4", "3"), (info.Metadata["sku"], info.Metadata["wanted"], info.Metadata["available"]));
        Assert.Equal(2, error.GetRpcStatus()!.GetDetail<Google.Rpc.PreconditionFailure>()!.Violations.Count);
        Assert.Equal(0, (await Service.StockOf("short-a")).Reserved);
        Assert.Equal(0, (await Service.StockOf("short-b")).Reserved);
        Assert.Equal(0, await Service.Count("FROM messaging.requests WHERE request_id = $1", request.RequestId));
    }

    [Fact]
    public async Task Baskets_of_the_same_articles_in_any_order_never_deadlock()
    {
        string[] skus = ["d1", "d2", "d3", "d4", "d5", "d6"];
        await Service.Stocked(10_000, skus);
        var random = new Random(7);
        var requests = Enumerable.Range(0, 200).Select(_ =>
        {
            var order = skus.ToArray();
            random.Shuffle(order);
            return Request.Order([.. order.Take(random.Next(2, 7)).Select(sku => Request.Line(sku, 1))]);
        }).ToList();
        var placed = await Task.WhenAll(requests.Select(request => Service.Orders.PlaceOrderAsync(request).ResponseAsync));
        var cancelled = placed.Where((_, i) => i % 2 == 0).Select(order =>
            Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = Guid.NewGuid().ToString() }).ResponseAsync);
        var more = requests.Select(request => Service.Orders.PlaceOrderAsync(request.Clone().With(r => r.RequestId = Guid.NewGuid().ToString())).ResponseAsync);
        await Task.WhenAll([.. cancelled, .. more]);

        foreach (var sku in skus)
        {
            var held = await Service.Count("FROM order_lines l JOIN orders o USING (order_id) WHERE l.sku = $1 AND o.state = 1", sku);
            Assert.Equal(held, (await Service.StockOf(sku)).Reserved);
        }
    }

    [Fact]
    public async Task Rest_takes_the_same_order_with_an_idempotency_key()
    {
        var request = Request.Order();
        var json = Google.Protobuf.JsonFormatter.Default.Format(request.Clone().With(r => r.RequestId = ""));
        using var message = new HttpRequestMessage(HttpMethod.Post, "/v1/orders") { Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json") };
        message.Headers.Add("Idempotency-Key", "rest-1");
        using var response = await Service.Rest.SendAsync(message);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, body);
        Assert.Contains("\"orderId\"", body, StringComparison.Ordinal);
        Assert.Equal(1, await Service.Count("FROM messaging.requests WHERE request_id = 'rest-1'"));
    }

    private async Task<string?> TryPlace(PlaceOrderRequest request)
    {
        try
        {
            await Service.Orders.PlaceOrderAsync(request);
            return null;
        }
        catch (RpcException exception)
        {
            return exception.GetRpcStatus()?.GetDetail<Google.Rpc.ErrorInfo>()?.Reason ?? exception.Status.ToString();
        }
    }
}
