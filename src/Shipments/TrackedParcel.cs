using Commerce.Facts;
using Commerce.Shipments.ResolvingExceptions;

namespace Commerce.Shipments;

/// <summary>
/// Where a parcel is and when it arrives: as much of it as scans change, and as much as they need to know. Scans come by the thousand, and
/// whoever keeps them does not read what is in the parcel and to whom it goes.
/// </summary>
internal class TrackedParcel
{
    public required Guid Id { get; init; }

    public required string StoreId { get; init; }

    public required string OrderId { get; init; }

    /// <summary>The order's return that it brings back; 0: it goes to the shopper.</summary>
    public int ReturnNumber { get; init; }

    public required string LocationId { get; init; }

    /// <summary>From where to where.</summary>
    public virtual Lane Lane { get; init; } = Lane.Unknown;

    public virtual int WeightGrams { get; init; }

    public DateTimeOffset? PromisedAt { get; init; }

    public DateTimeOffset? EstimatedAt { get; set; }

    public string? Carrier { get; set; }

    public string? Service { get; set; }

    public string? TrackingNumber { get; set; }

    public TrackingState Tracking { get; set; } = TrackingState.Planned(default);

    public DateTimeOffset? LastScanAt { get; set; }

    /// <summary>Since when nothing was heard of it: its last scan, or else its planning.</summary>
    public DateTimeOffset SilentSince => LastScanAt ?? CreatedAt;

    public ExceptionRecord? Exception { get; set; }

    /// <summary>What stands in for it, since it did not arrive.</summary>
    public Remedy Remedy { get; set; }

    public long Version { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; set; }

    /// <summary>Its customer was erased; of a parcel that is read as a whole it is not asked.</summary>
    public bool IsErased { get; init; }

    public string PublicId => Id.ToString("N");

    /// <summary>Nothing more is to come by itself, or nobody waits for it any more.</summary>
    public bool IsOver => Remedy != Remedy.None || Tracking.Status is V1.TrackingStatus.Delivered or V1.TrackingStatus.Cancelled or V1.TrackingStatus.ReturnToSender;

    /// <summary>Its scans, old and new, say <paramref name="state"/>.</summary>
    public ParcelTracked WasTracked(TrackingState state, int newScans, DateTimeOffset lastScanAt, DateTimeOffset now)
    {
        var previous = Tracking.Status;
        Tracking = state;
        LastScanAt = lastScanAt;
        if (Exception?.Kind is V1.ShipmentException.Types.Kind.Silent or V1.ShipmentException.Types.Kind.ActionRequired)
            Exception = null;
        if (Remedy != Remedy.None)
        {
            // Nobody waits for it, and whoever gets it has it twice, or for nothing.
            if (state.Status == V1.TrackingStatus.Delivered && previous != V1.TrackingStatus.Delivered)
                Exception = new ExceptionRecord(V1.ShipmentException.Types.Kind.ArrivedAfterRemedy, $"It arrived, although its pieces were {(Remedy == Remedy.Reshipped ? "sent again" : "paid back")}. Ask the shopper what to do.", now, 1);
        }
        else if (state.ActionRequired)
        {
            // What else keeps it from going on stays the news: a parcel cancelled on its way is not explained by its being held.
            Exception ??= new ExceptionRecord(V1.ShipmentException.Types.Kind.ActionRequired, $"The carrier reports {Words(state)}: somebody has to act.", now, 1);
        }

        Next(now);
        return new ParcelTracked(
            PublicId, OrderId, StoreId, Version, now, Carrier!, TrackingNumber!, StatusName.Of(state.Status), StatusName.Of(previous),
            [.. state.Reached.Select(StatusName.Of)], state.StatusAt, newScans)
        {
            ReturnNumber = ReturnNumber,
        };
    }

    private protected void Next(DateTimeOffset now)
    {
        Version++;
        UpdatedAt = now;
    }

    private static string Words(TrackingState state) =>
        state.ReasonCode.Length > 0 ? $"{StatusName.Of(state.Status)}, {state.ReasonCode}" : StatusName.Of(state.Status);
}

/// <summary>Countries (ISO 3166-1 alpha-2), regions and the postal code that a parcel goes from and to.</summary>
internal sealed record Lane(string FromCountry, string FromRegion, string ToCountry, string ToRegion, string ToPostalCode)
{
    public static Lane Unknown { get; } = new("", "", "", "", "");
}
