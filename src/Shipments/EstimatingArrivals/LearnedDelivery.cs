using Commerce.Promising;
using Stage = Commerce.Shipments.V1.ArrivalEstimate.Types.Stage;

namespace Commerce.Shipments.EstimatingArrivals;

/// <summary>A delivered parcel as far as others can be told from it: a row of delivery_history.</summary>
internal sealed record LearnedDelivery(
    long Id,
    Guid ShipmentId,
    string StoreId,
    string LocationId,
    string Carrier,
    string Service,
    string FromCountry,
    string FromRegion,
    string ToCountry,
    string ToRegion,
    string ToZone,
    int WeightGrams,
    DateTimeOffset PlannedAt,
    DateTimeOffset? HandedOverAt,
    DateTimeOffset? OutAt,
    DateTimeOffset DeliveredAt,
    DateTimeOffset? PromisedAt)
{
    private const int ZoneLength = 3;

    /// <summary>The begin of a postal code, enough to tell a zone and too little to tell a house.</summary>
    public static string ZoneOf(string postalCode)
    {
        var code = postalCode.Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant();
        return code.Length > ZoneLength ? code[..ZoneLength] : code;
    }

    /// <summary>The journey from a stage on; null where the stage was not seen, or its times cannot be.</summary>
    public Journey? JourneyFrom(Stage stage)
    {
        var startedAt = stage switch
        {
            Stage.Planned => PlannedAt,
            Stage.WithCarrier => HandedOverAt < PlannedAt ? PlannedAt : HandedOverAt,
            _ => OutAt,
        };
        if (startedAt is not { } start || start >= DeliveredAt || start < PlannedAt)
            return null;
        var zone = RecipientClock.ZoneOf(ToCountry, ToRegion);
        var consignment = new Consignment(ShipmentId.ToString("N"), RecipientClock.At(start, zone))
        {
            PromisedAt = PromisedAt,
            Sender = ArrivalEstimator.SenderKey(StoreId, LocationId),
            Carrier = ArrivalEstimator.CarrierKey(Carrier, Service),
            From = new Locality(FromCountry, FromRegion, ""),
            To = new Locality(ToCountry, ToRegion, ToZone),
            WeightGrams = WeightGrams,
        };
        return new Journey(consignment, stage == Stage.Planned && HandedOverAt >= start ? HandedOverAt : null, DeliveredAt);
    }
}
