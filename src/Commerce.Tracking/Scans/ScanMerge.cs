namespace Commerce.Tracking;

/// <summary>A scan and the other reporters that told the same.</summary>
public sealed record MergedScan(Scan Scan, IReadOnlyList<string> AlsoReportedBy);

/// <summary>
/// What several reporters tell of one parcel, each scan once. Two scans of different reporters are the same if carrier's code (or, where one
/// has none, the status), time and place agree: the moment to the minute where both know their offset, else the clock at the place; a place
/// that one of them leaves out agrees with any. A pure function of the set, as the status is.
/// </summary>
public static class ScanMerge
{
    // The carrier's own word first, then whoever keeps its code and its local time.
    private static readonly string[] Precedence = ["easypost", "aftership", "shipengine", "shippo"];

    public static IReadOnlyList<MergedScan> Merge(IEnumerable<Scan> scans)
    {
        var kept = new List<(Scan Scan, List<string> Also)>();
        foreach (var scan in scans.DistinctBy(scan => scan.Id).OrderBy(scan => Rank(scan.Reporter)).ThenBy(scan => scan.Reporter, StringComparer.Ordinal).ThenBy(scan => scan.OccurredAt).ThenBy(scan => scan.Id))
        {
            var twin = kept.FindIndex(one => one.Scan.Reporter != scan.Reporter && !one.Also.Contains(scan.Reporter) && AreSame(one.Scan, scan));
            if (twin < 0)
                kept.Add((scan, []));
            else
                kept[twin].Also.Add(scan.Reporter);
        }

        return [.. kept.Select(one => new MergedScan(one.Scan, one.Also))];
    }

    private static bool AreSame(Scan one, Scan other) =>
        (one.CarrierCode.Length > 0 && other.CarrierCode.Length > 0
            ? string.Equals(one.CarrierCode, other.CarrierCode, StringComparison.OrdinalIgnoreCase)
            : one.Status == other.Status)
        && AreSameTime(one, other)
        && Agree(one.Place.Country, other.Place.Country) && (Agree(one.Place.Locality, other.Place.Locality) || (one.Place.PostalCode.Length > 0 && one.Place.PostalCode == other.Place.PostalCode));

    private static bool AreSameTime(Scan one, Scan other)
    {
        if (one.IsTimeless || other.IsTimeless)
            return one.LocalTime == other.LocalTime;
        if (one.TimeBasis != TimeBasis.Assumed && other.TimeBasis != TimeBasis.Assumed)
            return Minute(one.OccurredAt) == Minute(other.OccurredAt);
        // "2026-11-24T10:00", whatever stands behind it.
        const int ToTheMinute = 16;
        return one.LocalTime.Length >= ToTheMinute && other.LocalTime.Length >= ToTheMinute && one.LocalTime.AsSpan(0, ToTheMinute).SequenceEqual(other.LocalTime.AsSpan(0, ToTheMinute));
    }

    private static long Minute(DateTimeOffset at) => at.UtcTicks / TimeSpan.TicksPerMinute;

    private static bool Agree(string one, string other) => one.Length == 0 || other.Length == 0 || Folded.Of(one) == Folded.Of(other);

    private static int Rank(string reporter) => Array.IndexOf(Precedence, reporter);
}
