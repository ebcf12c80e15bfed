using Commerce.Shipments.V1;
using Commerce.Testing;
using Direction = Commerce.Shipments.V1.Shipment.Types.Direction;

namespace Commerce.Shipments.Tests;

/// <summary>Parcels that bring goods back.</summary>
public sealed class ReturnParcelTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>, IDisposable
{
    private readonly ShipmentsApp _app = fixture.Required;

    public void Dispose() => (_app.Ups.Down, _app.Ups.HasParcels, _app.Ups.Serves, _app.Dhl.Serves) = (false, false, true, true);

    [Fact]
    public async Task An_approved_return_gets_a_label_from_the_shopper_to_where_the_goods_came_from()
    {
        var order = _app.Orders.Add("a", "b");
        var outgoing = await _app.Ship(order);
        await _app.Approve(_app.Returns.Add(order));
        var back = await Back(order, all => all.Count == 2 && all.All(one => one.TrackingNumber.Length > 0));

        Assert.Equal(["a", "b"], back.Select(one => one.Lines.Single().LineNumber == 1 ? "a" : "b").Order());
        Assert.All(back, one =>
        {
            Assert.Equal(("01310-100", "São Paulo"), (one.ShipFrom.PostalCode, one.ShipFrom.Locality));
            Assert.Equal(("07750", "Return " + order.OrderId + "-R1"), (one.ShipTo.PostalCode, Assert.Single(one.ShipTo.AddressLines)));
            Assert.Equal($"orders/{order.OrderId}/returns/1", one.Return);
            Assert.Equal(1, one.Lines.Single().Quantity);
        });
        Assert.Equal(back[0], await _app.Tracking.GetTrackingAsync(new GetTrackingRequest { TrackingNumber = back[0].TrackingNumber }));
        Assert.Equal([("ShipmentCreated", 1), ("LabelBought", 2)], await _app.Facts(back[0].ShipmentId));
        Assert.Equal(2, await _app.Count($$"""SELECT count(*) FROM told WHERE key = '{{back[0].ShipmentId}}' AND body LIKE '%"returnNumber":1%'"""));

        // What went to the shopper is what it was.
        Assert.Equal(outgoing.Select(one => one.Stored()), (await _app.Parcels(order)).Where(one => one.Direction == Direction.Outgoing).Select(one => one.Stored()));
        Assert.All(outgoing, one => Assert.Equal("", one.Return));
    }

    [Fact]
    public async Task An_approval_that_comes_twice_makes_one_label_and_a_second_return_another()
    {
        var order = _app.Orders.Add("a");
        await _app.Ship(order);
        var one = _app.Returns.Add(order);
        await _app.Approve(one);
        await _app.Approve(one);
        await _app.Approve(_app.Returns.Add(order, 2));
        var back = await Back(order, all => all.Count == 2 && all.All(parcel => parcel.TrackingNumber.Length > 0));
        Assert.Equal(["1", "2"], back.Select(parcel => parcel.Return[^1..]).Order());
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM messaging.recovery_points WHERE kind = 'plan-return' AND key LIKE '{order.OrderId}%'") == 0);
        Assert.Equal(2, (await Back(order)).Count);
    }

    [Fact]
    public async Task Where_no_label_is_wanted_none_is_bought()
    {
        var order = _app.Orders.Add("a");
        await _app.Ship(order);
        await _app.Approve(_app.Returns.Add(order, labelWanted: false));
        await _app.Approve(_app.Returns.Add(order, 2));
        await Back(order, all => all.Count == 1);
        Assert.Equal($"orders/{order.OrderId}/returns/2", (await Back(order))[0].Return);
    }

    [Fact]
    public async Task A_return_that_is_cancelled_has_its_label_voided_and_the_orders_own_stays()
    {
        var order = _app.Orders.Add("a");
        var outgoing = Assert.Single(await _app.Ship(order));
        var one = _app.Returns.Add(order);
        await _app.Approve(one);
        var back = Assert.Single(await Back(order, all => all is [{ TrackingNumber.Length: > 0 }]));
        await _app.Cancel(one);
        await _app.Parcel(back, parcel => parcel.Status == TrackingStatus.Cancelled);
        Assert.Contains(_app.Ups.Voided, label => label.Contains(back.ShipmentId, StringComparison.Ordinal));
        Assert.Equal(outgoing.Stored(), (await _app.Parcel(outgoing)).Stored());
    }

    [Fact]
    public async Task A_label_that_nobody_used_is_void_once_the_goods_are_there_and_a_parcel_on_its_way_stays_what_it_is()
    {
        var order = _app.Orders.Add("a", "b");
        await _app.Ship(order);
        var one = _app.Returns.Add(order);
        await _app.Approve(one);
        var back = await Back(order, all => all.Count == 2 && all.All(parcel => parcel.TrackingNumber.Length > 0));
        using var answer = await _app.Webhook(back[0].Carrier, ShipmentsApp.Event(back[0].TrackingNumber, "I", 5));
        answer.EnsureSuccessStatusCode();
        var arrived = await _app.Parcel(back[0], parcel => parcel.Status == TrackingStatus.InTransit);
        await _app.Receive(one);
        await _app.Parcel(back[1], parcel => parcel.Status == TrackingStatus.Cancelled);
        // It is one of one now; nothing else has changed.
        arrived.Pieces = 1;
        Assert.Equal(arrived, await _app.Parcel(back[0]));
        Assert.DoesNotContain(_app.Ups.Voided, label => label.Contains(back[0].ShipmentId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cancellation_that_is_heard_before_the_approval_is_remembered()
    {
        var order = _app.Orders.Add("a");
        await _app.Ship(order);
        var one = _app.Returns.Add(order);
        await _app.Cancel(one);
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM cancelled_returns WHERE order_id = '{order.OrderId}'") == 1);
        await _app.Approve(one);
        await Eventually.True(async () => await _app.Count("SELECT count(*) FROM messaging.inbox") >= 3);
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM messaging.recovery_points WHERE kind = 'plan-return' AND key LIKE '{order.OrderId}%'") == 0);
        Assert.Empty(await Back(order));
    }

    [Fact]
    public async Task An_order_that_goes_to_another_address_leaves_its_return_parcels_alone()
    {
        var order = _app.Orders.Add("a");
        var outgoing = Assert.Single(await _app.Ship(order));
        await _app.Approve(_app.Returns.Add(order));
        var back = Assert.Single(await Back(order, all => all is [{ TrackingNumber.Length: > 0 }]));
        await _app.Edit(_app.Orders.Readdress(order, "Rua Nova 9"));
        await _app.Parcel(outgoing, one => one.TrackingNumber.Length > 0 && one.TrackingNumber != outgoing.TrackingNumber);
        Assert.Equal(back, await _app.Parcel(back));
    }

    [Fact]
    public async Task A_return_label_that_nobody_has_used_yet_is_no_silence()
    {
        var order = _app.Orders.Add("a");
        var outgoing = Assert.Single(await _app.Ship(order));
        await _app.Approve(_app.Returns.Add(order));
        var back = Assert.Single(await Back(order, all => all is [{ TrackingNumber.Length: > 0 }]));
        await _app.Parcel(outgoing, one => one.Exception?.Kind == ShipmentException.Types.Kind.Silent);
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM messaging.recovery_points WHERE kind = 'watch-silence' AND key = '{back.ShipmentId}' AND last_error = 'not handed in yet'") == 1);
        Assert.Null((await _app.Parcel(back)).Exception);
    }

    [Fact]
    public async Task A_return_parcels_scans_are_told_as_the_returns()
    {
        var order = _app.Orders.Add("a");
        await _app.Ship(order);
        await _app.Approve(_app.Returns.Add(order));
        var back = Assert.Single(await Back(order, all => all is [{ TrackingNumber.Length: > 0 }]));
        using var answer = await _app.Webhook(back.Carrier, ShipmentsApp.Event(back.TrackingNumber, "D", 5));
        answer.EnsureSuccessStatusCode();
        await Eventually.True(async () => await _app.Count($$"""SELECT count(*) FROM told WHERE key = '{{back.ShipmentId}}' AND fact = 'ParcelTracked' AND body LIKE '%"returnNumber":1%'""") == 1);
    }

    private async Task<IReadOnlyList<V1.Shipment>> Back(Commerce.Orders.V1.Order order) =>
        [.. (await _app.Parcels(order)).Where(one => one.Direction == Direction.Return)];

    private Task<IReadOnlyList<V1.Shipment>> Back(Commerce.Orders.V1.Order order, Func<IReadOnlyList<V1.Shipment>, bool> accept) =>
        Eventually.Value(() => Back(order), accept);
}
