using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using CsCheck;

namespace Commerce.Orders.Tests;

public class OrderTests
{
    private static readonly Moment Now = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), "service/test");

    [Fact]
    public void A_capture_confirms_an_open_order()
    {
        var order = Placed();
        Assert.IsType<OrderProgressed>(order.Pay(PaymentEvent.Authorised, Now)!.Fact);
        Assert.IsType<OrderConfirmed>(order.Pay(PaymentEvent.Captured, Now)!.Fact);
        Assert.Equal((OrderState.Open, PaymentState.Paid, Headline.Preparing), (order.State, order.PaymentState, order.Headline));
    }

    [Theory]
    [InlineData(CaptureMode.Manual)]
    [InlineData(CaptureMode.OnShipment)]
    public void Money_that_is_held_confirms_an_order_whose_money_is_taken_later_and_taking_it_does_not_again(CaptureMode mode)
    {
        var order = Placed(mode);
        Assert.IsType<OrderProgressed>(order.Pay(PaymentEvent.Authorised, Now) is { Fact: OrderConfirmed } ? order.Pay(PaymentEvent.Captured, Now)!.Fact : null);
        Assert.Equal((PaymentState.Paid, Headline.Preparing), (order.PaymentState, order.Headline));

        var held = Placed(mode);
        held.Pay(PaymentEvent.Authorised, Now);
        Assert.Equal(Headline.Preparing, held.Headline);
        Assert.Null(held.Expire(Now));
        Assert.Equal("REFUNDED", Assert.IsType<OrderCancelled>(held.Pay(PaymentEvent.Voided, Now)!.Fact).Reason);

        // The news that it is held was overtaken.
        Assert.IsType<OrderConfirmed>(Placed(mode).Pay(PaymentEvent.Captured, Now)!.Fact);
    }

    [Fact]
    public void A_decline_cancels_the_order_and_releases_what_it_held()
    {
        var order = Placed();
        var change = order.Pay(PaymentEvent.Declined, Now)!;
        Assert.Equal("PAYMENT_DECLINED", Assert.IsType<OrderCancelled>(change.Fact).Reason);
        Assert.Equal([new StockMove(1, "a", 0, 3), new StockMove(2, "b", 0, 2)], change.Stock);
        Assert.Equal(Headline.PaymentDeclined, order.Headline);
        Assert.Equal(PaymentState.Failed, order.PaymentState);
        Assert.Equal(2, order.Version);
    }

    [Fact]
    public void An_order_that_was_cancelled_while_its_payment_was_captured_stays_cancelled()
    {
        var order = Placed();
        order.Cancel(CancelReason.Shopper, "", Now);
        Assert.IsType<OrderProgressed>(order.Pay(PaymentEvent.Captured, Now)!.Fact);
        Assert.Equal((OrderState.Cancelled, PaymentState.Paid), (order.State, order.PaymentState));
        Assert.IsType<OrderProgressed>(order.Pay(PaymentEvent.Refunded, Now)!.Fact);
        Assert.Equal((OrderState.Cancelled, PaymentState.Refunded, Headline.Cancelled), (order.State, order.PaymentState, order.Headline));
    }

    [Fact]
    public void The_first_of_two_parcels_being_delivered_completes_nothing()
    {
        var order = Placed();
        order.Pay(PaymentEvent.Captured, Now);
        order.PlanParcel("s1", [new ShipmentLineFact(1, 3)], Now);
        var shipped = order.MoveParcel("s1", ParcelState.Shipped, Now)!;
        Assert.Equal([new StockMove(1, "a", 3, 0)], shipped.Stock);
        Assert.Empty(order.MoveParcel("s1", ParcelState.Delivered, Now)!.Stock);
        Assert.Equal((OrderState.Open, FulfilmentState.PartlyDelivered), (order.State, order.FulfilmentState));

        order.PlanParcel("s2", [new ShipmentLineFact(2, 2)], Now);
        var change = order.MoveParcel("s2", ParcelState.Delivered, Now)!;
        Assert.IsType<OrderCompleted>(change.Fact);
        Assert.Equal([new StockMove(2, "b", 2, 0)], change.Stock);
        Assert.Equal((OrderState.Completed, FulfilmentState.Delivered, Headline.Delivered), (order.State, order.FulfilmentState, order.Headline));
    }

    [Theory]
    [InlineData(PaymentEvent.PartlyRefunded, PaymentState.PartlyRefunded)]
    [InlineData(PaymentEvent.Refunded, PaymentState.Refunded)]
    public void What_was_given_back_on_the_way_does_not_keep_a_delivered_order_from_completing(PaymentEvent refund, PaymentState state)
    {
        var order = Placed();
        order.Pay(PaymentEvent.Captured, Now);
        order.PlanParcel("s1", [new ShipmentLineFact(1, 3), new ShipmentLineFact(2, 2)], Now);
        order.MoveParcel("s1", ParcelState.Shipped, Now);
        Assert.IsType<OrderProgressed>(order.Pay(refund, Now)!.Fact);
        Assert.Equal((OrderState.Open, state), (order.State, order.PaymentState));
        Assert.IsType<OrderCompleted>(order.MoveParcel("s1", ParcelState.Delivered, Now)!.Fact);
        Assert.Equal((OrderState.Completed, state), (order.State, order.PaymentState));
    }

    [Fact]
    public void A_refund_before_shipping_stops_nothing_unless_everything_went_back()
    {
        var order = Placed();
        order.Pay(PaymentEvent.Captured, Now);
        order.PlanParcel("s1", [new ShipmentLineFact(1, 3), new ShipmentLineFact(2, 2)], Now);
        Assert.Equal("PARTLY_REFUNDED", Assert.IsType<OrderProgressed>(order.Pay(PaymentEvent.PartlyRefunded, Now)!.Fact).PaymentState);
        Assert.Null(order.Pay(PaymentEvent.PartlyRefunded, Now));
        Assert.Equal((OrderState.Open, Headline.Preparing), (order.State, order.Headline));

        var change = order.Pay(PaymentEvent.Refunded, Now)!;
        Assert.Equal("REFUNDED", Assert.IsType<OrderCancelled>(change.Fact).Reason);
        Assert.Equal([new StockMove(1, "a", 0, 3), new StockMove(2, "b", 0, 2)], change.Stock);
        Assert.Equal((OrderState.Cancelled, PaymentState.Refunded), (order.State, order.PaymentState));
    }

    [Fact]
    public void What_is_with_the_carrier_cannot_be_cancelled()
    {
        var order = Placed();
        order.PlanParcel("s1", [new ShipmentLineFact(1, 1)], Now);
        order.MoveParcel("s1", ParcelState.Shipped, Now);
        var version = order.Version;
        var failure = Assert.Throws<Failure>(() => order.Cancel(CancelReason.Shopper, "", Now));
        Assert.Equal(Types.V1.ErrorReason.OrderState, failure.Reason);
        Assert.Equal("orders/" + order.Id, Assert.Single(failure.Preconditions).Subject);
        Assert.Equal((OrderState.Open, version), (order.State, order.Version));
    }

    [Fact]
    public void A_parcel_that_goes_back_and_comes_again_leaves_the_stock_once()
    {
        var order = Placed();
        order.PlanParcel("s1", [new ShipmentLineFact(1, 3), new ShipmentLineFact(2, 2)], Now);
        Assert.Equal(2, order.MoveParcel("s1", ParcelState.Shipped, Now)!.Stock.Count);
        Assert.Empty(order.MoveParcel("s1", ParcelState.Returned, Now)!.Stock);
        Assert.Equal(Headline.Returned, order.Headline);
        Assert.Empty(order.MoveParcel("s1", ParcelState.Delivered, Now)!.Stock);
    }

    [Theory]
    [InlineData(PaymentState.Paid, PaymentEvent.Declined)]
    [InlineData(PaymentState.Paid, PaymentEvent.Voided)]
    [InlineData(PaymentState.Failed, PaymentEvent.Refunded)]
    [InlineData(PaymentState.Failed, PaymentEvent.Captured)]
    [InlineData(PaymentState.Refunded, PaymentEvent.Declined)]
    public void A_contradiction_is_an_error(PaymentState state, PaymentEvent happened) => Assert.Null(PaymentStates.After(state, happened));

    [Fact]
    public void The_late_news_that_a_paid_order_was_authorised_changes_nothing()
    {
        var order = Placed();
        order.Pay(PaymentEvent.Captured, Now);
        Assert.Null(order.Pay(PaymentEvent.Authorised, Now));
        Assert.Null(order.Pay(PaymentEvent.Captured, Now));
        Assert.Equal(2, order.Version);
    }

    [Fact]
    public void Only_an_unpaid_order_expires()
    {
        var paid = Placed();
        paid.Pay(PaymentEvent.Authorised, Now);
        Assert.Null(paid.Expire(Now));
        var unpaid = Placed();
        Assert.Equal("PAYMENT_EXPIRED", Assert.IsType<OrderCancelled>(unpaid.Expire(Now)!.Fact).Reason);
        Assert.Null(unpaid.Expire(Now));
    }

    [Fact]
    public void Facts_name_states_as_the_protos_do()
    {
        foreach (var value in Enum.GetValues<FulfilmentState>().Where(v => v != FulfilmentState.Unspecified))
        {
            var original = (Google.Protobuf.Reflection.OriginalNameAttribute)typeof(FulfilmentState).GetField(value.ToString())!
                .GetCustomAttributes(typeof(Google.Protobuf.Reflection.OriginalNameAttribute), false).Single();
            Assert.Equal(original.Name, "FULFILMENT_STATE_" + FactName.Of(value));
        }
    }

    // Whatever is told, in whatever order: what a step refuses it leaves alone, and what it does it does wholly.
    [Fact]
    public void Any_sequence_of_commands_and_facts_keeps_the_order_true()
    {
        var step = Gen.Select(Gen.Int[0, 13], Gen.Int[1, 3]);
        step.List[0, 40].Sample(steps =>
        {
            var order = Placed();
            var (shipped, released) = (new long[3], new long[3]);
            var last = order.Version;
            foreach (var (what, parcel) in steps)
            {
                var before = Snapshot(order);
                OrderChange? change;
                try
                {
                    change = Step(order, what, "s" + parcel);
                }
                catch (Failure)
                {
                    Assert.Equal(before, Snapshot(order));
                    continue;
                }

                if (change is null)
                {
                    Assert.Equal(before, Snapshot(order));
                    continue;
                }

                Assert.Equal(++last, change.Fact.Version);
                Assert.Equal(last, order.Version);
                foreach (var move in change.Stock)
                {
                    shipped[move.LineNumber] += move.Shipped;
                    released[move.LineNumber] += move.Released;
                }

                Check(order, change, before, shipped, released);
            }
        });
    }

    private static void Check(Order order, OrderChange change, string before, long[] shipped, long[] released)
    {
        Assert.NotEqual(Headline.Unspecified, order.Headline);
        Assert.Equal(order.State == OrderState.Cancelled, order.Cancellation is not null);
        foreach (var line in order.Lines)
            Assert.Equal(line.Quantity, line.Held + shipped[line.LineNumber] + released[line.LineNumber]);
        Assert.Equal(FulfilmentStates.Of(order.Lines, order.Parcels), order.FulfilmentState);
        if (order.State == OrderState.Cancelled)
            Assert.All(order.Lines, line => Assert.Equal(0, line.Held));
        switch (change.Fact)
        {
            case OrderCompleted:
                Assert.Equal((OrderState.Completed, FulfilmentState.Delivered), (order.State, order.FulfilmentState));
                Assert.Contains(order.PaymentState, new[] { PaymentState.Paid, PaymentState.PartlyRefunded, PaymentState.Refunded });
                Assert.StartsWith("Open", before, StringComparison.Ordinal);
                break;
            case OrderConfirmed:
                Assert.Equal((OrderState.Open, PaymentState.Paid), (order.State, order.PaymentState));
                break;
            case OrderCancelled:
                Assert.Equal(OrderState.Cancelled, order.State);
                Assert.StartsWith("Open", before, StringComparison.Ordinal);
                Assert.All(shipped, pieces => Assert.Equal(0, pieces));
                break;
            case OrderProgressed progressed:
                Assert.StartsWith(order.State.ToString(), before, StringComparison.Ordinal);
                Assert.Equal(FactName.Of(order.PaymentState), progressed.PaymentState);
                Assert.Equal(FactName.Of(order.FulfilmentState), progressed.FulfilmentState);
                break;
            default:
                Assert.Fail(change.Event);
                break;
        }
    }

    private static OrderChange? Step(Order order, int what, string parcel) => what switch
    {
        < 7 => order.Pay((PaymentEvent)what, Now),
        7 => order.PlanParcel(parcel, parcel == "s1" ? [new ShipmentLineFact(1, 3)] : parcel == "s2" ? [new ShipmentLineFact(2, 2)] : [new ShipmentLineFact(9, 1)], Now),
        8 => order.LabelParcel(parcel, "speedy", "T" + parcel, Now),
        9 => order.MoveParcel(parcel, ParcelState.Shipped, Now),
        10 => order.MoveParcel(parcel, ParcelState.Delivered, Now),
        11 => order.MoveParcel(parcel, ParcelState.Returned, Now),
        12 => order.MoveParcel(parcel, ParcelState.Cancelled, Now),
        _ => order.Cancel(CancelReason.Shop, "", Now),
    };

    private static string Snapshot(Order order) =>
        $"{order.State} {order.PaymentState} {order.FulfilmentState} {order.Version} {string.Join(',', order.Lines.Select(l => l.Held))} "
        + string.Join(',', order.Parcels.Select(p => $"{p.ShipmentId}:{p.State}:{p.TrackingNumber}"));

    private static Order Placed(CaptureMode captureMode = CaptureMode.Automatic)
    {
        var order = new Order(new OrderId("ORD", 42), "main", null, null, [new HeldLine(1, "a", 3, 3), new HeldLine(2, "b", 2, 2)]) { CaptureMode = captureMode };
        Assert.IsType<OrderPlaced>(order.Place(new Money(500, "EUR"), [], Now).Fact);
        return order;
    }
}
