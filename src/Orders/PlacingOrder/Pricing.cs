using Commerce.Orders.Catalogue;
using Commerce.Orders.Checking;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.PlacingOrder;

/// <summary>Gives every line its price, from the catalogue or as agreed, and makes the sums.</summary>
public static class Pricing
{
    /// <exception cref="Failure">SKU_UNKNOWN, PRICE_CHANGED, or INVALID_FIELD where the sums are wrong.</exception>
    public static OrderDraft Price(
        PlaceOrderRequest request, PlaceOrderCheck.Amounts amounts, Store store, IReadOnlyDictionary<string, CatalogueProduct> catalogue)
    {
        var lines = Lines(request.Lines, amounts.UnitPrices, amounts.Currency, store, catalogue, i => $"lines[{i}]");
        var errors = new FieldErrors();
        var (subtotal, total) = Sum(
            lines.Select(line => ((long)line.Quantity, line.UnitPriceMinor)), amounts.Adjustments, amounts.PaymentParts, amounts.Shipping, amounts.Currency, errors);
        errors.ThrowIfAny();

        return new OrderDraft
        {
            Store = store,
            ExternalId = request.ExternalId.Length == 0 ? null : request.ExternalId,
            Currency = amounts.Currency,
            CustomerId = request.CustomerId.Length == 0 ? null : request.CustomerId,
            CaptureMode = request.CaptureMode != CaptureMode.Unspecified ? request.CaptureMode
                : store.CaptureMode != CaptureMode.Unspecified ? store.CaptureMode
                : CaptureMode.Automatic,
            Customer = request.Customer,
            ShippingAddress = request.ShippingAddress,
            DeliveryWishes = request.DeliveryWishes,
            Lines = lines,
            Adjustments = amounts.Adjustments,
            PaymentParts = amounts.PaymentParts,
            PromisedDeliveryTime = ProtoTime.TryRead(request.PromisedDeliveryTime, out var promised) ? promised : null,
            SubtotalMinor = subtotal,
            ShippingMinor = amounts.Shipping,
            TotalMinor = total,
        };
    }

    /// <summary>Subtotal and total; what cannot be paid, or is not paid exactly, is added to <paramref name="errors"/>.</summary>
    public static (long Subtotal, long Total) Sum(
        IEnumerable<(long Quantity, long UnitPrice)> lines, IReadOnlyList<AdjustmentRow> adjustments, IReadOnlyList<PaymentPartRow> parts,
        long shipping, string currency, FieldErrors errors)
    {
        // 128 bits hold whatever 500 checked lines can come to; what is too much is refused before it becomes 64.
        Int128 subtotal = 0;
        var index = 0;
        foreach (var (quantity, unitPrice) in lines)
        {
            var amount = (Int128)quantity * unitPrice;
            if (amount > PlaceOrderCheck.MostMinor)
                errors.Add($"lines[{index}].quantity", $"{quantity} pieces come to more than {new Money(PlaceOrderCheck.MostMinor, currency)}, the most that an order may.");
            subtotal += amount;
            index++;
        }

        var total = subtotal + shipping;
        foreach (var adjustment in adjustments)
            total += adjustment.AmountMinor;
        Int128 paid = 0;
        foreach (var part in parts)
            paid += part.AmountMinor;

        if (subtotal > PlaceOrderCheck.MostMinor || total > PlaceOrderCheck.MostMinor || paid > PlaceOrderCheck.MostMinor)
            errors.Add("lines", $"The order comes to more than {new Money(PlaceOrderCheck.MostMinor, currency)}, the most that an order may.");
        else if (total < 0)
            errors.Add("adjustments", $"The total would be {new Money((long)total, currency)}; an order cannot come to less than zero.");
        else if (total != paid)
            errors.Add("payment_parts", $"The parts sum to {new Money((long)paid, currency)}, but the total is {new Money((long)total, currency)}; they must be equal.");
        else
            return ((long)subtotal, (long)total);
        return default;
    }

    /// <summary>Lines with their prices, numbered from 1.</summary>
    /// <param name="field">What the request calls a line.</param>
    /// <exception cref="Failure">SKU_UNKNOWN, PRICE_CHANGED.</exception>
    public static List<DraftLine> Lines(
        IReadOnlyList<OrderLine> wanted, IReadOnlyList<long?> prices, string currency, Store store, IReadOnlyDictionary<string, CatalogueProduct> catalogue,
        Func<int, string> field)
    {
        var lines = new List<DraftLine>(wanted.Count);
        List<FieldError> unknown = [], changed = [];
        for (var i = 0; i < wanted.Count; i++)
        {
            var line = wanted[i];
            var product = catalogue.GetValueOrDefault(line.Sku);
            var price = prices[i];

            if (product is null && (price is null || string.IsNullOrWhiteSpace(line.Title)))
            {
                unknown.Add(new FieldError(
                    field(i) + ".sku", $"\"{line.Sku}\" is not in the catalogue of store \"{store.StoreId}\"; give the line a title and a unit_price, or add the product."));
                continue;
            }

            if (product is not null && !(price is not null && line.PriceAgreed) && DiffersFrom(product.UnitPrice, price, currency))
            {
                var given = price is null ? $"left open in a {currency} order" : $"given as {new Money(price.Value, currency)}";
                changed.Add(new FieldError(
                    field(i) + ".unit_price", $"The price of \"{line.Sku}\" is {product.UnitPrice}, but was {given}; send the catalogue's price, or set price_agreed with the agreed one."));
                continue;
            }

            var place = line.ShipFrom is { } from && from.CalculateSize() > 0 ? from : product?.ShipFrom ?? store.ShipFrom;
            lines.Add(new DraftLine(
                i + 1,
                line.Sku,
                string.IsNullOrWhiteSpace(line.Title) ? product!.Title : line.Title,
                line.Quantity,
                price ?? product!.UnitPrice.Minor,
                line.PriceAgreed,
                line.Dimensions ?? product?.Dimensions ?? new Dimensions(),
                place,
                product?.Version ?? 0,
                product is { StockTracked: true } ? line.Quantity : 0));
        }

        if (unknown.Count > 0)
            throw Refused(ErrorReason.SkuUnknown, unknown);
        if (changed.Count > 0)
            throw Refused(ErrorReason.PriceChanged, changed);
        return lines;
    }

    // A price left open is the catalogue's, if the order is in its currency.
    private static bool DiffersFrom(Money catalogue, long? price, string currency) =>
        catalogue.Currency != currency || (price is not null && price != catalogue.Minor);

    private static Failure Refused(ErrorReason reason, List<FieldError> fields) =>
        new(reason, $"{fields[0].Field}: {fields[0].Description}" + (fields.Count > 1 ? FieldErrors.Text($" And {fields.Count - 1} more.") : ""), [.. fields.Take(FieldErrors.MostNamed)]);
}
