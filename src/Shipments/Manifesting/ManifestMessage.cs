using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Shipments.Manifesting;

/// <summary>A list as it was closed.</summary>
internal sealed record ManifestRecord(
    Guid Id, string StoreId, string Carrier, string LocationId, int Number, DateTimeOffset ClosedAt, int ParcelCount, long WeightGrams, IReadOnlyList<ManifestLineRecord> Lines);

/// <summary>A parcel on it.</summary>
internal sealed record ManifestLineRecord(
    string ShipmentId, string OrderId, string OrderReference, string TrackingNumber, string Service, int WeightGrams, string PostalCode, string Country);

/// <summary>A list as the API shows it.</summary>
internal static class ManifestMessage
{
    public const string NamePrefix = "manifests/";

    public static Manifest Of(ManifestRecord manifest, bool withLines)
    {
        var message = new Manifest
        {
            Name = NamePrefix + manifest.Id.ToString("N"),
            StoreId = manifest.StoreId,
            Carrier = manifest.Carrier,
            LocationId = manifest.LocationId,
            Number = manifest.Number,
            CloseTime = Timestamp.FromDateTimeOffset(manifest.ClosedAt),
            ParcelCount = manifest.ParcelCount,
            WeightGrams = manifest.WeightGrams,
        };
        if (withLines)
        {
            message.Lines.Add(manifest.Lines.Select(line => new ManifestLine
            {
                Shipment = ShipmentMessage.NamePrefix + line.ShipmentId,
                OrderId = line.OrderId,
                TrackingNumber = line.TrackingNumber,
                Service = line.Service,
                WeightGrams = line.WeightGrams,
                PostalCode = line.PostalCode,
                RegionCode = line.Country,
            }));
        }

        return message;
    }
}
