using Commerce.Tracking.Vocabularies;
using static Commerce.Shipments.V1.TrackingStatus;

namespace Commerce.Tracking;

/// <summary>What all scans of a parcel together say.</summary>
public sealed record TrackingState(
    V1.TrackingStatus Status,
    V1.StatusReason.Types.Party ReasonParty,
    string ReasonCode,
    bool ActionRequired,
    DateTimeOffset StatusAt,
    DateTimeOffset? DeliveredAt,
    IReadOnlyList<V1.TrackingStatus> Reached)
{
    public static TrackingState Planned(DateTimeOffset at) => new(PreTransit, V1.StatusReason.Types.Party.Unspecified, "", false, at, null, []);
}

/// <summary>
/// The status as a pure function of the set of scans: however often and in whatever order they came, the same set gives the
/// same status.
/// </summary>
public static class TrackingStatusRules
{
    /// <summary>The status of whole scans.</summary>
    public static TrackingState Derive(IEnumerable<Scan> scans, DateTimeOffset plannedAt) => Derive(scans.Select(scan => scan.Sighting), plannedAt);

    /// <summary>The status.</summary>
    /// <param name="scans">All that are known, in any order and any of them several times.</param>
    /// <param name="plannedAt">Since when it is what a parcel without scans is.</param>
    public static TrackingState Derive(IEnumerable<Sighting> scans, DateTimeOffset plannedAt)
    {
        var ordered = InOrder(scans);
        if (ordered.Count == 0)
            return TrackingState.Planned(plannedAt);

        Sighting? latest = null;
        DateTimeOffset? deliveredAt = null;
        DateTimeOffset statusAt = default;
        foreach (var (scan, at) in ordered)
        {
            if (latest is { } before && !Supersedes(scan, before))
                continue;
            // The status began with the first of a run of scans that say the same; its reason is the latest.
            if (latest?.Status != scan.Status || latest?.ReasonCode != scan.ReasonCode)
                (latest, statusAt) = (scan, at);
            if (scan.Status == Delivered)
                deliveredAt ??= at;
            else if (scan.Status is ReturnToSender or DeliveryFailed)
                deliveredAt = null;
        }

        var current = latest!.Value;
        return new TrackingState(
            current.Status,
            current.ReasonParty,
            current.ReasonCode,
            Reasons.NeedsAction(current.Status, current.ReasonCode),
            statusAt,
            deliveredAt,
            [.. ordered.Select(one => one.Scan.Status).Distinct().Order()]);
    }

    /// <summary>The carrier has it, or had it.</summary>
    public static bool IsWithCarrier(V1.TrackingStatus status) => status is not (Unspecified or PreTransit or Cancelled or Unknown);

    /// <summary>The carrier has, or once had, the parcel.</summary>
    public static bool WasHandedOver(TrackingState state) => state.Reached.Any(IsWithCarrier);

    /// <summary>
    /// Each scan once, oldest first. One whose time cannot be told takes its place by its stage, behind those of the stages before it:
    /// the time at which we heard of it would make the status depend on when that was.
    /// </summary>
    private static List<(Sighting Scan, DateTimeOffset At)> InOrder(IEnumerable<Sighting> scans)
    {
        var distinct = scans.DistinctBy(scan => scan.Id).ToList();
        var timed = distinct.Where(scan => !scan.IsTimeless).ToList();
        return
        [
            .. distinct.Select(scan => (Scan: scan, At: scan.IsTimeless ? PlaceOf(scan) : scan.OccurredAt))
                // Carriers stamp several scans with the same minute: then the further stage came later. The id settles the rest.
                .OrderBy(one => one.At).ThenBy(one => Rank(one.Scan.Status)).ThenBy(one => one.Scan.Id),
        ];

        DateTimeOffset PlaceOf(Sighting scan) => timed.Count == 0
            // All heard of, none dated: the stages alone order them.
            ? distinct.Min(one => one.OccurredAt)
            : timed.Where(one => Rank(one.Status) <= Rank(scan.Status)).Select(one => one.OccurredAt).DefaultIfEmpty(timed.Min(one => one.OccurredAt)).Max();
    }

    private static bool Supersedes(Sighting scan, Sighting current) => (current.Status, scan.Status) switch
    {
        // What tells nothing changes nothing.
        (not Unknown, Unknown) => false,
        // Delivered stays delivered, whatever a hub books afterwards, unless the carrier takes it back.
        (Delivered, not (Delivered or ReturnToSender or DeliveryFailed)) => false,
        // The way back has scans of its own that look like the way there; delivered then means back at the sender.
        (ReturnToSender, not ReturnToSender) => false,
        // A label that is announced again after the carrier has the parcel says nothing new.
        (not (PreTransit or Unknown), PreTransit) => false,
        _ => true,
    };

    private static int Rank(V1.TrackingStatus status) => status switch
    {
        Unknown => 0,
        PreTransit => 1,
        PickedUp => 2,
        InTransit => 3,
        Delayed => 4,
        OnHold => 5,
        OutForDelivery => 6,
        AvailableForPickup => 7,
        DeliveryFailed => 8,
        Delivered => 9,
        ReturnToSender => 10,
        Cancelled => 11,
        _ => 0,
    };
}
