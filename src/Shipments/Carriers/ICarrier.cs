using Commerce.Tracking.Payloads;

namespace Commerce.Shipments.Carriers;

/// <summary>
/// A carrier as Shipments needs it. The outcome of a call that did not answer is unknown: it is asked again with the same
/// key, never with another one.
/// </summary>
internal interface ICarrier
{
    /// <summary>For example "ups".</summary>
    string Code { get; }

    /// <summary>As people read it on a label, for example "UPS".</summary>
    string Name { get; }

    /// <summary>It sells labels of carriers beside itself, which have codes of their own: an aggregator.</summary>
    bool SellsForOthers => false;

    /// <summary>What it would cost and how long it would take; empty if it does not serve both ends.</summary>
    Task<IReadOnlyList<Rate>> Rates(RateQuestion question, CancellationToken cancellationToken);

    /// <exception cref="LabelRefusedException">The carrier will not make this label; another service or carrier may.</exception>
    Task<Label> BuyLabel(Shipment shipment, string service, string idempotencyKey, CancellationToken cancellationToken);

    Task<VoidOutcome> VoidLabel(string labelId, string idempotencyKey, CancellationToken cancellationToken);

    /// <summary>Asks that a parcel with a label is delivered in another way or at another time, or where it goes.</summary>
    /// <param name="shipment">As it is.</param>
    /// <param name="to">Where and how it is to be delivered instead.</param>
    /// <param name="elsewhere">The address itself is another.</param>
    Task<DeliveryChangeOutcome> ChangeDelivery(Shipment shipment, AddressRecord to, bool elsewhere, string idempotencyKey, CancellationToken cancellationToken);

    /// <summary>Every scan that the carrier has of the number.</summary>
    Task<IReadOnlyList<ReportedScan>> Track(string trackingNumber, CancellationToken cancellationToken);

    /// <summary>Asks the carrier to pay for a parcel that it lost or damaged; null if it takes no claims this way.</summary>
    Task<Claim?> FileClaim(Shipment shipment, Money amount, string idempotencyKey, CancellationToken cancellationToken) => Task.FromResult<Claim?>(null);

    /// <summary>What the carrier says of a claim that it took.</summary>
    Task<Claim?> FindClaim(string claimId, CancellationToken cancellationToken) => Task.FromResult<Claim?>(null);
}

/// <summary>A parcel as far as a carrier has to know it to say what it wants.</summary>
internal sealed record RateQuestion(PlaceRecord From, PlaceRecord To, ParcelSize Size, Money Value);

/// <summary>A carrier's own offer. Transit is in calendar days.</summary>
internal sealed record Rate(string Carrier, string Service, Money Price, int TransitDaysMin, int TransitDaysMax);

/// <summary>A label as it was sold.</summary>
internal sealed record Label(string Id, string TrackingNumber, Money Price, DateTimeOffset? EstimatedDeliveryAt)
{
    /// <summary>Whose number it bears; empty: the seller's own.</summary>
    public string Carrier { get; init; } = "";
}

/// <summary>A claim as its carrier has it.</summary>
/// <param name="Paid">What it pays; null: what was asked, or nothing yet.</param>
/// <param name="Why">The carrier's words for a rejection.</param>
internal sealed record Claim(string Id, ClaimDecision Decision, Money? Paid, string Why);

internal enum ClaimDecision
{
    Open,
    Accepted,
    Rejected,
}

internal enum VoidOutcome
{
    Voided,

    /// <summary>The carrier has the parcel already.</summary>
    HandedOver,
}

/// <summary>What a carrier says to another delivery.</summary>
/// <param name="Why">The carrier's words for why not; empty where it does so.</param>
/// <param name="EstimatedDeliveryAt">When it is expected now; null: the carrier does not say.</param>
internal sealed record DeliveryChangeOutcome(bool Accepted, string Why, DateTimeOffset? EstimatedDeliveryAt)
{
    /// <summary>The carrier's interface has no such thing.</summary>
    public static DeliveryChangeOutcome NotOffered(string carrier) => new(false, $"{carrier} takes no such changes here; ask it by other means.", null);
}

/// <summary>The carrier's words for why.</summary>
internal sealed class LabelRefusedException(string why) : Exception(why);
