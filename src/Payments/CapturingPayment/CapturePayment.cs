using System.Globalization;
using Commerce.Messaging;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.FindingPayments;
using Commerce.Payments.Storage;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Payments.CapturingPayment;

/// <summary>
/// Promises to take, or to let go of, what is held. The promise, the record of the request and the intent to carry it out are one
/// transaction, which counts only if nobody changed the payment since it was read: two calls at once cannot take the same money.
/// </summary>
public sealed class CapturePayment(PaymentStore store, NpgsqlDataSource database, Requests requests, RecoveryPoints points, TimeProvider time)
{
    private const int LongestRequestId = 128;

    /// <exception cref="Failure">
    /// INVALID_FIELD, ORDER_ID_MISTYPED, PAYMENT_NOT_FOUND, CAPTURE_EXCEEDS_AUTHORISATION, ETAG_MISMATCH, REQUEST_ID_REUSED.
    /// </exception>
    public Task<Payment> Capture(CapturePaymentRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var errors = Check(request.RequestId, request.Etag);
        if (request.Amount is not null)
        {
            if (!request.Amount.TryToMoney(out var amount, out var error))
                errors.Add(new FieldError("amount", error));
            else if (amount.Minor <= 0)
                errors.Add(new FieldError("amount", "Must be more than zero; leave it out for all that is held."));
        }

        return Once(
            errors.Count > 0 ? throw Failure.Invalid(errors) : PaymentNames.OrderId("name", request.Name),
            request.Etag,
            key,
            payment =>
            {
                var capture = payment.PromiseCapture(Amount(payment, request), key.Caller, time.GetUtcNow());
                return string.Create(CultureInfo.InvariantCulture, $"{payment.OrderId}/{capture.Number}");
            },
            cancellationToken);
    }

    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED, PAYMENT_NOT_FOUND, PAYMENT_STATE, ETAG_MISMATCH, REQUEST_ID_REUSED.</exception>
    public Task<Payment> Void(VoidPaymentRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var errors = Check(request.RequestId, request.Etag);
        return Once(
            errors.Count > 0 ? throw Failure.Invalid(errors) : PaymentNames.OrderId("name", request.Name),
            request.Etag,
            key,
            payment =>
            {
                if (!payment.RequestVoid())
                    throw NothingToVoid(payment);
                return $"{payment.OrderId}/void";
            },
            cancellationToken);
    }

    private async Task<Payment> Once(string orderId, string etag, RequestKey key, Func<Payment, string> change, CancellationToken cancellationToken)
    {
        PaymentsTelemetry.TagOrder(orderId);
        while (true)
        {
            try
            {
                if (await Attempt(orderId, etag, key, change, cancellationToken) is { } done)
                    return done;
            }
            catch (Failure failure) when (failure.Reason is ErrorReason.CaptureExceedsAuthorisation or ErrorReason.PaymentState or ErrorReason.EtagMismatch)
            {
                // The same request again, after the first one took what was held: it has its answer already.
                if (await requests.Find(key, cancellationToken) is not null)
                    return await Read(orderId, cancellationToken);
                throw;
            }
            catch (PostgresException exception) when (Requests.IsRepeated(exception))
            {
                if (await requests.Find(key, cancellationToken) is not null)
                    return await Read(orderId, cancellationToken);
            }
        }
    }

    // Null if somebody stored a change meanwhile: look again.
    private async Task<Payment?> Attempt(string orderId, string etag, RequestKey key, Func<Payment, string> change, CancellationToken cancellationToken)
    {
        var payment = await Read(orderId, cancellationToken);
        if (etag.Length > 0 && etag != PaymentMapping.EtagOf(payment))
        {
            throw new Failure(
                ErrorReason.EtagMismatch,
                $"The payment of {orderId} changed since its etag {etag} was read; read it again.",
                new FieldError("etag", "Not the payment's etag any more."));
        }

        var point = new RecoveryPoint(AdvancePayment.Capture, change(payment));
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // First, so that a twin under way is waited for and not mistaken for another capture.
        await using (var record = new NpgsqlBatch(connection, transaction))
        {
            record.BatchCommands.Add(requests.Record(key, PaymentNames.Of(orderId), 1));
            points.Add(record, point);
            await record.ExecuteNonQueryAsync(cancellationToken);
        }

        if (!await store.Save(payment, connection, transaction, cancellationToken))
            return null;
        await transaction.CommitAsync(cancellationToken);
        points.Wake();
        return payment;
    }

    private async Task<Payment> Read(string orderId, CancellationToken cancellationToken) =>
        await store.Find(orderId, cancellationToken) ?? throw PaymentNames.NotFound(orderId);

    private static Money Amount(Payment payment, CapturePaymentRequest request)
    {
        var left = payment.Capturable;
        var take = left;
        if (request.Amount is not null)
        {
            request.Amount.TryToMoney(out take, out _);
            if (take.Currency != left.Currency)
                throw Failure.Invalid(new FieldError("amount.currency_code", $"The payment is in {left.Currency}; give the amount in it."));
        }

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

    private static List<FieldError> Check(string requestId, string etag)
    {
        var errors = new List<FieldError>();
        if (requestId.Length is 0 or > LongestRequestId)
            errors.Add(new FieldError("request_id", $"Give 1 to {LongestRequestId} characters, the same for each attempt at the same call."));
        if (etag.Length > 40)
            errors.Add(new FieldError("etag", "Is not a payment's etag."));
        return errors;
    }
}
