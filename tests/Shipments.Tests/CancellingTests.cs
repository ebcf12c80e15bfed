using Commerce.Shipments.V1;
using Commerce.Testing;
using Kind = Commerce.Shipments.V1.ShipmentException.Types.Kind;

namespace Commerce.Shipments.Tests;

public sealed class CancellingTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>, IDisposable
{
    private readonly ShipmentsApp _app = fixture.Required;

    public void Dispose()
    {
        (_app.Ups.HasParcels, _app.Ups.Down, _app.Ups.Serves, _app.Dhl.Serves) = (false, false, true, true);
        _app.Ups.BeforeLabel = () => Task.CompletedTask;
    }

    [Fact]
    public async Task A_cancellation_that_is_heard_before_the_confirmation_is_remembered()
    {
        var order = _app.Orders.Add("a");
        await _app.Cancel(order);
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM cancelled_orders WHERE order_id = '{order.OrderId}'") == 1);

        await _app.Confirm(order);
        await Eventually.True(async () => await _app.Count("SELECT count(*) FROM messaging.inbox") >= 2);
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM messaging.recovery_points WHERE key = '{order.OrderId}'") == 0);

        Assert.Empty(await _app.Parcels(order));
    }

    [Fact]
    public async Task A_label_that_was_bought_is_voided()
    {
        var order = _app.Orders.Add("a", "b");
        var parcels = await _app.Ship(order);

        await _app.Cancel(order);

        var cancelled = await _app.Parcels(order, all => all.All(one => one.Status == TrackingStatus.Cancelled));
        Assert.All(parcels, one => Assert.Contains(_app.Ups.Voided, label => label.Contains(one.ShipmentId, StringComparison.Ordinal)));
        Assert.Equal([("ShipmentCreated", 1), ("LabelBought", 2), ("ShipmentCancelled", 3)], await _app.Facts(cancelled[0].ShipmentId));
        // Its watch is still set, and ends itself when it is due.
        await Eventually.True(async () => await _app.Count(
            $"SELECT count(*) FROM messaging.recovery_points WHERE key = '{cancelled[0].ShipmentId}' AND kind <> 'watch-silence'") == 0);
    }

    [Fact]
    public async Task A_voided_parcel_stays_cancelled_when_the_announcement_of_its_label_comes_late()
    {
        var order = _app.Orders.Add("a");
        var parcel = Assert.Single(await _app.Ship(order));
        await _app.Cancel(order);
        await _app.Parcel(parcel, one => one.Status == TrackingStatus.Cancelled);

        using var late = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "M", 1));

        Assert.Equal(TrackingStatus.Cancelled, (await _app.Parcel(parcel)).Status);
    }

    [Fact]
    public async Task A_parcel_that_the_carrier_has_goes_on_and_is_shown()
    {
        _app.Ups.HasParcels = true;
        var order = _app.Orders.Add("a");
        var parcel = Assert.Single(await _app.Ship(order));

        await _app.Cancel(order);

        var stopped = await _app.Parcel(parcel, one => one.Exception is not null);
        Assert.Equal(Kind.CancelledInTransit, stopped.Exception.Kind);
        using var held = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "RS", 5));
        var returning = await _app.Parcel(parcel, one => one.Status == TrackingStatus.ReturnToSender);
        Assert.Equal(Kind.CancelledInTransit, returning.Exception.Kind);
    }

    [Fact]
    public async Task Nothing_is_bought_for_an_order_cancelled_before_its_label()
    {
        (_app.Ups.Serves, _app.Dhl.Serves) = (false, false);
        var order = _app.Orders.Add("a");
        await _app.Confirm(order);
        var parcel = Assert.Single(await _app.Parcels(order, all => all.Count == 1));

        await _app.Cancel(order);

        await _app.Parcel(parcel, one => one.Status == TrackingStatus.Cancelled);
        (_app.Ups.Serves, _app.Dhl.Serves) = (true, true);
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM messaging.recovery_points WHERE key = '{parcel.ShipmentId}'") == 0);
        Assert.DoesNotContain(_app.Ups.Labels, label => label.Id.Contains(parcel.ShipmentId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_label_that_is_being_bought_while_the_order_is_cancelled_is_bought_once_and_voided()
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

        await _app.Cancel(order);
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM shipments WHERE order_id = '{order.OrderId}' AND cancel_requested") == 1);
        go.SetResult();

        var parcel = Assert.Single(await _app.Parcels(order, all => all.All(one => one.Status == TrackingStatus.Cancelled)));
        var label = Assert.Single(_app.Ups.Labels, label => label.Id.Contains(parcel.ShipmentId, StringComparison.Ordinal));
        Assert.Contains(label.Id, _app.Ups.Voided);
    }
}
