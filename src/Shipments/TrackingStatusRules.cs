using static Commerce.Shipments.V1.TrackingStatus;

namespace Commerce.Shipments;

/// <summary>What all scans of a parcel together say.</summary>
internal sealed record TrackingState(
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
internal static class TrackingStatusRules
{
    public static TrackingState Derive(IEnumerable<Scan> scans, DateTimeOffset plannedAt)
    {
        var ordered = scans
            .DistinctBy(scan => scan.Id)
            // Carriers stamp several scans with the same minute: then the further stage came later. The id settles the rest.
            .OrderBy(scan => scan.OccurredAt).ThenBy(scan => Rank(scan.Status)).ThenBy(scan => scan.Id)
            .ToList();
        if (ordered.Count == 0)
            return TrackingState.Planned(plannedAt);

        Scan? current = null;
        DateTimeOffset? deliveredAt = null;
        foreach (var scan in ordered)
        {
            if (current is not null && !Supersedes(scan, current))
                continue;
            // The status began with the first of a run of scans that say the same; its reason is the latest.
            if (current is null || current.Status != scan.Status || current.ReasonCode != scan.ReasonCode)
                current = scan;
            if (scan.Status == Delivered)
                deliveredAt ??= scan.OccurredAt;
            else if (scan.Status is ReturnToSender or DeliveryFailed)
                deliveredAt = null;
        }

        return new TrackingState(
            current!.Status,
            current.ReasonParty,
            current.ReasonCode,
            ActionRequired(current),
            current.OccurredAt,
            deliveredAt,
            [.. ordered.Select(scan => scan.Status).Distinct().Order()]);
    }

    /// <summary>The carrier has it, or had it.</summary>
    public static bool IsWithCarrier(V1.TrackingStatus status) => status is not (Unspecified or PreTransit or Cancelled or Unknown);

    /// <summary>The carrier has, or once had, the parcel.</summary>
    public static bool WasHandedOver(TrackingState state) => state.Reached.Any(IsWithCarrier);

    private static bool Supersedes(Scan scan, Scan current) => (current.Status, scan.Status) switch
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

    private static bool ActionRequired(Scan scan) => scan.Status switch
    {
        AvailableForPickup => true,
        DeliveryFailed or OnHold => scan.ReasonCode is "ADDRESS_NOT_FOUND" or "REFUSED" or "DOCUMENTS_MISSING" or "DAMAGED" or "LOST",
        ReturnToSender => true,
        _ => false,
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
