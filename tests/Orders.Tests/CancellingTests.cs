using Commerce.Orders.V1;
using Commerce.Testing;
using Grpc.Core;

namespace Commerce.Orders.Tests;

public class CancellingTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task Cancelling_gives_the_stock_back_and_says_why()
    {
        await Service.Stocked(5, "back");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("back", 2), Request.Line("back", 3)));
        await Refusal.Is("OUT_OF_STOCK", Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("back", 1))));

        var cancelled = await Service.Orders.CancelOrderAsync(Cancel(order, r => (r.Reason, r.Note) = (CancelReason.Shop, "broken in the warehouse")));
        Assert.Equal((OrderState.Cancelled, Headline.Cancelled, 2L), (cancelled.State, cancelled.Headline, cancelled.Version));
        Assert.Equal((CancelReason.Shop, "broken in the warehouse"), (cancelled.Cancellation.Reason, cancelled.Cancellation.Note));
        Assert.Equal(("OrderCancelled", "SHOP: broken in the warehouse"), ((await Service.TimelineOf(order))[1].Event, (await Service.TimelineOf(order))[1].Detail));
        Assert.Equal(0, (await Service.StockOf("back")).Reserved);
        Assert.Equal(0, await Service.Count("FROM messaging.recovery_points WHERE key = $1", order.OrderId));
        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("back", 5)));
    }

    [Fact]
    public async Task Cancelling_again_answers_with_the_cancelled_order()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var request = Cancel(order, r => r.Etag = order.Etag);
        var first = await Service.Orders.CancelOrderAsync(request);
        Assert.Equal(first, await Service.Orders.CancelOrderAsync(request));
        Assert.Equal(first, await Service.Orders.CancelOrderAsync(Cancel(order)));

        var other = request.Clone();
        other.Note = "another payload";
        await Refusal.Is("REQUEST_ID_REUSED", Service.Orders.CancelOrderAsync(other));
    }

    [Fact]
    public async Task Many_who_cancel_at_once_cancel_once()
    {
        await Service.Stocked(10, "once");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("once", 4)));
        var request = Cancel(order);
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i =>
            Service.Orders.CancelOrderAsync(i % 2 == 0 ? request : Cancel(order)).ResponseAsync));
        Assert.All(answers, answer => Assert.Equal(2, answer.Version));
        Assert.Equal(0, (await Service.StockOf("once")).Reserved);
        Assert.Equal(2, (await Service.TimelineOf(order)).Count);
    }

    [Fact]
    public async Task An_etag_of_before_is_refused()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var (code, info, _, _) = await Refusal.Of(Service.Orders.CancelOrderAsync(Cancel(order, r => r.Etag = "\"7\"")));
        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH"), (code, info.Reason));
        Assert.Equal(order, await Service.OrderWith(order.OrderId));
    }

    [Fact]
    public async Task The_reasons_of_the_suite_itself_are_refused()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var (_, _, fields, _) = await Refusal.Of(Service.Orders.CancelOrderAsync(Cancel(order, r =>
            (r.Reason, r.Note, r.RequestId) = (CancelReason.PaymentExpired, new string('x', 501), "a b"))));
        Assert.Equal(["note", "reason", "request_id"], fields.Keys.Order());
        Assert.Equal(1, (await Service.OrderWith(order.OrderId)).Version);
    }

    [Fact]
    public async Task An_order_whose_payment_never_comes_is_cancelled_by_its_timer()
    {
        await Service.Stocked(1, "unpaid");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("unpaid", 1)));
        await using var due = Service.Database.CreateCommand("UPDATE messaging.recovery_points SET due_at = now() - interval '1 second' WHERE kind = 'expire-order' AND key = $1");
        due.Parameters.Add(new Npgsql.NpgsqlParameter { Value = order.OrderId });
        Assert.Equal(1, await due.ExecuteNonQueryAsync());

        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).State == OrderState.Cancelled);
        var expired = await Service.OrderWith(order.OrderId);
        Assert.Equal(CancelReason.PaymentExpired, expired.Cancellation.Reason);
        Assert.Equal("service/orders", (await Service.TimelineOf(order))[1].Actor);
        Assert.Equal(0, (await Service.StockOf("unpaid")).Reserved);
    }

    private static CancelOrderRequest Cancel(V1.Order order, Action<CancelOrderRequest>? change = null)
    {
        var request = new CancelOrderRequest { Name = order.Name, RequestId = Guid.NewGuid().ToString() };
        change?.Invoke(request);
        return request;
    }
}
