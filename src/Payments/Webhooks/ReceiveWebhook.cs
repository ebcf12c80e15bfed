using System.Globalization;
using Commerce.Messaging;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.Documents;
using Commerce.Payments.Providers;
using Commerce.Payments.Storage;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.AspNetCore.Mvc;
using Npgsql;

namespace Commerce.Payments.Webhooks;

/// <summary>
/// POST /webhooks/payments/{provider}. What a webhook tells is taken in like any other word of the provider, so that one
/// that is early, late or doubled ends in the same state. Answered after what it changed is stored: a provider that hears
/// no "yes" sends it again.
/// </summary>
public sealed partial class ReceiveWebhook(
    PaymentStore store, PaymentProviders providers, NpgsqlDataSource database, Outbox outbox, RecoveryPoints points, TimeProvider time,
    ILogger<ReceiveWebhook> logger)
{
    private const int LargestBody = 256 * 1024;

    public static void Map(WebApplication app) =>
        app.MapPost("/webhooks/payments/{provider}", (string provider, HttpRequest request, ReceiveWebhook webhook, CancellationToken cancellationToken) =>
            webhook.Receive(provider, request, cancellationToken)).WithMetadata(new RequestSizeLimitAttribute(LargestBody));

    private async Task<IResult> Receive(string name, HttpRequest request, CancellationToken cancellationToken)
    {
        if (!providers.TryGet(name, out var provider))
            return Results.NotFound();

        var body = await Read(request.Body, cancellationToken);
        ProviderNotice notice;
        try
        {
            notice = provider.ReadWebhook(request.Headers, body);
        }
        catch (Failure)
        {
            Count(name, "rejected");
            throw;
        }

        var result = await Take(provider.Name, notice, cancellationToken);
        Count(name, result);
        return Results.NoContent();
    }

    /// <summary>Takes in what a verified webhook tells, and says what it was: news, known or ignored.</summary>
    internal async Task<string> Take(string provider, ProviderNotice notice, CancellationToken cancellationToken)
    {
        if (notice.AuthorisationId is not { } authorisation)
            return "ignored";

        // Our reference finds the payment even before the answer of our own call has told us the provider's id.
        var orderId = notice.Seen is { } seen ? seen.Reference.Split('/')[0] : await store.FindOrderOf(provider, authorisation, cancellationToken);
        while (orderId is not null && await store.Find(orderId, cancellationToken) is { } payment)
        {
            PaymentsTelemetry.TagOrder(orderId);
            if (PartOf(payment, provider, notice) is not { } part)
                return "ignored";
            if (await Apply(payment, part, notice, cancellationToken) is { } result)
                return result;
        }

        return "ignored";
    }

    // Null if somebody else stored a change meanwhile: look again.
    private async Task<string?> Apply(Payment payment, PaymentPart part, ProviderNotice notice, CancellationToken cancellationToken)
    {
        // Something is under way with the provider, and will be told all of this itself. Only the answer to a question
        // that we have asked could be lost: the webhook may overtake a "pending", and is not sent again.
        var busy = payment.Next().Count > 0;
        var piece = PieceOf(payment, part, notice);
        if (busy && part.State != PartState.Asking && piece is null)
            return "known";

        if (notice.Seen is null && piece is null)
        {
            if (busy || part.Released)
                return "known";
            await Store(payment, part, notice, (batch, _) => points.Add(batch, new RecoveryPoint(PollPayment.PointKind, $"{payment.OrderId}/{notice.Id}")), save: false, cancellationToken);
            return "news";
        }

        try
        {
            if (piece is not null ? !payment.Learn(piece, notice.Refund!) : !part.Learn(notice.Seen!))
                return "known";
        }
        catch (ProviderFaultException fault)
        {
            // Sending it again would not make it better: it is in the log, and what we know stays as it is.
            PaymentsTelemetry.Faults.Add(1);
            LogFault(logger, payment.OrderId, notice.Id, fault.Message);
            return "ignored";
        }

        var stored = await Store(
            payment,
            part,
            notice,
            (batch, facts) =>
            {
                foreach (var fact in facts)
                    outbox.Add(batch, fact);
                if (IssueDocuments.DueOf(payment) is { } due)
                    points.Add(batch, due);
                if (!busy && payment.Next().Count > 0)
                    points.Add(batch, new RecoveryPoint(AdvancePayment.Collect, $"{payment.OrderId}/{payment.Revision}"));
            },
            save: true,
            cancellationToken);
        return stored ? "news" : null;
    }

    private async Task<bool> Store(
        Payment payment, PaymentPart part, ProviderNotice notice, Action<NpgsqlBatch, IReadOnlyList<Facts.IPaymentFact>> write, bool save, CancellationToken cancellationToken)
    {
        // Who is under way tells what there is to tell when it gets to its end.
        IReadOnlyList<Facts.IPaymentFact> facts = payment.Next().Count > 0 ? [] : payment.Tell(time.GetUtcNow());
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (save && !await store.Save(payment, connection, transaction, cancellationToken))
            return false;

        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO webhooks (provider, webhook_id, order_id, received_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = part.Provider },
                new NpgsqlParameter<string> { TypedValue = notice.Id },
                new NpgsqlParameter<string> { TypedValue = payment.OrderId },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() },
            },
        });
        write(batch, facts);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.Wake();
        points.Wake();
        return true;
    }

    // A refund of ours, by the reference that we gave; one that was made at the provider has another, and is asked for.
    private static RefundPiece? PieceOf(Payment payment, PaymentPart part, ProviderNotice notice) =>
        notice.Refund?.Reference.Split('/') is [var orderId, var partNumber, var number]
        && orderId == payment.OrderId
        && partNumber == part.Number.ToString(CultureInfo.InvariantCulture)
        && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var refund)
            ? payment.PieceOf(refund, part.Number)
            : null;

    private static PaymentPart? PartOf(Payment payment, string provider, ProviderNotice notice)
    {
        var part = payment.Parts.FirstOrDefault(p => p.Provider == provider && p.ProviderReference == notice.AuthorisationId);
        if (part is not null || notice.Seen is null)
            return part;
        return int.TryParse(notice.Seen.Reference.Split('/')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? payment.Parts.FirstOrDefault(p => p.Number == number && p.Provider == provider && p.ProviderReference is null)
            : null;
    }

    private static async Task<byte[]> Read(Stream body, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await body.ReadAsync(chunk, cancellationToken)) > 0)
        {
            if (buffer.Length + read > LargestBody)
                throw new Failure(ErrorReason.RequestTooLarge, $"A webhook may have at most {LargestBody} bytes.");
            buffer.Write(chunk, 0, read);
        }

        return buffer.ToArray();
    }

    private static void Count(string provider, string result) => PaymentsTelemetry.Webhooks.Add(
        1, new KeyValuePair<string, object?>("provider", provider), new KeyValuePair<string, object?>("result", result));

    [LoggerMessage(Level = LogLevel.Error, Message = "Order {OrderId}: webhook {WebhookId}: {What}")]
    private static partial void LogFault(ILogger logger, string orderId, string webhookId, string what);
}
