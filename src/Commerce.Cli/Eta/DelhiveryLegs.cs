using Commerce.Promising.Legs;

namespace Commerce.Cli.Eta;

/// <summary>The legs and the corridors' history in a Delhivery folder.</summary>
internal static class DelhiveryLegs
{
    private static readonly TimeSpan Offset = TimeSpan.FromHours(5.5);

    /// <exception cref="Api.UsageException">The legs are missing.</exception>
    public static IReadOnlyList<(Leg Leg, double ActualMinutes)> Legs(string folder, RowProblems problems)
    {
        const string File = "legs.csv";
        var legs = new List<(Leg, double)>();
        foreach (var row in CsvTable.Rows(folder, File, problems, required: true, "trip_uuid", "source_center", "destination_center", "od_start_time", "osrm_time", "actual_time"))
        {
            if (row.Time("od_start_time") is not { } start)
                problems.Add(File, "no time of start", row.Line);
            else if (row.Number("osrm_time") is not (> 0 and < 100_000 and var routed) || row.Number("actual_time") is not (> 0 and < 100_000 and var actual))
                problems.Add(File, "no minutes, or such as cannot be", row.Line);
            else if (row["source_center"].Length == 0 || row["destination_center"].Length == 0)
                problems.Add(File, "no hub", row.Line);
            else
                // A trip can drive the same corridor twice: the line tells its legs apart.
                legs.Add((new Leg($"{row["trip_uuid"]}#{row.Line}", row["source_center"], row["destination_center"], row["route_type"], new DateTimeOffset(start, Offset), routed), actual));
        }

        return legs;
    }

    public static IReadOnlyList<CorridorHistory> Corridors(string folder, RowProblems problems)
    {
        const string File = "corridors.csv";
        var corridors = new List<CorridorHistory>();
        foreach (var row in CsvTable.Rows(folder, File, problems, required: false, "source_center", "destination_center", "median_actual_min", "median_osrm_min"))
        {
            if (row.Number("median_actual_min") is not (> 0 and var actual) || row.Number("median_osrm_min") is not (> 0 and var routed))
                problems.Add(File, "no minutes, or such as cannot be", row.Line);
            else
                corridors.Add(new CorridorHistory(
                    row["source_center"], row["destination_center"], row["major_route_type"], Math.Max(1, row.Number("n_legs") ?? 1), actual, routed,
                    row.Number("median_ratio") is > 0 and var ratio ? ratio : actual / routed));
        }

        return corridors;
    }
}
