using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Testing;
using Commerce.Types.V1;
using Grpc.Core;
using PaymentState = Commerce.Orders.V1.PaymentState;

namespace Commerce.SystemTests;

/// <summary>
/// What the users of other systems complain about, as far as it concerns orders and their money, tried from outside. Each test
/// is named after what goes wrong there, and shows that it does not here.
/// </summary>
[Collection("One suite, one test at a time")]
public sealed class ComplaintTests(Suite suite)
{
    private static readonly TimeSpan ToTheDoor = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task The_payment_webhook_races_the_confirm_call_and_there_is_money_and_no_order()
    {
        await suite.Knobs(new { webhook_duplicate_rate = 1, webhook_reorder_rate = 1, pending_delay_seconds = 0 });
        try
        {
            // The provider does the work, says so by webhook, and never answers the call; or answers that it will say so later.
            var tokens = new[] { "tok_timeout_after_success", "tok_pending", "tok_ok", "tok_error_once" };
            var placed = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Place(Shop.Order(Email(), tokens[i % tokens.Length]), "PRE_TRANSIT")));
            foreach (var order in placed)
            {
                var paid = await Until(order, view => view.Order.PaymentState == PaymentState.Paid);
                Assert.Equal(OrderState.Open, paid.Order.State);
                Assert.Equal(paid.Order.Total, paid.Payment.CapturedAmount);
            }

            var book = await suite.Charges();
            foreach (var order in placed)
                Assert.Single(Assert.Single(book[order.OrderId])["captures"]!.AsArray());
        }
        finally
        {
            await suite.Knobs(new { webhook_duplicate_rate = 0, webhook_reorder_rate = 0, pending_delay_seconds = 5 });
        }
    }

    [Fact]
    public async Task Only_one_refund_per_payment()
    {
        var order = await Delivered(Shop.Order(Email()));
        for (var i = 0; i < 3; i++)
            Assert.Equal(Refund.Types.State.Succeeded, (await Settled(await RefundOf(order, Shop.Euro(5, 0)))).State);
        var payment = await suite.Payments.GetPaymentAsync(new GetPaymentRequest { Name = "payments/" + order.OrderId });
        Assert.Equal((Shop.Euro(15, 0), Payment.Types.State.PartlyRefunded), (payment.RefundedAmount, payment.State));
        Assert.Equal(3, (await suite.Payments.ListRefundsAsync(new ListRefundsRequest { Parent = "payments/" + order.OrderId })).Refunds.Count);
        Assert.Equal(3, Assert.Single((await suite.Charges())[order.OrderId])["refunds"]!.AsArray().Count);
    }

    [Fact]
    public async Task No_refund_of_an_arbitrary_amount()
    {
        // 24.95 were paid: a cent, an odd amount, more than is left, and then all that is left.
        var order = await Delivered(Shop.Order(Email()));
        await Settled(await RefundOf(order, Shop.Euro(0, 1)));
        await Settled(await RefundOf(order, Shop.Euro(17, 77)));
        var refused = await Assert.ThrowsAsync<RpcException>(() => RefundOf(order, Shop.Euro(7, 18)));
        var info = refused.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!;
        Assert.Equal(("REFUND_EXCEEDS_PAYMENT", "7.17"), (info.Reason, info.Metadata["refundable"]));
        Assert.Equal(Shop.Euro(7, 17), (await Settled(await RefundOf(order, null))).RefundedAmount);

        var view = await Until(order, view => view.Order.PaymentState == PaymentState.Refunded);
        Assert.Equal((OrderState.Completed, order.Total), (view.Order.State, view.Payment.RefundedAmount));
    }

    [Fact]
    public async Task Several_returns_on_one_order_give_a_wrong_summary_and_the_fulfilment_never_becomes_returned()
    {
        var request = Shop.Order(Email(), places: 2);
        request.Adjustments.Add(new Adjustment { Label = "voucher", Amount = new Google.Type.Money { CurrencyCode = "EUR", Units = -10 } });
        request.PaymentParts[0].Amount = Shop.Euro(34, 95);
        var order = await Delivered(request);

        var first = await suite.Received(await suite.Approved(order, (1, 1), (2, 1)), refund: true);
        Assert.Equal(FulfilmentState.PartlyReturned, (await Read(order)).FulfilmentState);
        var second = await suite.Received(await suite.Approved(order, (1, 1)), refund: true);
        var third = await suite.Received(await suite.Approved(order, (2, 1)), refund: true);
        Assert.Equal((FulfilmentState.Returned, Headline.Returned), ((await Read(order)).FulfilmentState, (await Read(order)).Headline));

        var returns = new List<Return>();
        foreach (var one in new[] { first, second, third })
            returns.Add(await Eventually.Value(async () => await suite.Returns.GetReturnAsync(new GetReturnRequest { Name = one.Name }), r => r.RefundState == ReturnRefundState.Refunded, ToTheDoor));
        // The goods came to 30.00 after the voucher, and that is what the three gave back, to the cent.
        Assert.Equal(3000, returns.Sum(one => Cents(one.RefundedAmount)));
        Assert.Equal([2, 2], (await Read(order)).Lines.Select(line => line.ReturnedQuantity));
        var view = await Until(order, view => view.Order.PaymentState == PaymentState.PartlyRefunded && Cents(view.Payment.RefundedAmount) == 3000);
        Assert.Equal(495, Cents(view.Payment.CapturedAmount) - Cents(view.Payment.RefundedAmount));
        var nothing = await Assert.ThrowsAsync<RpcException>(() => suite.Approved(order, (1, 1)));
        Assert.Equal("NOT_RETURNABLE", nothing.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Reason);
    }

    [Fact]
    public async Task A_return_cannot_be_received_without_a_refund()
    {
        var order = await Delivered(Shop.Order(Email()));
        var one = await suite.Received(await suite.Approved(order, (1, 2)), refund: false);
        Assert.Equal((ReturnState.Received, ReturnRefundState.None), (one.State, one.RefundState));
        Assert.Empty((await suite.Payments.ListRefundsAsync(new ListRefundsRequest { Parent = "payments/" + order.OrderId })).Refunds);
        Assert.Equal((FulfilmentState.Returned, PaymentState.Paid), ((await Read(order)).FulfilmentState, (await Read(order)).PaymentState));

        // And it can be given later.
        await suite.Returns.RefundReturnAsync(new RefundReturnRequest { Name = one.Name, RequestId = Id() });
        await Until(order, view => Cents(view.Payment.RefundedAmount) == 2000);
    }

    [Fact]
    public async Task Returning_every_item_deletes_the_fulfilment_and_its_tracking_number()
    {
        var order = await Delivered(Shop.Order(Email()));
        var parcel = Assert.Single(order.Parcels);
        var before = (await suite.Orders.GetOrderTimelineAsync(new GetOrderTimelineRequest { Name = order.Name })).Entries;
        await suite.Received(await suite.Approved(order, (1, 2)), refund: true);
        await Until(order, view => view.Order.PaymentState == PaymentState.PartlyRefunded);

        var after = await Read(order);
        Assert.Equal(parcel, Assert.Single(after.Parcels));
        Assert.NotEmpty(parcel.TrackingNumber);
        Assert.Equal(before, (await suite.Orders.GetOrderTimelineAsync(new GetOrderTimelineRequest { Name = order.Name })).Entries.Take(before.Count));
        var found = await suite.Lookup.LookupAsync(new LookupRequest { Code = parcel.TrackingNumber });
        Assert.Equal(order.OrderId, found.OrderId);
        Assert.NotEmpty(found.Shipments.Single(shipment => shipment.TrackingNumber == parcel.TrackingNumber).Scans);
    }

    [Fact]
    public async Task The_payment_status_is_wrong_after_a_granted_refund()
    {
        var order = await Delivered(Shop.Order(Email()));
        await Settled(await RefundOf(order, Shop.Euro(4, 95)));
        var partly = await Until(order, view => view.Order.PaymentState == PaymentState.PartlyRefunded);
        Assert.Equal((Payment.Types.State.PartlyRefunded, Shop.Euro(4, 95)), (partly.Payment.State, partly.Payment.RefundedAmount));
        await Settled(await RefundOf(order, null));
        var all = await Until(order, view => view.Order.PaymentState == PaymentState.Refunded);
        Assert.Equal((Payment.Types.State.Refunded, all.Payment.CapturedAmount), (all.Payment.State, all.Payment.RefundedAmount));
    }

    [Fact]
    public async Task A_failed_refund_counts_as_refunded()
    {
        var order = await Delivered(Shop.Order(Email()));
        await suite.Knobs(new { refund_failure_rate = 1 });
        Refund failed;
        try
        {
            failed = await Settled(await RefundOf(order, Shop.Euro(5, 0)));
        }
        finally
        {
            await suite.Knobs(new { refund_failure_rate = 0 });
        }

        Assert.Equal((Refund.Types.State.Failed, 0L), (failed.State, Cents(failed.RefundedAmount)));
        Assert.NotEmpty(failed.Parts[0].FailureReason);
        var payment = await suite.Payments.GetPaymentAsync(new GetPaymentRequest { Name = "payments/" + order.OrderId });
        Assert.Equal((Payment.Types.State.Captured, 0L), (payment.State, Cents(payment.RefundedAmount)));
        Assert.Equal(PaymentState.Paid, (await Read(order)).PaymentState);

        // What failed is free again, to the last cent.
        Assert.Equal(order.Total, (await Settled(await RefundOf(order, null))).RefundedAmount);
        await Until(order, view => view.Order.PaymentState == PaymentState.Refunded);
    }

    [Fact]
    public async Task Two_concurrent_calls_create_two_payments()
    {
        var request = Shop.Order(Email(), externalId: Id());
        await suite.Scenario(request.ExternalId, new { ends_at = "PRE_TRANSIT" });
        var orders = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => suite.Orders.PlaceOrderAsync(request).ResponseAsync));
        var order = Assert.Single(orders.DistinctBy(one => one.OrderId));
        await Until(order, view => view.Order.PaymentState == PaymentState.Paid);
        Assert.Single(Assert.Single((await suite.Charges())[order.OrderId])["captures"]!.AsArray());

        // Nor do two who take what is held, at once, with the same request or each with their own.
        var held = Shop.Order(Email());
        held.CaptureMode = CaptureMode.Manual;
        var second = await Place(held, "PRE_TRANSIT");
        await Until(second, view => view.Order.PaymentState == PaymentState.Authorised);
        var same = Id();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            try
            {
                await suite.Payments.CapturePaymentAsync(new CapturePaymentRequest { Name = "payments/" + second.OrderId, RequestId = i < 4 ? same : Id() });
                return "";
            }
            catch (RpcException exception)
            {
                return exception.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Reason;
            }
        }));
        Assert.Contains("", outcomes);
        Assert.All(outcomes, outcome => Assert.Contains(outcome, (string[])["", "CAPTURE_EXCEEDS_AUTHORISATION"]));
        var view = await Until(second, view => view.Order.PaymentState == PaymentState.Paid);
        Assert.Equal(view.Order.Total, view.Payment.CapturedAmount);
        Assert.Single(Assert.Single((await suite.Charges())[second.OrderId])["captures"]!.AsArray());
    }

    [Fact]
    public async Task The_fulfilment_mail_carries_no_tracking_number()
    {
        var email = Email();
        var order = await Delivered(Shop.Order(email, places: 2));
        foreach (var parcel in order.Parcels)
        {
            var mail = (await Eventually.Value(
                () => suite.MailsTo(email),
                mails => mails.Any(mail => mail["subject"]!.GetValue<string>() == $"Order {order.OrderId}: parcel {parcel.TrackingNumber} is on its way"))).First(
                    mail => mail["subject"]!.GetValue<string>().EndsWith(parcel.TrackingNumber + " is on its way", StringComparison.Ordinal));
            Assert.Contains(parcel.TrackingNumber, mail["text"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.Contains(parcel.TrackingNumber, mail["html"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_redelivered_message_duplicates_the_order()
    {
        await using var tap = await FactTap.Open(suite);
        var email = Email();
        var order = await Delivered(Shop.Order(email));
        await Eventually.Value(async () => (await suite.Mails(email)).Subjects, subjects => subjects.Any(subject => subject.EndsWith("was delivered", StringComparison.Ordinal)));
        var (view, mails) = (await suite.Lookup.LookupAsync(new LookupRequest { Code = order.OrderId }), await suite.Mails(email));

        Assert.InRange(await tap.Redeliver(order.OrderId), 6, int.MaxValue);
        // An order that comes after it goes the whole way through the same queues: so they have been read.
        await Delivered(Shop.Order(Email()));

        Assert.Equal(view, await suite.Lookup.LookupAsync(new LookupRequest { Code = order.OrderId }));
        Assert.Single(Assert.Single((await suite.Charges())[order.OrderId])["captures"]!.AsArray());
        var (subjects, duplicates) = await suite.Mails(email);
        Assert.Equal(mails.Subjects, subjects);
        Assert.Equal(0, duplicates);
        Assert.Single((await suite.Orders.ListOrdersAsync(new ListOrdersRequest { StoreId = "main", Email = email })).Orders);
    }

    [Fact]
    public async Task A_late_shipped_downgrades_delivered_and_a_second_parcel_erases_the_first()
    {
        await suite.Knobs(new { webhook_reorder_rate = 1, webhook_duplicate_rate = 1 });
        try
        {
            var order = await Place(Shop.Order(Email(), places: 2), "DELIVERED");
            using var bound = new CancellationTokenSource(ToTheDoor, TimeProvider.System);
            using var watch = suite.Lookup.WatchLookup(new WatchLookupRequest { Code = order.OrderId }, cancellationToken: bound.Token);
            var seen = new Dictionary<string, ParcelState>();
            await foreach (var view in watch.ResponseStream.ReadAllAsync(bound.Token))
            {
                var now = view.Order.Parcels.ToDictionary(parcel => parcel.Shipment, parcel => parcel.State);
                Assert.All(seen, before => Assert.True(now[before.Key] >= before.Value, $"{before.Key} was {before.Value} and is {now.GetValueOrDefault(before.Key)}"));
                seen = now;
                if (view.Order.State == OrderState.Completed)
                    break;
            }

            Assert.Equal([ParcelState.Delivered, ParcelState.Delivered], seen.Values);
        }
        finally
        {
            await suite.Knobs(new { webhook_reorder_rate = 0, webhook_duplicate_rate = 0 });
        }
    }

    private static string Email() => $"{Guid.NewGuid():N}@example.com";

    private static string Id() => Guid.NewGuid().ToString();

    private static long Cents(Google.Type.Money? money) => money is null ? 0 : (money.Units * 100) + (money.Nanos / 10_000_000);

    private async Task<Order> Place(PlaceOrderRequest request, string endsAt)
    {
        request.ExternalId = Id();
        await suite.Scenario(request.ExternalId, new { ends_at = endsAt });
        return await suite.Orders.PlaceOrderAsync(request);
    }

    private async Task<Order> Delivered(PlaceOrderRequest request)
    {
        var placed = await Place(request, "DELIVERED");
        await Until(placed, view => view.Order.State == OrderState.Completed);
        return await Read(placed);
    }

    private async Task<Order> Read(Order order) => await suite.Orders.GetOrderAsync(new GetOrderRequest { Name = order.Name });

    private async Task<LookupView> Until(Order order, Func<LookupView, bool> condition) =>
        await Eventually.Value(async () => await suite.Lookup.LookupAsync(new LookupRequest { Code = order.OrderId }), condition, ToTheDoor);

    private async Task<Refund> RefundOf(Order order, Google.Type.Money? amount) =>
        await suite.Payments.RefundPaymentAsync(new RefundPaymentRequest { Name = "payments/" + order.OrderId, RequestId = Id(), Amount = amount, Reason = RefundReason.Goodwill });

    private async Task<Refund> Settled(Refund refund) => await Eventually.Value(
        async () => await suite.Payments.GetRefundAsync(new GetRefundRequest { Name = refund.Name }), one => one.State != Refund.Types.State.Pending, ToTheDoor);
}
