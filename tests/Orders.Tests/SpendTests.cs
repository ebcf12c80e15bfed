using Commerce.Facts;
using Commerce.Orders.SummingSpend;
using Commerce.Orders.V1;
using Commerce.Testing;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Orders.Tests;

public class SpendTests(OrdersService service) : OrdersServiceTests(service)
{
    private const string Email = "spender@example.com";

    private static readonly DateTimeOffset At = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task What_was_cancelled_refunded_or_never_paid_is_not_spent()
    {
        await using var payments = await Service.Other("payments");
        await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = FindingTests.Shop("spend", "SPD") });
        await Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest
        {
            Parent = "stores/main",
            Products =
            {
                new Product { Sku = "sp-book", Title = "Book", UnitPrice = Request.Euro(1000), Category = "books" },
                new Product { Sku = "sp-lamp", Title = "Lamp", UnitPrice = Request.Euro(2000), Category = "lamps" },
            },
        });
        var mixed = await Paid(payments, Order("main", Request.Line("sp-book", 1), Request.Line("sp-lamp", 1, 2000)));
        var partly = await Paid(payments, Order("main", Request.Line("sp-book", 1)));
        var refunded = await Paid(payments, Order("main", Request.Line("sp-book", 3)));
        var cancelled = await Paid(payments, Order("main", Request.Line("sp-lamp", 1, 2000)));
        var elsewhere = await Paid(payments, Order("spend", Request.Line("other", 1, 500)).With(r => r.PaymentParts[0].Amount = Request.Euro(500)));
        await Service.Orders.PlaceOrderAsync(Order("main", Request.Line("sp-book", 1)));
        await Service.Orders.PlaceOrderAsync(Request.Order());

        await payments.Tell(
            new PaymentRefunded(partly.OrderId, "main", 2, At, new Money(400, "EUR"), new Money(1000, "EUR")),
            new PaymentRefunded(refunded.OrderId, "main", 2, At, new Money(3000, "EUR"), new Money(3000, "EUR")));
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = cancelled.Name, RequestId = Guid.NewGuid().ToString() });
        await Eventually.True(async () => (await Service.OrderWith(partly.OrderId)).PaymentState == PaymentState.PartlyRefunded
            && (await Service.OrderWith(refunded.OrderId)).PaymentState == PaymentState.Refunded);

        var summary = await Service.Orders.GetSpendSummaryAsync(new GetSpendSummaryRequest { Email = Email.ToUpperInvariant() });
        Assert.Equal((3, Request.Euro(3000 + 600 + 500)), (summary.OrderCount, Assert.Single(summary.Spent)));
        Assert.Equal([("", 1, 500L), ("books", 2, 1600L), ("lamps", 1, 2000L)], Rows(summary.ByCategory));
        Assert.Equal([("main", 2, 3600L), ("spend", 1, 500L)], Rows(summary.ByStore));
        Assert.Equal([("EUR", 3, 4100L)], Rows(summary.ByCurrency));
        Assert.Equal((mixed.CreateTime.ToDateTimeOffset().ToString("yyyy-MM", null), 3, 4100L), Assert.Single(Rows(summary.ByMonth)));

        var one = await Service.Orders.GetSpendSummaryAsync(new GetSpendSummaryRequest { Email = Email, StoreId = "spend" });
        Assert.Equal((1, Request.Euro(500)), (one.OrderCount, Assert.Single(one.Spent)));
        var before = await Service.Orders.GetSpendSummaryAsync(new GetSpendSummaryRequest { Email = Email, CreateTimeUntil = mixed.CreateTime });
        Assert.Equal(0, before.OrderCount);
        Assert.Empty(before.Spent);
        Assert.NotNull(elsewhere);
    }

    [Fact]
    public async Task What_was_let_go_of_is_not_spent_and_cannot_be_given_back()
    {
        await using var payments = await Service.Other("payments");
        var order = await Service.Orders.PlaceOrderAsync(Order("main", Request.Line("sp-part", 3)).With(r =>
        {
            r.Customer.Email = "partly@example.com";
            r.CaptureMode = Commerce.Types.V1.CaptureMode.Manual;
        }));
        await payments.Tell(
            new PaymentAuthorised(order.OrderId, "main", 1, At, new Money(3000, "EUR")),
            new PaymentCaptured(order.OrderId, "main", 2, At, new Money(2000, "EUR")));
        await Service.Until(order, o => o.PaymentState == PaymentState.Paid);
        var summary = await Service.Orders.GetSpendSummaryAsync(new GetSpendSummaryRequest { Email = "partly@example.com" });
        Assert.Equal(Request.Euro(2000), Assert.Single(summary.Spent));

        await Service.Deliver(order, null, new ShipmentLineFact(1, 3));
        var one = await Service.Asked(order, (1, 3));
        Assert.Equal((Request.Euro(3000), Request.Euro(2000)), (one.Amounts.Goods, one.RefundAmount));
    }

    [Fact]
    public async Task A_spend_needs_an_address_and_a_store_that_exists()
    {
        var (_, _, fields, _) = await Refusal.Of(Service.Orders.GetSpendSummaryAsync(new GetSpendSummaryRequest
        {
            Email = "x",
            StoreId = "A",
            CreateTimeFrom = new Timestamp { Seconds = 2 },
            CreateTimeUntil = new Timestamp { Seconds = 1 },
        }));
        Assert.Equal(["create_time_until", "email", "store_id"], fields.Keys.Order());
        await Refusal.Is("STORE_NOT_FOUND", Service.Orders.GetSpendSummaryAsync(new GetSpendSummaryRequest { Email = Email, StoreId = "nowhere" }));
    }

    [Theory]
    [InlineData(100, "a:1 b:1 c:1", "a:33 b:33 c:34")]
    [InlineData(1, "a:1 b:1 a:1", "a:1 b:0")]
    [InlineData(500, "a:0 b:0", "a:250 b:250")]
    [InlineData(0, "a:5", "a:0")]
    [InlineData(1_000_000_000_000_000, "a:333333333333333 b:666666666666667", "a:333333333333333 b:666666666666667")]
    public void The_shares_of_categories_sum_to_the_amount(long amount, string lines, string shares)
    {
        var parsed = lines.Split(' ').Select(line => line.Split(':')).ToList();
        var shared = SumSpend.Shares(new Money(amount, "EUR"), [.. parsed.Select(p => p[0])], [.. parsed.Select(p => long.Parse(p[1], null))]).ToList();
        Assert.Equal(shares, string.Join(' ', shared.Select(share => $"{share.Category}:{share.Share.Minor}")));
        Assert.Equal(amount, shared.Sum(share => share.Share.Minor));
    }

    private static PlaceOrderRequest Order(string store, params OrderLine[] lines) =>
        Request.Order(lines).With(r => (r.StoreId, r.Customer.Email) = (store, Email));

    private async Task<V1.Order> Paid(OtherService payments, PlaceOrderRequest request)
    {
        var order = await Service.Orders.PlaceOrderAsync(request);
        Assert.True(order.Total.TryToMoney(out var total, out _));
        await payments.Tell(new PaymentCaptured(order.OrderId, order.StoreId, 1, At, total));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).PaymentState == PaymentState.Paid);
        return order;
    }

    private static List<(string Key, int Orders, long Cents)> Rows(IEnumerable<SpendGroup> groups) =>
        [.. groups.Select(group => (group.Key, group.OrderCount, Assert.Single(group.Spent) is var money ? money.Units * 100 + money.Nanos / 10_000_000 : 0))];
}
