using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Testing;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Orders.Tests;

public class ChangingLinesTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task Lines_that_cost_less_change_at_once_at_the_prices_of_then_and_of_today()
    {
        await Service.Stocked(10, "less-a", "less-b");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("less-a", 4), Request.Line("less-b", 1)));
        await Price("less-b", 900);

        var changed = await Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 2), Line(2, 1), Add("less-b", 1)));
        Assert.Equal([(2, 1000L), (1, 1000L), (1, 900L)], changed.Lines.Select(line => (line.Quantity, Minor(line.UnitPrice))));
        Assert.Equal((Request.Euro(3900), Request.Euro(3900)), (changed.Total, Assert.Single(changed.PaymentParts).Amount));
        Assert.Equal((2L, 2L), ((await Service.StockOf("less-a")).Reserved, (await Service.StockOf("less-b")).Reserved));
        Assert.Equal("-2 less-a of line 1, +1 less-b", (await Service.TimelineOf(order))[^1].Detail);
        var found = await Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = new() { StoreId = "main", Sku = "less-b" } });
        Assert.Equal(order.OrderId, Assert.Single(found.Orders).OrderId);
    }

    [Fact]
    public async Task Goods_that_nobody_paid_for_are_never_part_of_the_order()
    {
        await Service.Stocked(5, "dear");
        await using var payments = await Service.Other("payments");
        var order = await Paid(payments, "dear", 1);

        var waiting = await Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 3)));
        Assert.Equal((1, Request.Euro(1000), 1), (waiting.Lines[0].Quantity, waiting.Total, waiting.PendingChange.ChangeNumber));
        Assert.Equal((Request.Euro(2000), 2), (waiting.PendingChange.Difference, Assert.Single(waiting.PendingChange.Lines).Pieces));
        Assert.Equal(3, (await Service.StockOf("dear")).Reserved);
        await Refusal.Is("ORDER_STATE", Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 2))));

        await payments.Tell(new PaymentChargeCaptured(order.OrderId, "main", 2, Now, 1, new Commerce.Money(2000, "EUR")));
        var changed = await Eventually.Value(() => Service.OrderWith(order.OrderId), o => o.PendingChange is null);
        Assert.Equal((3, Request.Euro(3000)), (changed.Lines[0].Quantity, changed.Total));
        Assert.Equal([Request.Euro(1000), Request.Euro(2000)], changed.PaymentParts.Select(part => part.Amount));
        Assert.Equal([nameof(OrderChangeProposed), nameof(OrderLinesChanged)], (await Service.TimelineOf(order)).TakeLast(2).Select(e => e.Event));
        Assert.Equal(3, (await Service.StockOf("dear")).Reserved);
        Assert.Equal(0, await Service.Count("FROM messaging.recovery_points WHERE kind = 'expire-order-change' AND key LIKE $1", order.OrderId + "%"));

        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = "dear-cancel" });
        Assert.Equal((5L, 0L), ((await Service.StockOf("dear")).OnHand, (await Service.StockOf("dear")).Reserved));
    }

    [Fact]
    public async Task A_declined_charge_leaves_the_order_as_it_was()
    {
        await Service.Stocked(5, "declined");
        await using var payments = await Service.Other("payments");
        var order = await Paid(payments, "declined", 1);
        await Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 2), Add("declined", 2)));
        await payments.Tell(new PaymentChargeDeclined(order.OrderId, "main", 2, Now, 1, "insufficient_funds"));
        var after = await Eventually.Value(() => Service.OrderWith(order.OrderId), o => o.PendingChange is null);
        Assert.Equal((1, Request.Euro(1000), OrderState.Open, PaymentState.Paid), (Assert.Single(after.Lines).Quantity, after.Total, after.State, after.PaymentState));
        Assert.Equal(1, (await Service.StockOf("declined")).Reserved);
        Assert.Equal((nameof(OrderChangeWithdrawn), "DECLINED"), ((await Service.TimelineOf(order))[^1].Event, (await Service.TimelineOf(order))[^1].Detail));
        // The next one has another number, so that nothing that is told of the first is taken for it.
        Assert.Equal(2, (await Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 2)))).PendingChange.ChangeNumber);
    }

    [Fact]
    public async Task A_change_whose_money_never_comes_is_withdrawn_by_its_timer_and_money_that_comes_later_changes_nothing()
    {
        await Service.Stocked(5, "late");
        await using var payments = await Service.Other("payments");
        var order = await Paid(payments, "late", 1);
        await Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 5)));
        await using var due = Service.Database.CreateCommand("UPDATE messaging.recovery_points SET due_at = now() - interval '1 second' WHERE kind = 'expire-order-change' AND key LIKE $1 || '%'");
        due.Parameters.AddWithValue(order.OrderId);
        Assert.Equal(1, await due.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).PendingChange is null);
        Assert.Equal(4, (await Service.StockOf("late")).Available);
        await payments.Tell(new PaymentChargeCaptured(order.OrderId, "main", 2, Now, 1, new Commerce.Money(4000, "EUR")), new PaymentRefunded(
            order.OrderId, "main", 3, Now, new Commerce.Money(4000, "EUR"), new Commerce.Money(5000, "EUR"), new Commerce.Money(4000, "EUR")));
        await payments.Tell(new PaymentRefunded(
            order.OrderId, "main", 4, Now, new Commerce.Money(4100, "EUR"), new Commerce.Money(5000, "EUR"), new Commerce.Money(4000, "EUR")));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).PaymentState == PaymentState.PartlyRefunded);
        Assert.Equal(1, (await Service.OrderWith(order.OrderId)).Lines[0].Quantity);
    }

    [Fact]
    public async Task A_change_that_takes_away_what_left_meanwhile_is_withdrawn_though_it_was_paid()
    {
        await Service.Stocked(5, "swap-a", "swap-b");
        await Price("swap-b", 3000);
        await using var payments = await Service.Other("payments");
        await using var shipments = await Service.Other("shipments");
        var order = await Paid(payments, "swap-a", 2);
        var waiting = await Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 1), Add("swap-b", 1)));
        Assert.Equal(Request.Euro(2000), waiting.PendingChange.Difference);
        await shipments.Tell(
            new ShipmentCreated("sw" + order.OrderId, order.OrderId, "main", 1, Now, [new ShipmentLineFact(1, 2)]),
            new ParcelTracked("sw" + order.OrderId, order.OrderId, "main", 2, Now, "ups", "1Z", "IN_TRANSIT", "PRE_TRANSIT", ["IN_TRANSIT"], Now, 1));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).FulfilmentState == FulfilmentState.Shipped);
        await payments.Tell(new PaymentChargeCaptured(order.OrderId, "main", 2, Now, 1, new Commerce.Money(2000, "EUR")));
        var after = await Eventually.Value(() => Service.OrderWith(order.OrderId), o => o.PendingChange is null);
        Assert.Equal((2, Request.Euro(2000)), (Assert.Single(after.Lines).Quantity, after.Total));
        Assert.Equal("TOO_LATE", (await Service.TimelineOf(order))[^1].Detail);
        Assert.Equal(0, (await Service.StockOf("swap-b")).Reserved);
    }

    [Fact]
    public async Task An_order_that_is_cancelled_while_a_change_waits_gives_all_of_its_stock_back()
    {
        await Service.Stocked(5, "waits");
        await using var payments = await Service.Other("payments");
        var order = await Paid(payments, "waits", 2);
        await Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 4)));
        var cancelled = await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = "waits-cancel" });
        Assert.Null(cancelled.PendingChange);
        Assert.Equal((5L, 0L), ((await Service.StockOf("waits")).OnHand, (await Service.StockOf("waits")).Reserved));
    }

    [Fact]
    public async Task An_edit_that_races_the_capture_is_refused_or_waits_and_never_counts_unpaid()
    {
        await Service.Stocked(40, "versus");
        await using var payments = await Service.Other("payments");
        await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
        {
            var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("versus", 1)));
            var told = payments.Tell(new PaymentCaptured(order.OrderId, "main", 1, Now, new Commerce.Money(1000, "EUR")));
            var accepted = await Try(Edit(order, Line(1, 2)));
            await told;
            await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).PaymentState == PaymentState.Paid);
            var after = await Service.OrderWith(order.OrderId);
            Assert.Equal((1, accepted), (after.Lines[0].Quantity, after.PendingChange is not null));
        }));
        Assert.Equal(10 + await Service.Count("FROM orders WHERE pending_change IS NOT NULL AND pending_change->'deltas'->0->>'sku' = 'versus'"), (await Service.StockOf("versus")).Reserved);
    }

    [Fact]
    public async Task Of_two_edits_at_once_the_second_is_told_and_the_stock_is_right()
    {
        await Service.Stocked(50, "both");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("both", 9)));
        var edits = Enumerable.Range(1, 8).Select(pieces =>
        {
            var edit = Edit(order, Line(1, pieces));
            edit.Order.Etag = order.Etag;
            return edit;
        }).ToList();
        var won = await Task.WhenAll(edits.Select(Try));
        Assert.Single(won, ok => ok);
        var after = await Service.OrderWith(order.OrderId);
        Assert.Equal(after.Lines[0].Quantity, (await Service.StockOf("both")).Reserved);
        // The same again is answered with what became of it.
        Assert.Equal(after, await Service.Orders.UpdateOrderAsync(edits[Array.IndexOf(won, true)]));
    }

    [Fact]
    public async Task What_is_out_of_stock_or_has_another_price_is_refused_and_nothing_is_changed()
    {
        await Service.Stocked(3, "short");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("short", 2), Request.Line("other", 9)));
        await Refusal.Is("OUT_OF_STOCK", Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 4), Line(2, 1))));
        var dear = Add("short", 1);
        dear.UnitPrice = Request.Euro(1);
        var (_, info, fields, _) = await Refusal.Of(Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 1), Line(2, 1), dear)));
        Assert.Equal(("PRICE_CHANGED", "order.lines[2].unit_price"), (info.Reason, Assert.Single(fields).Key));
        await Refusal.Is("SKU_UNKNOWN", Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 1), Add("nowhere", 1))));
        Assert.Equal(order, await Service.OrderWith(order.OrderId));
        Assert.Equal(2, (await Service.StockOf("short")).Reserved);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_named()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("bad", 2), Request.Line("bad", 2)));
        var (_, _, fields, _) = await Refusal.Of(Service.Orders.UpdateOrderAsync(Edit(order, Line(1, -1), Line(1, 2), Line(9, 1), Add("no sku!", 0))));
        Assert.Equal(
            ["order.lines[0].quantity", "order.lines[1].line_number", "order.lines[2].line_number", "order.lines[3].quantity", "order.lines[3].sku"],
            fields.Keys.Order(StringComparer.Ordinal));
        var none = Edit(order);
        Assert.Equal(["order.lines"], (await Refusal.Of(Service.Orders.UpdateOrderAsync(none))).Fields.Keys);
        Assert.Equal(["order.lines"], (await Refusal.Of(Service.Orders.UpdateOrderAsync(Edit(order, Line(1, 0), Line(2, 0))))).Fields.Keys);
        var cheaper = Edit(order, Line(1, 1), Line(2, 2));
        cheaper.AdditionalPayment = new PaymentPart { Token = "tok" };
        Assert.Equal(["additional_payment"], (await Refusal.Of(Service.Orders.UpdateOrderAsync(cheaper))).Fields.Keys);
        var unpaid = Edit(order, Line(1, 3), Line(2, 2));
        await Refusal.Is("ORDER_STATE", Service.Orders.UpdateOrderAsync(unpaid));
        var mixed = Edit(order, Line(1, 1));
        mixed.UpdateMask.Paths.Add("customer.name");
        await Refusal.Is("INVALID_FIELD", Service.Orders.UpdateOrderAsync(mixed));
        Assert.Equal(order, await Service.OrderWith(order.OrderId));
    }

    [Fact]
    public async Task What_is_charged_is_the_difference_on_the_means_that_was_given()
    {
        await Service.Stocked(5, "means");
        await using var payments = await Service.Other("payments");
        var order = await Paid(payments, "means", 1);
        var wrong = Edit(order, Line(1, 2));
        wrong.AdditionalPayment = new PaymentPart { Method = PaymentMethod.Wallet, Token = "tok_other", Amount = Request.Euro(999) };
        Assert.Equal(["additional_payment.amount"], (await Refusal.Of(Service.Orders.UpdateOrderAsync(wrong))).Fields.Keys);
        wrong.AdditionalPayment.Amount = Request.Euro(1000);
        await Service.Orders.UpdateOrderAsync(wrong);
        await payments.Tell(new PaymentChargeCaptured(order.OrderId, "main", 2, Now, 1, new Commerce.Money(1000, "EUR")));
        var after = await Eventually.Value(() => Service.OrderWith(order.OrderId), o => o.PendingChange is null);
        Assert.Equal((PaymentMethod.Wallet, "tok_other"), (after.PaymentParts[1].Method, after.PaymentParts[1].Token));
    }

    [Fact]
    public async Task Over_REST_lines_are_changed_and_cancelled()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("rest", 3)));
        using var body = new StringContent(
            """{"order": {"lines": [{"lineNumber": 1, "quantity": 2}]}, "updateMask": "lines", "requestId": "rest-lines"}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await Service.Rest.PatchAsync(new Uri($"/v1/{order.Name}", UriKind.Relative), body, TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
        using var cancel = new StringContent("""{"requestId": "rest-pieces", "lines": [{"lineNumber": 1, "pieces": 1}]}""", System.Text.Encoding.UTF8, "application/json");
        using var cancelled = await Service.Rest.PostAsync(new Uri($"/v1/{order.Name}:cancel", UriKind.Relative), cancel, TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.OK, cancelled.StatusCode);
        Assert.Equal((1, 2), (await Service.OrderWith(order.OrderId)).Lines[0] is var line ? (line.Quantity, line.CancelledQuantity) : default);
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private static OrderLine Line(int number, int quantity) => new() { LineNumber = number, Quantity = quantity };

    private static OrderLine Add(string sku, int quantity) => new() { Sku = sku, Quantity = quantity };

    private static long Minor(Google.Type.Money money) => money.TryToMoney(out var amount, out _) ? amount.Minor : -1;

    private static UpdateOrderRequest Edit(V1.Order order, params OrderLine[] lines) => new()
    {
        Order = new V1.Order { Name = order.Name, Lines = { lines } },
        UpdateMask = new FieldMask { Paths = { "lines" } },
        RequestId = Guid.NewGuid().ToString(),
    };

    private async Task<bool> Try(UpdateOrderRequest edit)
    {
        try
        {
            await Service.Orders.UpdateOrderAsync(edit);
            return true;
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.FailedPrecondition or StatusCode.Aborted)
        {
            return false;
        }
    }

    private async Task Price(string sku, long cents) => await Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest
    {
        Parent = "stores/main",
        Products = { new Product { Sku = sku, Title = "Article " + sku, UnitPrice = Request.Euro(cents), StockTracked = true } },
    });

    private async Task<V1.Order> Paid(OtherService payments, string sku, int pieces)
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line(sku, pieces)));
        await payments.Tell(new PaymentCaptured(order.OrderId, "main", 1, Now, new Commerce.Money(pieces * 1000, "EUR")));
        return await Eventually.Value(() => Service.OrderWith(order.OrderId), o => o.PaymentState == PaymentState.Paid);
    }
}
