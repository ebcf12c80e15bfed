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
    private const long CubicMillimetresALitre = 1_000_000;

    /// <param name="ownPlace">Where lines without a place leave from.</param>
    /// <param name="position">Parcels that the order has already: these are further ones.</param>
    public static IReadOnlyList<Shipment> Of(Order order, Place ownPlace, ShipmentsOptions options, DateTimeOffset now, int position = 0)
    {
        var limits = new ParcelLimits(options.HeaviestParcelGrams, options.LargestParcelLitres * CubicMillimetresALitre);
        var shipments = new List<Shipment>();
        foreach (var lines in order.Lines.GroupBy(line => line.ShipFrom?.LocationId ?? ""))
        {
            var parcels = Packing.Of([.. lines], limits, options.DefaultPieceGrams);
            var before = position + shipments.Count;
            shipments.AddRange(parcels.Select((content, number) => Parcel(
                order, content, lines.Key, position > 0 ? IdOf(order.OrderId, before + number) : IdOf(order.OrderId, lines.Key, number),
                lines.First().ShipFrom ?? ownPlace, before + number, options.DefaultPieceGrams, now)));
        }

        return shipments;
    }

    private static Shipment Parcel(
        Order order, IReadOnlyList<PackedLine> content, string locationId, Guid id, Place from, int position, int defaultPieceGrams, DateTimeOffset now) => new()
        {
            Id = id,
            StoreId = order.StoreId,
            OrderId = order.OrderId,
            OrderReference = order.ExternalId.Length > 0 ? order.ExternalId : order.OrderId,
            LocationId = locationId,
            Position = position,
            ShipFrom = new PlaceRecord(locationId, from.Locality, from.AdministrativeArea, from.PostalCode, from.RegionCode),
            ShipTo = AddressOf(order),
            Lines = LinesOf(content, defaultPieceGrams),
            Size = SizeOf(content, defaultPieceGrams),
            Value = ValueOf(content),
            PromisedAt = order.PromisedDeliveryTime?.ToDateTimeOffset(),
            Tracking = TrackingState.Planned(now),
            Version = 1,
            CreatedAt = now,
            UpdatedAt = now,
        };

    // From what it is, so that a run after a crash names the same parcel again.
    public static Guid IdOf(string orderId, string locationId, int number) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes(number == 0 ? $"{orderId}\n{locationId}" : $"{orderId}\n{locationId}\n{number}")).AsSpan(0, 16), bigEndian: true);

    // A further parcel: an order has one at each position, whatever place it leaves from.
    private static Guid IdOf(string orderId, int position) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{orderId}\n\n#{position}")).AsSpan(0, 16), bigEndian: true);

    public static IReadOnlyList<LineRecord> LinesOf(IReadOnlyList<PackedLine> content, int defaultPieceGrams) =>
        [
            .. content.Select(packed => new LineRecord(packed.Line.LineNumber, packed.Line.Sku, packed.Line.Title, packed.Quantity)
            {
                PieceMinor = ValueOf([packed with { Quantity = 1 }]).Minor,
                PieceGrams = packed.Line.Dimensions is { WeightGrams: > 0 } dimensions ? dimensions.WeightGrams : defaultPieceGrams,
            }),
        ];

    /// <summary>Where the order goes.</summary>
    public static AddressRecord AddressOf(Order order)
    {
        var address = order.ShippingAddress ?? new PostalAddress();
        return new AddressRecord(
            address.Recipients.FirstOrDefault(recipient => recipient.Length > 0) ?? order.Customer?.Name ?? "",
            [.. address.AddressLines],
            address.Locality,
            address.AdministrativeArea,
            address.PostalCode,
            address.RegionCode)
        {
            Wishes = WishesOf(order.DeliveryWishes),
        };
    }

    private static WishesRecord? WishesOf(DeliveryWishes? wishes) => wishes is null ? null : new WishesRecord(
        wishes.LeaveAt,
        wishes.PreferredDay is { } day ? FormattableString.Invariant($"{day.Year:D4}-{day.Month:D2}-{day.Day:D2}") : "",
        TimeOf(wishes.WindowFrom),
        TimeOf(wishes.WindowUntil),
        wishes.SignatureWanted,
        wishes.GiftNote)
    {
        Fragile = wishes.Fragile,
        Neighbour = wishes.Neighbour,
        PickupPoint = wishes.PickupPoint,
    };

    public static string TimeOf(TimeOfDay? time) => time is null ? "" : FormattableString.Invariant($"{time.Hours:D2}:{time.Minutes:D2}");

    public static ParcelSize SizeOf(IReadOnlyList<PackedLine> content, int defaultPieceGrams)
    {
        var stack = content.Aggregate(Packing.Stack.Empty, (sum, packed) => sum.With(packed.Line.Dimensions, packed.Quantity, defaultPieceGrams));
        return new ParcelSize(
            (int)Math.Clamp(stack.Grams, 1, HeaviestGrams),
            (int)Math.Min(stack.LengthMm, LongestMm), (int)Math.Min(stack.WidthMm, LongestMm), (int)Math.Min(stack.HeightMm, LongestMm));
    }

    public static Money ValueOf(IReadOnlyList<PackedLine> content) => content
        .Select(packed => packed.Line.UnitPrice.TryToMoney(out var price, out var error)
            ? price * packed.Quantity
            : throw new InvalidOperationException($"Line {packed.Line.LineNumber} has no price: {error}"))
        .Aggregate((sum, amount) => sum + amount);
}
