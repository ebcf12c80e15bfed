using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Payments.Providers;
using Commerce.Payments.Tests;
using Commerce.Payments.V1;
using Commerce.Testing;
using Grpc.Core;

namespace Commerce.Orders.Tests;

/// <summary>Returns with Payments as it runs, and a provider in memory: what Orders asks is what Payments does.</summary>
public class ReturnsWithPaymentsTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task What_comes_back_is_refunded_once_although_answers_are_lost_and_the_order_says_so()
    {
        var calls = 0;
        var provider = new FakeProvider { Fault = _ => Interlocked.Increment(ref calls) % 3 == 0 ? ProviderFault.AfterTheWork : ProviderFault.None };
        await using var payments = await Beside(provider);
        var order = await Delivered(Request.Order(Request.Line("real", 3)).With(r =>
        {
            r.Adjustments.Add(new Adjustment { Label = "voucher", Amount = Request.Euro(-1) });
            r.PaymentParts[0].Amount = Request.Euro(2000);
            r.PaymentParts.Add(new PaymentPart { Method = PaymentMethod.Voucher, Token = "tok_voucher", Amount = Request.Euro(999) });
        }));

        var first = await Refunded(await Service.Received(await Service.Approved(order, (1, 1)), true, (1, 1, ReturnCondition.AsNew)));
        await Service.Until(order, o => o.PaymentState == PaymentState.PartlyRefunded);
        await payments.Stop();
        var second = await Service.Received(await Service.Approved(order, (1, 2)), true, (1, 2, ReturnCondition.AsNew));
        await payments.Start();
        Service.Payments.Real = payments.Payments;
        second = await Refunded(second);
        var done = await Service.Until(order, o => o.PaymentState == PaymentState.Refunded);

        Assert.Equal((OrderState.Completed, FulfilmentState.Returned), (done.State, done.FulfilmentState));
        Assert.Equal(2999, Minor(first.RefundedAmount) + Minor(second.RefundedAmount));
        Assert.Equal(2999, provider.BooksOf(order.OrderId).Sum(a => a.Refunded));
        var refunds = await payments.Payments.ListRefundsAsync(new ListRefundsRequest { Parent = "payments/" + order.OrderId });
        Assert.Equal([first.Refunds[0].Refund, second.Refunds[0].Refund], refunds.Refunds.Select(r => r.Name));
        Assert.All(refunds.Refunds, r => Assert.Equal(RefundReason.Return, r.Reason));
    }

    // Elsewhere it counts as refunded: saleor 14278, vendure 3152.
    [Fact]
    public async Task A_failed_refund_leaves_the_order_paid_and_is_on_its_timeline_until_it_is_tried_again()
    {
        var provider = new FakeProvider { RefundsEnd = _ => RefundStatus.Failed };
        await using var payments = await Beside(provider);
        var order = await Delivered(Request.Order(Request.Line("refused", 1)));
        var one = await Service.Received(await Service.Approved(order, (1, 1)), true, (1, 1, ReturnCondition.AsNew));
        one = await Service.Until(one, r => r.RefundState == ReturnRefundState.Failed);
        Assert.Equal((0L, PaymentState.Paid), (Minor(one.RefundedAmount), (await Service.OrderWith(order.OrderId)).PaymentState));
        await Eventually.True(async () => (await Service.TimelineOf(order)).Any(entry => entry.Detail == "refund of 10.00 EUR failed: bank_says_no"));
        Assert.Contains(await Service.TimelineOf(order), entry => entry.Detail == "R1: refund of 10.00 EUR refused: bank_says_no");
        provider.RefundsEnd = _ => RefundStatus.Succeeded;
        one = await Refunded(await Service.RefundDue(one));
        Assert.Equal(1000, Minor(one.RefundedAmount));
        await Service.Until(order, o => o.PaymentState == PaymentState.Refunded);
    }

    [Fact]
    public async Task A_refund_without_a_return_that_failed_is_on_the_timeline_and_the_order_stays_paid()
    {
        var provider = new FakeProvider { RefundsEnd = _ => RefundStatus.Pending };
        await using var payments = await Beside(provider);
        var order = await Delivered(Request.Order(Request.Line("goodwill", 1)));
        await payments.Payments.RefundPaymentAsync(new RefundPaymentRequest { Name = "payments/" + order.OrderId, RequestId = "sorry", Amount = Request.Euro(300) });
        // The bank says no days later, and nobody asks for it.
        await Eventually.True(() => provider.SaidOfRefunds.Count > 0);
        provider.SettleRefunds(order.OrderId, RefundStatus.Failed);
        await Eventually.True(async () => (await Service.TimelineOf(order)).Any(entry => entry.Detail == "refund of 3.00 EUR failed: bank_says_no"));
        Assert.Equal((PaymentState.Paid, 0L), ((await Service.OrderWith(order.OrderId)).PaymentState, provider.BooksOf(order.OrderId).Sum(a => a.Refunded)));
        Assert.Equal(1, (await Service.TimelineOf(order)).Count(entry => entry.Detail.StartsWith("refund of", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task More_than_is_left_is_never_given_back_however_it_was_spent()
    {
        var provider = new FakeProvider();
        await using var payments = await Beside(provider);
        var order = await Delivered(Request.Order(Request.Line("left", 2)));
        var one = await Service.Approved(order, (1, 2));
        // At the same time, so that Orders need not have heard of it.
        await Task.WhenAll(Goodwill(), Service.Received(one, true, (1, 2, ReturnCondition.AsNew)));
        await Service.Until(order, o => o.PaymentState is PaymentState.Refunded or PaymentState.PartlyRefunded);
        one = await Service.Until(one, r => r.Refunds.All(x => x.State != ReturnRefund.Types.State.Pending));
        var given = provider.BooksOf(order.OrderId).Sum(a => a.Refunded);
        Assert.InRange(given, 0, 2000);
        Assert.InRange(Minor(one.RefundedAmount), 0, 2000);

        // Whichever comes first: where the return was promised all of it, nothing is left to be generous with.
        async Task Goodwill()
        {
            try
            {
                await payments.Payments.RefundPaymentAsync(new RefundPaymentRequest { Name = "payments/" + order.OrderId, RequestId = "goodwill", Amount = Request.Euro(750) });
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.FailedPrecondition)
            {
                Assert.Equal("REFUND_EXCEEDS_PAYMENT", exception.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>().Reason);
            }
        }
    }

    [Theory]
    [InlineData("real-customer")]
    [InlineData("")]
    public async Task An_exchange_pays_the_other_order_with_the_credit_and_leaves_none_with_an_account_or_without(string customer)
    {
        var provider = new FakeProvider();
        await using var payments = await Beside(provider);
        await Service.Stocked(5, "real-m", "real-l");
        var order = await Delivered(Request.Order(Request.Line("real-m", 1)).With(r => r.CustomerId = customer));
        var one = await Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 1)).With(r =>
        {
            r.Outcome = ReturnOutcome.Exchange;
            r.Replacement = new Replacement { Lines = { new ReplacementLine { Sku = "real-l", Quantity = 2 } }, PaymentPart = new PaymentPart { Method = PaymentMethod.Card, Token = "tok_more" } };
        }));
        one = await Service.Until(await Service.Received(await Service.Approve(one), true, (1, 1, ReturnCondition.AsNew)), r => r.Replacement.ReplacementOrder.Length > 0);
        var instead = await Service.Orders.GetOrderAsync(new GetOrderRequest { Name = one.Replacement.ReplacementOrder });
        instead = await Service.Until(instead, o => o.PaymentState == PaymentState.Paid);
        Assert.Equal((OrderState.Open, 2000L), (instead.State, Minor(instead.Total)));
        // The card was not touched, but for what the other article costs more.
        Assert.Equal(0, provider.BooksOf(order.OrderId).Sum(a => a.Refunded));
        Assert.Equal(1000, provider.BooksOf(instead.OrderId).Sum(a => a.Captured));
        await using var credit = payments.Database.CreateCommand("SELECT balance_minor FROM store_credits WHERE customer_id = $1");
        credit.Parameters.AddWithValue(customer.Length > 0 ? customer : order.OrderId);
        Assert.Equal(0L, await credit.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    private async Task<PaymentsBeside> Beside(FakeProvider provider)
    {
        var payments = new PaymentsBeside(Service, provider);
        await payments.Start();
        Service.Payments.Real = payments.Payments;
        return payments;
    }

    private async Task<V1.Order> Delivered(PlaceOrderRequest request)
    {
        var order = await Service.Orders.PlaceOrderAsync(request);
        await Service.Until(order, o => o.PaymentState == PaymentState.Paid);
        await Service.Deliver(order, null, [.. order.Lines.Select(line => new ShipmentLineFact(line.LineNumber, line.Quantity))]);
        return await Service.Until(order, o => o.State == OrderState.Completed);
    }

    private Task<V1.Return> Refunded(V1.Return one) => Service.Until(one, r => r.RefundState == ReturnRefundState.Refunded);

    private static long Minor(Google.Type.Money money) => money.TryToMoney(out var amount, out _) ? amount.Minor : throw new InvalidOperationException();
}
