namespace Commerce.Shipments.Tests;

internal static class StoredShipment
{
    /// <summary>What is stored of it: an estimate is made anew, and as of now, each time it is read.</summary>
    public static V1.Shipment Stored(this V1.Shipment shipment)
    {
        var stored = shipment.Clone();
        (stored.ArrivalEstimate, stored.DelayRisk) = (null, null);
        return stored;
    }
}
