using Commerce.Shipments.V1;
using Commerce.Testing;
using Kind = Commerce.Shipments.V1.ShipmentException.Types.Kind;

namespace Commerce.Shipments.Tests;

public sealed class SilenceTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task A_silent_carrier_is_asked_then_shown_and_the_next_scan_clears_it()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));

        var silent = await _app.Parcel(parcel, one => one.Exception is not null);
        Assert.Equal(Kind.Silent, silent.Exception.Kind);
        Assert.True(_app.Ups.Polls > 0);

        using var scan = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "D", 9));
        var heard = await _app.Parcel(parcel);
        Assert.Null(heard.Exception);
        Assert.Equal(TrackingStatus.Delivered, heard.Status);
        // Delivered is over: nobody watches it any more.
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM messaging.recovery_points WHERE key = '{parcel.ShipmentId}'") == 0);
    }

    [Fact]
    public async Task What_only_a_poll_tells_is_learned()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        _app.Ups.Events[parcel.TrackingNumber] = ShipmentsApp.Event(parcel.TrackingNumber, "P", 1) + "," + ShipmentsApp.Event("SOMEBODYELSES", "D", 2);

        var polled = await _app.Parcel(parcel, one => one.Scans.Count > 0);

        Assert.Equal(TrackingStatus.PickedUp, polled.Status);
        Assert.Equal("poll", Assert.Single(polled.Scans).Source);
        using var twin = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "P", 1));
        Assert.Single((await _app.Parcel(parcel)).Scans);
    }
}
