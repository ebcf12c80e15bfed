using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Testing;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;

namespace Commerce.Orders.Tests;

public class DeliveryWishesTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task Wishes_are_kept_with_the_order_changed_and_told_to_nobody_in_words()
    {
        await Service.RememberFacts();
        var order = await Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.DeliveryWishes = Wishes()));
        Assert.Equal(Wishes(), order.DeliveryWishes);
        Assert.Equal(order, await Service.OrderWith(order.OrderId));

        var other = Wishes();
        (other.LeaveAt, other.SignatureWanted) = ("", true);
        var changed = await Service.Orders.UpdateOrderAsync(Edit(order, other));
        Assert.Equal(other, changed.DeliveryWishes);
        Assert.Equal((nameof(OrderEdited), "delivery_wishes"), ((await Service.TimelineOf(order))[^1].Event, (await Service.TimelineOf(order))[^1].Detail));
        Assert.Equal(changed, await Service.Orders.UpdateOrderAsync(Edit(order, other)));
        Assert.Null((await Service.Orders.UpdateOrderAsync(Edit(order, null))).DeliveryWishes);
        Assert.Equal(3, await Service.Count("FROM told WHERE key = $1", order.OrderId));
        Assert.Equal(0, await Service.Count("FROM told WHERE body LIKE '%neighbour%' OR body LIKE '%Dearest%'"));
    }

    [Fact]
    public async Task What_is_no_wish_is_named()
    {
        var wishes = new DeliveryWishes
        {
            LeaveAt = new string('x', 201),
            GiftNote = "two\nlines",
            PreferredDay = new Date { Year = 2026, Month = 2, Day = 30 },
            WindowFrom = new TimeOfDay { Hours = 12 },
            WindowUntil = new TimeOfDay { Hours = 9 },
        };
        var (_, _, fields, _) = await Refusal.Of(Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.DeliveryWishes = wishes)));
        Assert.Equal(
            ["delivery_wishes.gift_note", "delivery_wishes.leave_at", "delivery_wishes.preferred_day", "delivery_wishes.window_until"], fields.Keys.Order(StringComparer.Ordinal));

        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var past = new DeliveryWishes { PreferredDay = new Date { Year = 2020, Month = 1, Day = 1 }, WindowFrom = new TimeOfDay { Hours = 25 } };
        Assert.Equal(
            ["order.delivery_wishes.preferred_day", "order.delivery_wishes.window_from", "order.delivery_wishes.window_until"],
            (await Refusal.Of(Service.Orders.UpdateOrderAsync(Edit(order, past)))).Fields.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(order, await Service.OrderWith(order.OrderId));
    }

    [Fact]
    public async Task Nothing_can_be_wished_for_what_a_carrier_has()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        await using var shipments = await Service.Other("shipments");
        var now = TimeProvider.System.GetUtcNow();
        await shipments.Tell(
            new ShipmentCreated("w" + order.OrderId, order.OrderId, "main", 1, now, [new ShipmentLineFact(1, 2)]),
            new ParcelTracked("w" + order.OrderId, order.OrderId, "main", 2, now, "ups", "1Z", "IN_TRANSIT", "PRE_TRANSIT", ["IN_TRANSIT"], now, 1));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).FulfilmentState == FulfilmentState.Shipped);
        await Refusal.Is("ORDER_STATE", Service.Orders.UpdateOrderAsync(Edit(order, Wishes())));
    }

    private static DeliveryWishes Wishes()
    {
        var day = TimeProvider.System.GetUtcNow().AddDays(10);
        return new DeliveryWishes
        {
            LeaveAt = "with the neighbour at no. 12",
            PreferredDay = new Date { Year = day.Year, Month = day.Month, Day = day.Day },
            WindowFrom = new TimeOfDay { Hours = 9 },
            WindowUntil = new TimeOfDay { Hours = 12, Minutes = 30 },
            GiftNote = "Dearest Ada, happy birthday!",
        };
    }

    private static UpdateOrderRequest Edit(V1.Order order, DeliveryWishes? wishes) => new()
    {
        Order = new V1.Order { Name = order.Name, DeliveryWishes = wishes },
        UpdateMask = new FieldMask { Paths = { "delivery_wishes" } },
        RequestId = Guid.NewGuid().ToString(),
    };
}
