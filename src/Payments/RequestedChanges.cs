using Commerce.Messaging;
using Commerce.Payments.FindingPayments;
using Commerce.Payments.Storage;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Payments;

/// <summary>
/// What every call does that promises something of a payment. The promise, the record of the request and the intent to carry it
/// out are one transaction, which counts only if nobody changed the payment since it was read: two calls at once cannot promise
/// the same money.
/// </summary>
public sealed class RequestedChanges(PaymentStore store, NpgsqlDataSource database, Requests requests, RecoveryPoints points)
{
    // What may be said of the same request again, after the first one took what was there.
    private static readonly ErrorReason[] MayBeAnswered =
        [ErrorReason.RefundExceedsPayment, ErrorReason.CaptureExceedsAuthorisation, ErrorReason.PaymentState, ErrorReason.EtagMismatch];

    /// <param name="orderId">The payment's order.</param>
    /// <param name="etag">The etag that the caller knew; empty: not checked.</param>
    /// <param name="key">The request.</param>
    /// <param name="promise">Decides, and answers with the name of what it made and the point that carries it out; asked again if somebody changed the payment meanwhile.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The payment, and the name of what this request made of it, now or before.</returns>
    /// <exception cref="Failure">PAYMENT_NOT_FOUND, ETAG_MISMATCH, REQUEST_ID_REUSED, and what the decision refuses with.</exception>
    public async Task<(Payment Payment, string Resource)> Once(
        string orderId, string etag, RequestKey key, Func<Payment, (string Resource, RecoveryPoint Point)> promise, CancellationToken cancellationToken)
    {
        PaymentsTelemetry.TagOrder(orderId);
        while (true)
        {
            try
            {
                if (await Attempt(orderId, etag, key, promise, cancellationToken) is { } done)
                    return done;
            }
            catch (Failure failure) when (MayBeAnswered.Contains(failure.Reason))
            {
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
    private async Task<(Payment, string)?> Attempt(
        string orderId, string etag, RequestKey key, Func<Payment, (string Resource, RecoveryPoint Point)> promise, CancellationToken cancellationToken)
    {
        var payment = await Read(orderId, cancellationToken);
        if (etag.Length > 0 && etag != PaymentMapping.EtagOf(payment))
        {
            throw new Failure(
                ErrorReason.EtagMismatch,
                $"The payment of {orderId} changed since its etag {etag} was read; read it again.",
                new FieldError("etag", "Not the payment's etag any more."));
        }

        var (resource, point) = promise(payment);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // First, so that a twin under way is waited for and not mistaken for another one.
        await using (var record = new NpgsqlBatch(connection, transaction))
        {
            record.BatchCommands.Add(requests.Record(key, resource, 1));
            points.Add(record, point);
            await record.ExecuteNonQueryAsync(cancellationToken);
        }

        if (!await store.Save(payment, connection, transaction, cancellationToken))
            return null;
        await transaction.CommitAsync(cancellationToken);
        points.Wake();
        return (payment, resource);
    }

    private async Task<(Payment, string)?> Earlier(string orderId, RequestKey key, CancellationToken cancellationToken) =>
        await requests.Find(key, cancellationToken) is { } answer ? (await Read(orderId, cancellationToken), answer.Resource) : null;

    private async Task<Payment> Read(string orderId, CancellationToken cancellationToken) =>
        await store.Find(orderId, cancellationToken) ?? throw PaymentNames.NotFound(orderId);
}
