using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Commerce.Messaging;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.ReturningItems;

/// <summary>
/// Orders what is sent instead of goods that came back, just as a shopper would: paid with the store credit that they gave, and
/// the rest as was said when it was asked for. The request_id is the return's number: killed anywhere, it is one order.
/// </summary>
public sealed class PlaceReplacement(ReturnStore returns, OrderReader orders, ReturnChanges changes, PlaceOrder placeOrder) : IRecover
{
    public const string PointKind = "place-replacement";

    private const string Actor = "service/orders";
    private const string Method = "exchange";

    // What may pass by itself; anything else is for somebody to look at.
    private static readonly ErrorReason[] Passing = [ErrorReason.DependencyUnavailable, ErrorReason.RequestInProgress, ErrorReason.DeadlineExceeded];

    public string Kind => PointKind;

    /// <summary>One for each version: a second attempt is not taken for the first that is just ending.</summary>
    public static RecoveryPoint PointOf(Return one) =>
        new(PointKind, string.Create(CultureInfo.InvariantCulture, $"{one.OrderId}/{one.Number}/{one.Version}"));

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var (orderId, number) = point.Key.Split('/') is [var text, var digits, _] && OrderId.TryParse(text, out var id)
            ? (id, int.Parse(digits, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"The recovery point {point.Kind} \"{point.Key}\" names no return.");
        OrdersTelemetry.About(orderId);
        if (await returns.Find(orderId, number, cancellationToken) is not { Return: { ReplacementDue: true } one }
            || await orders.Find(orderId.Value, cancellationToken) is not { } order)
            return new RecoveryOutcome.Done();

        var called = ReturnNames.NumberOf(orderId, number);
        try
        {
            var request = Request(one, order, called);
            var key = new RequestKey(Actor, Method, request.RequestId, SHA256.HashData(Encoding.UTF8.GetBytes(called)));
            var placed = await placeOrder.Place(request, key, cancellationToken, ReturnNames.Of(orderId, number));
            return new RecoveryOutcome.Done(context => Change(
                orderId, number, context, (locked, now) => locked.Replaced(placed.OrderId, now) ? $"replaced by orders/{placed.OrderId}" : null));
        }
        catch (Failure failure) when (!Passing.Contains(failure.Reason))
        {
            return new RecoveryOutcome.Done(context => Change(
                orderId, number, context,
                (locked, now) => locked.NotReplaced($"{FactName.Of(failure.Reason)}: {failure.Message}", now) ? $"not replaced: {FactName.Of(failure.Reason)}" : null));
        }
    }

    private static PlaceOrderRequest Request(Return one, V1.Order order, string number)
    {
        var (currency, replacement) = (one.Content.Currency, one.Content.Replacement!);
        var credit = Math.Min(one.CreditMinor, replacement.TotalMinor);
        var more = replacement.TotalMinor - credit;
        var request = new PlaceOrderRequest
        {
            RequestId = "exchange/" + number,
            StoreId = order.StoreId,
            CustomerId = order.CustomerId,
            Customer = order.Customer,
            ShippingAddress = order.ShippingAddress,
            CurrencyCode = currency,
            Lines =
            {
                replacement.Lines.Select(line => new OrderLine
                {
                    Sku = line.Sku,
                    Title = line.Title,
                    Quantity = line.Quantity,
                    UnitPrice = new Money(line.UnitPriceMinor, currency).ToProto(),
                    PriceAgreed = true,
                }),
            },
        };
        if (credit > 0)
        {
            // A shopper without an account has the credit under the order that came back.
            request.PaymentParts.Add(new PaymentPart
            {
                Method = PaymentMethod.StoreCredit,
                Token = order.CustomerId.Length > 0 ? "" : order.OrderId,
                Amount = new Money(credit, currency).ToProto(),
            });
        }

        if (more > 0)
        {
            var part = replacement.Part ?? throw new Failure(
                ErrorReason.InsufficientCredit, $"It costs {new Money(more, currency)} more than came back for the goods, and nobody said how that is paid.");
            request.PaymentParts.Add(new PaymentPart { Method = part.Method, Token = part.Token, Instalments = part.Instalments, Amount = new Money(more, currency).ToProto() });
        }

        return request;
    }

    private async Task Change(OrderId orderId, int number, RecoveryContext context, Func<Return, DateTimeOffset, string?> change)
    {
        if (await OrderStore.Lock(context.Connection, context.Transaction, orderId, context.CancellationToken) is { } order)
            await changes.Progress(order, number, Actor, context.Batch, change, context.CancellationToken);
    }
}
