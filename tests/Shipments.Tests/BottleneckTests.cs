using System.Globalization;
using Commerce.ServiceDefaults;
using Commerce.Shipments.FollowingPaths;
using Commerce.Shipments.V1;
using Commerce.Testing;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kind = Commerce.Shipments.V1.Bottleneck.Types.Kind;

namespace Commerce.Shipments.Tests;

/// <summary>Where parcels stay or take longer than they used to.</summary>
public sealed class BottleneckTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private static readonly DateTimeOffset Today = new(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);

    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task A_hub_at_which_parcels_pile_up_and_one_that_became_slow_come_out_with_their_parcels()
    {
        var parcels = new List<MadeParcel>();
        // Four weeks in which each hub takes about four hours, more at weekends, and three days in which Slowtown takes twenty.
        for (var day = 31; day >= 1; day--)
        {
            for (var i = 0; i < 5; i++)
            {
                var start = Today.AddDays(-day).AddMinutes(37 * i);
                Through("Goodtown", start, Hours(4 + (i * 0.3) + (day % 7 == 0 ? 2 : 0)));
                Through("Slowtown", start, Hours(day <= 3 ? 15 + i : 4 + (i * 0.3)));
                Through("Stucktown", start.AddHours(-8), Hours(4 + (i * 0.3)));
            }
        }

        // What arrived at Stucktown a day ago is there still.
        foreach (var i in Enumerable.Range(0, 12))
            parcels.Add(new MadeParcel($"STUCK{i}", "posty", Today.AddDays(-2), [(TrackingStatus.PickedUp, "Depot", Today.AddDays(-1.5)), (TrackingStatus.InTransit, "Stucktown", Today.AddDays(-1).AddMinutes(i))]));
        await MadeParcels.Insert(_app.Database, parcels);
        await ReadAll();

        var found = await _app.Carriers.GetBottlenecksAsync(new GetBottlenecksRequest { Carrier = "posty", MaxParcels = 100, EndTime = Timestamp.FromDateTimeOffset(Today.AddHours(1)), StartTime = Timestamp.FromDateTimeOffset(Today.AddDays(-3)) });

        Assert.Equal(["Stucktown, BR", "Slowtown, BR"], found.Bottlenecks_.Where(one => one.Kind == Kind.Hub).Select(one => one.PlaceName).OrderByDescending(name => name));
        Assert.All(found.Bottlenecks_, one => Assert.True(one.Unusual));
        var slow = found.Bottlenecks_.Single(one => one.PlaceName.StartsWith("Slow", StringComparison.Ordinal) && one.Kind == Kind.Hub);
        Assert.InRange(slow.UsualHours, 4, 5.2);
        Assert.InRange(slow.MedianHours, 15, 19);
        Assert.True(slow.Deviation > 5, $"{slow.Deviation}");
        Assert.Equal(28, slow.Days.Count + 1, 1.1);
        var stuck = found.Bottlenecks_.Single(one => one.PlaceName.StartsWith("Stuck", StringComparison.Ordinal));
        Assert.Equal((12, 12), (stuck.Waiting, stuck.Overdue));
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"STUCK{i}"), stuck.OverdueParcels.Select(one => one.TrackingNumber));

        // A shop is told where parcels of its own are, how many of them wait, and nothing of how many others there are.
        await _app.Database.CreateCommand("UPDATE shipments SET store_id = 'outlet' WHERE tracking_number IN ('STUCK3', 'STUCK7')").ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(_app.GrpcAddress);
        var shops = await new CarrierService.CarrierServiceClient(channel).GetBottlenecksAsync(
            new GetBottlenecksRequest { Carrier = "posty", MaxParcels = 100, IncludeUsual = true, EndTime = Timestamp.FromDateTimeOffset(Today.AddHours(1)), StartTime = Timestamp.FromDateTimeOffset(Today.AddDays(-3)) },
            TestAccess.As("shipments", new Principal(PrincipalKind.Shop, "shop", ScopeSet.All, ["outlet"])));
        Assert.All(shops.Bottlenecks_, one => Assert.Equal(("Stucktown, BR", 0L, 0L), (one.PlaceName, one.Parcels, one.Days.Sum(day => day.Parcels))));
        var theirs = shops.Bottlenecks_.Single(one => one.Kind == Kind.Hub);
        Assert.Equal((2, 2, true, stuck.UsualHours), (theirs.Waiting, theirs.Overdue, theirs.Unusual, theirs.UsualHours));
        Assert.Equal(["STUCK3", "STUCK7"], theirs.OverdueParcels.Select(one => one.TrackingNumber));

        // The stuck ones are scanned elsewhere: nothing waits there any more.
        await _app.Database.CreateCommand(
            """
            INSERT INTO scans (shipment_id, scan_id, status, reason_party, reason_code, inferred, carrier_code, description, occurred_at, local_time, place, source, received_at)
            SELECT id, gen_random_uuid(), 6, 0, '', false, '', '', now(), '', '{"locationId":"","locality":"Home","region":"","postalCode":"","country":"BR"}', 'webhook', now() FROM shipments WHERE tracking_number LIKE 'STUCK%';
            INSERT INTO parcels_to_read (shipment_id, version) SELECT id, 2 FROM shipments WHERE tracking_number LIKE 'STUCK%'
            """).ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await ReadAll();
        Assert.Equal(0, await _app.Count("SELECT count(*) FROM parcel_paths WHERE place = 'BR//stucktown'"));

        void Through(string hub, DateTimeOffset start, TimeSpan stay) => parcels.Add(new MadeParcel($"{hub}{parcels.Count}", "posty", start, [
            (TrackingStatus.PickedUp, "Depot", start), (TrackingStatus.InTransit, hub, start.AddHours(2)), (TrackingStatus.InTransit, hub, start.AddHours(2) + stay), (TrackingStatus.InTransit, "Endtown", start.AddHours(4) + stay), (TrackingStatus.Delivered, "", start.AddHours(5) + stay)]));

        static TimeSpan Hours(double hours) => TimeSpan.FromHours(hours);
    }

    [Fact]
    public async Task On_real_legs_those_that_became_slow_against_their_own_past_come_out_and_later_legs_change_nothing()
    {
        var folder = Path.Combine(Data(), "delhivery");
        // As if it were now: whole weeks later, so that the days of the week stay.
        var end = new DateTimeOffset(2018, 10, 2, 0, 0, 0, TimeSpan.Zero);
        var shift = TimeSpan.FromDays((Today - end).Days / 7 * 7);
        var history = Rows(Path.Combine(folder, "corridors.csv")).Select(row => (Leg: (From: row["source_center"], To: row["destination_center"]), Legs: (int)Number(row["n_legs"]), Minutes: Number(row["median_actual_min"]))).Where(one => one.Legs >= 10).ToList();
        var legs = Rows(Path.Combine(folder, "legs.csv")).Select((row, i) => (Id: i, Leg: (From: row["source_center"], To: row["destination_center"]), Start: DateTimeOffset.Parse(row["od_start_time"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal), Minutes: Number(row["actual_time"]))).ToList();

        // What each corridor did in the weeks before, and then its real legs, as far as they had ended before the last day.
        var known = end.AddDays(-1);
        await MadeParcels.Insert(_app.Database, [
            .. history.SelectMany(one => Enumerable.Range(0, Math.Min(one.Legs, 30)).Select(i => Leg($"H{one.Leg.From}{one.Leg.To}{i}", one.Leg, end.AddDays(-7 - (i % 20)).AddHours(9), one.Minutes))),
            .. legs.Where(leg => leg.Start.AddMinutes(leg.Minutes) < known).Select(leg => Leg($"L{leg.Id}", leg.Leg, leg.Start, leg.Minutes))], "IN");
        await ReadAll();
        var request = new GetBottlenecksRequest { Carrier = "delhivery", EndTime = Timestamp.FromDateTimeOffset(known + shift), StartTime = Timestamp.FromDateTimeOffset(known.AddDays(-2) + shift), MaxRows = 200 };
        var then = Slow(await _app.Carriers.GetBottlenecksAsync(request));

        // From the files alone: half as slow again as the corridor's past median, more than the few minutes that legs differ by.
        var expected = legs.Where(leg => leg.Start.AddMinutes(leg.Minutes) is var at && at >= known.AddDays(-2) && at < known).GroupBy(leg => leg.Leg).Where(group => group.Count() >= 3)
            .Select(group => (group.Key, Ratio: Median(group.Select(leg => leg.Minutes)) / history.FirstOrDefault(one => one.Leg == group.Key).Minutes)).Where(one => double.IsFinite(one.Ratio)).ToList();
        Assert.True(expected.Count > 30, $"Only {expected.Count} corridors can be compared.");
        var clear = expected.Where(one => one.Ratio > 1.75).Select(one => Key(one.Key)).ToList();
        Assert.NotEmpty(clear);
        Assert.Subset(then.Select(one => (one.Place, one.NextPlace)).ToHashSet(), clear.ToHashSet());
        Assert.DoesNotContain(then, one => expected.Any(other => other.Ratio < 1.3 && Key(other.Key) == (one.Place, one.NextPlace)));

        // The last day comes in: as of the day before nothing is otherwise.
        await MadeParcels.Insert(_app.Database, [.. legs.Where(leg => leg.Start.AddMinutes(leg.Minutes) >= known).Select(leg => Leg($"L{leg.Id}", leg.Leg, leg.Start, leg.Minutes))], "IN");
        await ReadAll();
        Assert.Equal(then, Slow(await _app.Carriers.GetBottlenecksAsync(request)));
        TestContext.Current.TestOutputHelper?.WriteLine($"{expected.Count} corridors compared; slow: {string.Join("; ", then.Select(one => $"{one.PlaceName} to {one.NextPlaceName}: {one.MedianHours * 60:0} min, usually {one.UsualHours * 60:0}, {one.Parcels} legs"))}");

        MadeParcel Leg(string id, (string From, string To) leg, DateTimeOffset start, double minutes) =>
            new(id, "delhivery", start + shift, [(TrackingStatus.InTransit, leg.From, start + shift), (TrackingStatus.InTransit, leg.To, start.AddMinutes(minutes) + shift), (TrackingStatus.Delivered, leg.To, start.AddMinutes(minutes) + shift)]);

        static (string, string) Key((string From, string To) leg) => ($"IN//{leg.From.ToLowerInvariant()}", $"IN//{leg.To.ToLowerInvariant()}");

        static List<Bottleneck> Slow(Bottlenecks all) => [.. all.Bottlenecks_.Where(one => one.Kind == Kind.Leg)];

        static double Median(IEnumerable<double> minutes) => minutes.Order().ElementAt((minutes.Count() - 1) / 2);
    }

    [Fact]
    public async Task What_is_wrong_with_the_question_is_told_by_field()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _app.Carriers.GetBottlenecksAsync(
            new GetBottlenecksRequest { Carrier = new string('x', 101), MaxRows = 201, MaxParcels = -1, StartTime = new Timestamp { Seconds = -5 } }));

        Assert.Equal(["carrier", "max_rows", "max_parcels", "start_time"], refused.GetRpcStatus()!.GetDetail<Google.Rpc.BadRequest>()!.FieldViolations.Select(one => one.Field));
    }

    private async Task ReadAll()
    {
        while (await _app.Service<FollowPaths>().Sweep(TestContext.Current.CancellationToken) > 0)
        {
        }

        // The service reads by itself as well; what it has under way is not there yet.
        await Eventually.True(async () => await _app.Count("SELECT count(*) FROM parcels_to_read") == 0, TimeSpan.FromSeconds(60));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static IEnumerable<Dictionary<string, string>> Rows(string file)
    {
        var lines = File.ReadLines(file).Select(line => line.Split(',')).ToList();
        return lines.Skip(1).Select(line => lines[0].Zip(line).ToDictionary(pair => pair.First, pair => pair.Second));
    }

    private static string Data()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "Commerce.sln")))
                continue;
            var data = Environment.GetEnvironmentVariable("COMMERCE_DATA") ?? Path.Combine(folder.FullName, "..", "shared", "data");
            return Directory.Exists(data) ? data : throw TestServers.Missing($"The real data is not at {data}; set COMMERCE_DATA to its folder.");
        }

        throw TestServers.Missing("The real data is not here; set COMMERCE_DATA to its folder.");
    }
}
