using Commerce.Orders.V1;
using Commerce.Shipments.PlanningShipments;
using Commerce.Types.V1;

namespace Commerce.Shipments.RegisteringTracking;

/// <summary>An order as Orders has it, and the store's own place, for a parcel that nobody planned.</summary>
internal sealed record PlannableOrder(Order Order, Place OwnPlace)
{
    /// <summary>A parcel of what is in none of the others yet and leaves one place; of nothing that is known, if all of it is in others.</summary>
    public Shipment FurtherParcel(IReadOnlyList<Shipment> others, int position, int defaultPieceGrams, DateTimeOffset now)
    {
        var held = others.Where(one => one.Tracking.Status != V1.TrackingStatus.Cancelled).SelectMany(one => one.Lines).ToLookup(line => line.LineNumber, line => line.Quantity);
        IReadOnlyList<PackedLine> content =
        [
            .. Order.Lines.Select(line => new PackedLine(line, line.Quantity - held[line.LineNumber].Sum())).Where(packed => packed.Quantity > 0)
                .GroupBy(packed => packed.Line.ShipFrom?.LocationId ?? "").FirstOrDefault() ?? Enumerable.Empty<PackedLine>(),
        ];
        var from = (content.Count > 0 ? content[0].Line.ShipFrom : null) ?? OwnPlace;
        return new Shipment
        {
            Id = Guid.CreateVersion7(now),
            StoreId = Order.StoreId,
            OrderId = Order.OrderId,
            OrderReference = Order.ExternalId.Length > 0 ? Order.ExternalId : Order.OrderId,
            LocationId = from.LocationId,
            Position = position,
            ShipFrom = new PlaceRecord(from.LocationId, from.Locality, from.AdministrativeArea, from.PostalCode, from.RegionCode),
            ShipTo = ShipmentPlan.AddressOf(Order),
            Lines = ShipmentPlan.LinesOf(content, defaultPieceGrams),
            Size = ShipmentPlan.SizeOf(content, defaultPieceGrams),
            Value = content.Count > 0 ? ShipmentPlan.ValueOf(content) : new Money(0, Order.Lines[0].UnitPrice.CurrencyCode),
            PromisedAt = Order.PromisedDeliveryTime?.ToDateTimeOffset(),
            Tracking = TrackingState.Planned(now),
            Version = 1,
            CreatedAt = now,
            UpdatedAt = now,
        };
    }
}
