using Commerce.Shipments.V1;
using Google.Type;
using Grpc.Core;
using Kind = Commerce.Shipments.V1.ShipmentException.Types.Kind;
using State = Commerce.Shipments.V1.DeliveryChange.Types.State;

namespace Commerce.Shipments.Tests;

public sealed class ChangingDeliveryTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>, IDisposable
{
    private readonly ShipmentsApp _app = fixture.Required;

    public void Dispose()
    {
        (_app.Ups.RefusesChanges, _app.Ups.Down, _app.Ups.Serves, _app.Dhl.Serves) = (null, false, true, true);
    }

    [Fact]
    public async Task Another_day_is_asked_of_the_carrier_and_kept_with_the_parcel()
    {
        var parcel = await OnItsWay();
        var request = Reschedule(parcel);
        var asked = await _app.Shipments.RescheduleDeliveryAsync(request);
        Assert.Equal(State.Requested, asked.DeliveryChange.State);
        var changed = await Decided(parcel);
        Assert.Equal(State.Accepted, changed.DeliveryChange.State);
        Assert.Equal(request.PreferredDay, changed.DeliveryWishes.PreferredDay);
        Assert.Equal(parcel.TrackingNumber, changed.TrackingNumber);
        // The same call again asks for nothing again.
        await _app.Shipments.RescheduleDeliveryAsync(request);
        var (labelId, to, elsewhere) = Assert.Single(_app.Ups.Changes, one => one.Key.StartsWith(parcel.ShipmentId, StringComparison.Ordinal)).Value;
        Assert.Equal((false, "09:00", "12:00"), (elsewhere, to.Wishes!.From, to.Wishes.Until));
        Assert.Contains(parcel.ShipmentId, labelId, StringComparison.Ordinal);
        var versions = (await _app.Facts(parcel.ShipmentId)).Select(told => told.Version).ToList();
        Assert.Equal(Enumerable.Range(1, versions.Count).Select(version => (long)version), versions);
    }

    [Fact]
    public async Task What_the_carrier_refuses_is_said_and_the_parcel_goes_on_as_before()
    {
        _app.Ups.RefusesChanges = "Not on Sundays.";
        var parcel = await OnItsWay();
        await _app.Shipments.RedirectDeliveryAsync(Redirect(parcel, one => one.PickupPoint = "SHOP-17"));
        var refused = await Decided(parcel);
        Assert.Equal((State.Refused, "Not on Sundays."), (refused.DeliveryChange.State, refused.DeliveryChange.Refusal));
        Assert.Equal(Kind.DeliveryChangeRefused, refused.Exception.Kind);
        Assert.Null(refused.DeliveryWishes);

        _app.Ups.RefusesChanges = null;
        await _app.Shipments.RedirectDeliveryAsync(Redirect(parcel, one => one.Neighbour = "Silva, no. 12"));
        var accepted = await _app.Parcel(parcel, one => one.DeliveryChange.State == State.Accepted);
        Assert.Equal("Silva, no. 12", accepted.DeliveryWishes.Neighbour);
        Assert.Null(accepted.Exception);
    }

    [Fact]
    public async Task Before_it_is_handed_over_another_address_gets_another_label()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        await _app.Shipments.RedirectDeliveryAsync(Redirect(parcel, one => one.ShipTo = Address("Rua Augusta 900")));
        var moved = await _app.Parcel(parcel, one => one.TrackingNumber.Length > 0 && one.TrackingNumber != parcel.TrackingNumber);
        Assert.Equal("Rua Augusta 900", Assert.Single(moved.ShipTo.AddressLines));
        Assert.Equal("Ana Souza", Assert.Single(moved.ShipTo.Recipients));
        Assert.Equal(State.Accepted, moved.DeliveryChange.State);
        Assert.Contains(_app.Ups.Voided, label => label.Contains(parcel.ShipmentId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task On_its_way_the_carrier_is_asked_for_another_address()
    {
        var parcel = await OnItsWay();
        await _app.Shipments.RedirectDeliveryAsync(Redirect(parcel, one => one.ShipTo = Address("Rua Augusta 900")));
        var moved = await Decided(parcel);
        Assert.Equal((State.Accepted, parcel.TrackingNumber), (moved.DeliveryChange.State, moved.TrackingNumber));
        Assert.Equal("Rua Augusta 900", Assert.Single(moved.ShipTo.AddressLines));
    }

    [Fact]
    public async Task Before_there_is_a_label_it_is_bought_as_is_wished()
    {
        (_app.Ups.Serves, _app.Dhl.Serves) = (false, false);
        var order = _app.Orders.Add("a");
        await _app.Confirm(order);
        var parcel = Assert.Single(await _app.Parcels(order, all => all is [{ Exception: not null }]));
        var changed = await _app.Shipments.RedirectDeliveryAsync(Redirect(parcel, one => one.LeaveAt = "porch"));
        Assert.Equal((State.Accepted, "porch"), (changed.DeliveryChange.State, changed.DeliveryWishes.LeaveAt));
        _app.Ups.Serves = true;
        await _app.Parcel(parcel, one => one.TrackingNumber.Length > 0);
        Assert.Contains(_app.Ups.Wished, one => one.ShipmentId == parcel.ShipmentId && one.Wishes?.LeaveAt == "porch");
    }

    [Fact]
    public async Task Once_it_is_out_for_delivery_or_delivered_it_is_too_late()
    {
        var parcel = await OnItsWay();
        foreach (var (code, hour, status) in new[] { ("O", 30, "OUT_FOR_DELIVERY"), ("D", 34, "DELIVERED") })
        {
            using var scan = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, code, hour));
            var late = await Assert.ThrowsAsync<RpcException>(async () => await _app.Shipments.RescheduleDeliveryAsync(Reschedule(parcel)));
            Assert.Equal("DELIVERY_CHANGE_TOO_LATE", late.Reason());
            Assert.Equal(status, late.Metadata("status"));
        }
    }

    [Fact]
    public async Task A_carrier_that_does_not_answer_is_asked_again_and_meanwhile_nothing_else_can_be_asked()
    {
        var parcel = await OnItsWay();
        _app.Ups.Down = true;
        await _app.Shipments.RescheduleDeliveryAsync(Reschedule(parcel));
        var pending = await Assert.ThrowsAsync<RpcException>(async () => await _app.Shipments.RedirectDeliveryAsync(Redirect(parcel, one => one.LeaveAt = "porch")));
        Assert.Equal("DELIVERY_CHANGE_PENDING", pending.Reason());
        _app.Ups.Down = false;
        Assert.Equal(State.Accepted, (await Decided(parcel)).DeliveryChange.State);
    }

    [Fact]
    public async Task What_is_wrong_with_a_wish_is_said_field_by_field()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        async Task<IReadOnlyList<string>> Wrong(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call)).Fields();

        Assert.Equal(["ship_to"], await Wrong(async () => await _app.Shipments.RedirectDeliveryAsync(Redirect(parcel, _ => { }))));
        Assert.Equal(["ship_to"], await Wrong(async () => await _app.Shipments.RedirectDeliveryAsync(Redirect(parcel, one => (one.LeaveAt, one.Neighbour) = ("porch", "Silva")))));
        Assert.Equal(["pickup_point"], await Wrong(async () => await _app.Shipments.RedirectDeliveryAsync(Redirect(parcel, one => one.PickupPoint = "^XA"))));
        Assert.Equal(["ship_to.region_code"], await Wrong(async () => await _app.Shipments.RedirectDeliveryAsync(Redirect(parcel, one =>
        {
            one.ShipTo = Address("Calle Mayor 1");
            one.ShipTo.RegionCode = "ES";
        }))));
        var request = Reschedule(parcel);
        (request.PreferredDay, request.RequestId, request.WindowUntil) = (new Date { Year = 2020, Month = 2, Day = 30 }, "", null);
        Assert.Equal(["request_id", "preferred_day", "window_until"], await Wrong(async () => await _app.Shipments.RescheduleDeliveryAsync(request)));
        request = Reschedule(parcel);
        request.PreferredDay.Year -= 1;
        Assert.Equal(["preferred_day"], await Wrong(async () => await _app.Shipments.RescheduleDeliveryAsync(request)));
    }

    [Fact]
    public async Task Who_signed_is_known_once_it_is_delivered_and_is_no_part_of_the_journey()
    {
        var parcel = await OnItsWay();
        var request = new GetProofOfDeliveryRequest { TrackingNumber = parcel.TrackingNumber };
        Assert.Equal("PROOF_OF_DELIVERY_NOT_FOUND", (await Assert.ThrowsAsync<RpcException>(async () => await _app.Tracking.GetProofOfDeliveryAsync(request))).Reason());
        var delivered = ShipmentsApp.Event(parcel.TrackingNumber, "D", 34)[..^1]
            + ""","proof_of_delivery":{"signed_by":"J. Souza","photo_reference":"photo_7","latitude":-23.5,"longitude":-46.6,"left_at":"front door"}}""";
        using var scan = await _app.Webhook("ups", delivered);
        var proof = await _app.Tracking.GetProofOfDeliveryAsync(request);
        Assert.Equal((parcel.Name, "J. Souza", "photo_7", -23.5, -46.6, "front door"), (proof.Shipment, proof.SignedBy, proof.PhotoReference, proof.Position.Latitude, proof.Position.Longitude, proof.LeftAt));
        Assert.DoesNotContain("Souza", (await _app.Tracking.GetTrackingAsync(new GetTrackingRequest { TrackingNumber = parcel.TrackingNumber })).Scans.ToString(), StringComparison.Ordinal);
        Assert.Equal("TRACKING_NOT_FOUND", (await Assert.ThrowsAsync<RpcException>(async () => await _app.Tracking.GetProofOfDeliveryAsync(new GetProofOfDeliveryRequest { TrackingNumber = "NOBODY1" }))).Reason());
    }

    [Theory]
    [InlineData("""{"signed_by":7,"latitude":"north","longitude":400}""", "7", false)]
    [InlineData("""{"photo_reference":"p","latitude":12.5}""", "", false)]
    public async Task A_proof_that_is_half_wrong_keeps_its_other_half(string json, string signedBy, bool position)
    {
        var parcel = await OnItsWay();
        using var scan = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "D", 34)[..^1] + $",\"proof_of_delivery\":{json}}}");
        var proof = await _app.Tracking.GetProofOfDeliveryAsync(new GetProofOfDeliveryRequest { TrackingNumber = parcel.TrackingNumber });
        Assert.Equal((signedBy, position), (proof.SignedBy, proof.Position is not null));
    }

    private async Task<V1.Shipment> OnItsWay()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        using var scan = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "P", 1));
        return await _app.Parcel(parcel, one => one.Status == TrackingStatus.PickedUp);
    }

    private Task<V1.Shipment> Decided(V1.Shipment parcel) => _app.Parcel(parcel, one => one.DeliveryChange is { State: not State.Requested });

    private static RescheduleDeliveryRequest Reschedule(V1.Shipment parcel)
    {
        var day = TimeProvider.System.GetUtcNow().AddDays(5);
        return new RescheduleDeliveryRequest
        {
            Name = parcel.Name,
            RequestId = Guid.NewGuid().ToString(),
            PreferredDay = new Date { Year = day.Year, Month = day.Month, Day = day.Day },
            WindowFrom = new TimeOfDay { Hours = 9 },
            WindowUntil = new TimeOfDay { Hours = 12 },
        };
    }

    private static RedirectDeliveryRequest Redirect(V1.Shipment parcel, Action<RedirectDeliveryRequest> set)
    {
        var request = new RedirectDeliveryRequest { Name = parcel.Name, RequestId = Guid.NewGuid().ToString() };
        set(request);
        return request;
    }

    private static PostalAddress Address(string line) => new() { AddressLines = { line }, Locality = "São Paulo", AdministrativeArea = "SP", PostalCode = "01304-001", RegionCode = "BR" };
}
