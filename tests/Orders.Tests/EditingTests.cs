using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Testing;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;

namespace Commerce.Orders.Tests;

public class EditingTests(OrdersService service) : OrdersServiceTests(service)
{
    private static readonly PostalAddress Elsewhere = new() { RegionCode = "GB", PostalCode = "M1 1AE", Locality = "Manchester", AddressLines = { "9 New Street" } };

    [Fact]
    public async Task What_the_mask_names_is_changed_and_the_rest_stays()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());

        var changed = await Service.Orders.UpdateOrderAsync(Edit(order, o =>
        {
            o.Customer = new Contact { Phone = "+442079460001", Name = "not named by the mask" };
            o.ShippingAddress = Elsewhere;
        }, "customer.phone", "shipping_address"));

        Assert.Equal(("+442079460001", order.Customer.Name, order.Customer.Email), (changed.Customer.Phone, changed.Customer.Name, changed.Customer.Email));
        Assert.Equal(Elsewhere, changed.ShippingAddress);
        Assert.Equal(2, changed.Version);
        Assert.Equal(changed, await Service.OrderWith(order.OrderId));
        var entry = (await Service.TimelineOf(order))[1];
        Assert.Equal((nameof(OrderEdited), "customer.phone, shipping_address"), (entry.Event, entry.Detail));
    }

    [Fact]
    public async Task Orders_are_found_by_their_new_address()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var email = $"{Guid.NewGuid():N}@example.com";
        await Service.Orders.UpdateOrderAsync(Edit(order, o => o.Customer = new Contact { Email = email }, "customer.email"));
        var found = await Service.Orders.ListOrdersAsync(new ListOrdersRequest { StoreId = "main", Email = email });
        Assert.Equal(order.OrderId, Assert.Single(found.Orders).OrderId);
    }

    [Fact]
    public async Task A_search_finds_it_by_what_it_says_now_and_not_by_what_it_said()
    {
        var word = "n" + Guid.NewGuid().ToString("N")[..12];
        var order = await Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.Customer.Name = $"Ada {word}"));
        Assert.Equal([order.OrderId], await Found(word));
        var now = "m" + word;
        await Service.Orders.UpdateOrderAsync(Edit(order, o => o.Customer = new Contact { Name = $"Ada {now}" }, "customer.name"));
        Assert.Equal([order.OrderId], await Found(now));
        Assert.Empty(await Found(word));

        async Task<IEnumerable<string>> Found(string name) =>
            (await Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = new() { StoreId = "main", Name = name } })).Orders.Select(o => o.OrderId);
    }

    [Fact]
    public async Task Changing_it_to_what_it_is_changes_nothing()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var same = await Service.Orders.UpdateOrderAsync(Edit(order, o => (o.Customer, o.ShippingAddress) = (order.Customer, order.ShippingAddress), "customer", "shipping_address"));
        Assert.Equal(order, same);
        Assert.Single(await Service.TimelineOf(order));
    }

    [Fact]
    public async Task Of_two_who_edit_what_they_read_the_second_is_told()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var first = Edit(order, o => (o.Etag, o.Customer) = (order.Etag, new Contact { Name = "First" }), "customer.name");
        var second = Edit(order, o => (o.Etag, o.Customer) = (order.Etag, new Contact { Name = "Second" }), "customer.name");
        var answer = await Service.Orders.UpdateOrderAsync(first);
        await Refusal.Is("ETAG_MISMATCH", Service.Orders.UpdateOrderAsync(second));
        // The first again: it has its answer, although its etag is of before.
        Assert.Equal(answer, await Service.Orders.UpdateOrderAsync(first));
        Assert.Equal("First", (await Service.OrderWith(order.OrderId)).Customer.Name);
    }

    [Fact]
    public async Task Nothing_is_changed_once_a_parcel_was_handed_over()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        await using var payments = await Service.Other("payments");
        await using var shipments = await Service.Other("shipments");
        var (shipment, now) = (Guid.NewGuid().ToString("N"), TimeProvider.System.GetUtcNow());
        await payments.Tell(new PaymentCaptured(order.OrderId, "main", 1, now, new Commerce.Money(2000, "EUR")));
        await shipments.Tell(
            new ShipmentCreated(shipment, order.OrderId, "main", 1, now, [new ShipmentLineFact(1, 2)]),
            new LabelBought(shipment, order.OrderId, "main", 2, now, "ups", "ground", "1Z999", new Commerce.Money(500, "EUR"), null),
            new ParcelTracked(shipment, order.OrderId, "main", 3, now, "ups", "1Z999", "IN_TRANSIT", "PRE_TRANSIT", ["IN_TRANSIT"], now, 1));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).FulfilmentState == FulfilmentState.Shipped);
        await Refusal.Is("ORDER_STATE", Service.Orders.UpdateOrderAsync(Edit(order, o => o.ShippingAddress = Elsewhere, "shipping_address")));
        Assert.Equal(order.ShippingAddress, (await Service.OrderWith(order.OrderId)).ShippingAddress);
    }

    [Fact]
    public async Task A_parcel_that_goes_to_another_address_has_no_label_until_it_has_the_new_one()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var (shipment, now) = (Guid.NewGuid().ToString("N"), TimeProvider.System.GetUtcNow());
        await using var shipments = await Service.Other("shipments");
        await shipments.Tell(new ShipmentCreated(shipment, order.OrderId, "main", 1, now, [new ShipmentLineFact(1, 2)]));
        await shipments.Tell(new LabelBought(shipment, order.OrderId, "main", 2, now, "ups", "ground", "1Z1", new Commerce.Money(500, "EUR"), null));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).Parcels is [{ TrackingNumber: "1Z1" }]);
        await shipments.Tell(new ShipmentReaddressed(shipment, order.OrderId, "main", 3, now, "1Z1"));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).Parcels is [{ TrackingNumber: "", Carrier: "" }]);
        await shipments.Tell(new LabelBought(shipment, order.OrderId, "main", 4, now, "ups", "ground", "1Z2", new Commerce.Money(500, "EUR"), null));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).Parcels is [{ TrackingNumber: "1Z2" }]);
    }

    [Fact]
    public async Task Over_REST_it_is_a_PATCH_of_the_order()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        using var body = new StringContent(
            """{"order": {"customer": {"name": "Ada Byron"}}, "updateMask": "customer.name", "requestId": "rest-1"}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await Service.Rest.PatchAsync(new Uri($"/v1/{order.Name}", UriKind.Relative), body);
        Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("Ada Byron", (await Service.OrderWith(order.OrderId)).Customer.Name);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_named()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var (_, _, fields, _) = await Refusal.Of(Service.Orders.UpdateOrderAsync(Edit(
            order, o => (o.Etag, o.ShippingAddress) = (new string('x', 41), new PostalAddress { RegionCode = "ZZZ" }), "total", "customer.name", "shipping_address")));
        Assert.Equal(
            ["order.customer", "order.etag", "order.shipping_address.address_lines", "order.shipping_address.region_code", "update_mask"],
            fields.Keys.Where(f => !f.EndsWith("postal_code", StringComparison.Ordinal) && !f.EndsWith("locality", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

        var (_, _, unreachable, _) = await Refusal.Of(Service.Orders.UpdateOrderAsync(Edit(order, o => o.Customer = new Contact(), "customer.email", "customer.phone")));
        Assert.Equal(["order.customer.email"], unreachable.Keys);
        await Refusal.Is("INVALID_FIELD", Service.Orders.UpdateOrderAsync(Edit(order, _ => { })));
        Assert.Equal(order, await Service.OrderWith(order.OrderId));
    }

    private static UpdateOrderRequest Edit(V1.Order order, Action<V1.Order> change, params string[] mask)
    {
        var wanted = new V1.Order { Name = order.Name };
        change(wanted);
        return new UpdateOrderRequest { Order = wanted, UpdateMask = new FieldMask { Paths = { mask } }, RequestId = Guid.NewGuid().ToString() };
    }
}
