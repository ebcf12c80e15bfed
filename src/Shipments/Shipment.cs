using Commerce.Facts;
using Commerce.Shipments.ResolvingExceptions;

namespace Commerce.Shipments;

/// <summary>
/// One parcel, as it is stored. Every change makes the next version and exactly one fact, which the methods return; a change
/// that its state does not allow is an error, one that changes nothing returns null.
/// </summary>
internal sealed class Shipment : TrackedParcel
{
    // Trying goes on for as long as the order lives; what was refused long ago matters no more.
    private const int MostRefusals = 1000;

    /// <summary>What the carrier is told: the shop's own number if it gave one, otherwise the Order ID.</summary>
    public required string OrderReference { get; init; }

    public required int Position { get; init; }

    public required PlaceRecord ShipFrom { get; init; }

    public required AddressRecord ShipTo { get; set; }

    /// <summary>Where it is to go instead, as long as a label for the old address is not void; null otherwise.</summary>
    public AddressRecord? NextShipTo { get; set; }

    /// <summary>How many labels of it were voided for another address: the next one is another question to the carrier.</summary>
    public int LabelsVoided { get; set; }

    public required IReadOnlyList<LineRecord> Lines { get; init; }

    public required ParcelSize Size { get; init; }

    public override Lane Lane => new(ShipFrom.Country, ShipFrom.Region, ShipTo.Country, ShipTo.Region, ShipTo.PostalCode);

    public override int WeightGrams => Size.WeightGrams;

    public required Money Value { get; init; }

    public string? BuyingCarrier { get; set; }

    public string? BuyingService { get; set; }

    /// <summary>"carrier/service" of every refusal since trying began anew.</summary>
    public IReadOnlyList<string> Refused { get; set; } = [];

    public string? LabelId { get; set; }

    public Money? LabelPrice { get; set; }

    public bool CancelRequested { get; set; }

    /// <summary>It is cancelled because the order's lines changed: what is still wanted of it goes into another parcel.</summary>
    public bool Recut { get; set; }

    /// <summary>What customs is told, as somebody said; null: what follows from its lines.</summary>
    public CustomsRecord? Customs { get; set; }

    /// <summary>The last change of its delivery that was asked for.</summary>
    public DeliveryChangeRecord? DeliveryChange { get; set; }

    /// <summary>What was decided last in the place of its arrival.</summary>
    public DecidedRemedyRecord? DecidedRemedy { get; set; }

    /// <summary>The manifest on which its label is; only read here.</summary>
    public Guid? ManifestId { get; init; }

    /// <summary>Which of its order's parcels it is, from 1; 0 where that was not asked for.</summary>
    public int Piece { get; init; }

    /// <summary>How many there are.</summary>
    public int Pieces { get; init; }

    /// <summary>Its label was bought elsewhere: nobody here can void it.</summary>
    public bool IsRegistered => TrackingNumber is not null && LabelId is null;

    /// <summary>Who sold its label: its carrier, or an aggregator; null without one.</summary>
    public string? Seller => LabelId is null ? null : BuyingCarrier;

    public ShipmentCreated Created() => new(
        PublicId, OrderId, StoreId, Version, CreatedAt, [.. Lines.Select(line => new ShipmentLineFact(line.LineNumber, line.Quantity))])
    {
        ReturnNumber = ReturnNumber,
    };

    /// <param name="carrier">Whose number it bears; empty: the seller's.</param>
    public LabelBought LabelWasBought(string carrier, string labelId, string trackingNumber, Money price, DateTimeOffset? estimatedAt, DateTimeOffset now)
    {
        if (LabelId is not null)
            throw new InvalidOperationException($"Shipment {PublicId} has a label already.");
        (LabelId, TrackingNumber, LabelPrice, EstimatedAt) = (labelId, trackingNumber, price, estimatedAt);
        (Carrier, Service) = (carrier.Length > 0 ? carrier : BuyingCarrier, BuyingService);
        // The fact of the label says so by itself.
        OwnExceptionIsOver();
        Next(now);
        return new LabelBought(PublicId, OrderId, StoreId, Version, now, Carrier!, Service!, trackingNumber, price, estimatedAt) { ReturnNumber = ReturnNumber };
    }

    /// <summary>It bears a number that was bought elsewhere.</summary>
    public TrackingNumberChanged WasRegistered(string carrier, string service, string trackingNumber, DateTimeOffset now)
    {
        if (TrackingNumber is not null)
            throw new InvalidOperationException($"Shipment {PublicId} bears a number already.");
        (Carrier, Service, TrackingNumber) = (carrier, service, trackingNumber);
        OwnExceptionIsOver();
        Next(now);
        return NumberChanged(null, null, now);
    }

    /// <summary>It is, and always was, another carrier's or another number; what was heard of the former one says nothing of it.</summary>
    public TrackingNumberChanged WasCorrected(string carrier, string trackingNumber, DateTimeOffset now)
    {
        var (formerCarrier, formerNumber) = (Carrier, TrackingNumber ?? throw new InvalidOperationException($"Shipment {PublicId} bears no number."));
        if (carrier != Carrier)
            (Carrier, Service) = (carrier, "");
        TrackingNumber = trackingNumber;
        (Tracking, LastScanAt) = (TrackingState.Planned(now), null);
        if (Exception?.Kind is V1.ShipmentException.Types.Kind.Silent or V1.ShipmentException.Types.Kind.ActionRequired)
            Exception = null;
        Next(now);
        return NumberChanged(formerCarrier, formerNumber, now);
    }

    /// <summary>The carrier refused what was chosen: the next attempt chooses anew.</summary>
    public void WasRefused(string rate)
    {
        Refused = [.. Refused.TakeLast(MostRefusals - 1), rate];
        (BuyingCarrier, BuyingService) = (null, null);
    }

    public ShipmentExceptionChanged? Raise(V1.ShipmentException.Types.Kind kind, string message, int attempts, DateTimeOffset now)
    {
        if (Exception?.Kind == kind)
            return null;
        Exception = new ExceptionRecord(kind, message, now, attempts);
        Next(now);
        return new ShipmentExceptionChanged(PublicId, OrderId, StoreId, Version, now, StatusName.Of(kind), message) { ReturnNumber = ReturnNumber };
    }

    /// <summary>Somebody saw to what kept it; null if nothing did.</summary>
    public ShipmentExceptionChanged? Clear(DateTimeOffset now)
    {
        if (Exception is null)
            return null;
        Exception = null;
        Next(now);
        return new ShipmentExceptionChanged(PublicId, OrderId, StoreId, Version, now, null, null) { ReturnNumber = ReturnNumber };
    }

    /// <summary>Something stands in for it from now on; null if that is so already.</summary>
    public ShipmentExceptionChanged? Settle(Remedy remedy, DateTimeOffset now)
    {
        if (Remedy == remedy)
            return null;
        (Remedy, Exception) = (remedy, null);
        Next(now);
        return new ShipmentExceptionChanged(PublicId, OrderId, StoreId, Version, now, null, null) { ReturnNumber = ReturnNumber };
    }

    /// <summary>Something is decided in the place of its arrival, or has come further; what keeps it stays as it is.</summary>
    public ShipmentExceptionChanged RemedyWasDecided(DecidedRemedyRecord decided, DateTimeOffset now)
    {
        DecidedRemedy = decided;
        Next(now);
        return new ShipmentExceptionChanged(PublicId, OrderId, StoreId, Version, now, Exception is { } exception ? StatusName.Of(exception.Kind) : null, Exception?.Message) { ReturnNumber = ReturnNumber };
    }

    /// <summary>It goes to <paramref name="to"/>, and needs a label for there.</summary>
    public ShipmentReaddressed WasReaddressed(AddressRecord to, DateTimeOffset now)
    {
        var voided = TrackingNumber;
        if (LabelId is not null)
            LabelsVoided++;
        (ShipTo, NextShipTo) = (to, null);
        if (DeliveryChange is { State: V1.DeliveryChange.Types.State.Requested } change)
            DeliveryChange = change with { State = V1.DeliveryChange.Types.State.Accepted, AnsweredAt = now };
        (Carrier, Service, BuyingCarrier, BuyingService) = (null, null, null, null);
        (LabelId, TrackingNumber, LabelPrice, EstimatedAt) = (null, null, null, null);
        Refused = [];
        OwnExceptionIsOver();
        Tracking = TrackingState.Planned(now);
        Next(now);
        return new ShipmentReaddressed(PublicId, OrderId, StoreId, Version, now, voided) { ReturnNumber = ReturnNumber };
    }

    /// <summary>Its carrier is asked for another delivery.</summary>
    public DeliveryChangeTold ChangeWasRequested(DeliveryChangeRecord change, DateTimeOffset now)
    {
        DeliveryChange = change;
        Next(now);
        return Told(change.State, now);
    }

    /// <summary>The carrier does so.</summary>
    public DeliveryChangeTold ChangeWasAccepted(DateTimeOffset? estimatedAt, DateTimeOffset now)
    {
        DeliveryChange = DeliveryChange! with { State = V1.DeliveryChange.Types.State.Accepted, AnsweredAt = now };
        ShipTo = DeliveryChange.To;
        EstimatedAt = estimatedAt ?? EstimatedAt;
        // What could not be done by a label is done by the carrier.
        if (Exception?.Kind is V1.ShipmentException.Types.Kind.DeliveryChangeRefused or V1.ShipmentException.Types.Kind.AddressChangedTooLate)
            Exception = null;
        Next(now);
        return Told(DeliveryChange.State, now);
    }

    /// <summary>The carrier does not: somebody should know.</summary>
    public DeliveryChangeTold ChangeWasRefused(string why, DateTimeOffset now)
    {
        DeliveryChange = DeliveryChange! with { State = V1.DeliveryChange.Types.State.Refused, AnsweredAt = now, Refusal = why };
        Exception ??= new ExceptionRecord(V1.ShipmentException.Types.Kind.DeliveryChangeRefused, $"The carrier does not deliver it as was asked: {why} It is delivered as before.", now, 1);
        Next(now);
        return Told(DeliveryChange.State, now);
    }

    public ShipmentCancelled? Cancel(DateTimeOffset now)
    {
        if (Tracking.Status == V1.TrackingStatus.Cancelled)
            return null;
        CancelRequested = true;
        Tracking = Tracking with { Status = V1.TrackingStatus.Cancelled, StatusAt = now };
        OwnExceptionIsOver();
        Next(now);
        return new ShipmentCancelled(PublicId, OrderId, StoreId, Version, now) { ReturnNumber = ReturnNumber };
    }

    // What kept it so far is over; the money for a former label is another matter.
    private void OwnExceptionIsOver()
    {
        if (Exception?.Kind != V1.ShipmentException.Types.Kind.RefundNotGranted)
            Exception = null;
    }

    private DeliveryChangeTold Told(V1.DeliveryChange.Types.State state, DateTimeOffset now) =>
        new(PublicId, OrderId, StoreId, Version, now, StatusName.Of(state)) { ReturnNumber = ReturnNumber };

    private TrackingNumberChanged NumberChanged(string? formerCarrier, string? formerNumber, DateTimeOffset now) =>
        new(PublicId, OrderId, StoreId, Version, now, Carrier!, Service!, TrackingNumber!, formerCarrier, formerNumber) { ReturnNumber = ReturnNumber };
}

/// <summary>Where it goes. Personal data.</summary>
internal sealed record AddressRecord(string Name, IReadOnlyList<string> Lines, string Locality, string Region, string PostalCode, string Country)
{
    /// <summary>How it should be delivered; null: in any way.</summary>
    public WishesRecord? Wishes { get; init; }

    /// <summary>The same address, line by line.</summary>
    public bool SameAs(AddressRecord other) => this with { Lines = other.Lines } == other && Lines.SequenceEqual(other.Lines);
}

/// <summary>How it should be delivered: a day (2026-12-24) and a window (09:00), empty where any will do. Personal data.</summary>
internal sealed record WishesRecord(string LeaveAt, string Day, string From, string Until, bool Signature, string GiftNote)
{
    public static WishesRecord None { get; } = new("", "", "", "", false, "");

    public bool Fragile { get; init; }

    public string Neighbour { get; init; } = "";

    /// <summary>The carrier's own code of a shop or a locker.</summary>
    public string PickupPoint { get; init; } = "";
}

/// <summary><see cref="PieceMinor"/> (in the currency of the parcel's value) and <see cref="PieceGrams"/> are those of one piece; null in parcels that were planned before they were kept.</summary>
internal sealed record LineRecord(int LineNumber, string Sku, string Title, int Quantity)
{
    public long? PieceMinor { get; init; }

    public int? PieceGrams { get; init; }
}

/// <summary>What customs is told.</summary>
internal sealed record CustomsRecord(V1.CustomsDeclaration.Types.Contents Contents, IReadOnlyList<CustomsLineRecord> Lines, string Reference);

/// <summary>Value and weight are those of all its pieces.</summary>
internal sealed record CustomsLineRecord(string Description, int Quantity, long ValueMinor, string Currency, int WeightGrams, string HsCode, string Origin);

/// <summary>A change of the delivery that its carrier is asked for, and what it said.</summary>
/// <param name="Id">The key under which the carrier is asked.</param>
/// <param name="To">Where and how it is delivered if the carrier agrees. Personal data.</param>
/// <param name="Elsewhere">The address itself is another.</param>
internal sealed record DeliveryChangeRecord(Guid Id, V1.DeliveryChange.Types.State State, AddressRecord To, bool Elsewhere, DateTimeOffset RequestedAt, DateTimeOffset? AnsweredAt, string Refusal);

/// <summary>Grams and millimetres.</summary>
internal sealed record ParcelSize(int WeightGrams, int LengthMm, int WidthMm, int HeightMm);

internal sealed record ExceptionRecord(V1.ShipmentException.Types.Kind Kind, string Message, DateTimeOffset At, int Attempts);
