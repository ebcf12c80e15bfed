using Commerce.Promising.Waiting;
using Commerce.Shipments.FollowingPaths;
using Commerce.Shipments.MeasuringCarriers;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Shipments.WatchingSilence;

/// <summary>What tells how much silence is usual.</summary>
internal enum SilenceBasis
{
    /// <summary>The carrier's parcels between the same two regions.</summary>
    Lane,

    /// <summary>The carrier's parcels between the same two countries.</summary>
    Countries,

    /// <summary>All parcels of the carrier.</summary>
    Carrier,

    /// <summary>Nobody knows yet: a fixed time.</summary>
    Fixed,
}

/// <summary>How much silence of a parcel is borne.</summary>
/// <param name="Within">In working time, where <paramref name="Working"/>; else every hour counts.</param>
internal sealed record Patience(SilenceBasis Basis, TimeSpan Within, bool Working, WaitStage Stage, string Country, string Region)
{
    /// <summary>When it ends, if nothing is heard.</summary>
    public DateTimeOffset EndsAt(DateTimeOffset since)
    {
        if (!Working)
            return since + Within;
        var clock = ParcelPath.ClockOf(since, Country, Region);
        return since + (WorkingTime.After(clock, Within, Country) - clock);
    }

    /// <summary>How long it has been silent, counted as <see cref="Within"/> is.</summary>
    public TimeSpan Silence(DateTimeOffset since, DateTimeOffset now) =>
        Working ? WorkingTime.Between(ParcelPath.ClockOf(since, Country, Region), ParcelPath.ClockOf(now, Country, Region), Country) : now - since;
}

/// <summary>Says how much silence is usual for parcels like one, from the sums by week that <see cref="FollowPaths"/> keeps.</summary>
internal sealed class UsualSilence(NpgsqlDataSource database, IOptions<ShipmentsOptions> options, TimeProvider time)
{
    private static readonly SilenceBasis[] LaneFirst = [SilenceBasis.Lane, SilenceBasis.Countries, SilenceBasis.Carrier];

    public async Task<Patience> For(Shipment shipment, CancellationToken cancellationToken)
    {
        var (country, region) = (shipment.ShipTo.Country, shipment.ShipTo.Region);
        var stage = ParcelPath.StageOf(shipment.Tracking.Status, shipment.Tracking.ReasonParty) ?? (TrackingStatusRules.WasHandedOver(shipment.Tracking) ? WaitStage.InTransit : WaitStage.Label);
        var levels = FollowPaths.LevelsOf(ParcelOutcome.LaneEnd(shipment.ShipFrom.Country, shipment.ShipFrom.Region), ParcelOutcome.LaneEnd(country, region));
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        // Whoever has a return label takes their time, and of that nothing is learned.
        var usual = shipment.ReturnNumber > 0 && stage == WaitStage.Label ? null : UsualWait.Of(await Read(shipment.Carrier!, stage, levels, today, cancellationToken), today);
        var rules = options.Value;
        var patience = usual is null
            ? new Patience(SilenceBasis.Fixed, rules.SilenceAfter, rules.SilenceAfter >= TimeSpan.FromDays(1), stage, country, region)
            : new Patience(LaneFirst[usual.Level + LaneFirst.Length - levels.Count], Bounded(usual.Within), true, stage, country, region);
        ShipmentsTelemetry.SilenceThresholds.Add(1, new KeyValuePair<string, object?>("commerce.silence.basis", patience.Basis.ToString().ToLowerInvariant()));
        return patience;

        TimeSpan Bounded(TimeSpan within) => within < rules.SilenceAtLeast ? rules.SilenceAtLeast : within > rules.SilenceAtMost ? rules.SilenceAtMost : within;
    }

    // A row for each level and week: some eighty, by their key.
    private async Task<IReadOnlyList<IReadOnlyCollection<WaitWeek>>> Read(
        string carrier, WaitStage stage, IReadOnlyList<(string From, string To)> levels, DateOnly today, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT level.i::integer - 1, known.week, known.counts FROM unnest($3, $4) WITH ORDINALITY AS level (lane_from, lane_to, i)
            CROSS JOIN LATERAL (
              SELECT week, counts FROM scan_gaps
              WHERE carrier = $1 AND stage = $2 AND lane_from = level.lane_from AND lane_to = level.lane_to AND week >= $5 OFFSET 0) AS known
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = carrier });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)stage });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. levels.Select(level => level.From)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. levels.Select(level => level.To)] });
        command.Parameters.Add(new NpgsqlParameter<DateOnly> { TypedValue = today.AddDays(-7 * UsualWait.Weeks) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var weeks = new List<(int Level, WaitWeek Week)>();
        while (await reader.ReadAsync(cancellationToken))
            weeks.Add((reader.GetInt32(0), new WaitWeek(reader.GetFieldValue<DateOnly>(1), reader.GetFieldValue<int[]>(2))));
        var byLevel = weeks.ToLookup(one => one.Level, one => one.Week);
        return [.. Enumerable.Range(0, levels.Count).Select(level => (IReadOnlyCollection<WaitWeek>)[.. byLevel[level]])];
    }
}
