using Commerce.Orders.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Orders.Tests;

/// <summary>Goods of orders that were imported come back as any others do; their money is where it was paid.</summary>
public class ImportedReturnTests(OrdersService service) : OrdersServiceTests(service)
{
    private static readonly DateTimeOffset Lately = TimeProvider.System.GetUtcNow().AddDays(-5);

    [Fact]
    public async Task An_imported_order_is_returned_restocked_and_its_refund_recorded_without_any_money_moving()
    {
        await Service.Stocked(5, "old-lamp");
        var order = await Imported("ret-1", Lately, Request.Line("old-lamp", 2), Request.Line("gone-from-the-catalogue", 1));
        var one = await Service.Approved(order, (1, 2), (2, 1));
        one = await Service.Received(one, false, (1, 1, ReturnCondition.AsNew), (1, 1, ReturnCondition.Damaged), (2, 1, ReturnCondition.AsNew));
        Assert.Equal((ReturnState.Received, ReturnRefundState.None, Request.Euro(3000)), (one.State, one.RefundState, one.RefundAmount));
        Assert.Equal(6, (await Service.StockOf("old-lamp")).OnHand);
        Assert.Equal(FulfilmentState.Returned, (await Service.OrderWith(order.OrderId)).FulfilmentState);

        var (code, info, fields, _) = await Refusal.Of(Service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = one.Name, RequestId = "ret-1-a" }));
        Assert.Equal((StatusCode.FailedPrecondition, "PAYMENT_ELSEWHERE"), (code, info.Reason));
        Assert.Contains("outside_reference", fields["outside_reference"], StringComparison.Ordinal);

        var request = new RefundReturnRequest { Name = one.Name, RequestId = "ret-1-b", OutsideReference = "pagarme re_77" };
        one = await Service.Returns.RefundReturnAsync(request);
        Assert.Equal(one, await Service.Returns.RefundReturnAsync(request));
        Assert.Equal((ReturnRefundState.Refunded, Request.Euro(3000), "pagarme re_77"), (one.RefundState, one.RefundedAmount, Assert.Single(one.Refunds).OutsideReference));
        var after = await Service.OrderWith(order.OrderId);
        Assert.Equal((OrderState.Completed, PaymentState.Refunded), (after.State, after.PaymentState));
        Assert.Empty(Service.Payments.RefundsOf(order.OrderId));
        await Refusal.Is("RETURN_STATE", Service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = one.Name, RequestId = "ret-1-c", OutsideReference = "once more" }));

        // It counts as given back in what the customer spent.
        var spend = await Service.Orders.GetSpendSummaryAsync(new GetSpendSummaryRequest { StoreId = "main", Email = "ret-1@example.com" });
        Assert.All(spend.Spent, spent => Assert.Equal(Request.Euro(0), spent));
    }

    [Fact]
    public async Task What_came_back_in_part_is_paid_in_part_and_never_more_than_was_left()
    {
        var order = await Imported("ret-2", Lately, [Request.Line("old-a", 3)], o => (o.PaymentState, o.RefundedAmount) = (PaymentState.PartlyRefunded, Request.Euro(1500)));
        var first = await Service.Received(await Service.Approved(order, (1, 1)), false, (1, 1, ReturnCondition.AsNew));
        await Service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = first.Name, RequestId = "ret-2-a", OutsideReference = "a" });
        Assert.Equal((PaymentState.PartlyRefunded, FulfilmentState.PartlyReturned), (await Service.OrderWith(order.OrderId)) is var now ? (now.PaymentState, now.FulfilmentState) : default);
        var second = await Service.Received(await Service.Approved(order, (1, 2)), false, (1, 2, ReturnCondition.AsNew));
        second = await Service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = second.Name, RequestId = "ret-2-b", OutsideReference = "b" });
        Assert.Equal(Request.Euro(500), second.RefundedAmount);
        Assert.Equal(PaymentState.Refunded, (await Service.OrderWith(order.OrderId)).PaymentState);
    }

    [Fact]
    public async Task The_window_counts_from_when_its_history_says_that_it_was_delivered_or_from_when_it_was_placed()
    {
        var old = await Imported("ret-3", null, Request.Line("old-b", 1));
        await Refusal.Is("RETURN_WINDOW", Service.Returns.RequestReturnAsync(ReturnsShop.Ask(old, (1, 1))));
        Assert.Equal(ReturnState.Requested, (await Service.Returns.RequestReturnAsync(ReturnsShop.Ask(old, (1, 1)).With(r => r.OverrideWindow = true))).State);
        var late = await Imported("ret-4", Lately, Request.Line("old-b", 1));
        Assert.Equal(ReturnState.Requested, (await Service.Asked(late, (1, 1))).State);
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_what_to_do()
    {
        var open = await Imported("ret-5", null, [Request.Line("old-c", 1)], o => (o.State, o.PaymentState, o.FulfilmentState) = (OrderState.Open, PaymentState.Paid, FulfilmentState.Shipped));
        await Refusal.Is("NOT_RETURNABLE", Service.Returns.RequestReturnAsync(ReturnsShop.Ask(open, (1, 1))));
        var back = await Imported("ret-6", null, [Request.Line("old-c", 1)], o => o.FulfilmentState = FulfilmentState.Returned);
        await Refusal.Is("NOT_RETURNABLE", Service.Returns.RequestReturnAsync(ReturnsShop.Ask(back, (1, 1))));

        var order = await Imported("ret-7", Lately, Request.Line("old-c", 1));
        var (_, info, fields, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 1)).With(r => r.Outcome = ReturnOutcome.StoreCredit)));
        Assert.Equal(("PAYMENT_ELSEWHERE", true), (info.Reason, fields.ContainsKey("outcome")));
        var one = await Service.Approved(order, (1, 1));
        await Refusal.Is("PAYMENT_ELSEWHERE", Service.Returns.ReceiveReturnAsync(ReturnsShop.Receive(one, true, (1, 1, ReturnCondition.AsNew))));
        await Refusal.Is("RETURN_STATE", Service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = one.Name, RequestId = "ret-7-a", OutsideReference = "too early" }));

        // And an order of ours has its money given back by Payments alone.
        var ours = await Service.Delivered(Request.Line("ours", 1));
        var received = await Service.Received(await Service.Approved(ours, (1, 1)), false, (1, 1, ReturnCondition.AsNew));
        await Refusal.Is("INVALID_FIELD", Service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = received.Name, RequestId = "ret-8", OutsideReference = "by hand" }));
    }

    private Task<V1.Order> Imported(string externalId, DateTimeOffset? delivered, params OrderLine[] lines) => Imported(externalId, delivered, lines, _ => { });

    private async Task<V1.Order> Imported(string externalId, DateTimeOffset? delivered, OrderLine[] lines, Action<ImportedOrder> change)
    {
        var placed = Request.Order(lines);
        var order = new ImportedOrder
        {
            ExternalId = externalId,
            PlaceTime = Timestamp.FromDateTimeOffset(Lately.AddDays(-100)),
            DeliverTime = delivered is { } at ? Timestamp.FromDateTimeOffset(at) : null,
            Customer = placed.Customer,
            ShippingAddress = placed.ShippingAddress,
            Lines = { lines },
            State = OrderState.Completed,
        };
        order.Customer.Email = externalId + "@example.com";
        change(order);
        using var call = Service.Orders.ImportOrders();
        await call.RequestStream.WriteAsync(new ImportOrdersRequest { StoreId = "main", Orders = { order } });
        await call.RequestStream.CompleteAsync();
        var response = await call;
        Assert.True(response.Imported == 1, response.ToString());
        return (await Service.Orders.ListOrdersAsync(new ListOrdersRequest { StoreId = "main", Email = order.Customer.Email })).Orders.Single();
    }
}
