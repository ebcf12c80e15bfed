using Commerce.Messaging;
using Commerce.Orders.Catalogue;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf.Collections;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Orders.ChangingLines;

/// <summary>
/// Makes an order's lines what somebody wants them to be. Prices of today, the reservation of what comes and the release of what
/// goes are one transaction. What makes the order dearer is only proposed here, with its pieces reserved: goods that nobody paid
/// for are never part of an order.
/// </summary>
public sealed class ChangeLines(
    FindOrders find, StoreBook stores, ProductBook products, OrderReader orders, RequestedChanges changes, Requests requests, RecoveryPoints recoveryPoints,
    IOptions<OrdersOptions> options)
{
    // Each further attempt needs a product that changed in the same millisecond.
    private const int MostAttempts = 10;

    /// <exception cref="Failure">
    /// INVALID_FIELD, ORDER_NOT_FOUND, ORDER_STATE, ETAG_MISMATCH, SKU_UNKNOWN, PRICE_CHANGED, OUT_OF_STOCK, REQUEST_ID_REUSED.
    /// </exception>
    public async Task<V1.Order> Change(UpdateOrderRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        Check(request);
        var id = await find.Resolve(request.Order.Name, cancellationToken);
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            try
            {
                return await changes.Once(id, request.Order.Etag, key, decision => Decide(request, decision, cancellationToken), cancellationToken);
            }
            catch (PostgresException exception) when (exception.SqlState == Sql.CatalogueChanged)
            {
                OrdersTelemetry.OrderRepriced();
            }
            catch (PostgresException exception) when (exception.SqlState == Sql.OutOfStock)
            {
                return await Earlier(id, key, cancellationToken) ?? throw PlaceOrder.OutOfStock(exception.MessageText);
            }
            catch (Failure failure) when (failure.Reason is ErrorReason.PriceChanged or ErrorReason.SkuUnknown)
            {
                if (await Earlier(id, key, cancellationToken) is { } earlier)
                    return earlier;
                throw;
            }
        }

        throw new Failure(ErrorReason.DependencyUnavailable, "The catalogue changes faster than the order can be priced; try again.");
    }

    // What is refused now may have been done before its price or its stock ran out.
    private async Task<V1.Order?> Earlier(OrderId id, RequestKey key, CancellationToken cancellationToken) =>
        await requests.Find(key, cancellationToken) is null ? null : await orders.Find(id.Value, cancellationToken);

    private async Task<OrderChange?> Decide(UpdateOrderRequest request, OrderDecision decision, CancellationToken cancellationToken)
    {
        var order = decision.Order;
        var sums = await LineStore.Sums(decision.Connection, decision.Transaction, order.Id, cancellationToken);
        var store = await stores.Get(order.StoreId, cancellationToken);
        var skus = request.Order.Lines.Select(line => line.Sku).Concat(sums.Lines.Select(line => line.Sku)).Distinct(StringComparer.Ordinal).ToList();
        var catalogue = await products.Fresh(store, skus, cancellationToken);
        var (deltas, versions) = Deltas(request.Order.Lines, sums, store, catalogue);
        if (deltas.Count == 0)
            return null;

        order.MustAllow(deltas);
        OrderSums after;
        try
        {
            after = sums.After(deltas);
        }
        catch (OverflowException)
        {
            throw Failure.Invalid(new FieldError("order.lines", $"The order would come to more than {new Money(PlaceOrderCheck.MostMinor, sums.Currency)}, the most that an order may."));
        }

        var change = new LinesChange(deltas, sums, after);
        var coming = deltas.Where(delta => delta.Pieces > 0).ToList();
        if (coming.Count > 0)
        {
            OrderStore.AssertProducts(decision.Batch, [.. versions.Select(product => (order.StoreId, product.Sku, product.Version))]);
            LineStore.LockStock(decision.Batch, order.StoreId, deltas.Select(delta => delta.Sku));
            OrderStore.ReserveStock(decision.Batch, coming.Select(delta => (order.StoreId, delta.Sku, delta.Held, order.Id)));
        }

        if (change.Difference.Minor <= 0)
        {
            if (request.AdditionalPayment is not null)
                throw Failure.Invalid(new FieldError("additional_payment", "Nothing more is to be paid: leave it out."));
            return order.ChangeLines(change, change.Text, decision.Moment);
        }

        var proposed = order.Propose(change, Payment(request.AdditionalPayment, sums, change.Difference), decision.Moment);
        recoveryPoints.Add(decision.Batch, new RecoveryPoint(
            Order.ChangeExpiryKind, Order.ChangeKey(order.Id, order.Changes), DueAt: decision.Moment.Time + options.Value.PaymentExpiry));
        return proposed;
    }

    // What of the lines comes and goes; and from which version of each product what comes was priced.
    private static (List<LineDelta> Deltas, List<(string Sku, long Version)> Versions) Deltas(
        RepeatedField<OrderLine> wanted, OrderSums sums, Store store, IReadOnlyDictionary<string, CatalogueProduct> catalogue)
    {
        var errors = new FieldErrors();
        var deltas = new List<LineDelta>();
        var versions = new Dictionary<string, long>(StringComparer.Ordinal);
        List<(OrderLine Line, long? Price, string Field)> fresh = [];
        var kept = new HashSet<int>();
        for (var i = 0; i < wanted.Count; i++)
        {
            var (line, field) = (wanted[i], $"order.lines[{i}]");
            if (line.LineNumber == 0)
            {
                fresh.Add((line, PlaceOrderCheck.Line(errors, field, line, sums.Currency), field));
                continue;
            }

            if (sums.Lines.FirstOrDefault(known => known.LineNumber == line.LineNumber) is not { } before)
                errors.Add(field + ".line_number", FieldErrors.Text($"The order has no line {line.LineNumber}; it has 1 to {sums.Lines.Count}. Leave it out to add a line."));
            else if (!kept.Add(line.LineNumber))
                errors.Add(field + ".line_number", "Is given twice.");
            else if (line.Sku.Length > 0 && line.Sku != before.Sku)
                errors.Add(field + ".sku", $"Line {line.LineNumber} is \"{before.Sku}\": take it off and add another.");
            else if (line.Quantity != before.Quantity)
                Differ(before, line.Quantity - before.Quantity, field);
        }

        deltas.AddRange(sums.Lines.Where(line => line.Quantity > 0 && !kept.Contains(line.LineNumber)).Select(line => LineDelta.Of(line, -line.Quantity, held: 0)));
        if (sums.Lines.Count + fresh.Count > PlaceOrderCheck.MostLines)
            errors.Add("order.lines", FieldErrors.Text($"It would have {sums.Lines.Count + fresh.Count} lines; {PlaceOrderCheck.MostLines} are allowed."));
        if (fresh.Count == 0 && sums.Lines.Sum(line => (long)line.Quantity) + deltas.Sum(delta => (long)delta.Pieces) == 0)
            errors.Add("order.lines", "Nothing would be left: cancel the order.");
        errors.ThrowIfAny();

        var lines = Pricing.Lines([.. fresh.Select(one => one.Line)], [.. fresh.Select(one => one.Price)], sums.Currency, store, catalogue, i => fresh[i].Field);
        var last = sums.Lines.Max(line => line.LineNumber);
        foreach (var line in lines)
        {
            deltas.Add(LineDelta.Of(line with { LineNumber = last + line.LineNumber }));
            versions[line.Sku] = line.ProductVersion;
        }

        return (deltas, [.. versions.Select(one => (one.Key, one.Value))]);

        void Differ(PricedLine before, int pieces, string field)
        {
            errors.Between(field + ".quantity", before.Quantity + pieces, 0, PlaceOrderCheck.MostPieces);
            var product = catalogue.GetValueOrDefault(before.Sku);
            if (pieces > 0 && product is not null && product.UnitPrice != new Money(before.UnitPriceMinor, sums.Currency))
            {
                // Today's price is another one, and a line has one price.
                fresh.Add((new OrderLine { Sku = before.Sku, Title = before.Title, Quantity = pieces }, null, field));
                return;
            }

            deltas.Add(LineDelta.Of(before, pieces, held: pieces > 0 && product is { StockTracked: true } ? pieces : 0));
            if (pieces > 0)
                versions[before.Sku] = product?.Version ?? 0;
        }
    }

    private static PaymentPartRow Payment(PaymentPart? given, OrderSums sums, Money difference)
    {
        var errors = new FieldErrors();
        if (given is null)
        {
            // A voucher may be empty by now, and a slip takes days.
            if (sums.PaymentParts.FirstOrDefault(part => part.Method is PaymentMethod.Card or PaymentMethod.DebitCard or PaymentMethod.Wallet) is { } own)
                return own with { AmountMinor = difference.Minor, Instalments = 1 };
            errors.Add("additional_payment", $"{difference} more are to be paid, and the order has no card or wallet: say how.");
        }
        else if (given.Amount is not null && errors.Amount("additional_payment.amount", given.Amount, sums.Currency, 1, PlaceOrderCheck.MostMinor) is { } minor && minor != difference.Minor)
        {
            errors.Add("additional_payment.amount", $"Is {new Money(minor, sums.Currency)}, but the difference is {difference}; give that, or no amount.");
        }

        errors.ThrowIfAny();
        return PlaceOrderCheck.Row(given!, difference.Minor);
    }

    private static void Check(UpdateOrderRequest request)
    {
        var errors = new FieldErrors();
        errors.Count("order.lines", request.Order.Lines.Count, 1, PlaceOrderCheck.MostLines, "lines");
        if (request.AdditionalPayment is { } part)
            PlaceOrderCheck.Part(errors, "additional_payment", part);
        errors.ThrowIfAny();
    }
}
