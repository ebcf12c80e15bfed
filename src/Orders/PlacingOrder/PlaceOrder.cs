using System.Text.Json;
using Commerce.Messaging;
using Commerce.Orders.Catalogue;
using Commerce.Orders.Checking;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Orders.PlacingOrder;

/// <summary>
/// Accepts an order in one round trip: the record of the request, the order, its fact and timer, the assertion that the
/// prices still hold, and the stock are one batch, which is one transaction, shared with orders that come at the same time.
/// Whatever fails it says by its error what it was.
/// </summary>
public sealed partial class PlaceOrder(
    StoreBook stores, ProductBook products, OrderWriter writer, OrderStore store, OrderReader orders,
    Requests requests, IOptions<OrdersOptions> options, TimeProvider clock, ILogger<PlaceOrder> logger)
{
    // Each further attempt needs a product that changed in the same millisecond, or an Order ID that was taken (1 in 2^34).
    private const int MostAttempts = 10;

    /// <exception cref="Failure">
    /// INVALID_FIELD, SKU_UNKNOWN, PRICE_CHANGED, OUT_OF_STOCK, STORE_NOT_FOUND, EXTERNAL_ID_USED, REQUEST_ID_REUSED.
    /// </exception>
    /// <param name="request">What is ordered.</param>
    /// <param name="key">The request.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="exchangeOf">The name of the return whose goods it replaces; null: it replaces nothing.</param>
    public async Task<V1.Order> Place(PlaceOrderRequest request, RequestKey key, CancellationToken cancellationToken, string? exchangeOf = null)
    {
        try
        {
            return await Attempt(request, key, exchangeOf, cancellationToken);
        }
        catch (Failure failure) when (failure.Reason != ErrorReason.RequestIdReused)
        {
            // What is refused now may have been accepted before its price, its promise or its stock ran out.
            if (await Earlier(key, cancellationToken) is { } earlier)
                return earlier;
            OrdersTelemetry.OrderRefused(failure.Reason);
            throw;
        }
    }

    private async Task<V1.Order> Attempt(PlaceOrderRequest request, RequestKey key, string? exchangeOf, CancellationToken cancellationToken)
    {
        var shop = await stores.Get(request.StoreId, cancellationToken);
        var amounts = PlaceOrderCheck.Check(request, shop, clock.GetUtcNow());
        var skus = request.Lines.Select(line => line.Sku).Distinct(StringComparer.Ordinal).ToList();
        var catalogue = await products.Copy(shop, skus, cancellationToken);
        var fresh = false;

        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            OrderDraft draft;
            try
            {
                draft = Pricing.Price(request, amounts, shop, catalogue);
            }
            catch (Failure) when (!fresh)
            {
                // The copy in memory may be what is wrong; only the catalogue itself refuses.
                (catalogue, fresh) = (await products.Fresh(shop, skus, cancellationToken), true);
                continue;
            }

            try
            {
                return await Write(draft, key, exchangeOf, cancellationToken);
            }
            catch (PostgresException exception) when (exception.SqlState == Sql.CatalogueChanged)
            {
                OrdersTelemetry.OrderRepriced();
                (catalogue, fresh) = (await products.Fresh(shop, skus, cancellationToken), true);
            }
            catch (PostgresException exception) when (exception.ConstraintName == OrderStore.PrimaryKey)
            {
                OrderIdTaken(logger);
            }
            catch (PostgresException exception) when (exception.SqlState == Sql.OutOfStock)
            {
                throw OutOfStock(exception.MessageText);
            }
            catch (PostgresException exception) when (exception.ConstraintName == OrderStore.ExternalIdKey)
            {
                throw new Failure(
                    ErrorReason.ExternalIdUsed,
                    $"external_id \"{draft.ExternalId}\" belongs to another order of store \"{shop.StoreId}\".",
                    new FieldError("external_id", "Belongs to another order of the store."));
            }
            catch (PostgresException exception) when (exception.ConstraintName == Requests.Constraint)
            {
                return await Earlier(key, cancellationToken)
                    ?? throw new Failure(ErrorReason.RequestInProgress, "The same request was accepted and can no longer be found; try again.");
            }
        }

        throw new Failure(ErrorReason.DependencyUnavailable, "The catalogue changes faster than the order can be priced; try again.");
    }

    private async Task<V1.Order> Write(OrderDraft draft, RequestKey key, string? exchangeOf, CancellationToken cancellationToken)
    {
        var moment = new Moment(clock.Now(), key.Caller);
        var order = new Order(
            OrderId.New(draft.Store.OrderPrefix, clock), draft.Store.StoreId, draft.ExternalId, draft.PromisedDeliveryTime,
            [.. draft.Lines.Select(line => new HeldLine(line.LineNumber, line.Sku, line.Quantity, line.Held))])
        {
            CaptureMode = draft.CaptureMode,
        };
        var placed = order.Place(draft.Amount(draft.TotalMinor), draft.PaymentPartFacts(), moment, draft.CustomerId);
        // Nobody would ever pay, or be asked to pay, for what costs nothing.
        var confirmed = draft.TotalMinor == 0 ? order.Pay(PaymentEvent.Captured, moment) : null;
        OrdersTelemetry.About(order.Id);

        await writer.Write(new NewOrder(draft, order, placed, confirmed, key, moment.Time + options.Value.PaymentExpiry, exchangeOf), cancellationToken);
        store.Committed(draft);
        OrdersTelemetry.OrderPlaced(order.StoreId);
        return OrderMessage.Placed(draft, order, placed);
    }

    private async Task<V1.Order?> Earlier(RequestKey key, CancellationToken cancellationToken)
    {
        if (key.RequestId.Length is 0 or > 128 || await requests.Find(key, cancellationToken) is not { } answer)
            return null;
        return OrderId.TryParse(answer.Resource["orders/".Length..], out var id) ? await orders.Find(id.Value, cancellationToken) : null;
    }

    /// <summary>What reserve_stock says is short, as a caller is told it.</summary>
    public static Failure OutOfStock(string message)
    {
        var shortages = JsonSerializer.Deserialize<Shortage[]>(message, OrderJson.Options)!;
        var first = shortages[0];
        var more = shortages.Length > 1 ? FieldErrors.Text($" {shortages.Length - 1} more SKUs are short too.") : "";
        return new Failure(ErrorReason.OutOfStock, first.Text + more)
        {
            Preconditions = [.. shortages.Take(FieldErrors.MostNamed).Select(s => ("STOCK", s.Sku, s.Text))],
            Metadata = new Dictionary<string, string>
            {
                ["sku"] = first.Sku,
                ["wanted"] = FieldErrors.Text($"{first.Wanted}"),
                ["available"] = FieldErrors.Text($"{first.Available}"),
            },
        };
    }

    [LoggerMessage(LogLevel.Information, "A new Order ID was taken already; making another.")]
    private static partial void OrderIdTaken(ILogger logger);

    private sealed record Shortage(string Sku, long Wanted, long Available)
    {
        public string Text => FieldErrors.Text($"{Wanted} pieces of \"{Sku}\" are wanted, {Available} are available.");
    }
}
