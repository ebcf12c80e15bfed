namespace Commerce.Facts;

/// <summary>A fact about a parcel; its key is the shipment's id.</summary>
public interface IShipmentFact : IFact
{
    string ShipmentId { get; }
    string OrderId { get; }
    string StoreId { get; }

    /// <summary>The order's return that the parcel brings back; 0: it goes to the shopper.</summary>
    int ReturnNumber { get; }
}

/// <summary>A parcel was planned.</summary>
public sealed record ShipmentCreated(
    string ShipmentId,
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    IReadOnlyList<ShipmentLineFact> Lines) : IShipmentFact
{
    public string Key => ShipmentId;

    public int ReturnNumber { get; init; }
}

/// <summary>What of an order's line is in a parcel.</summary>
public sealed record ShipmentLineFact(int LineNumber, int Quantity);

/// <summary>A label was bought: the parcel has a tracking number.</summary>
public sealed record LabelBought(
    string ShipmentId,
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string Carrier,
    string Service,
    string TrackingNumber,
    Money Price,
    DateTimeOffset? EstimatedDeliveryAt) : IShipmentFact
{
    public string Key => ShipmentId;

    public int ReturnNumber { get; init; }

    /// <summary>When it will arrive, as of this fact; null once the journey is over, for a return, where nothing tells, and in facts from before it was told.</summary>
    public ArrivalFact? Arrival { get; init; }
}

/// <summary>
/// A parcel bears another number, or is another carrier's, than was known: a label bought elsewhere was registered, or staff corrected it.
/// What was told of the former number's scans no longer holds; what the new one's say follows as <see cref="ParcelTracked"/>.
/// </summary>
/// <param name="Service">Empty: not known.</param>
/// <param name="FormerCarrier">Null: it bore no number.</param>
/// <param name="FormerTrackingNumber">Null: it bore no number.</param>
public sealed record TrackingNumberChanged(
    string ShipmentId,
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string Carrier,
    string Service,
    string TrackingNumber,
    string? FormerCarrier,
    string? FormerTrackingNumber) : IShipmentFact
{
    public string Key => ShipmentId;

    public int ReturnNumber { get; init; }
}

/// <summary>The carrier saw the parcel: new scans were kept. Carries the status that all scans together give.</summary>
/// <param name="Status">As in <c>commerce.shipments.v1.TrackingStatus</c> without prefix, for example "IN_TRANSIT".</param>
/// <param name="PreviousStatus">What it was before these scans.</param>
/// <param name="Reached">Every status that a scan of this parcel has ever had, so that a skipped stage is still known.</param>
/// <param name="NewScans">How many scans were new.</param>
public sealed record ParcelTracked(
    string ShipmentId,
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string Carrier,
    string TrackingNumber,
    string Status,
    string PreviousStatus,
    IReadOnlyList<string> Reached,
    DateTimeOffset StatusAt,
    int NewScans) : IShipmentFact
{
    public string Key => ShipmentId;

    public int ReturnNumber { get; init; }

    /// <summary>When it will arrive, as of this fact; null once the journey is over, for a return, where nothing tells, and in facts from before it was told.</summary>
    public ArrivalFact? Arrival { get; init; }
}

/// <summary>Something keeps the parcel from going on by itself, or no longer does, or what is done about it has come further.</summary>
/// <param name="Kind">As in <c>commerce.shipments.v1.ShipmentException.Kind</c> without prefix; null: it was cleared.</param>
public sealed record ShipmentExceptionChanged(
    string ShipmentId,
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string? Kind,
    string? Message) : IShipmentFact
{
    public string Key => ShipmentId;

    public int ReturnNumber { get; init; }
}

/// <summary>The parcel goes to another address than was planned. A label that it had is void, and another one is bought.</summary>
/// <param name="VoidedTrackingNumber">The number of the label that is void; null: it had none yet.</param>
public sealed record ShipmentReaddressed(
    string ShipmentId,
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string? VoidedTrackingNumber) : IShipmentFact
{
    public string Key => ShipmentId;

    public int ReturnNumber { get; init; }
}

/// <summary>A carrier was asked to deliver a parcel in another way, at another time or place, or has answered.</summary>
/// <param name="State">As in <c>commerce.shipments.v1.DeliveryChange.State</c> without prefix, for example "ACCEPTED".</param>
public sealed record DeliveryChangeTold(
    string ShipmentId,
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string State) : IShipmentFact
{
    public string Key => ShipmentId;

    public int ReturnNumber { get; init; }
}

/// <summary>The parcel will not be sent; its label, if any, is void.</summary>
public sealed record ShipmentCancelled(
    string ShipmentId,
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt) : IShipmentFact
{
    public string Key => ShipmentId;

    public int ReturnNumber { get; init; }
}

/// <summary>When a parcel will arrive, as of a moment. Every time has the offset of the recipient's clock, so that its date is the day on their wall.</summary>
/// <param name="ExpectedAt">As likely before as after.</param>
/// <param name="Windows">Of coverage 0.5, 0.8 and 0.95, each the chance to arrive within it.</param>
/// <param name="Basis">As in <c>commerce.shipments.v1.ArrivalEstimate.Basis</c> without prefix, for example "LANE".</param>
/// <param name="DelayRisk">The chance to miss the promise, from 0 to 1; null: nothing was promised.</param>
/// <param name="DelayCauses">As in <c>commerce.shipments.v1.DelayCause.Code</c> without prefix, the weightiest first.</param>
public sealed record ArrivalFact(
    DateTimeOffset ExpectedAt,
    IReadOnlyList<ArrivalWindowFact> Windows,
    string Basis,
    DateTimeOffset AsOf,
    double? DelayRisk,
    IReadOnlyList<string> DelayCauses);

/// <summary>From when until when a parcel arrives with a chance of <paramref name="Coverage"/>.</summary>
public sealed record ArrivalWindowFact(double Coverage, DateTimeOffset From, DateTimeOffset Until);
