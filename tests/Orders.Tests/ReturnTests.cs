using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Testing;
using Grpc.Core;
using RefundState = Commerce.Payments.V1.Refund.Types.State;

namespace Commerce.Orders.Tests;

/// <summary>Goods that come back: what goes wrong elsewhere.</summary>
public class ReturnTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task Several_returns_on_one_order_sum_right_and_the_fulfilment_becomes_returned()
    {
        var order = await Service.Delivered(Request.Order(Request.Line("sum-a", 3), Request.Line("sum-b", 2)).With(r =>
        {
            r.Adjustments.Add(new Adjustment { Label = "voucher", Amount = Request.Euro(-700) });
            r.PaymentParts[0].Amount = Request.Euro(4300);
        }));

        var first = await Service.Received(await Service.Approved(order, (1, 1), (2, 1)), true, (1, 1, ReturnCondition.AsNew), (2, 1, ReturnCondition.AsNew));
        var now = await Service.OrderWith(order.OrderId);
        Assert.Equal((OrderState.Completed, FulfilmentState.PartlyReturned, Headline.PartlyReturned), (now.State, now.FulfilmentState, now.Headline));
        var second = await Service.Received(await Service.Approved(order, (1, 2), (2, 1)), true, (1, 2, ReturnCondition.AsNew), (2, 1, ReturnCondition.AsNew));
        now = await Service.OrderWith(order.OrderId);
        Assert.Equal((OrderState.Completed, FulfilmentState.Returned, Headline.Returned), (now.State, now.FulfilmentState, now.Headline));

        Assert.Equal([3, 2], now.Lines.Select(line => line.ReturnedQuantity));
        (first, second) = (await Refunded(first), await Refunded(second));
        Assert.Equal(4300, Minor(first.RefundedAmount) + Minor(second.RefundedAmount));
        Assert.Equal(4300, Service.Payments.GivenBack(order.OrderId));
        Assert.Equal((first.RefundAmount, second.RefundAmount), (first.RefundedAmount, second.RefundedAmount));
        Assert.Equal([order.OrderId + "-R1", order.OrderId + "-R2"], [first.ReturnNumber, second.ReturnNumber]);
        Assert.Equal(
            ["ReturnRequested", "ReturnApproved", "ReturnReceived", "ReturnProgressed"],
            (await Service.TimelineOf(order)).Where(e => e.Detail.StartsWith("R1", StringComparison.Ordinal)).Select(e => e.Event).Take(4));
        Assert.Equal(Enumerable.Range(1, (int)now.Version).Select(v => (long)v), (await Service.TimelineOf(order)).Take((int)now.Version).Select(e => e.Version));
    }

    [Fact]
    public async Task A_return_can_be_received_without_a_refund_and_refunded_later()
    {
        var order = await Service.Delivered(Request.Line("later", 2));
        var one = await Service.Approved(order, (1, 2));
        await Refusal.Is("RETURN_STATE", Service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = one.Name, RequestId = "too-early" }));
        await Service.Received(one, false, (1, 1, ReturnCondition.AsNew));
        one = await Service.Received(one, false, (1, 1, ReturnCondition.AsNew));
        Assert.Equal((ReturnState.Received, ReturnRefundState.None, 2000L), (one.State, one.RefundState, Minor(one.RefundAmount)));
        Assert.Empty(Service.Payments.RefundsOf(order.OrderId));
        Assert.Equal(FulfilmentState.Returned, (await Service.OrderWith(order.OrderId)).FulfilmentState);

        one = await Refunded(await Service.RefundDue(one));
        Assert.Equal(2000, Minor(one.RefundedAmount));
        await Refusal.Is("RETURN_STATE", Service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = one.Name, RequestId = "once-more" }));
        Assert.Single(Service.Payments.RefundsOf(order.OrderId));
    }

    [Fact]
    public async Task Pieces_that_come_one_by_one_are_each_given_back_and_never_twice()
    {
        var order = await Service.Delivered(Request.Line("pieces", 3, 1000));
        var one = await Service.Approved(order, (1, 3));
        one = await Refunded(await Service.Received(one, true, (1, 1, ReturnCondition.AsNew)));
        Assert.Equal((ReturnState.PartlyReceived, ReturnRefundState.Refunded, 1000L), (one.State, one.RefundState, Minor(one.RefundedAmount)));
        one = await Service.Received(one, false, (1, 1, ReturnCondition.AsNew));
        Assert.Equal(ReturnRefundState.PartlyRefunded, one.RefundState);
        one = await Service.Received(one, true, (1, 1, ReturnCondition.AsNew));
        one = await Service.Until(one, r => Minor(r.RefundedAmount) == 3000);
        Assert.Equal([1000L, 2000L], Service.Payments.RefundsOf(order.OrderId).Select(r => Minor(r.Amount)));
    }

    [Fact]
    public async Task A_refund_without_a_return_does_not_disturb_a_return()
    {
        var order = await Service.Delivered(Request.Line("goodwill", 2));
        Service.Payments.GiveBack(order.OrderId, 500);
        await (await Service.Shared("payments")).Tell(new PaymentRefunded(order.OrderId, "main", 2, TimeProvider.System.GetUtcNow(), Euro(500), Euro(2000)));
        await Service.Until(order, o => o.PaymentState == PaymentState.PartlyRefunded);

        var one = await Service.Asked(order, (1, 2));
        Assert.Equal((2000L, 1500L), (Minor(one.Amounts.Goods), Minor(one.RefundAmount)));
        one = await Service.Until(
            await Service.Received(await Service.Approve(one), true, (1, 2, ReturnCondition.AsNew)), r => r.Refunds.All(x => x.State == ReturnRefund.Types.State.Succeeded));
        await (await Service.Shared("payments")).Tell(new PaymentRefunded(order.OrderId, "main", 3, TimeProvider.System.GetUtcNow(), Euro(2000), Euro(2000)));
        one = await Refunded(one);
        Assert.Equal((1500L, 2000L), (Minor(one.RefundedAmount), Service.Payments.GivenBack(order.OrderId)));
    }

    [Fact]
    public async Task What_somebody_gave_back_meanwhile_is_not_given_back_again()
    {
        var order = await Service.Delivered(Request.Line("meanwhile", 2));
        var one = await Service.Approved(order, (1, 2));
        // Payments knows, and Orders does not yet.
        Service.Payments.GiveBack(order.OrderId, 800);
        one = await Service.Until(await Service.Received(one, true, (1, 2, ReturnCondition.AsNew)), r => r.Refunds.All(x => x.State == ReturnRefund.Types.State.Succeeded));
        Assert.Equal((1200L, 2000L), (Minor(one.RefundedAmount), Service.Payments.GivenBack(order.OrderId)));
    }

    [Fact]
    public async Task A_refund_that_the_payment_told_of_before_its_return_knows_does_not_hold_up_the_refund_of_the_next_return()
    {
        var order = await Service.Delivered(Request.Line("overtakes", 4));
        Service.Payments.Settles(order.OrderId, RefundState.Pending);
        var first = await Service.Received(await Service.Approved(order, (1, 3)), true, (1, 3, ReturnCondition.AsNew));
        await Eventually.True(() => Service.Payments.RefundsOf(order.OrderId).Count == 1);
        // The money is back and told; whoever follows the refund itself has not asked yet.
        await (await Service.Shared("payments")).Tell(new PaymentRefunded(order.OrderId, "main", 2, TimeProvider.System.GetUtcNow(), Euro(3000), Euro(4000)));
        await Service.Until(order, o => o.PaymentState == PaymentState.PartlyRefunded);

        Service.Payments.Settles(order.OrderId, RefundState.Succeeded);
        var second = await Service.Received(await Service.Approved(order, (1, 1)), true, (1, 1, ReturnCondition.AsNew));
        Assert.Equal(ReturnRefundState.Pending, second.RefundState);
        Service.Payments.Settle(order.OrderId, RefundState.Succeeded);
        Assert.Equal((3000L, 1000L), (Minor((await Refunded(first)).RefundedAmount), Minor((await Refunded(second)).RefundedAmount)));
        Assert.Equal(4000, Service.Payments.GivenBack(order.OrderId));
    }

    [Fact]
    public async Task Returning_everything_keeps_the_parcels_and_their_tracking_numbers()
    {
        var order = await Service.Delivered(Request.Line("keeps", 2));
        var before = (await Service.TimelineOf(order)).ToList();
        var one = await Service.Received(await Service.Approved(order, (1, 2)), true, (1, 2, ReturnCondition.AsNew));
        await Refunded(one);
        var after = await Service.OrderWith(order.OrderId);
        Assert.Equal(order.Parcels, after.Parcels);
        Assert.NotEmpty(Assert.Single(after.Parcels).TrackingNumber);
        Assert.Equal(ParcelState.Delivered, after.Parcels[0].State);
        Assert.Equal(before, (await Service.TimelineOf(order)).Take(before.Count));
        Assert.Equal(FulfilmentState.Returned, after.FulfilmentState);
    }

    [Fact]
    public async Task What_was_returned_already_or_is_asked_for_in_another_return_cannot_be_asked_for_again()
    {
        var order = await Service.Delivered(Request.Line("twice", 3));
        await Service.Received(await Service.Approved(order, (1, 1)), false, (1, 1, ReturnCondition.AsNew));
        var second = await Service.Asked(order, (1, 1));
        var (code, info, fields, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 2))));
        Assert.Equal((StatusCode.FailedPrecondition, "NOT_RETURNABLE"), (code, info.Reason));
        Assert.Equal("3 of 3 pieces of line 1 were delivered, 1 came back in return R1, 1 are in return R2: 1 can come back, and 2 are asked for.", fields["lines[0].quantity"]);
        await Service.Returns.CancelReturnAsync(new CancelReturnRequest { Name = second.Name, RequestId = Guid.NewGuid().ToString() });
        Assert.Equal(3, int.Parse((await Service.Asked(order, (1, 2))).Name.Split('/')[^1], System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task What_was_never_bought_or_not_delivered_yet_cannot_come_back()
    {
        var order = await Service.Paid(Request.Order(Request.Line("open-a", 2), Request.Line("open-b", 2)));
        await Service.Deliver(order, null, new ShipmentLineFact(1, 1));
        var (_, info, fields, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 2), (2, 1), (9, 1))));
        Assert.Equal("NOT_RETURNABLE", info.Reason);
        Assert.Equal(["lines[0].quantity", "lines[1].quantity", "lines[2].line_number"], fields.Keys.Order());
        Assert.Equal("1 pieces of line 2 are asked for, and none was delivered yet.", fields["lines[1].quantity"]);
        Assert.Contains("never bought", fields["lines[2].line_number"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_delivered_parcel_of_an_open_order_can_come_back_and_the_order_completes_all_the_same()
    {
        var order = await Service.Paid(Request.Order(Request.Line("half-a", 1), Request.Line("half-b", 1)));
        await Service.Deliver(order, null, new ShipmentLineFact(1, 1));
        await Service.Received(await Service.Approved(order, (1, 1)), false, (1, 1, ReturnCondition.AsNew));
        Assert.Equal((OrderState.Open, FulfilmentState.PartlyReturned), await StatesOf(order));
        await Service.Deliver(order, null, new ShipmentLineFact(2, 1));
        await Service.Until(order, o => o.State == OrderState.Completed);
        Assert.Equal((OrderState.Completed, FulfilmentState.PartlyReturned), await StatesOf(order));
    }

    [Fact]
    public async Task Pieces_that_were_cancelled_between_two_returns_leave_the_sum_even()
    {
        var order = await Service.Paid(Request.Order(Request.Line("between", 5), Request.Line("between-b", 1)).With(r =>
        {
            r.Adjustments.Add(new Adjustment { Label = "voucher", Amount = Request.Euro(-701) });
            r.PaymentParts[0].Amount = Request.Euro(5299);
        }));
        await Service.Deliver(order, null, new ShipmentLineFact(1, 1));
        var first = await Refunded(await Service.Received(await Service.Approved(order, (1, 1)), true, (1, 1, ReturnCondition.AsNew)));
        var smaller = await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = "between", Lines = { new LinePieces { LineNumber = 1, Pieces = 2 } } });
        await Service.Deliver(order, null, new ShipmentLineFact(1, 2), new ShipmentLineFact(2, 1));
        await Refusal.Is("NOT_RETURNABLE", Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 3))));
        var second = await Refunded(await Service.Received(await Service.Approved(order, (1, 1)), true, (1, 1, ReturnCondition.AsNew)));
        var third = await Refunded(await Service.Received(await Service.Approved(order, (1, 1), (2, 1)), true, (1, 1, ReturnCondition.AsNew), (2, 1, ReturnCondition.AsNew)));
        Assert.Equal(Minor(smaller.Total), Minor(first.RefundedAmount) + Minor(second.RefundedAmount) + Minor(third.RefundedAmount));
        Assert.Equal(FulfilmentState.Returned, (await StatesOf(order)).Item2);
    }

    [Fact]
    public async Task After_the_window_it_is_said_until_when_it_was_possible_and_only_the_shop_may_overrule_that()
    {
        var delivered = TimeProvider.System.GetUtcNow().AddDays(-40);
        var order = await Service.Delivered(Request.Order(Request.Line("window", 2)), delivered);
        var ask = ReturnsShop.Ask(order, (1, 1));
        var (code, info, _, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(ask));
        Assert.Equal((StatusCode.FailedPrecondition, "RETURN_WINDOW"), (code, info.Reason));
        var local = TimeZoneInfo.ConvertTime(delivered, TimeZoneInfo.FindSystemTimeZoneById("Europe/Dublin"));
        Assert.Equal(DateOnly.FromDateTime(local.DateTime).AddDays(30).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), info.Metadata["until"]);

        ask.OverrideWindow = true;
        var shopper = TestAccess.As("orders", "shopper/" + order.OrderId);
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.Of(Service.Returns.RequestReturnAsync(ask, shopper))).Code);
        var one = await Service.Returns.RequestReturnAsync(ask);
        Assert.True(one.WindowOverridden);
        Assert.Contains((await Service.TimelineOf(order)), e => e.Event == "ReturnRequested" && e.Actor == "staff/developer" && e.Detail.Contains("whatever the window", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_parcel_that_came_later_can_come_back_longer()
    {
        var now = TimeProvider.System.GetUtcNow();
        var order = await Service.Paid(Request.Order(Request.Line("two-windows", 2)));
        await Service.Deliver(order, now.AddDays(-100), new ShipmentLineFact(1, 1));
        await Service.Deliver(order, now.AddDays(-1), new ShipmentLineFact(1, 1));
        await Refusal.Is("RETURN_WINDOW", Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 2))));
        await Service.Asked(order, (1, 1));
        await Refusal.Is("RETURN_WINDOW", Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 1))));
    }

    [Fact]
    public async Task A_failed_refund_is_not_counted_as_refunded_and_can_be_tried_again()
    {
        var order = await Service.Delivered(Request.Line("fails", 2));
        Service.Payments.Settles(order.OrderId, RefundState.Failed);
        var one = await Service.Received(await Service.Approved(order, (1, 2)), true, (1, 2, ReturnCondition.AsNew));
        one = await Service.Until(one, r => r.RefundState == ReturnRefundState.Failed);
        Assert.Equal((0L, 2000L, "account_closed"), (Minor(one.RefundedAmount), Minor(one.RefundAmount), one.Refunds[0].FailureReason));
        Assert.Equal(PaymentState.Paid, (await Service.OrderWith(order.OrderId)).PaymentState);
        Assert.Contains(await Service.TimelineOf(order), e => e.Detail == "R1: refund of 20.00 EUR refused: account_closed");

        Service.Payments.Settles(order.OrderId, RefundState.Succeeded);
        one = await Refunded(await Service.RefundDue(one));
        Assert.Equal((2000L, 2), (Minor(one.RefundedAmount), one.Refunds.Count));
        Assert.Equal(2000, Service.Payments.GivenBack(order.OrderId));
    }

    [Fact]
    public async Task A_refund_that_takes_its_time_is_followed_to_its_end()
    {
        var order = await Service.Delivered(Request.Line("slow", 1));
        Service.Payments.Settles(order.OrderId, RefundState.Pending);
        var one = await Service.Received(await Service.Approved(order, (1, 1)), true, (1, 1, ReturnCondition.AsNew));
        one = await Service.Until(one, r => r.Refunds is [{ Refund.Length: > 0 }]);
        Assert.Equal((ReturnRefundState.Pending, 0L), (one.RefundState, Minor(one.RefundedAmount)));
        Service.Payments.Settle(order.OrderId, RefundState.Succeeded);
        await (await Service.Shared("payments")).Tell(new PaymentRefunded(order.OrderId, "main", 2, TimeProvider.System.GetUtcNow(), Euro(1000), Euro(1000)));
        one = await Refunded(one);
        Assert.Equal(1000, Minor(one.RefundedAmount));
        await Service.Until(order, o => o.PaymentState == PaymentState.Refunded);
        await Eventually.True(async () => await Service.Count("FROM messaging.recovery_points WHERE kind = 'refund-return' AND key LIKE $1", order.OrderId + "%") == 0);
    }

    [Fact]
    public async Task Two_who_ask_for_the_last_piece_at_once_do_not_both_get_it()
    {
        var order = await Service.Delivered(Request.Line("race", 5));
        var asks = Enumerable.Range(0, 16).Select(_ => ReturnsShop.Ask(order, (1, 1))).ToList();
        var answers = await Task.WhenAll(asks.Select(async ask =>
        {
            try
            {
                return (await Service.Returns.RequestReturnAsync(ask)).Name;
            }
            catch (RpcException refused) when (refused.StatusCode == StatusCode.FailedPrecondition)
            {
                return "";
            }
        }));
        Assert.Equal(5, answers.Count(name => name.Length > 0));
        Assert.Equal(5, answers.Where(name => name.Length > 0).Distinct().Count());
        var all = await Service.Returns.ListReturnsAsync(new ListReturnsRequest { OrderId = order.OrderId });
        Assert.Equal(5, all.Returns.Sum(r => r.Lines.Sum(l => l.Quantity)));
    }

    [Fact]
    public async Task The_same_request_many_times_at_once_is_one_return_one_receipt_and_one_refund()
    {
        var order = await Service.Delivered(Request.Line("same", 4));
        var ask = ReturnsShop.Ask(order, (1, 2));
        var asked = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Service.Returns.RequestReturnAsync(ask).ResponseAsync));
        var one = Assert.Single(asked.Select(r => r.Name).Distinct());
        Assert.Single((await Service.Returns.ListReturnsAsync(new ListReturnsRequest { OrderId = order.OrderId })).Returns);
        var approved = await Service.Approve(asked[0]);
        var receive = ReturnsShop.Receive(approved, true, (1, 1, ReturnCondition.AsNew));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Service.Returns.ReceiveReturnAsync(receive).ResponseAsync));
        var received = await Service.Until(approved, r => r.RefundState == ReturnRefundState.Refunded);
        Assert.Equal((one, 1, 1000L), (received.Name, received.Lines[0].AsNewQuantity, Service.Payments.GivenBack(order.OrderId)));

        var other = receive.Clone();
        other.Note = "another payload";
        await Refusal.Is("REQUEST_ID_REUSED", Service.Returns.ReceiveReturnAsync(other));
    }

    [Fact]
    public async Task A_kill_between_receipt_and_refund_loses_nothing_and_gives_nothing_twice()
    {
        var order = await Service.Delivered(Request.Line("killed", 2));
        Service.Payments.Down(order.OrderId);
        var one = await Service.Received(await Service.Approved(order, (1, 2)), true, (1, 2, ReturnCondition.AsNew));
        Assert.Equal(ReturnRefundState.Pending, one.RefundState);
        await Service.Restart();
        await Due();
        // Promised, and killed before that was heard.
        Service.Payments.Forgetful(order.OrderId);
        Service.Payments.Down(order.OrderId, false);
        await Eventually.True(() => Service.Payments.RefundsOf(order.OrderId).Count == 1);
        await Service.Restart();
        Service.Payments.Forgetful(order.OrderId, false);
        await Due();
        one = await Refunded(one);
        Assert.Equal((2000L, 2000L), (Minor(one.RefundedAmount), Service.Payments.GivenBack(order.OrderId)));
        Assert.Single(Service.Payments.RefundsOf(order.OrderId));

        // Nobody waits here for the lease of who was killed.
        async Task Due()
        {
            await using var due = Service.Database.CreateCommand("UPDATE messaging.recovery_points SET due_at = now() - interval '1 second', leased_until = NULL WHERE kind = 'refund-return'");
            await due.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task What_is_as_new_is_on_the_shelf_again_and_what_is_damaged_is_written_off()
    {
        await Service.Stocked(10, "shelf");
        var order = await Service.Delivered(Request.Line("shelf", 4));
        Assert.Equal(6, (await Service.StockOf("shelf")).OnHand);
        var one = await Service.Received(
            await Service.Approved(order, (1, 4)), false, (1, 2, ReturnCondition.AsNew), (1, 1, ReturnCondition.Damaged), (1, 1, ReturnCondition.Missing));
        Assert.Equal((2, 1, 1, ReturnState.Received), (one.Lines[0].AsNewQuantity, one.Lines[0].DamagedQuantity, one.Lines[0].MissingQuantity, one.State));
        Assert.Equal(8, (await Service.StockOf("shelf")).OnHand);
        var movements = (await Service.Stock.ListStockMovementsAsync(new ListStockMovementsRequest { Parent = "stores/main/products/shelf" })).Movements;
        Assert.Equal(
            [(StockMovementKind.WriteOff, -1L, 8L, order.OrderId, one.ReturnNumber), (StockMovementKind.Return, 3L, 9L, order.OrderId, one.ReturnNumber)],
            movements.Take(2).Select(m => (m.Kind, m.OnHandChange, m.OnHand, m.OrderId, m.Note)));
        // Three pieces came, and three are paid for.
        Assert.Equal((3000L, FulfilmentState.PartlyReturned), (Minor(one.RefundAmount), (await Service.OrderWith(order.OrderId)).FulfilmentState));
        // The missing one is still with the shopper.
        await Service.Asked(order, (1, 1));
    }

    [Fact]
    public async Task Goods_that_are_all_missing_give_no_money()
    {
        var order = await Service.Delivered(Request.Line("missing", 1));
        var one = await Service.Received(await Service.Approved(order, (1, 1)), true, (1, 1, ReturnCondition.Missing));
        Assert.Equal((ReturnState.Received, ReturnRefundState.None, 0L), (one.State, one.RefundState, Minor(one.RefundAmount)));
        Assert.Equal(FulfilmentState.Delivered, (await Service.OrderWith(order.OrderId)).FulfilmentState);
    }

    [Fact]
    public async Task A_parcel_on_its_way_back_is_the_returns_and_not_the_orders()
    {
        var order = await Service.Delivered(Request.Line("way-back", 1));
        var one = await Service.Approved(order, (1, 1));
        Assert.True(one.LabelWanted);
        var (shipment, now) = (Guid.NewGuid().ToString("N"), TimeProvider.System.GetUtcNow());
        await (await Service.Shared("shipments")).Tell(
            new ShipmentCreated(shipment, order.OrderId, "main", 1, now, [new ShipmentLineFact(1, 1)]) { ReturnNumber = 1 },
            new LabelBought(shipment, order.OrderId, "main", 2, now, "ups", "ground", "1ZBACK", Euro(450), null) { ReturnNumber = 1 },
            Tracked("IN_TRANSIT", 3));
        one = await Service.Until(one, r => r.Parcels is [{ State: ReturnParcel.Types.State.Shipped, TrackingNumber: "1ZBACK" }]);
        Assert.Equal(ReturnState.Approved, one.State);
        await Refusal.Is("RETURN_STATE", Service.Returns.CancelReturnAsync(new CancelReturnRequest { Name = one.Name, RequestId = "under-way" }));
        await (await Service.Shared("shipments")).Tell(Tracked("DELIVERED", 4));
        one = await Service.Until(one, r => r.State == ReturnState.Arrived);
        var untouched = await Service.OrderWith(order.OrderId);
        Assert.Equal((order.Parcels, FulfilmentState.Delivered), (untouched.Parcels, untouched.FulfilmentState));
        one = await Service.Received(one, false, (1, 1, ReturnCondition.AsNew));
        Assert.Equal((ReturnState.Received, "1ZBACK"), (one.State, one.Parcels[0].TrackingNumber));

        ParcelTracked Tracked(string status, long version) =>
            new(shipment, order.OrderId, "main", version, now, "ups", "1ZBACK", status, "PRE_TRANSIT", [status], now, 1) { ReturnNumber = 1 };
    }

    [Fact]
    public async Task Every_step_says_who_when_and_why_and_impossible_ones_are_refused()
    {
        var order = await Service.Delivered(Request.Line("steps", 3));
        var one = await Service.Asked(order, (1, 1));
        await Refusal.Is("RETURN_STATE", Service.Returns.ReceiveReturnAsync(ReturnsShop.Receive(one, false, (1, 1, ReturnCondition.AsNew))));
        var rejected = await Service.Returns.RejectReturnAsync(new RejectReturnRequest { Name = one.Name, RequestId = "reject", Reason = "it was worn", Etag = one.Etag });
        Assert.Equal((ReturnState.Rejected, "it was worn", 2L), (rejected.State, rejected.DecisionNote, rejected.Version));
        Assert.Equal(rejected, await Service.Returns.RejectReturnAsync(new RejectReturnRequest { Name = one.Name, RequestId = "reject", Reason = "it was worn", Etag = one.Etag }));
        await Refusal.Is("ETAG_MISMATCH", Service.Returns.CancelReturnAsync(new CancelReturnRequest { Name = one.Name, RequestId = "late-cancel", Etag = one.Etag }));
        await Refusal.Is("RETURN_STATE", Service.Returns.ApproveReturnAsync(new ApproveReturnRequest { Name = one.Name, RequestId = "late" }));
        await Refusal.Is("RETURN_STATE", Service.Returns.CancelReturnAsync(new CancelReturnRequest { Name = one.Name, RequestId = "late-too" }));
        Assert.Equal(("ReturnRejected", "staff/developer", "R1: it was worn"), (await Service.TimelineOf(order)) is [.., var last] ? (last.Event, last.Actor, last.Detail) : default);

        var second = await Service.Approved(order, (1, 2));
        var cancel = new CancelReturnRequest { Name = second.Name, RequestId = "cancel", Note = "kept" };
        var cancelled = await Service.Returns.CancelReturnAsync(cancel);
        Assert.Equal(cancelled, await Service.Returns.CancelReturnAsync(cancel));
        Assert.Equal(ReturnState.Cancelled, cancelled.State);
        var (_, info, fields, _) = await Refusal.Of(Service.Returns.ReceiveReturnAsync(ReturnsShop.Receive(await Service.Approved(order, (1, 1)), false, (1, 2, ReturnCondition.AsNew), (7, 1, ReturnCondition.AsNew))));
        Assert.Equal(("NOT_RETURNABLE", "items[0].quantity items[1].line_number"), (info.Reason, string.Join(' ', fields.Keys.Order())));
    }

    [Fact]
    public async Task A_shopper_may_ask_and_cancel_and_not_decide()
    {
        var order = await Service.Delivered(Request.Line("shopper", 1));
        var shopper = TestAccess.As("orders", "shopper/" + order.OrderId);
        var one = await Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 1)), shopper);
        Assert.Equal("shopper/" + order.OrderId, one.RequestedBy);
        // Another order's shopper may not even ask.
        var other = TestAccess.As("orders", "shopper/" + (await Service.Delivered(Request.Line("another", 1))).OrderId);
        await Refusal.Is("PERMISSION_DENIED", Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 1)), other));
        await Refusal.Is("PERMISSION_DENIED", Service.Returns.CancelReturnAsync(new CancelReturnRequest { Name = one.Name, RequestId = "o" }, other));
        await Refusal.Is("PERMISSION_DENIED", Service.Returns.ApproveReturnAsync(new ApproveReturnRequest { Name = one.Name, RequestId = "a" }, shopper));
        await Refusal.Is("PERMISSION_DENIED", Service.Returns.RejectReturnAsync(new RejectReturnRequest { Name = one.Name, RequestId = "a", Reason = "x" }, shopper));
        await Refusal.Is("PERMISSION_DENIED", Service.Returns.ReceiveReturnAsync(ReturnsShop.Receive(one, true, (1, 1, ReturnCondition.AsNew)), shopper));
        await Refusal.Is("PERMISSION_DENIED", Service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = one.Name, RequestId = "a" }, shopper));
        Assert.Equal(ReturnState.Cancelled, (await Service.Returns.CancelReturnAsync(new CancelReturnRequest { Name = one.Name, RequestId = "a" }, shopper)).State);
    }

    [Fact]
    public async Task Everything_that_is_wrong_with_a_request_is_named()
    {
        var order = await Service.Delivered(Request.Line("wrong", 1));
        var ask = ReturnsShop.Ask(order, (1, 0), (1, 1));
        (ask.RequestId, ask.Note, ask.Etag) = ("", new string('x', 501), new string('x', 41));
        ask.Lines[1].Reason = (ReturnReason)99;
        ask.Photos.AddRange(["javascript:alert(1)", "https://example.com/a.jpg", "photo-7", ""]);
        var (_, info, fields, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(ask));
        Assert.Equal("INVALID_FIELD", info.Reason);
        Assert.Equal(
            ["etag", "lines[0].quantity", "lines[1].line_number", "lines[1].reason", "note", "photos[0]", "photos[3]", "request_id"], fields.Keys.Order(StringComparer.Ordinal));
        await Refusal.Is("INVALID_FIELD", Service.Returns.RequestReturnAsync(new RequestReturnRequest { Parent = order.Name, RequestId = "none" }));
        await Refusal.Is("INVALID_FIELD", Service.Returns.GetReturnAsync(new GetReturnRequest { Name = order.Name }));
        await Refusal.Is("RETURN_NOT_FOUND", Service.Returns.GetReturnAsync(new GetReturnRequest { Name = order.Name + "/returns/1" }));
        await Refusal.Is("RETURN_NOT_FOUND", Service.Returns.ApproveReturnAsync(new ApproveReturnRequest { Name = order.Name + "/returns/1", RequestId = "x" }));
        await Refusal.Is("INVALID_FIELD", Service.Returns.ListReturnsAsync(new ListReturnsRequest { OrderId = order.OrderId, StoreId = "main" }));
        var (_, _, wrong, _) = await Refusal.Of(Service.Returns.ReceiveReturnAsync(new ReceiveReturnRequest { Name = order.Name + "/returns/1", RequestId = "x", Items = { new ReceivedItem() } }));
        Assert.Equal(["items[0].condition", "items[0].quantity"], wrong.Keys.Order());
        Assert.Empty((await Service.Returns.ListReturnsAsync(new ListReturnsRequest { OrderId = order.OrderId })).Returns);
    }

    [Fact]
    public async Task Over_REST_a_return_is_a_part_of_its_order()
    {
        var order = await Service.Delivered(Request.Line("rest", 1));
        using var body = new StringContent("""{"requestId": "rest-r1", "lines": [{"lineNumber": 1, "quantity": 1, "reason": "RETURN_REASON_FAULTY"}]}""", System.Text.Encoding.UTF8, "application/json");
        using var asked = await Service.Rest.PostAsync(new Uri($"/v1/{order.Name}/returns", UriKind.Relative), body);
        Assert.Equal(System.Net.HttpStatusCode.OK, asked.StatusCode);
        Assert.Contains(order.OrderId + "-R1", await Service.Rest.GetStringAsync(new Uri($"/v1/{order.Name}/returns/1", UriKind.Relative)), StringComparison.Ordinal);
        Assert.Contains(order.OrderId + "-R1", await Service.Rest.GetStringAsync(new Uri($"/v1/returns?orderId={order.OrderId}", UriKind.Relative)), StringComparison.Ordinal);
        using var approval = new StringContent("""{"requestId": "rest-a1"}""", System.Text.Encoding.UTF8, "application/json");
        using var approved = await Service.Rest.PostAsync(new Uri($"/v1/{order.Name}/returns/1:approve", UriKind.Relative), approval);
        Assert.Contains("RETURN_STATE_APPROVED", await approved.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private Task<V1.Return> Refunded(V1.Return one) => Service.Until(one, r => r.RefundState == ReturnRefundState.Refunded);

    private async Task<(OrderState, FulfilmentState)> StatesOf(V1.Order order)
    {
        var now = await Service.OrderWith(order.OrderId);
        return (now.State, now.FulfilmentState);
    }

    private static Commerce.Money Euro(long cents) => new(cents, "EUR");

    private static long Minor(Google.Type.Money money) => money.TryToMoney(out var amount, out _) ? amount.Minor : throw new InvalidOperationException();
}
