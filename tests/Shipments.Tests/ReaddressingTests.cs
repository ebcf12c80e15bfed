using Commerce.Shipments.V1;
using Commerce.Testing;
using Kind = Commerce.Shipments.V1.ShipmentException.Types.Kind;

namespace Commerce.Shipments.Tests;

/// <summary>An order's address changes while its parcel is planned, bought, labelled or gone.</summary>
public sealed class ReaddressingTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>, IDisposable
{
    private const string NewLine = "Rua Nova 9";

    private readonly ShipmentsApp _app = fixture.Required;

    public void Dispose()
    {
        (_app.Ups.HasParcels, _app.Ups.Serves, _app.Dhl.Serves) = (false, true, true);
        _app.Ups.BeforeLabel = () => Task.CompletedTask;
    }

    [Fact]
    public async Task A_parcel_with_a_label_gets_another_one_and_the_first_is_void()
    {
        var order = _app.Orders.Add("a");
        var before = Assert.Single(await _app.Ship(order));

        await _app.Edit(_app.Orders.Readdress(order, NewLine));

        var after = await _app.Parcel(before, one => one.TrackingNumber.Length > 0 && one.TrackingNumber != before.TrackingNumber);
        Assert.Equal([NewLine], after.ShipTo.AddressLines);
        Assert.Equal(
            [("ShipmentCreated", 1), ("LabelBought", 2), ("ShipmentReaddressed", 3), ("LabelBought", 4)], await _app.Facts(before.ShipmentId));
        Assert.Single(_app.Ups.Voided, label => label.Contains(before.ShipmentId, StringComparison.Ordinal));
        Assert.Equal(2, _app.Ups.Labels.Count(label => label.Id.Contains(before.ShipmentId, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_parcel_without_a_label_is_readdressed_at_once()
    {
        (_app.Ups.Serves, _app.Dhl.Serves) = (false, false);
        var order = _app.Orders.Add("a");
        await _app.Confirm(order);
        var planned = Assert.Single(await _app.Parcels(order, all => all.Count == 1));

        await _app.Edit(_app.Orders.Readdress(order, NewLine));

        await _app.Parcel(planned, one => one.ShipTo.AddressLines.Contains(NewLine));
        (_app.Ups.Serves, _app.Dhl.Serves) = (true, true);
        await _app.Parcel(planned, one => one.TrackingNumber.Length > 0);
        Assert.DoesNotContain(_app.Ups.Voided, label => label.Contains(planned.ShipmentId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_label_that_is_being_bought_meanwhile_is_bought_to_its_end_and_voided()
    {
        var asked = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        _app.Ups.BeforeLabel = () =>
        {
            asked.TrySetResult();
            return go.Task;
        };
        var order = _app.Orders.Add("a");
        await _app.Confirm(order);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await _app.Edit(_app.Orders.Readdress(order, NewLine));
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM shipments WHERE order_id = '{order.OrderId}' AND next_ship_to IS NOT NULL") == 1);
        _app.Ups.BeforeLabel = () => Task.CompletedTask;
        go.SetResult();

        var parcel = Assert.Single(await _app.Parcels(order, all => all.All(one => one.ShipTo.AddressLines.Contains(NewLine) && one.TrackingNumber.Length > 0)));
        Assert.Equal([("ShipmentCreated", 1), ("LabelBought", 2), ("ShipmentReaddressed", 3), ("LabelBought", 4)], await _app.Facts(parcel.ShipmentId));
        Assert.Single(_app.Ups.Voided, label => label.Contains(parcel.ShipmentId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task How_it_should_be_delivered_is_on_the_parcel_and_told_to_the_carrier_with_each_label()
    {
        var order = _app.Orders.Add("a");
        order.DeliveryWishes = new Types.V1.DeliveryWishes
        {
            LeaveAt = "with the neighbour",
            PreferredDay = new Google.Type.Date { Year = 2027, Month = 3, Day = 4 },
            WindowFrom = new Google.Type.TimeOfDay { Hours = 9 },
            WindowUntil = new Google.Type.TimeOfDay { Hours = 12, Minutes = 30 },
            GiftNote = "for you",
        };
        var before = Assert.Single(await _app.Ship(order));
        Assert.Equal(order.DeliveryWishes, before.DeliveryWishes);

        var changed = _app.Orders.Change(order, o => o.DeliveryWishes = new Types.V1.DeliveryWishes { SignatureWanted = true });
        await _app.Edit(changed, "delivery_wishes");
        var after = await _app.Parcel(before, one => one.TrackingNumber.Length > 0 && one.TrackingNumber != before.TrackingNumber);
        Assert.Equal((changed.DeliveryWishes, before.ShipTo), (after.DeliveryWishes, after.ShipTo));
        Assert.Equal(
            [new WishesRecord("with the neighbour", "2027-03-04", "09:00", "12:30", false, "for you"), new WishesRecord("", "", "", "", true, "")],
            _app.Ups.Wished.Where(told => told.ShipmentId == before.ShipmentId).Select(told => told.Wishes));
    }

    [Fact]
    public async Task A_parcel_that_the_carrier_has_keeps_its_address_and_shows_why()
    {
        _app.Ups.HasParcels = true;
        var order = _app.Orders.Add("a");
        var parcel = Assert.Single(await _app.Ship(order));

        await _app.Edit(_app.Orders.Readdress(order, NewLine));

        var stopped = await _app.Parcel(parcel, one => one.Exception is not null);
        Assert.Equal(Kind.AddressChangedTooLate, stopped.Exception.Kind);
        Assert.Equal(parcel.TrackingNumber, stopped.TrackingNumber);
        Assert.Equal(parcel.ShipTo, stopped.ShipTo);
    }

    [Fact]
    public async Task An_edit_that_is_heard_before_the_parcels_are_planned_counts()
    {
        var order = _app.Orders.Add("a");
        var changed = _app.Orders.Readdress(order, NewLine);
        await _app.Edit(changed);
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM edited_orders WHERE order_id = '{order.OrderId}'") == 1);
        // Planning reads an order that has not heard of the edit yet.
        _app.Orders.Forget(changed, order);
        await _app.Confirm(order);
        await _app.Parcels(order, all => all.Count == 1);
        _app.Orders.Forget(order, changed);

        var parcel = Assert.Single(await _app.Parcels(order, all => all.All(one => one.ShipTo.AddressLines.Contains(NewLine) && one.TrackingNumber.Length > 0)));
        Assert.Equal(TrackingStatus.PreTransit, parcel.Status);
    }

    [Fact]
    public async Task The_same_edit_heard_twice_changes_the_parcel_once()
    {
        var order = _app.Orders.Add("a");
        var before = Assert.Single(await _app.Ship(order));
        var changed = _app.Orders.Readdress(order, NewLine);

        await _app.Edit(changed);
        await _app.Edit(changed);

        var after = await _app.Parcel(before, one => one.TrackingNumber.Length > 0 && one.TrackingNumber != before.TrackingNumber);
        await Eventually.True(async () => await _app.Count("SELECT count(*) FROM messaging.recovery_points WHERE kind = 'readdress-shipments'") == 0);
        Assert.Equal(4, (await _app.Parcel(after)).Version);
    }
}
