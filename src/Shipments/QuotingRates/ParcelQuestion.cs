namespace Commerce.Shipments.QuotingRates;

/// <summary>What offers are asked for.</summary>
/// <param name="StoreId">Whose rules rank them; empty: the usual ones.</param>
/// <param name="Value">What it is worth; null: nobody says.</param>
/// <param name="Collect">What is to be collected from the recipient; null: nothing.</param>
/// <param name="PickedUp">The carrier comes for it; false: it is brought to the carrier.</param>
/// <param name="ReadyAt">When it can leave.</param>
internal sealed record ParcelQuestion(
    string StoreId, PlaceRecord From, PlaceRecord To, ParcelSize Size, Money? Value, Money? Collect, bool Signature, bool Residential, bool PickedUp, DateTimeOffset? PromisedAt, DateTimeOffset ReadyAt)
{
    public static ParcelQuestion Of(Shipment shipment, DateTimeOffset now) => new(
        shipment.StoreId,
        shipment.ShipFrom,
        new PlaceRecord("", shipment.ShipTo.Locality, shipment.ShipTo.Region, shipment.ShipTo.PostalCode, shipment.ShipTo.Country),
        shipment.Size,
        shipment.Value,
        Collect: null,
        Signature: shipment.ShipTo.Wishes is { Signature: true },
        Residential: false,
        // A shopper brings what comes back to the carrier.
        PickedUp: shipment.ReturnNumber == 0,
        shipment.PromisedAt,
        now);
}
