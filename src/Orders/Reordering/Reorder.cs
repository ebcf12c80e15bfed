using Commerce.Messaging;
using Commerce.Orders.Catalogue;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.Stock;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.Reordering;

/// <summary>Prices an old basket at today's catalogue and stock, and places what can be had of it where that is wished.</summary>
public sealed class Reorder(
    FindOrders find, StoreBook stores, ProductBook products, StockBook stock, PlaceOrder placeOrder, OrderReader orders, Requests requests)
{
    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED, ORDER_NOT_FOUND, ORDER_ERASED, OUT_OF_STOCK, PRICE_CHANGED, REQUEST_ID_REUSED.</exception>
    public async Task<ReorderResponse> Quote(ReorderRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        Check(request);
        var old = await find.Get(request.Name, 0, cancellationToken);
        if (old.EraseTime is not null)
            throw new Failure(ErrorReason.OrderErased, $"The customer of order {old.OrderId} was erased: nobody is left to whom it could be sent.");
        var store = await stores.Get(old.StoreId, cancellationToken);
        // What was cancelled of it was not wanted then.
        foreach (var gone in old.Lines.Where(line => line.Quantity == 0).ToList())
            old.Lines.Remove(gone);
        var skus = old.Lines.Select(line => line.Sku).Distinct(StringComparer.Ordinal).ToArray();
        var catalogue = await products.Fresh(store, skus, cancellationToken);
        var shelf = await stock.Find(store.StoreId, skus, cancellationToken);
        var quote = Price(old, store, catalogue, shelf);
        if (!request.Place)
            return quote;

        // The first call may have taken the last pieces: its answer stands, whatever could be had now.
        if (await requests.Find(key, cancellationToken) is { } earlier)
            quote.Order = OrderId.TryParse(earlier.Resource["orders/".Length..], out var id) ? await orders.Find(id.Value, cancellationToken) : null;
        else
            quote.Order = await placeOrder.Place(Basket(request, old, quote), key, cancellationToken);
        return quote;
    }

    /// <summary>What of the old lines can be had, and for how much.</summary>
    internal static ReorderResponse Price(
        V1.Order old, Store store, IReadOnlyDictionary<string, CatalogueProduct> catalogue, IReadOnlyDictionary<string, V1.Stock> shelf)
    {
        var currency = store.CurrencyCode;
        var left = catalogue.Where(one => one.Value is { StockTracked: true, Backorder: false }).ToDictionary(one => one.Key, one => shelf.TryGetValue(one.Key, out var level) ? Math.Max(0, level.Available) : 0, StringComparer.Ordinal);
        var subtotal = Money.Zero(currency);
        var quote = new ReorderResponse { SubtotalThen = old.Subtotal, TotalThen = old.Total };
        foreach (var line in old.Lines)
        {
            var product = catalogue.GetValueOrDefault(line.Sku);
            var quoted = new ReorderLine { LineNumber = line.LineNumber, Sku = line.Sku, Title = product?.Title ?? line.Title, QuantityThen = line.Quantity, UnitPriceThen = line.UnitPrice };
            // Two lines of the same article share what is on the shelf.
            var pieces = product is null ? 0 : left.TryGetValue(line.Sku, out var free) ? (int)Math.Min(free, line.Quantity) : line.Quantity;
            if (left.ContainsKey(line.Sku))
                left[line.Sku] -= pieces;
            quoted.QuantityNow = pieces;
            quoted.Availability = product is null ? ReorderAvailability.UnknownSku
                : pieces == 0 ? ReorderAvailability.OutOfStock
                : pieces < line.Quantity ? ReorderAvailability.FewerLeft
                : ReorderAvailability.Available;
            if (product is not null)
            {
                quoted.UnitPriceNow = product.UnitPrice.ToProto();
                quoted.AmountNow = (product.UnitPrice * pieces).ToProto();
                subtotal += product.UnitPrice * pieces;
            }

            quote.Lines.Add(quoted);
        }

        // Shipping is the shop's own affair: it is what it was, where it can be said in today's currency.
        var shipping = old.ShippingCharge.TryToMoney(out var charge, out _) && charge.Currency == currency && !subtotal.IsZero ? charge : Money.Zero(currency);
        quote.SubtotalNow = subtotal.ToProto();
        quote.ShippingChargeNow = shipping.ToProto();
        quote.TotalNow = (subtotal + shipping).ToProto();
        return quote;
    }

    private static PlaceOrderRequest Basket(ReorderRequest request, V1.Order old, ReorderResponse quote)
    {
        var wanted = quote.Lines.Where(line => line.QuantityNow > 0).ToList();
        if (wanted.Count == 0)
        {
            throw new Failure(ErrorReason.OutOfStock, $"Nothing of order {old.OrderId} can be had any more.")
            {
                Preconditions = [.. quote.Lines.Take(FieldErrors.MostNamed).Select(line => ("STOCK", line.Sku, line.Availability.ToString()))],
            };
        }

        return new PlaceOrderRequest
        {
            RequestId = request.RequestId,
            StoreId = old.StoreId,
            CustomerId = old.CustomerId,
            Customer = old.Customer,
            ShippingAddress = old.ShippingAddress,
            ShippingCharge = quote.ShippingChargeNow,
            PaymentParts = { request.PaymentParts },
            // With the quoted price, so that one that changed meanwhile is refused and not charged.
            Lines = { wanted.Select(line => new OrderLine { Sku = line.Sku, Quantity = line.QuantityNow, UnitPrice = line.UnitPriceNow }) },
        };
    }

    private static void Check(ReorderRequest request)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: request.Place);
        if (!request.Place && request.PaymentParts.Count > 0)
            errors.Add("payment_parts", "Is of use only with place set.");
        errors.ThrowIfAny();
    }
}
