using Commerce.Facts;
using Commerce.Orders.Consumers;
using Commerce.Orders.V1;
using Commerce.Testing;

namespace Commerce.Orders.Tests;

/// <summary>Facts of Payments and Shipments, over a real broker, and what they make of an order.</summary>
public class FactTests(OrdersService service) : OrdersServiceTests(service)
{
    private static readonly DateTimeOffset At = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly Money Paid = new(3000, "EUR");

    [Fact]
    public async Task A_paid_order_is_confirmed_shipped_and_completed_each_step_on_the_timeline()
    {
        await using var payments = await Service.Other("payments");
        await using var shipments = await Service.Other("shipments");
        await Service.Stocked(5, "flow");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("flow", 2), Request.Line("free", 1)));

        await payments.Tell(
            new PaymentPending(order.OrderId, "main", 1, At, Paid),
            new PaymentAuthorised(order.OrderId, "main", 2, At, Paid),
            new PaymentCaptured(order.OrderId, "main", 3, At, Paid));
        await Reaches(order, 3);

        await shipments.Tell(
            new ShipmentCreated("sa" + order.OrderId, order.OrderId, "main", 1, At, [new ShipmentLineFact(1, 2)]),
            new LabelBought("sa" + order.OrderId, order.OrderId, "main", 2, At, "speedy", "express", "SP1", new Money(500, "EUR"), null),
            Tracked("sa", order, 3, "PRE_TRANSIT"),
            Tracked("sa", order, 4, "IN_TRANSIT"));
        await Reaches(order, 6);
        Assert.Equal((3L, 0L), ((await Service.StockOf("flow")).OnHand, (await Service.StockOf("flow")).Reserved));

        await shipments.Tell(
            new ShipmentCreated("sb" + order.OrderId, order.OrderId, "main", 1, At, [new ShipmentLineFact(2, 1)]),
            new ShipmentExceptionChanged("sb" + order.OrderId, order.OrderId, "main", 2, At, "NO_RATE", "none"),
            new ShipmentExceptionChanged("sb" + order.OrderId, order.OrderId, "main", 3, At, null, null),
            Tracked("sb", order, 4, "DELIVERED"));
        await Reaches(order, 8);
        Assert.Equal(Headline.PartlyDelivered, (await Service.OrderWith(order.OrderId)).Headline);
        await shipments.Tell(Tracked("sa", order, 5, "DELIVERED", "PRE_TRANSIT", "IN_TRANSIT"), Tracked("sa", order, 6, "DELIVERED"));

        var done = await Reaches(order, 9);
        Assert.Equal((OrderState.Completed, PaymentState.Paid, FulfilmentState.Delivered, Headline.Delivered), (done.State, done.PaymentState, done.FulfilmentState, done.Headline));
        Assert.Equal(("speedy", "SP1", ParcelState.Delivered), (done.Parcels[0].Carrier, done.Parcels[0].TrackingNumber, done.Parcels[0].State));
        var timeline = await Service.TimelineOf(order);
        Assert.Equal(
            ["OrderPlaced", "OrderProgressed", "OrderConfirmed", "OrderProgressed", "OrderProgressed", "OrderProgressed", "OrderProgressed", "OrderProgressed", "OrderCompleted"],
            timeline.Select(entry => entry.Event));
        Assert.Equal(Enumerable.Range(1, 9).Select(v => (long)v), timeline.Select(entry => entry.Version));
        Assert.Equal(["service/payments", "service/shipments"], timeline.Skip(1).Select(entry => entry.Actor).Distinct());
        Assert.Equal((3L, 0L), ((await Service.StockOf("flow")).OnHand, (await Service.StockOf("flow")).Reserved));
        Assert.Equal(0, await Service.Count("FROM messaging.recovery_points WHERE key = $1", order.OrderId));
        await Eventually.True(async () => await Service.Count("FROM messaging.outbox WHERE key = $1", order.OrderId) == 0);
    }

    [Fact]
    public async Task A_parcel_whose_label_was_bought_elsewhere_and_whose_number_was_corrected_shows_the_right_one_and_completes_the_order()
    {
        await using var payments = await Service.Other("payments");
        await using var shipments = await Service.Other("shipments");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("free", 1)));
        await payments.Tell(new PaymentCaptured(order.OrderId, "main", 1, At, order.Total.TryToMoney(out var total, out _) ? total : Paid));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).PaymentState == PaymentState.Paid);

        await shipments.Tell(
            new ShipmentCreated("sr" + order.OrderId, order.OrderId, "main", 1, At, [new ShipmentLineFact(1, 1)]),
            new TrackingNumberChanged("sr" + order.OrderId, order.OrderId, "main", 2, At, "usps", "", "WRONG1", null, null),
            new TrackingNumberChanged("sr" + order.OrderId, order.OrderId, "main", 3, At, "ups", "", "RIGHT1", "usps", "WRONG1"),
            // A further box, of which nobody said what is in it.
            new ShipmentCreated("sx" + order.OrderId, order.OrderId, "main", 1, At, []),
            new TrackingNumberChanged("sx" + order.OrderId, order.OrderId, "main", 2, At, "ups", "", "RIGHT2", null, null));
        await shipments.Tell(Tracked("sr", order, 4, "DELIVERED"));

        // Facts of two parcels are heard in any order: the further box may get its number after the order is completed.
        await Eventually.Value(
            () => Service.OrderWith(order.OrderId),
            one => one.State == OrderState.Completed && one.Parcels.Select(parcel => (parcel.Carrier, parcel.TrackingNumber)).Order().SequenceEqual([("ups", "RIGHT1"), ("ups", "RIGHT2")]));
    }

    [Fact]
    public async Task A_declined_payment_cancels_the_order_and_frees_its_stock()
    {
        await using var payments = await Service.Other("payments");
        await Service.Stocked(2, "declined");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("declined", 2)));
        await payments.Tell(new PaymentDeclined(order.OrderId, "main", 1, At, "insufficient_funds"));
        var cancelled = await Reaches(order, 2);
        Assert.Equal((OrderState.Cancelled, PaymentState.Failed, Headline.PaymentDeclined), (cancelled.State, cancelled.PaymentState, cancelled.Headline));
        Assert.Equal(2, (await Service.StockOf("declined")).Available);
    }

    [Fact]
    public async Task An_order_cancelled_while_the_money_is_taken_stays_cancelled_and_its_payment_follows()
    {
        await using var payments = await Service.Other("payments");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = Guid.NewGuid().ToString() });
        await payments.Tell(new PaymentCaptured(order.OrderId, "main", 1, At, Paid), new PaymentRefunded(order.OrderId, "main", 2, At, Paid, Paid));
        var refunded = await Reaches(order, 4);
        Assert.Equal((OrderState.Cancelled, PaymentState.Refunded), (refunded.State, refunded.PaymentState));
        Assert.Equal(["payment PAID", "payment REFUNDED"], (await Service.TimelineOf(order)).Skip(2).Select(entry => entry.Detail));
    }

    [Fact]
    public async Task Facts_that_overtake_each_other_take_effect_in_their_order()
    {
        await using var payments = await Service.Other("payments");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        await payments.Tell(new PaymentCaptured(order.OrderId, "main", 2, At, Paid));
        await Eventually.True(async () => await Service.Count("FROM messaging.parked_facts WHERE key = $1", order.OrderId) == 1);
        Assert.Equal(1, (await Service.OrderWith(order.OrderId)).Version);
        await payments.Tell(new PaymentAuthorised(order.OrderId, "main", 1, At, Paid));
        Assert.Equal(PaymentState.Paid, (await Reaches(order, 3)).PaymentState);
    }

    [Fact]
    public async Task Cancelling_and_paying_at_once_end_in_one_true_state()
    {
        await using var payments = await Service.Other("payments");
        await Service.Stocked(100, "race");
        var orders = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("race", 1))).ResponseAsync));
        var telling = payments.Tell([.. orders.Select(order => new PaymentCaptured(order.OrderId, "main", 1, At, Paid))]);
        await Task.WhenAll(orders.Select(order =>
            Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = Guid.NewGuid().ToString() }).ResponseAsync));
        await telling;
        foreach (var order in orders)
        {
            var end = await Reaches(order, 3);
            Assert.Equal((OrderState.Cancelled, PaymentState.Paid), (end.State, end.PaymentState));
        }

        Assert.Equal(0, (await Service.StockOf("race")).Reserved);
    }

    [Theory]
    [InlineData("PRE_TRANSIT", null)]
    [InlineData("UNKNOWN", null)]
    [InlineData("CANCELLED", null)]
    [InlineData("ON_HOLD", null)]
    [InlineData("PICKED_UP", ParcelState.Shipped)]
    [InlineData("DELIVERY_FAILED", ParcelState.Shipped)]
    [InlineData("DELIVERED", ParcelState.Delivered)]
    [InlineData("RETURN_TO_SENDER", ParcelState.Returned)]
    public void A_parcels_status_is_to_the_order(string status, ParcelState? state)
    {
        var fact = new ParcelTracked("s", "o", "main", 1, At, "speedy", "T", status, "PRE_TRANSIT", ["PRE_TRANSIT", status], At, 1);
        Assert.Equal(state, ShipmentFacts.StateOf(fact));
    }

    [Fact]
    public void A_parcel_held_up_on_its_way_is_still_on_its_way() =>
        Assert.Equal(ParcelState.Shipped, ShipmentFacts.StateOf(
            new ParcelTracked("s", "o", "main", 1, At, "speedy", "T", "ON_HOLD", "IN_TRANSIT", ["IN_TRANSIT", "ON_HOLD"], At, 1)));

    private async Task<V1.Order> Reaches(V1.Order order, long version)
    {
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).Version >= version);
        var reached = await Service.OrderWith(order.OrderId);
        Assert.Equal(version, reached.Version);
        return reached;
    }

    private static ParcelTracked Tracked(string shipment, V1.Order order, long version, string status, params string[] reached) =>
        new(shipment + order.OrderId, order.OrderId, "main", version, At, "speedy", "SP1", status, "UNKNOWN", [.. reached, status], At, 1);
}
