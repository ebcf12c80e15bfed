using System.Security.Cryptography;
using System.Text;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Type;

namespace Commerce.Shipments.PlanningShipments;

/// <summary>The parcels of an order: pure, and the same each time.</summary>
internal static class ShipmentPlan
{
    private const int HeaviestGrams = 1_000_000;
    private const int LongestMm = 10_000;

    /// <param name="ownPlace">Where lines without a place leave from.</param>
    public static IReadOnlyList<Shipment> Of(Order order, Place ownPlace, int defaultPieceGrams, DateTimeOffset now) =>
    [
        .. order.Lines
            .GroupBy(line => line.ShipFrom?.LocationId ?? "")
            .Select((lines, position) => Parcel(order, [.. lines], lines.Key, lines.First().ShipFrom ?? ownPlace, position, defaultPieceGrams, now)),
    ];

    private static Shipment Parcel(Order order, IReadOnlyList<OrderLine> lines, string locationId, Place from, int position, int defaultPieceGrams, DateTimeOffset now) => new()
    {
        Id = IdOf(order.OrderId, locationId),
        StoreId = order.StoreId,
        OrderId = order.OrderId,
        OrderReference = order.ExternalId.Length > 0 ? order.ExternalId : order.OrderId,
        LocationId = locationId,
        Position = position,
        ShipFrom = new PlaceRecord(locationId, from.Locality, from.AdministrativeArea, from.PostalCode, from.RegionCode),
        ShipTo = AddressOf(order.ShippingAddress ?? new PostalAddress(), order.Customer?.Name ?? ""),
        Lines = [.. lines.Select(line => new LineRecord(line.LineNumber, line.Sku, line.Title, line.Quantity))],
        Size = SizeOf(lines, defaultPieceGrams),
        Value = ValueOf(lines),
        PromisedAt = order.PromisedDeliveryTime?.ToDateTimeOffset(),
        Tracking = TrackingState.Planned(now),
        Version = 1,
        CreatedAt = now,
        UpdatedAt = now,
    };

    // From what it is, so that a run after a crash names the same parcel again.
    private static Guid IdOf(string orderId, string locationId) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{orderId}\n{locationId}")).AsSpan(0, 16), bigEndian: true);

    private static AddressRecord AddressOf(PostalAddress address, string customer) => new(
        address.Recipients.FirstOrDefault(recipient => recipient.Length > 0) ?? customer,
        [.. address.AddressLines],
        address.Locality,
        address.AdministrativeArea,
        address.PostalCode,
        address.RegionCode);

    // One on the other: a box as wide and long as the largest piece, and as high as all.
    private static ParcelSize SizeOf(IReadOnlyList<OrderLine> lines, int defaultPieceGrams)
    {
        long grams = 0, height = 0;
        int length = 0, width = 0;
        foreach (var line in lines)
        {
            var piece = line.Dimensions ?? new Dimensions();
            grams += (long)line.Quantity * (piece.WeightGrams > 0 ? piece.WeightGrams : defaultPieceGrams);
            height += (long)line.Quantity * piece.HeightMm;
            length = Math.Max(length, piece.LengthMm);
            width = Math.Max(width, piece.WidthMm);
        }

        return new ParcelSize((int)Math.Clamp(grams, 1, HeaviestGrams), Math.Min(length, LongestMm), Math.Min(width, LongestMm), (int)Math.Min(height, LongestMm));
    }

    private static Money ValueOf(IReadOnlyList<OrderLine> lines) => lines
        .Select(line => line.Amount.TryToMoney(out var amount, out var error) ? amount : throw new InvalidOperationException($"Line {line.LineNumber} has no amount: {error}"))
        .Aggregate((sum, amount) => sum + amount);
}
