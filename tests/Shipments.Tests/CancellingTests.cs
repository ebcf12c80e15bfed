using Commerce.Shipments.Carriers;
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
        _app.Ups.Refund = null;
    }

    [Fact]
    public async Task A_refund_that_is_decided_later_is_asked_for_until_it_is_granted()
    {
        _app.Ups.Refund = RefundDecision.Open;
        var parcel = await Cancelled();
        var before = _app.Ups.RefundsAskedFor;
        await Eventually.True(() => _app.Ups.RefundsAskedFor >= before + 3);
        _app.Ups.Down = true;
        before = _app.Ups.RefundsAskedFor;
        await Eventually.True(() => _app.Ups.RefundsAskedFor >= before + 2);
        Assert.Equal(1, await Refunds(parcel));

        (_app.Ups.Down, _app.Ups.Refund) = (false, RefundDecision.Refunded);

        await Eventually.True(async () => await Refunds(parcel) == 0);
        Assert.Null((await _app.Parcel(parcel)).Exception);
    }

    [Fact]
    public async Task A_refund_that_stays_rejected_is_asked_for_thrice_more_and_then_shown_to_somebody()
    {
        _app.Ups.Refund = RefundDecision.Rejected;
        var voids = _app.Ups.Voids;
        var parcel = await Cancelled();

        var shown = await _app.Parcel(parcel, one => one.Exception is not null);

        Assert.Equal((Kind.RefundNotGranted, TrackingStatus.Cancelled), (shown.Exception.Kind, shown.Status));
        Assert.Contains("ups rejects the refund of the voided label", shown.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("10.00 BRL", shown.Exception.Message, StringComparison.Ordinal);
        Assert.Equal(voids + 4, _app.Ups.Voids);
        Assert.Equal(0, await Refunds(parcel));
        var listed = await _app.Exceptions.ListExceptionsAsync(new ListExceptionsRequest { StoreId = "main", PageSize = 500 });
        var report = Assert.Single(listed.Exceptions, one => one.Shipment == parcel.Name);
        Assert.Equal([ResolutionAction.Dismiss], report.ProposedActions);
        await _app.Exceptions.ResolveExceptionAsync(new ResolveExceptionRequest { Name = parcel.Name, RequestId = Guid.NewGuid().ToString(), Action = ResolutionAction.Dismiss });
        Assert.Null((await _app.Parcel(parcel)).Exception);
    }

    [Fact]
    public async Task A_refund_that_is_never_decided_is_shown_to_somebody_in_the_end()
    {
        _app.Ups.Refund = RefundDecision.Open;
        var parcel = await Cancelled();
        await Eventually.True(async () => await Refunds(parcel) == 1);

        await _app.Database.CreateCommand(
            $"UPDATE messaging.recovery_points SET payload = jsonb_set(payload::jsonb, '{{voidedAt}}', '\"2020-01-01T00:00:00Z\"')::text WHERE kind = 'follow-refund' AND key LIKE '{parcel.ShipmentId}/%'").ExecuteNonQueryAsync();

        var shown = await _app.Parcel(parcel, one => one.Exception is not null);
        Assert.Equal(Kind.RefundNotGranted, shown.Exception.Kind);
        Assert.Contains("has not decided", shown.Exception.Message, StringComparison.Ordinal);
    }

    private async Task<V1.Shipment> Cancelled()
    {
        var order = _app.Orders.Add("a");
        var parcel = Assert.Single(await _app.Ship(order));
        await _app.Cancel(order);
        return await _app.Parcel(parcel, one => one.Status == TrackingStatus.Cancelled);
    }

    private Task<long> Refunds(V1.Shipment parcel) =>
        _app.Count($"SELECT count(*) FROM messaging.recovery_points WHERE kind = 'follow-refund' AND key LIKE '{parcel.ShipmentId}/%'");

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
        // Between label and cancellation the watch may have found the carrier silent, where this took long.
        var facts = (await _app.Facts(cancelled[0].ShipmentId)).Select(told => told.Fact).Where(fact => fact != "ShipmentExceptionChanged");
        Assert.Equal(["ShipmentCreated", "LabelBought", "ShipmentCancelled"], facts);
        // The watch ends itself when it is due.
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM messaging.recovery_points WHERE key = '{cancelled[0].ShipmentId}'") == 0);
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
