using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Testing;

namespace Commerce.Orders.Tests;

/// <summary>What was lost on its way is sent again.</summary>
public class ReplacingParcelsTests(OrdersService service) : OrdersServiceTests(service)
{
    private static readonly DateTimeOffset At = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_lost_parcel_stays_on_the_order_its_pieces_are_reserved_again_and_the_next_one_completes_it()
    {
        var (order, lost) = await Shipped("lost", stocked: 5);
        Assert.Equal((3L, 0L), await Stock("lost"));
        var request = Replace(order, lost);
        var replaced = await Service.Orders.ReplaceParcelAsync(request);
        Assert.Equal(ParcelState.Replaced, Assert.Single(replaced.Parcels).State);
        Assert.Equal((FulfilmentState.Unfulfilled, Headline.Preparing), (replaced.FulfilmentState, replaced.Headline));
        Assert.Equal((3L, 2L), await Stock("lost"));
        Assert.Equal((nameof(ParcelReplaced), $"shipments/{lost} is sent again: fell off a lorry"), Last(await Service.TimelineOf(order)));
        // Again, under the same request_id or another: once.
        Assert.Equal(replaced, await Service.Orders.ReplaceParcelAsync(request));
        Assert.Equal(replaced, await Service.Orders.ReplaceParcelAsync(Replace(order, lost)));

        var shipments = await Service.Shared("shipments");
        var next = Guid.NewGuid().ToString("N");
        await shipments.Tell(new ShipmentCreated(next, order.OrderId, "main", 1, At, [new ShipmentLineFact(1, 2)]), Tracked(next, order, 2, "DELIVERED"));
        var done = await Eventually.Value(() => Service.OrderWith(order.OrderId), o => o.State == OrderState.Completed);
        Assert.Equal(FulfilmentState.Delivered, done.FulfilmentState);
        Assert.Equal((1L, 0L), await Stock("lost"));
        Assert.Equal([ParcelState.Replaced, ParcelState.Delivered], done.Parcels.Select(parcel => parcel.State));
    }

    [Fact]
    public async Task A_parcel_that_turns_up_completes_the_order_and_what_was_kept_for_the_next_one_is_for_sale_again()
    {
        var (order, lost) = await Shipped("found", stocked: 4);
        await Service.Orders.ReplaceParcelAsync(Replace(order, lost));
        var shipments = await Service.Shared("shipments");
        var next = Guid.NewGuid().ToString("N");
        await shipments.Tell(
            new ShipmentCreated(next, order.OrderId, "main", 1, At, [new ShipmentLineFact(1, 2)]),
            Tracked(lost, order, 3, "DELIVERED"),
            new ShipmentCancelled(next, order.OrderId, "main", 2, At));
        var done = await Eventually.Value(() => Service.OrderWith(order.OrderId), o => o.Parcels is [{ State: ParcelState.Delivered }, { State: ParcelState.Cancelled }]);
        Assert.Equal(OrderState.Completed, done.State);
        Assert.Equal((2L, 0L), await Stock("found"));
    }

    [Fact]
    public async Task What_is_not_to_be_had_is_refused_and_nothing_is_half_done()
    {
        var (order, lost) = await Shipped("gone", stocked: 2);
        await Refusal.Is("OUT_OF_STOCK", Service.Orders.ReplaceParcelAsync(Replace(order, lost)));
        Assert.Equal(ParcelState.Shipped, Assert.Single((await Service.OrderWith(order.OrderId)).Parcels).State);
        Assert.Equal((0L, 0L), await Stock("gone"));
        // When there are some, the same request is made good.
        await Service.Stocked(3, "gone");
        Assert.Equal(ParcelState.Replaced, Assert.Single((await Service.Orders.ReplaceParcelAsync(Replace(order, lost))).Parcels).State);
    }

    [Fact]
    public async Task What_was_delivered_refunded_or_never_sent_is_not_sent_again()
    {
        var (delivered, parcel) = await Shipped("there", stocked: 9);
        var shipments = await Service.Shared("shipments");
        await shipments.Tell(Tracked(parcel, delivered, 3, "DELIVERED"));
        await Eventually.Value(() => Service.OrderWith(delivered.OrderId), o => o.State == OrderState.Completed);
        await Refusal.Is("ORDER_STATE", Service.Orders.ReplaceParcelAsync(Replace(delivered, parcel)));

        var (refunded, lost) = await Shipped("back", stocked: 9);
        await (await Service.Shared("payments")).Tell(new PaymentRefunded(refunded.OrderId, "main", 2, At, new Money(2000, "EUR"), new Money(2000, "EUR")));
        await Eventually.Value(() => Service.OrderWith(refunded.OrderId), o => o.PaymentState == PaymentState.Refunded);
        await Refusal.Is("ORDER_STATE", Service.Orders.ReplaceParcelAsync(Replace(refunded, lost)));

        await Refusal.Is("ORDER_STATE", Service.Orders.ReplaceParcelAsync(Replace(refunded, Guid.NewGuid().ToString("N"))));
        var wrong = Replace(refunded, lost);
        wrong.Shipment = "parcel 1";
        await Refusal.Is("INVALID_FIELD", Service.Orders.ReplaceParcelAsync(wrong));
    }

    /// <summary>An order of two pieces that are with the carrier.</summary>
    private async Task<(V1.Order Order, string Shipment)> Shipped(string sku, int stocked)
    {
        await Service.Stocked(stocked, sku);
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line(sku, 2)));
        await (await Service.Shared("payments")).Tell(new PaymentCaptured(order.OrderId, "main", 1, At, new Money(2000, "EUR")));
        var shipment = Guid.NewGuid().ToString("N");
        await (await Service.Shared("shipments")).Tell(
            new ShipmentCreated(shipment, order.OrderId, "main", 1, At, [new ShipmentLineFact(1, 2)]), Tracked(shipment, order, 2, "IN_TRANSIT"));
        return (await Eventually.Value(() => Service.OrderWith(order.OrderId), o => o is { PaymentState: PaymentState.Paid, Parcels: [{ State: ParcelState.Shipped }] }), shipment);
    }

    private async Task<(long OnHand, long Reserved)> Stock(string sku)
    {
        var stock = await Service.StockOf(sku);
        return (stock.OnHand, stock.Reserved);
    }

    private static ReplaceParcelRequest Replace(V1.Order order, string shipment) => new()
    {
        Name = order.Name,
        RequestId = Guid.NewGuid().ToString(),
        Shipment = "shipments/" + shipment,
        Note = "fell off a lorry",
    };

    private static ParcelTracked Tracked(string shipment, V1.Order order, long version, string status) =>
        new(shipment, order.OrderId, "main", version, At, "ups", "1Z", status, "PRE_TRANSIT", ["IN_TRANSIT", status], At, 1);

    private static (string, string) Last(IReadOnlyList<TimelineEntry> timeline) => (timeline[^1].Event, timeline[^1].Detail);
}
