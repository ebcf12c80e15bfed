using Commerce.Messaging;
using Commerce.Orders.Catalogue;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Npgsql;

namespace Commerce.Orders.ReplacingParcels;

/// <summary>Has the pieces of a parcel that will not arrive sent again.</summary>
public sealed class ReplaceParcel(FindOrders find, StoreBook stores, ProductBook products, RequestedChanges changes)
{
    private const string ShipmentPrefix = "shipments/";

    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED, ORDER_NOT_FOUND, ORDER_STATE, OUT_OF_STOCK, ETAG_MISMATCH, REQUEST_ID_REUSED.</exception>
    public async Task<V1.Order> Replace(ReplaceParcelRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        Check(request);
        var id = await find.Resolve(request.Name, cancellationToken);
        try
        {
            return await changes.Once(id, request.Etag, key, decision => Decide(request, decision, cancellationToken), cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == Sql.OutOfStock)
        {
            throw PlacingOrder.PlaceOrder.OutOfStock(exception.MessageText);
        }
    }

    private async Task<OrderChange?> Decide(ReplaceParcelRequest request, OrderDecision decision, CancellationToken cancellationToken)
    {
        var order = decision.Order;
        var shop = await stores.Get(order.StoreId, cancellationToken);
        var catalogue = await products.Fresh(shop, [.. order.Lines.Select(line => line.Sku).Distinct(StringComparer.Ordinal)], cancellationToken);
        return order.ReplaceParcel(
            request.Shipment[ShipmentPrefix.Length..], request.Note, sku => catalogue.TryGetValue(sku, out var product) && product.StockTracked, decision.Moment);
    }

    private static void Check(ReplaceParcelRequest request)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: true);
        errors.Optional("note", request.Note, 500);
        errors.Etag("etag", request.Etag);
        if (!request.Shipment.StartsWith(ShipmentPrefix, StringComparison.Ordinal) || !Guid.TryParseExact(request.Shipment.AsSpan(ShipmentPrefix.Length), "N", out _))
            errors.Add("shipment", "Give \"shipments/\" and the shipment_id of a parcel of the order.");
        errors.ThrowIfAny();
    }
}
