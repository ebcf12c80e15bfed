using Commerce.Promising.Waiting;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.MeasuringCarriers;
using static Commerce.Shipments.V1.TrackingStatus;

namespace Commerce.Shipments.FollowingPaths;

/// <summary>What a parcel waits for. The numbers are stored.</summary>
internal enum WaitStage : short
{
    /// <summary>The label is made, and the carrier has not seen the parcel.</summary>
    Label = 1,
    InTransit = 2,
    OutForDelivery = 3,
    AvailableForPickup = 4,
    OnHold = 5,
    Customs = 6,
    DeliveryFailed = 7,
    OnTheWayBack = 8,
}

/// <summary>What is counted by place and day. The numbers are stored.</summary>
internal enum PassageKind : short
{
    /// <summary>From the first scan at a place to the one with which it leaves, or to the last one there.</summary>
    Stay = 1,

    /// <summary>From the last scan at a place to the first at the next one.</summary>
    Leg = 2,

    /// <summary>From the first scan at a place to the first sign of it elsewhere: what can be told of a parcel that is still there.</summary>
    Passing = 3,
}

/// <summary>A wait that ended.</summary>
internal readonly record struct CountedGap(WaitStage Stage, DateOnly Week, int Cell);

/// <summary>A stay or a way that ended.</summary>
internal readonly record struct CountedPassage(PassageKind Kind, string Place, string Next, DateOnly Day, int Cell);

/// <summary>A parcel as far as its path tells of its carrier.</summary>
/// <param name="Country">Where it goes: whose holidays count.</param>
internal sealed record FollowedParcel(
    Guid Id, string Carrier, string LaneFrom, string LaneTo, string Country, string Region, DateTimeOffset CreatedAt, bool IsReturn, bool IsOver);

/// <summary>What a parcel's scans tell of its carrier: a pure function of the set of scans. It is kept, so that it can be taken back.</summary>
internal sealed record ParcelPath(string Carrier, string LaneFrom, string LaneTo, IReadOnlyList<CountedGap> Gaps, IReadOnlyList<CountedPassage> Passages)
{
    // What has more scans is no parcel's journey.
    private const int MostScans = 200;

    // Carriers stamp several scans at once: that is no wait, and counted as one it would make all waits look short.
    private static readonly TimeSpan ShortestWait = TimeSpan.FromHours(1);

    /// <summary>The path, where the parcel is now (null: on no known place, or arrived), and the places' names.</summary>
    public static (ParcelPath Path, (string Place, DateTimeOffset Since)? Now, IReadOnlyDictionary<string, string> Names) Of(FollowedParcel parcel, IEnumerable<Scan> scans)
    {
        // Its label was given up, and it has no other yet.
        if (parcel.Carrier.Length == 0)
            return (new ParcelPath("", parcel.LaneFrom, parcel.LaneTo, [], []), null, new Dictionary<string, string>());
        var ordered = ScanMerge.Merge(scans.Where(scan => !scan.IsTimeless).OrderByDescending(scan => scan.OccurredAt).ThenBy(scan => scan.Id).Take(MostScans))
            .Select(merged => merged.Scan).OrderBy(scan => scan.OccurredAt).ThenBy(scan => (int)scan.Status).ThenBy(scan => scan.Id).ToList();
        var (passages, now, names) = PassagesOf(ordered);
        return (new ParcelPath(parcel.Carrier, parcel.LaneFrom, parcel.LaneTo, [.. GapsOf(parcel, ordered)], passages), parcel.IsOver ? null : now, names);
    }

    /// <summary>What a parcel of a status waits for; null: for nothing.</summary>
    public static WaitStage? StageOf(V1.TrackingStatus status, V1.StatusReason.Types.Party party) => status switch
    {
        PreTransit => WaitStage.Label,
        PickedUp or InTransit or Delayed => WaitStage.InTransit,
        OutForDelivery => WaitStage.OutForDelivery,
        AvailableForPickup => WaitStage.AvailableForPickup,
        OnHold => party == V1.StatusReason.Types.Party.Customs ? WaitStage.Customs : WaitStage.OnHold,
        DeliveryFailed => WaitStage.DeliveryFailed,
        ReturnToSender => WaitStage.OnTheWayBack,
        _ => null,
    };

    /// <summary>By the clock of whoever gets it, on whose days it is carried.</summary>
    public static DateTime ClockOf(DateTimeOffset at, string country, string region) => RecipientClock.At(at, RecipientClock.ZoneOf(country, region)).DateTime;

    private static IEnumerable<CountedGap> GapsOf(FollowedParcel parcel, List<Scan> ordered)
    {
        var (since, stage) = (parcel.CreatedAt, (WaitStage?)WaitStage.Label);
        foreach (var scan in ordered)
        {
            // Whoever has a return label takes their time: it says nothing of the carrier.
            if (stage is { } waited && scan.OccurredAt - since >= ShortestWait && !(parcel.IsReturn && waited == WaitStage.Label))
            {
                var working = WorkingTime.Between(ClockOf(since, parcel.Country, parcel.Region), ClockOf(scan.OccurredAt, parcel.Country, parcel.Region), parcel.Country);
                yield return new CountedGap(waited, ParcelOutcome.MondayOf(DateOnly.FromDateTime(scan.OccurredAt.UtcDateTime)), Durations.CellOf(working));
            }

            since = scan.OccurredAt > since ? scan.OccurredAt : since;
            // What tells nothing leaves it in its stage; a label that is announced again too, once the carrier has the parcel.
            if (scan.Status != Unknown && !(scan.Status == PreTransit && stage is not (null or WaitStage.Label)))
                stage = StageOf(scan.Status, scan.ReasonParty);
        }
    }

    private static (List<CountedPassage> Passages, (string, DateTimeOffset)? Now, Dictionary<string, string> Names) PassagesOf(List<Scan> ordered)
    {
        var (passages, names) = (new List<CountedPassage>(), new Dictionary<string, string>(StringComparer.Ordinal));
        var (at, first, last) = ("", default(DateTimeOffset), default(DateTimeOffset));
        foreach (var scan in ordered)
        {
            // A label says where its maker is, and not where the parcel is.
            if (scan.Status is PreTransit or Cancelled)
                continue;
            var place = PlaceKey.Of(scan.Place);
            if (place.Length > 0)
                names.TryAdd(place, PlaceKey.NameOf(scan.Place));
            var leaves = scan.Status is OutForDelivery or AvailableForPickup or Delivered;
            if (at.Length > 0 && (leaves || (place.Length > 0 && place != at)))
            {
                if (leaves && (place.Length == 0 || place == at))
                    last = scan.OccurredAt;
                if (last > first)
                    Count(PassageKind.Stay, "", first, last);
                if (place.Length > 0 && place != at)
                    Count(PassageKind.Leg, place, last, scan.OccurredAt);
                Count(PassageKind.Passing, "", first, scan.OccurredAt);
                at = "";
            }

            if (leaves || place.Length == 0)
                continue;
            if (at.Length == 0)
                (at, first) = (place, scan.OccurredAt);
            last = scan.OccurredAt;
        }

        return (passages, at.Length > 0 ? (at, first) : null, names);

        void Count(PassageKind kind, string next, DateTimeOffset from, DateTimeOffset until) =>
            passages.Add(new CountedPassage(kind, at, next, DateOnly.FromDateTime(until.UtcDateTime), Durations.CellOf(until - from)));
    }
}
