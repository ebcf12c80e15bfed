using System.Globalization;
using Commerce.Messaging;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.FindingPayments;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Payments.RefundingPayment;

/// <summary>Promises a refund, once for each request.</summary>
public sealed class RefundPayment(RequestedChanges changes, TimeProvider time)
{
    private const int LongestNote = 500;

    /// <exception cref="Failure">
    /// INVALID_FIELD, ORDER_ID_MISTYPED, PAYMENT_NOT_FOUND, REFUND_EXCEEDS_PAYMENT, ETAG_MISMATCH, REQUEST_ID_REUSED.
    /// </exception>
    public async Task<(Payment Payment, Refund Refund)> Ask(RefundPaymentRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var (payment, resource) = await changes.Once(
            Check(request),
            request.Etag,
            key,
            payment =>
            {
                var refund = payment.Promise(Amount(payment, request), Reason(request), request.Note, key.Caller, time.GetUtcNow(), Destination(request));
                return (PaymentNames.Of(payment, refund),
                    new RecoveryPoint(AdvancePayment.Refund, string.Create(CultureInfo.InvariantCulture, $"{payment.OrderId}/{refund.Number}")));
            },
            cancellationToken);
        return (payment, payment.Refunds.Single(refund => PaymentNames.Of(payment, refund) == resource));
    }

    private static Money Amount(Payment payment, RefundPaymentRequest request)
    {
        var left = payment.Refundable;
        var back = RequestChecks.AmountOf(request.Amount, left);
        if (back <= left && back.Minor > 0)
            return back;
        var text = left.ToString().Split(' ')[0];
        var why = left.IsZero ? "Nothing is left to refund" : $"Only {left} is left to refund";
        throw new Failure(ErrorReason.RefundExceedsPayment, $"{why} of the payment of {payment.OrderId}: {payment.Captured} was captured, {payment.Refunded} given back, and the rest promised.")
        {
            Preconditions = [("REFUNDABLE", PaymentNames.Of(payment.OrderId), $"{why}.")],
            Metadata = new Dictionary<string, string> { ["refundable"] = text, ["currency"] = left.Currency },
        };
    }

    private static RefundDestination Destination(RefundPaymentRequest request) =>
        request.Destination == V1.RefundDestination.StoreCredit ? RefundDestination.StoreCredit : RefundDestination.OriginalMeans;

    private static RefundReason Reason(RefundPaymentRequest request) =>
        request.Reason == V1.RefundReason.Unspecified ? RefundReason.Other : (RefundReason)request.Reason;

    private static string Check(RefundPaymentRequest request)
    {
        var errors = new List<FieldError>();
        errors.RequestId(request.RequestId, "refund");
        if (request.Note.Length > LongestNote)
            errors.Add(new FieldError("note", $"May have at most {LongestNote} characters."));
        if (request.Reason is V1.RefundReason.OrderCancelled or V1.RefundReason.PaymentDeclined)
            errors.Add(new FieldError("reason", "Is set by the suite alone; give another reason."));
        else if (!Enum.IsDefined(request.Reason))
            errors.Add(new FieldError("reason", "Is not a reason that is known here."));
        if (!Enum.IsDefined(request.Destination))
            errors.Add(new FieldError("destination", "Is not a destination that is known here."));
        errors.Amount(request.Amount, "all that is left");
        errors.Etag(request.Etag);
        return errors.Count > 0 ? throw Failure.Invalid(errors) : PaymentNames.OrderId("name", request.Name);
    }
}
