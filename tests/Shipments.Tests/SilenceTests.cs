using Commerce.Shipments.FollowingPaths;
using Commerce.Shipments.V1;
using Commerce.Shipments.WatchingSilence;
using Commerce.Testing;
using Npgsql;
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

    [Fact]
    public async Task How_much_silence_is_borne_is_learned_from_the_lane_and_said_with_what_to_do()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "I", 9));
        // A weekend of silence is none: this Monday-to-Friday carrier scans every 30 hours of work, now and then after 40.
        var monday = Today.AddDays(-14 - (((int)Today.DayOfWeek + 6) % 7));
        await Learn("ups", "L", Enumerable.Range(0, 120).Select(i => (monday.AddHours(i % 5 * 24).AddMinutes(i), TimeSpan.FromHours(i % 30 == 0 ? 40 : 30))));
        await Silent(parcel, TimeSpan.FromDays(28));

        var patience = await Patience(parcel);
        Assert.Equal((SilenceBasis.Lane, true, WaitStage.InTransit), (patience.Basis, patience.Working, patience.Stage));
        Assert.InRange(patience.Within.TotalHours, 40, 45);
        var message = (await _app.Parcel(parcel, one => one.Exception?.Message.Contains("99", StringComparison.Ordinal) == true)).Exception.Message;
        Assert.Matches("Of 100 parcels of ups in transit on this lane 99 are scanned again within 4[0-9] h; nothing for [2-5][0-9]{2} h", message);
        Assert.Contains("It may be lost: claim it of the carrier", message, StringComparison.Ordinal);

        // A stage of which nothing is known has the fixed time.
        await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "O", 12));
        Assert.Equal(SilenceBasis.Fixed, (await Patience(parcel)).Basis);
    }

    [Fact]
    public async Task A_lane_that_nobody_knows_has_what_its_carrier_is_known_for_and_what_is_learned_anew_counts_more()
    {
        // Twenty weeks ago the carrier took five days; lately it takes one.
        await Learn("dhl", "OLD", Enumerable.Range(0, 60).Select(i => (Today.AddDays(-147).AddMinutes(i), TimeSpan.FromDays(7))), "PT");
        var old = await Patience("dhl", "PT");
        await Learn("dhl", "NEW", Enumerable.Range(0, 700).Select(i => (Today.AddDays(-7).AddMinutes(i), TimeSpan.FromHours(26))), "PT");
        var recent = await Patience("dhl", "PT");
        var elsewhere = await Patience("dhl", "ES");

        Assert.Equal(SilenceBasis.Fixed, old.Basis);
        Assert.Equal((SilenceBasis.Lane, SilenceBasis.Carrier), (recent.Basis, elsewhere.Basis));
        Assert.InRange(recent.Within.TotalHours, 1, 30);
        Assert.Equal(recent.Within, elsewhere.Within);
    }

    [Fact]
    public void Silence_that_is_borne_ends_after_so_much_working_time_wherever_the_weekend_lies()
    {
        // Friday 18:00 in São Paulo; 7 September is a holiday there.
        var friday = new DateTimeOffset(2026, 9, 4, 18, 0, 0, TimeSpan.FromHours(-3));
        var patience = new Patience(SilenceBasis.Lane, TimeSpan.FromHours(20), true, WaitStage.OutForDelivery, "BR", "SP");

        Assert.Equal(new DateTimeOffset(2026, 9, 8, 14, 0, 0, TimeSpan.FromHours(-3)), patience.EndsAt(friday));
        Assert.Equal(TimeSpan.FromHours(20), patience.Silence(friday, patience.EndsAt(friday)));
        Assert.Equal(friday.AddHours(20), (patience with { Working = false }).EndsAt(friday));
    }

    private static DateTimeOffset Today => new(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);

    private async Task<Patience> Patience(V1.Shipment parcel) =>
        await _app.Service<UsualSilence>().For((await _app.Service<Storage.ShipmentStore>().Find(Guid.Parse(parcel.ShipmentId), TestContext.Current.CancellationToken))!, TestContext.Current.CancellationToken);

    // Of a parcel in transit.
    private async Task<Patience> Patience(string carrier, string country)
    {
        var number = $"ASK{Guid.NewGuid():N}";
        await MadeParcels.Insert(_app.Database, [new MadeParcel(number, carrier, Today, [(TrackingStatus.InTransit, "", Today)])], country);
        var found = await _app.Service<Storage.ShipmentStore>().Select(Storage.ShipmentQuery.ByNumbers([number]), TestContext.Current.CancellationToken);
        return await _app.Service<UsualSilence>().For(Assert.Single(found).Shipment, TestContext.Current.CancellationToken);
    }

    // Parcels that were picked up at a time and scanned again after a while.
    private async Task Learn(string carrier, string prefix, IEnumerable<(DateTimeOffset At, TimeSpan Wait)> waits, string country = "BR")
    {
        await MadeParcels.Insert(
            _app.Database, [.. waits.Select((one, i) => new MadeParcel($"{prefix}{i}", carrier, one.At, [(TrackingStatus.PickedUp, "", one.At), (TrackingStatus.Delivered, "", one.At + one.Wait)]))], country);
        while (await _app.Service<FollowPaths>().Sweep(TestContext.Current.CancellationToken) > 0)
        {
        }

        await Eventually.True(async () => await _app.Count("SELECT count(*) FROM parcels_to_read") == 0);
    }

    // The last that was heard of it was so long ago; nobody has noticed yet.
    private async Task Silent(V1.Shipment parcel, TimeSpan silence)
    {
        await using var command = _app.Database.CreateCommand("UPDATE shipments SET last_scan_at = now() - $2, exception_kind = NULL, exception_message = NULL, exception_at = NULL, version = version + 1 WHERE id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Guid.Parse(parcel.ShipmentId) });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = silence });
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
