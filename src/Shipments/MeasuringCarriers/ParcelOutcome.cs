using System.Globalization;

namespace Commerce.Shipments.MeasuringCarriers;

/// <summary>What parcels are summed by.</summary>
internal sealed record PerformanceKey(string LaneFrom, string LaneTo, DateOnly Week, string Carrier, string Service, string Zone, string Currency, int CalendarDays, int BusinessDays);

/// <summary>How a parcel ended, as it counts for its carrier.</summary>
/// <param name="Measured">There was a day to be measured on: the carrier's own estimate, otherwise the shop's promise.</param>
/// <param name="Promised">The shop had promised a day.</param>
/// <param name="FirstAttempt">It was delivered without an attempt that failed.</param>
/// <param name="Exception">It was held, late, not delivered at once, or came back.</param>
internal sealed record ParcelOutcome(
    PerformanceKey Key, bool Delivered, bool Returned, bool Measured, bool InTime, bool Promised, bool Kept, bool FirstAttempt, bool Exception, long CostMinor)
{
    private const int MostDays = 60;
    private const int LongestRegion = 40;

    /// <summary>Country and region, for example "BR-SP".</summary>
    public static string LaneEnd(string country, string region)
    {
        region = region.Trim().ToUpperInvariant();
        return region.Length == 0 ? country : $"{country}-{(region.Length > LongestRegion ? region[..LongestRegion] : region)}";
    }

    public static string ZoneOf(string from, string to) => from == to ? "same_region" : from.AsSpan(0, Math.Min(2, from.Length)).SequenceEqual(to.AsSpan(0, Math.Min(2, to.Length))) ? "domestic" : "cross_border";

    public static ParcelOutcome Of(EndedParcel parcel)
    {
        var delivered = parcel.DeliveredAt is not null;
        var endedAt = parcel.DeliveredAt ?? parcel.StatusAt;
        var due = parcel.EstimatedAt ?? parcel.PromisedAt;
        var (from, to) = (Day(parcel.HandedOverLocal, parcel.HandedOverAt ?? parcel.CreatedAt), Day(parcel.DeliveredLocal, endedAt));
        var failed = parcel.Reached.Contains(V1.TrackingStatus.DeliveryFailed);
        return new ParcelOutcome(
            new PerformanceKey(
                parcel.LaneFrom, parcel.LaneTo, MondayOf(DateOnly.FromDateTime(endedAt.UtcDateTime)), parcel.Carrier, parcel.Service, ZoneOf(parcel.LaneFrom, parcel.LaneTo), parcel.Currency,
                // What came back was not on its way to anybody: its days say nothing.
                delivered ? Math.Clamp(to.DayNumber - from.DayNumber, 0, MostDays) : 0, delivered ? Math.Min(WeekdaysBetween(from, to), MostDays) : 0),
            delivered,
            !delivered,
            due is not null,
            due is not null && delivered && endedAt <= due,
            parcel.PromisedAt is not null,
            parcel.PromisedAt is not null && delivered && endedAt <= parcel.PromisedAt,
            delivered && !failed,
            !delivered || failed || parcel.Reached.Any(status => status is V1.TrackingStatus.Delayed or V1.TrackingStatus.OnHold or V1.TrackingStatus.ReturnToSender),
            parcel.CostMinor);
    }

    /// <summary>Mondays to Fridays after the first day, up to and with the last.</summary>
    public static int WeekdaysBetween(DateOnly first, DateOnly last)
    {
        var count = 0;
        for (var day = first; day < last && count <= MostDays;)
        {
            day = day.AddDays(1);
            count += day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 0 : 1;
        }

        return count;
    }

    public static DateOnly MondayOf(DateOnly day) => day.AddDays(-(((int)day.DayOfWeek + 6) % 7));

    // The day on the carrier's own clock, where it said so.
    private static DateOnly Day(string local, DateTimeOffset at) =>
        local.Length >= 10 && DateOnly.TryParseExact(local.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : DateOnly.FromDateTime(at.UtcDateTime);
}

/// <summary>A parcel whose journey is over.</summary>
internal sealed record EndedParcel(
    Guid Id, string Carrier, string Service, string LaneFrom, string LaneTo, DateTimeOffset? PromisedAt, DateTimeOffset? EstimatedAt, long CostMinor, string Currency, DateTimeOffset StatusAt,
    DateTimeOffset? DeliveredAt, IReadOnlyList<V1.TrackingStatus> Reached, DateTimeOffset CreatedAt, DateTimeOffset? HandedOverAt, string HandedOverLocal, string DeliveredLocal);
