using Commerce.Shipments.FollowingPaths;
using Commerce.Shipments.V1;
using Commerce.Testing;
using CsCheck;

namespace Commerce.Shipments.Tests;

/// <summary>What a parcel's scans tell of its carrier.</summary>
public sealed class PathTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private static readonly DateTimeOffset Monday = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    private static readonly FollowedParcel Parcel = new(Guid.NewGuid(), "ups", "BR-SP", "BR-RJ", "BR", "RJ", Monday, IsReturn: false, IsOver: false);

    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public void The_same_scans_tell_the_same_whatever_their_order_and_however_often_they_came()
    {
        TrackingStatus[] statuses = [TrackingStatus.PreTransit, TrackingStatus.PickedUp, TrackingStatus.InTransit, TrackingStatus.OutForDelivery, TrackingStatus.Delivered, TrackingStatus.OnHold, TrackingStatus.Unknown];
        string[] towns = ["Cajamar", "CAJAMAR", "Rio de Janeiro", "São Paulo", ""];
        var scan = Gen.Select(Gen.Int[0, statuses.Length - 1], Gen.Int[0, 400], Gen.Int[0, towns.Length - 1]).Select((status, hour, town) => Scan(statuses[status], hour, towns[town]));
        Gen.Select(scan.Array[0, 12], Gen.Int[0, 1 << 20]).Sample((scans, seed) =>
        {
            var shuffled = scans.Concat(scans.Where((_, i) => (seed >> i & 1) == 1)).OrderBy(one => HashCode.Combine(one.Id, seed)).ToList();
            var (one, other) = (ParcelPath.Of(Parcel, scans), ParcelPath.Of(Parcel, shuffled));
            Assert.Equal(one.Path.Gaps, other.Path.Gaps);
            Assert.Equal(one.Path.Passages, other.Path.Passages);
            Assert.Equal(one.Now, other.Now);
            // No parcel stays anywhere, or is anywhere, where no scan was.
            Assert.All(one.Path.Passages, passage => Assert.Contains(scans, known => PlaceKey.Of(known.Place) == passage.Place));
        });
    }

    [Fact]
    public void A_stay_ends_with_the_scan_with_which_the_parcel_leaves_and_a_leg_with_the_first_at_the_next_place()
    {
        var (path, now, names) = ParcelPath.Of(Parcel, [
            Scan(TrackingStatus.PreTransit, 0, "Osasco"), Scan(TrackingStatus.PickedUp, 4, "Cajamar"), Scan(TrackingStatus.InTransit, 10, "CAJAMAR"),
            Scan(TrackingStatus.InTransit, 22, "Rio de Janeiro"), Scan(TrackingStatus.OutForDelivery, 24, ""), Scan(TrackingStatus.DeliveryFailed, 30, "Rio de Janeiro")]);

        Assert.Equal(
            [(PassageKind.Stay, "", 6.0), (PassageKind.Leg, "BR//rio de janeiro", 12), (PassageKind.Passing, "", 18), (PassageKind.Stay, "", 2), (PassageKind.Passing, "", 2)],
            path.Passages.Select(one => (one.Kind, one.Next, Math.Round(Promising.Waiting.Durations.MiddleOf(one.Cell).TotalHours / 2) * 2)));
        // Nobody is at a place with a label, and it is back in the depot since the attempt failed.
        Assert.Equal(("BR//rio de janeiro", Monday.AddHours(30)), now);
        Assert.Equal(["BR//cajamar", "BR//rio de janeiro"], names.Keys.Order());
        Assert.Equal([WaitStage.Label, WaitStage.InTransit, WaitStage.InTransit, WaitStage.InTransit, WaitStage.OutForDelivery], path.Gaps.Select(gap => gap.Stage));
    }

    [Fact]
    public async Task Late_doubled_and_reordered_webhooks_leave_the_sums_that_tidy_ones_leave()
    {
        var start = TimeProvider.System.GetUtcNow().AddDays(-6);
        string[] codes = ["P", "I", "I", "O", "D"];
        var tidy = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        foreach (var i in Enumerable.Range(0, codes.Length))
            await _app.Webhook("ups", Event(tidy.TrackingNumber, i));
        await Read();
        var once = await Sums();
        Assert.True(once.Length > 3, $"Only {once.Length} sums.");

        var untidy = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        foreach (var i in (int[])[3, 0, 4, 4, 2, 0])
        {
            await _app.Webhook("ups", Event(untidy.TrackingNumber, i));
            await Read();
        }

        await _app.Webhook("ups", Event(untidy.TrackingNumber, 1), Event(untidy.TrackingNumber, 2));
        await Read();
        // The wait for the first scan began when each was planned: the same cell, but for chance.
        Assert.Equal(once.Select(row => (row.Key, row.Count * 2)), (await Sums()).Select(row => (row.Key, row.Count)));
        Assert.Equal(0, await _app.Count("SELECT count(*) FROM parcel_paths WHERE place IS NOT NULL"));

        string Event(string number, int i) =>
            $$$"""{"event_id":"{{{Guid.NewGuid()}}}","tracking_number":"{{{number}}}","code":"{{{codes[i]}}}","description":"step {{{i}}}","occurred_at":"{{{start.AddHours(9 * i):yyyy-MM-ddTHH:mm:sszzz}}}","location":{"city":"{{{(i < 2 ? "Cajamar" : "Rio")}}}","country_code":"BR"}}""";

        async Task Read()
        {
            await _app.Service<FollowPaths>().Sweep(TestContext.Current.CancellationToken);
            await Eventually.True(async () => await _app.Count("SELECT count(*) FROM parcels_to_read") == 0);
        }
    }

    private async Task<(string Key, long Count)[]> Sums()
    {
        await using var command = _app.Database.CreateCommand(
            """
            SELECT concat_ws('|', 'g', carrier, stage, lane_from, lane_to, week), duration_count(counts)::bigint FROM scan_gaps WHERE duration_count(counts) > 0
            UNION ALL SELECT concat_ws('|', 'p', carrier, kind, place, next_place, day, median, high), parcels FROM place_days WHERE parcels > 0 ORDER BY 1
            """);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var sums = new List<(string, long)>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            sums.Add((reader.GetString(0), reader.GetInt64(1)));
        return [.. sums];
    }

    private static Commerce.Tracking.Scan Scan(TrackingStatus status, int hour, string town)
    {
        var at = Monday.AddHours(hour);
        return new Commerce.Tracking.Scan(
            Commerce.Tracking.Scan.IdOf($"{status}", $"{hour}", town), status, StatusReason.Types.Party.Unspecified, "", false, "", "", at, "", new PlaceRecord("", town, "", "", town.Length > 0 ? "BR" : ""), "webhook", at);
    }
}
