using Commerce.Shipping.Rates;
using Npgsql;

namespace Commerce.Shipments.MeasuringCarriers;

/// <summary>How reliable services are on a lane, of the last half year.</summary>
internal sealed class CarrierRecord(NpgsqlDataSource database, TimeProvider time)
{
    private const int Weeks = 26;
    // What a carrier is like everywhere does not change within it.
    private static readonly TimeSpan TotalsKept = TimeSpan.FromMinutes(1);

    private volatile Totals? _totals;

    /// <summary>The reliability of each offer on the lane between two ends (<see cref="ParcelOutcome.LaneEnd"/>).</summary>
    public async Task<Func<Quote, Reliability>> On(string laneFrom, string laneTo, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var since = ParcelOutcome.MondayOf(DateOnly.FromDateTime(now.UtcDateTime)).AddDays(-7 * Weeks);
        var totals = _totals is { } kept && now - kept.At < TotalsKept ? kept : _totals = new Totals(now, await Read("week >= $1", since, [], cancellationToken));
        var lane = await Read("lane_from = $2 AND lane_to = $3 AND week >= $1", since, [laneFrom, laneTo], cancellationToken);
        var carriers = totals.Services.GroupBy(pair => pair.Key.Carrier, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => (group.Sum(pair => pair.Value.InTime), group.Sum(pair => pair.Value.Measured)), StringComparer.Ordinal);
        return quote => Reliability.Of(
            lane.GetValueOrDefault((quote.Carrier, quote.Service)), totals.Services.GetValueOrDefault((quote.Carrier, quote.Service)), carriers.GetValueOrDefault(quote.Carrier));
    }

    private async Task<Dictionary<(string Carrier, string Service), (long InTime, long Measured)>> Read(string where, DateOnly since, string[] ends, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"SELECT carrier, service, sum(in_time)::bigint, sum(measured)::bigint FROM carrier_weeks WHERE {where} GROUP BY carrier, service");
        command.Parameters.Add(new NpgsqlParameter<DateOnly> { TypedValue = since });
        foreach (var end in ends)
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = end });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var seen = new Dictionary<(string, string), (long, long)>();
        while (await reader.ReadAsync(cancellationToken))
            seen[(reader.GetString(0), reader.GetString(1))] = (reader.GetInt64(2), reader.GetInt64(3));
        return seen;
    }

    private sealed record Totals(DateTimeOffset At, Dictionary<(string Carrier, string Service), (long InTime, long Measured)> Services);
}
