using System.Globalization;
using Commerce.Messaging;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.FindingPayments;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Payments.CapturingPayment;

/// <summary>Promises to take, or to let go of, what is held, once for each request.</summary>
public sealed class CapturePayment(RequestedChanges changes, TimeProvider time)
{
    /// <exception cref="Failure">
    /// INVALID_FIELD, ORDER_ID_MISTYPED, PAYMENT_NOT_FOUND, CAPTURE_EXCEEDS_AUTHORISATION, ETAG_MISMATCH, REQUEST_ID_REUSED.
    /// </exception>
    public Task<Payment> Capture(CapturePaymentRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        errors.RequestId(request.RequestId, "call");
        errors.Etag(request.Etag);
        errors.Amount(request.Amount, "all that is held");
        return Once(
            errors, request.Name, request.Etag, key,
            payment => string.Create(CultureInfo.InvariantCulture, $"{payment.PromiseCapture(Amount(payment, request), key.Caller, time.GetUtcNow()).Number}"),
            cancellationToken);
    }

    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED, PAYMENT_NOT_FOUND, PAYMENT_STATE, ETAG_MISMATCH, REQUEST_ID_REUSED.</exception>
    public Task<Payment> Void(VoidPaymentRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        errors.RequestId(request.RequestId, "call");
        errors.Etag(request.Etag);
        return Once(errors, request.Name, request.Etag, key, payment => payment.RequestVoid() ? "void" : throw NothingToVoid(payment), cancellationToken);
    }

    // The promise answers with what tells its point from the payment's others.
    private async Task<Payment> Once(
        List<FieldError> errors, string name, string etag, RequestKey key, Func<Payment, string> promise, CancellationToken cancellationToken)
    {
        var orderId = errors.Count > 0 ? throw Failure.Invalid(errors) : PaymentNames.OrderId("name", name);
        var (payment, _) = await changes.Once(
            orderId, etag, key,
            payment => (PaymentNames.Of(orderId), new RecoveryPoint(AdvancePayment.Capture, $"{orderId}/{promise(payment)}")),
            cancellationToken);
        return payment;
    }

    private static Money Amount(Payment payment, CapturePaymentRequest request)
    {
        var left = payment.Capturable;
        var take = RequestChecks.AmountOf(request.Amount, left);
        if (take <= left && take.Minor > 0)
            return take;
        var why = !left.IsZero ? $"Only {left} is held and not taken"
            : payment.CaptureMode == CaptureMode.Automatic ? "Its store takes the money by itself, at once"
            : "Nothing is held that is not taken already";
        throw new Failure(ErrorReason.CaptureExceedsAuthorisation, $"{why}: the payment of {payment.OrderId} is over {payment.Amount}, of which {payment.Captured} was captured.")
        {
            Preconditions = [("CAPTURABLE", PaymentNames.Of(payment.OrderId), $"{why}.")],
            Metadata = new Dictionary<string, string> { ["capturable"] = left.ToString().Split(' ')[0], ["currency"] = left.Currency },
        };
    }

    private static Failure NothingToVoid(Payment payment)
    {
        var why = payment.Releasing ? "It is let go of already"
            : payment.CaptureMode == CaptureMode.Automatic ? "It was captured; refund it, or cancel the order"
            : "Nothing of it is held any more; what was captured can be refunded";
        return new Failure(ErrorReason.PaymentState, $"The payment of {payment.OrderId} cannot be voided. {why}.")
        {
            Preconditions = [("PAYMENT_STATE", PaymentNames.Of(payment.OrderId), $"{why}.")],
            Metadata = new Dictionary<string, string> { ["state"] = payment.State.ToString() },
        };
    }
}
