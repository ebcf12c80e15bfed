using Commerce.Messaging;
using Commerce.Orders.ChangingLines;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;

namespace Commerce.Orders.CancellingOrder;

/// <summary>Cancels an order, or pieces of it, on somebody's wish.</summary>
public sealed class CancelOrder(FindOrders find, RequestedChanges changes)
{
    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED, ORDER_NOT_FOUND, ORDER_STATE, ETAG_MISMATCH, REQUEST_ID_REUSED.</exception>
    public async Task<V1.Order> Cancel(CancelOrderRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        Check(request);
        var id = await find.Resolve(request.Name, cancellationToken);
        var reason = request.Reason == CancelReason.Unspecified ? CancelReason.Shopper : request.Reason;
        return await changes.Once(
            id, request.Etag, key,
            decision => request.Lines.Count > 0
                ? TakeOffLines.Decide(request.Lines, reason, request.Note, decision, cancellationToken)
                : Task.FromResult(decision.Order.Cancel(reason, request.Note, decision.Moment)),
            cancellationToken);
    }

    private static void Check(CancelOrderRequest request)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: true);
        errors.Optional("note", request.Note, 500);
        if (request.Reason is CancelReason.PaymentDeclined or CancelReason.PaymentExpired or CancelReason.Refunded)
            errors.Add("reason", "Is set by the suite alone; give another reason.");
        else if (!Enum.IsDefined(request.Reason))
            errors.Add("reason", "Is not a reason that is known here.");
        errors.Etag("etag", request.Etag);
        TakeOffLines.Check(request.Lines, errors);
        errors.ThrowIfAny();
    }
}
