using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Testing;
using Grpc.Core;

namespace Commerce.Orders.Tests;

/// <summary>A customer's data goes from their orders: whose, when, and how it is told.</summary>
public sealed class ErasingCustomersTests(OrdersService service) : OrdersServiceTests(service)
{
    private ErasureService.ErasureServiceClient Erasures => new(Service.Channel);

    [Fact]
    public async Task A_customer_is_gone_from_what_orders_are_found_by_and_the_order_stays_in_the_books()
    {
        var email = Email();
        var order = await Service.Delivered(Order(email, "Grizelda Featherstonehaugh"));
        Assert.Single((await Search(new OrderFilter { Name = "featherstonehaugh" })).Orders);
        Assert.Equal(1, (await Spent(email)).OrderCount);

        var erasure = await Erase(new CustomerKey { Email = email.ToUpperInvariant() });

        Assert.Equal((Erasure.Types.State.Running, "staff/developer", order.Name), (erasure.State, erasure.Creator, Assert.Single(erasure.Orders)));
        Assert.Equal(["payments", "shipments"], erasure.WaitingFor);
        Assert.Empty((await Search(new OrderFilter { Name = "featherstonehaugh" })).Orders);
        Assert.Empty((await Search(new OrderFilter { Email = email })).Orders);
        Assert.Equal(0, (await Spent(email)).OrderCount);
        Assert.Equal(0, await Service.Count("FROM orders o WHERE o::text ILIKE '%featherstonehaugh%' OR o::text ILIKE '%' || $1 || '%'", email));
        var after = await Service.OrderWith(order.OrderId);
        Assert.Equal((order.Total, order.Lines, OrderState.Completed, "GB"), (after.Total, after.Lines, after.State, after.ShippingAddress.RegionCode));
        Assert.Equal(("", "", order.Version + 1), (after.Customer.Name, after.CustomerId, after.Version));
        Assert.NotNull(after.EraseTime);
        Assert.Equal("OrderErased", (await Service.TimelineOf(order))[^1].Event);
        // By what is no name it is found as before.
        Assert.Contains((await Search(new OrderFilter { Sku = order.Lines[0].Sku })).Orders, found => found.OrderId == order.OrderId);
    }

    [Fact]
    public async Task The_report_is_whole_when_every_service_has_told_and_telling_it_twice_changes_nothing()
    {
        var email = Email();
        var order = await Service.Delivered(Order(email));
        var erasure = await Erase(new CustomerKey { Email = email });
        var id = erasure.Name["erasures/".Length..];
        var until = new DateOnly(2036, 12, 31);
        PersonalDataErased Told(string by, params ErasedItem[] items) => new(id, order.OrderId, order.StoreId, TimeProvider.System.GetUtcNow(), by, items);
        var fromPayments = Told("payments", new ErasedItem("words on refunds", 2), new ErasedItem("invoices", 0, 3, "The law.", until));
        await (await Service.Shared("payments")).Tell(fromPayments, fromPayments);
        var half = await Eventually.Value(() => Get(erasure.Name), report => report.WaitingFor.Count == 1);
        Assert.Equal((Erasure.Types.State.Running, "shipments", null), (half.State, half.WaitingFor[0], half.CompleteTime));
        await (await Service.Shared("shipments")).Tell(Told("shipments", new ErasedItem("proofs of delivery", 1)));

        var done = await Eventually.Value(() => Get(erasure.Name), report => report.State == Erasure.Types.State.Done);
        Assert.NotNull(done.CompleteTime);
        var kept = Assert.Single(done.Items, item => item.Kind == "invoices");
        Assert.Equal(("payments", 3L, "The law.", 2036, 12, 31), (kept.Service, kept.KeptCount, kept.Reason, kept.KeepUntil.Year, kept.KeepUntil.Month, kept.KeepUntil.Day));
        Assert.Equal(1, Assert.Single(done.Items, item => item.Kind == "proofs of delivery").RemovedCount);
        Assert.Equal(1, Assert.Single(done.Items, item => item.Kind == "contacts and addresses").RemovedCount);
        Assert.Contains((await Erasures.ListErasuresAsync(new ListErasuresRequest())).Erasures, one => one.Name == erasure.Name);
    }

    [Fact]
    public async Task Nothing_is_erased_while_goods_money_or_a_return_is_under_way_and_what_is_waited_for_is_said()
    {
        var email = Email();
        var over = await Service.Delivered(Order(email));
        var open = await Service.Orders.PlaceOrderAsync(Order(email));
        var returning = await Service.Delivered(Order(email));
        var asked = await Service.Asked(returning, (1, 1));

        var (code, info, _, error) = await Refusal.Of(Erasures.EraseCustomerAsync(Erasing(new CustomerKey { Email = email })));

        Assert.Equal((StatusCode.FailedPrecondition, "ORDERS_UNDER_WAY"), (code, info.Reason));
        var waits = error.GetRpcStatus()!.GetDetail<Google.Rpc.PreconditionFailure>()!.Violations.ToDictionary(one => one.Subject, one => one.Description);
        Assert.Equal(new[] { open.Name, returning.Name }.Order(), waits.Keys.Order());
        Assert.Contains("PENDING", waits[open.Name], StringComparison.Ordinal);
        Assert.Contains("-R1", waits[returning.Name], StringComparison.Ordinal);
        Assert.Equal("Ada Example", (await Service.OrderWith(over.OrderId)).Customer.Name);

        await Service.Returns.CancelReturnAsync(new CancelReturnRequest { Name = asked.Name, RequestId = Guid.NewGuid().ToString(), Note = "Featherstonehaugh keeps it" });
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = open.Name, RequestId = Guid.NewGuid().ToString(), Note = "Featherstonehaugh: does not want it" });
        await (await Service.Shared("payments")).Tell(new PaymentVoided(open.OrderId, open.StoreId, 1, TimeProvider.System.GetUtcNow()));
        await Service.Until(open, order => order.PaymentState == PaymentState.Refunded);
        Assert.Equal(3, (await Erase(new CustomerKey { Email = email })).Orders.Count);
        foreach (var table in new[] { "orders", "order_timeline", "order_returns", "order_terms" })
            Assert.Equal(0, await Service.Count($"FROM {table} t WHERE t::text ILIKE '%featherstonehaugh%'"));
        Assert.Contains((await Service.TimelineOf(open)), entry => entry is { Event: "OrderCancelled", Detail: "SHOPPER" });
    }

    [Fact]
    public async Task Money_that_is_under_way_is_waited_for()
    {
        var email = Email();
        var order = await Service.Delivered(Order(email));
        Service.Payments.Unsettled(order.OrderId);
        Assert.Equal("ORDERS_UNDER_WAY", (await Refusal.Of(Erasures.EraseCustomerAsync(Erasing(new CustomerKey { Email = email })))).Info.Reason);
        Service.Payments.Unsettled(order.OrderId, false);
        Assert.Single((await Erase(new CustomerKey { Email = email })).Orders);
    }

    [Fact]
    public async Task An_account_takes_along_what_was_ordered_as_a_guest_and_not_what_is_another_account_s()
    {
        var (email, mine, theirs) = (Email(), "c-" + Guid.NewGuid().ToString("N"), "c-" + Guid.NewGuid().ToString("N"));
        var own = await Service.Delivered(Order(email).With(r => r.CustomerId = mine));
        var guest = await Service.Delivered(Order(email.ToUpperInvariant()));
        var other = await Service.Delivered(Order(email).With(r => r.CustomerId = theirs));
        var stranger = await Service.Delivered(Order(Email()));

        var found = await Erasures.FindCustomerOrdersAsync(new FindCustomerOrdersRequest { StoreId = "main", Customer = new CustomerKey { CustomerId = mine } });
        Assert.Equal(new[] { own.Name, guest.Name }.Order(), found.Orders.Order());
        var phone = await Erasures.FindCustomerOrdersAsync(new FindCustomerOrdersRequest { StoreId = "main", Customer = new CustomerKey { Phone = "+44 20 7946 0000" } });
        Assert.Contains(stranger.Name, phone.Orders);
        await Erase(new CustomerKey { CustomerId = mine });
        Assert.Equal("Ada Example", (await Service.OrderWith(other.OrderId)).Customer.Name);
        Assert.Equal("", (await Service.OrderWith(guest.OrderId)).Customer.Name);
        Assert.Equal("CUSTOMER_NOT_FOUND", (await Refusal.Of(Erasures.EraseCustomerAsync(Erasing(new CustomerKey { CustomerId = mine })))).Info.Reason);
    }

    [Fact]
    public async Task The_same_request_is_the_same_erasure_and_a_trial_erases_nothing()
    {
        var email = Email();
        var order = await Service.Delivered(Order(email));
        var request = Erasing(new CustomerKey { Email = email });
        var trial = request.Clone();
        trial.ValidateOnly = true;
        var would = await Erasures.EraseCustomerAsync(trial);
        Assert.Equal((Erasure.Types.State.Validated, "", order.Name, 1L), (would.State, would.Name, would.Orders[0], would.Items.Single(item => item.Kind == "contacts and addresses").RemovedCount));
        Assert.Equal((email, order.Version), ((await Service.OrderWith(order.OrderId)).Customer.Email, (await Service.OrderWith(order.OrderId)).Version));

        var erasures = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Erasures.EraseCustomerAsync(request).ResponseAsync));
        Assert.Single(erasures.Select(one => one.Name).Distinct());
        request.Customer.Email = Email();
        Assert.Equal("REQUEST_ID_REUSED", (await Refusal.Of(Erasures.EraseCustomerAsync(request))).Info.Reason);
    }

    [Fact]
    public async Task Nothing_more_is_done_to_an_order_of_nobody()
    {
        var email = Email();
        var order = await Service.Delivered(Order(email));
        await Erase(new CustomerKey { Email = email });
        var id = Guid.NewGuid().ToString();
        await Refusal.Is("ORDER_ERASED", Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 1))));
        await Refusal.Is("ORDER_ERASED", Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = id }));
        await Refusal.Is("ORDER_ERASED", Service.Orders.ReorderAsync(new ReorderRequest { Name = order.Name, RequestId = id }));
        // What its carrier and its provider still tell of it goes on.
        await Service.Deliver(order, null);
    }

    [Theory]
    [InlineData("", "", "")]
    [InlineData("c-1", "ada@example.com", "")]
    [InlineData("", "no address", "")]
    [InlineData("", "", "12")]
    [InlineData("a b", "", "")]
    [InlineData("", "a@example.com' OR '1'='1", "")]
    public async Task Who_is_meant_has_to_be_said_once_and_well(string customerId, string email, string phone)
    {
        var refused = await Refusal.Of(Erasures.EraseCustomerAsync(Erasing(new CustomerKey { CustomerId = customerId, Email = email, Phone = phone })));
        Assert.Equal("INVALID_FIELD", refused.Info.Reason);
        // Whom somebody meant is in no error either.
        Assert.DoesNotContain("example.com", refused.Error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("erasures/x")]
    [InlineData("orders/1")]
    [InlineData("")]
    public async Task A_name_of_no_erasure_is_refused(string name) => await Refusal.Is("INVALID_FIELD", Erasures.GetErasureAsync(new GetErasureRequest { Name = name }));

    private static string Email() => $"{Guid.NewGuid():N}@example.com";

    private static PlaceOrderRequest Order(string email, string name = "Ada Example") => Request.Order().With(r =>
    {
        r.Customer.Email = email;
        r.Customer.Name = name;
    });

    private static EraseCustomerRequest Erasing(CustomerKey customer) => new() { RequestId = Guid.NewGuid().ToString(), StoreId = "main", Customer = customer };

    private async Task<Erasure> Erase(CustomerKey customer) => await Erasures.EraseCustomerAsync(Erasing(customer));

    private async Task<Erasure> Get(string name) => await Erasures.GetErasureAsync(new GetErasureRequest { Name = name });

    private async Task<SearchOrdersResponse> Search(OrderFilter filter)
    {
        filter.StoreId = "main";
        return await Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = filter });
    }

    private async Task<SpendSummary> Spent(string email) => await Service.Orders.GetSpendSummaryAsync(new GetSpendSummaryRequest { Email = email });
}
