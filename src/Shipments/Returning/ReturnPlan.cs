using Commerce.Orders.V1;
using Commerce.Shipments.PlanningShipments;
using Commerce.Types.V1;
using Google.Type;

namespace Commerce.Shipments.Returning;

/// <summary>The parcels that bring a return back: pure, and the same each time.</summary>
internal static class ReturnPlan
{
    // Behind whatever goes to the shopper.
    private const int PositionsAReturn = 100_000;
    private const long CubicMillimetresALitre = 1_000_000;

    public static IReadOnlyList<Shipment> Of(Order order, Return one, int number, Store store, ShipmentsOptions options, DateTimeOffset now)
    {
        var limits = new ParcelLimits(options.HeaviestParcelGrams, options.LargestParcelLitres * CubicMillimetresALitre);
        var shipments = new List<Shipment>();
        foreach (var lines in one.Lines.Select(line => Pieces(order, line)).GroupBy(line => line.ShipFrom?.LocationId ?? ""))
        {
            var to = lines.First().ShipFrom is { } place && place.CalculateSize() > 0 ? place : store.ShipFrom ?? new Place();
            foreach (var (index, content) in Packing.Of([.. lines], limits, options.DefaultPieceGrams).Index())
                shipments.Add(Parcel(order, one, number, store, content, to, index, (PositionsAReturn * number) + shipments.Count, options.DefaultPieceGrams, now));
        }

        return shipments;
    }

    private static OrderLine Pieces(Order order, ReturnLine back)
    {
        var line = order.Lines.Single(l => l.LineNumber == back.LineNumber).Clone();
        line.Quantity = back.Quantity;
        return line;
    }

    private static Shipment Parcel(
        Order order, Return one, int number, Store store, IReadOnlyList<PackedLine> content, Place to, int index, int position, int defaultPieceGrams, DateTimeOffset now)
    {
        var from = order.ShippingAddress ?? new PostalAddress();
        return new Shipment
        {
            Id = ShipmentPlan.IdOf(one.Name, to.LocationId, index),
            StoreId = order.StoreId,
            OrderId = order.OrderId,
            ReturnNumber = number,
            OrderReference = one.ReturnNumber,
            LocationId = to.LocationId,
            Position = position,
            ShipFrom = new PlaceRecord("", from.Locality, from.AdministrativeArea, from.PostalCode, from.RegionCode),
            // Whoever opens it has to know what it is.
            ShipTo = new AddressRecord(store.DisplayName, ["Return " + one.ReturnNumber], to.Locality, to.AdministrativeArea, to.PostalCode, to.RegionCode),
            Lines = ShipmentPlan.LinesOf(content, defaultPieceGrams),
            Size = ShipmentPlan.SizeOf(content, defaultPieceGrams),
            Value = ShipmentPlan.ValueOf(content),
            Tracking = TrackingState.Planned(now),
            Version = 1,
            CreatedAt = now,
            UpdatedAt = now,
        };
    }
}
