namespace Commerce.Promising;

/// <summary>A parcel as it really went.</summary>
/// <param name="HandedOverAt">When the carrier had it; null if never, or not known.</param>
/// <param name="DeliveredAt">When it arrived; null if it never did.</param>
public sealed record Journey(Consignment Consignment, DateTimeOffset? HandedOverAt, DateTimeOffset? DeliveredAt)
{
    /// <summary>All that happened, in the order of time; the same whatever order the journeys are in.</summary>
    internal static List<(DateTimeOffset At, JourneyEvent Event, Journey Journey)> Events(IReadOnlyCollection<Journey> journeys)
    {
        var events = new List<(DateTimeOffset At, JourneyEvent Event, Journey Journey)>(journeys.Count * 3);
        foreach (var journey in journeys)
        {
            events.Add((journey.Consignment.StartedAt, JourneyEvent.Started, journey));
            if (journey.HandedOverAt is { } handedOver && !(handedOver >= journey.DeliveredAt))
                events.Add((handedOver, JourneyEvent.HandedOver, journey));
            if (journey.DeliveredAt is { } delivered)
                events.Add((delivered, JourneyEvent.Delivered, journey));
        }

        events.Sort((one, other) => (one.At.CompareTo(other.At), one.Event.CompareTo(other.Event)) switch
        {
            (not 0 and var byTime, _) => byTime,
            (_, not 0 and var byEvent) => byEvent,
            _ => string.CompareOrdinal(one.Journey.Consignment.Id, other.Journey.Consignment.Id),
        });
        return events;
    }
}

/// <summary>What ends at a moment is known to what starts at it.</summary>
internal enum JourneyEvent
{
    Delivered,
    HandedOver,
    Started,
}
