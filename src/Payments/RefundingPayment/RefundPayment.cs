using System.Globalization;
using Commerce.Messaging;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.FindingPayments;
using Commerce.Payments.Storage;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Payments.RefundingPayment;

/// <summary>
/// Promises a refund. The promise, the record of the request and the intent to carry it out are one transaction, which
/// counts only if nobody changed the payment since it was read: two calls at once can not promise the same money.
/// </summary>
public sealed class RefundPayment(PaymentStore store, NpgsqlDataSource database, Requests requests, RecoveryPoints points, TimeProvider time)
{
    private const int LongestRequestId = 128;
    private const int LongestNote = 500;

    /// <exception cref="Failure">
    /// INVALID_FIELD, ORDER_ID_MISTYPED, PAYMENT_NOT_FOUND, REFUND_EXCEEDS_PAYMENT, CUSTOMER_UNKNOWN, ETAG_MISMATCH, REQUEST_ID_REUSED.
    /// </exception>
    public async Task<(Payment Payment, Refund Refund)> Ask(RefundPaymentRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var orderId = Check(request);
        PaymentsTelemetry.TagOrder(orderId);
        while (true)
        {
            try
            {
                if (await Attempt(orderId, request, key, cancellationToken) is { } done)
                    return done;
            }
            catch (Failure failure) when (failure.Reason is ErrorReason.RefundExceedsPayment or ErrorReason.EtagMismatch)
            {
                // The same request again, after the first one took what was left: it has its answer already.
                if (await Earlier(orderId, key, cancellationToken) is { } earlier)
                    return earlier;
                throw;
            }
            catch (PostgresException exception) when (Requests.IsRepeated(exception))
            {
                if (await Earlier(orderId, key, cancellationToken) is { } earlier)
                    return earlier;
            }
        }
    }

    // Null if somebody stored a change meanwhile: look again.
    private async Task<(Payment, Refund)?> Attempt(string orderId, RefundPaymentRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var payment = await store.Find(orderId, cancellationToken) ?? throw PaymentNames.NotFound(orderId);
        if (request.Etag.Length > 0 && request.Etag != PaymentMapping.EtagOf(payment))
        {
            throw new Failure(
                ErrorReason.EtagMismatch,
                $"The payment of {orderId} changed since its etag {request.Etag} was read; read it again.",
                new FieldError("etag", "Not the payment's etag any more."));
        }

        var refund = payment.Promise(Amount(payment, request), Reason(request), request.Note, key.Caller, time.GetUtcNow(), Destination(payment, request));
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // First, so that a twin under way is waited for and not mistaken for another refund.
        await using (var record = new NpgsqlBatch(connection, transaction))
        {
            record.BatchCommands.Add(requests.Record(key, PaymentNames.Of(payment, refund), 1));
            points.Add(record, new RecoveryPoint(AdvancePayment.Refund, string.Create(CultureInfo.InvariantCulture, $"{orderId}/{refund.Number}")));
            await record.ExecuteNonQueryAsync(cancellationToken);
        }

        if (!await store.Save(payment, connection, transaction, cancellationToken))
            return null;
        await transaction.CommitAsync(cancellationToken);
        points.Wake();
        return (payment, refund);
    }

    private async Task<(Payment, Refund)?> Earlier(string orderId, RequestKey key, CancellationToken cancellationToken)
    {
        if (await requests.Find(key, cancellationToken) is not { } answer)
            return null;
        var payment = await store.Find(orderId, cancellationToken) ?? throw PaymentNames.NotFound(orderId);
        return payment.Refunds.FirstOrDefault(r => PaymentNames.Of(payment, r) == answer.Resource) is { } refund ? (payment, refund) : null;
    }

    private static Money Amount(Payment payment, RefundPaymentRequest request)
    {
        var left = payment.Refundable;
        var back = left;
        if (request.Amount is not null)
        {
            request.Amount.TryToMoney(out back, out _);
            if (back.Currency != left.Currency)
                throw Failure.Invalid(new FieldError("amount.currency_code", $"The payment is in {left.Currency}; give the amount in it."));
        }

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

    private static RefundDestination Destination(Payment payment, RefundPaymentRequest request)
    {
        if (request.Destination != V1.RefundDestination.StoreCredit)
            return RefundDestination.OriginalMeans;
        if (payment.CustomerId.Length > 0)
            return RefundDestination.StoreCredit;
        const string why = "The order names no customer, so there is nobody whose store credit it could become.";
        throw new Failure(ErrorReason.CustomerUnknown, $"The payment of {payment.OrderId} cannot be refunded as store credit. {why}")
        {
            Preconditions = [("CUSTOMER", PaymentNames.Of(payment.OrderId), why)],
        };
    }

    private static RefundReason Reason(RefundPaymentRequest request) =>
        request.Reason == V1.RefundReason.Unspecified ? RefundReason.Other : (RefundReason)request.Reason;

    private static string Check(RefundPaymentRequest request)
    {
        var errors = new List<FieldError>();
        if (request.RequestId.Length is 0 or > LongestRequestId)
            errors.Add(new FieldError("request_id", $"Give 1 to {LongestRequestId} characters, the same for each attempt at the same refund."));
        if (request.Note.Length > LongestNote)
            errors.Add(new FieldError("note", $"May have at most {LongestNote} characters."));
        if (request.Reason is V1.RefundReason.OrderCancelled or V1.RefundReason.PaymentDeclined)
            errors.Add(new FieldError("reason", "Is set by the suite alone; give another reason."));
        else if (!Enum.IsDefined(request.Reason))
            errors.Add(new FieldError("reason", "Is not a reason that is known here."));
        if (!Enum.IsDefined(request.Destination))
            errors.Add(new FieldError("destination", "Is not a destination that is known here."));
        if (request.Amount is not null)
        {
            if (!request.Amount.TryToMoney(out var amount, out var error))
                errors.Add(new FieldError("amount", error));
            else if (amount.Minor <= 0)
                errors.Add(new FieldError("amount", "Must be more than zero; leave it out for all that is left."));
        }

        if (request.Etag.Length > 40)
            errors.Add(new FieldError("etag", "Is not a payment's etag."));
        return errors.Count > 0 ? throw Failure.Invalid(errors) : PaymentNames.OrderId("name", request.Name);
    }
}
