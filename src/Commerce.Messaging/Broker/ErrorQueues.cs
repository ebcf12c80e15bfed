using System.Globalization;
using System.Text;
using RabbitMQ.Client;

namespace Commerce.Messaging.Broker;

/// <summary>Why a message went to the error queue.</summary>
/// <param name="Reason">"undecodable", "unknown-fact" or "gave-up".</param>
internal sealed record ErrorCause(string Reason, Exception? Exception, int Attempts);

/// <summary>Puts messages aside where a person looks, and brings them back.</summary>
internal sealed class ErrorQueues(BrokerConnection broker, TimeProvider time, MessagingTelemetry telemetry)
{
    internal const string HeaderPrefix = "commerce-error-";

    // The broker's own, and of the queue that a message was in.
    private const string DeliveryCount = "x-delivery-count";

    // Their bodies are in memory meanwhile.
    private const int TakenAtOnce = 500;

    /// <summary>Completes when the error queue has confirmed the message; the original may be acknowledged then, not before.</summary>
    public async Task Move(string queue, string? messageId, string? contentType, IDictionary<string, object?>? headers, ReadOnlyMemory<byte> body, ErrorCause cause, CancellationToken cancellationToken)
    {
        var all = headers is null ? [] : new Dictionary<string, object?>(headers);
        all[HeaderPrefix + "reason"] = cause.Reason;
        all[HeaderPrefix + "queue"] = queue;
        all[HeaderPrefix + "attempts"] = cause.Attempts.ToString(CultureInfo.InvariantCulture);
        all[HeaderPrefix + "at"] = time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        if (cause.Exception is { } exception)
        {
            all[HeaderPrefix + "type"] = exception.GetType().FullName;
            all[HeaderPrefix + "message"] = Describe(exception);
        }

        await broker.OnChannel(async channel =>
        {
            await Topology.DeclareErrorQueue(channel, queue, cancellationToken);
            await channel.BasicPublishAsync("", Topology.ErrorQueue(queue), mandatory: true, Properties(messageId, contentType, all), body, cancellationToken);
        }, cancellationToken);
        telemetry.Errors.Add(1, new KeyValuePair<string, object?>("queue", queue), new KeyValuePair<string, object?>("reason", cause.Reason));
    }

    /// <summary>
    /// Moves up to <paramref name="limit"/> messages back to the queue, each acknowledged only after the queue has
    /// confirmed it (so at least once), and returns how many. No more than are there at the beginning: one that fails again
    /// meanwhile comes back behind them, and would go round without an end.
    /// </summary>
    public Task<int> Redrive(string queue, int limit, CancellationToken cancellationToken) =>
        broker.OnChannel(async channel =>
        {
            await Topology.DeclareErrorQueue(channel, queue, cancellationToken);
            var waiting = await channel.MessageCountAsync(Topology.ErrorQueue(queue), cancellationToken);
            // The broker's count lags behind what somebody who looked has just given back: what can be taken is there, whatever it says.
            var first = new List<BasicGetResult>();
            while (first.Count < Math.Min(limit, TakenAtOnce) && await Next() is { } message)
                first.Add(message);
            var most = Math.Min(limit, Math.Max(first.Count, waiting));
            var moved = 0;
            foreach (var message in first)
                await Move(message);
            while (moved < most && await Next() is { } message)
                await Move(message);
            return moved;

            Task<BasicGetResult?> Next() => channel.BasicGetAsync(Topology.ErrorQueue(queue), autoAck: false, cancellationToken);

            async Task Move(BasicGetResult message)
            {
                await Replace(
                    channel, message, queue, message.Body,
                    header => !header.StartsWith(HeaderPrefix, StringComparison.Ordinal) && header is not ("x-death" or DeliveryCount), cancellationToken);
                moved++;
            }
        }, cancellationToken);

    /// <summary>
    /// Puts another body in the place of those that get one, at the end of the error queue: each is acknowledged only after the queue has
    /// confirmed the other (so at least once). The rest stays as it is.
    /// </summary>
    public Task Rewrite(string queue, Func<ReadOnlyMemory<byte>, byte[]?> rewrite, CancellationToken cancellationToken) =>
        broker.OnChannel(async channel =>
        {
            await Topology.DeclareErrorQueue(channel, queue, cancellationToken);
            var errorQueue = Topology.ErrorQueue(queue);
            var kept = 0ul;
            var rewritten = new List<(BasicGetResult Message, byte[] Body)>();
            while (await channel.BasicGetAsync(errorQueue, autoAck: false, cancellationToken) is { } message)
            {
                if (rewrite(message.Body) is { } body)
                    rewritten.Add((message, body));
                else
                    kept = message.DeliveryTag;
            }

            foreach (var (message, body) in rewritten)
                await Replace(channel, message, errorQueue, body, header => header != DeliveryCount, cancellationToken);

            // Back before the answer: the channel's end waits for it.
            if (kept > 0)
                await channel.BasicNackAsync(kept, multiple: true, requeue: true, cancellationToken);
        }, cancellationToken);

    // The other is confirmed before this one is acknowledged.
    private static async Task Replace(
        IChannel channel, BasicGetResult message, string queue, ReadOnlyMemory<byte> body, Func<string, bool> keepsHeader, CancellationToken cancellationToken)
    {
        var headers = (message.BasicProperties.Headers ?? new Dictionary<string, object?>()).Where(header => keepsHeader(header.Key)).ToDictionary(header => header.Key, header => header.Value);
        await channel.BasicPublishAsync("", queue, mandatory: true, Properties(message.BasicProperties.MessageId, message.BasicProperties.ContentType, headers), body, cancellationToken);
        await channel.BasicAckAsync(message.DeliveryTag, multiple: false, cancellationToken);
    }

    /// <summary>Messages waiting in the error queue; null: the queue does not exist.</summary>
    public Task<uint> Count(string queue, CancellationToken cancellationToken) =>
        broker.OnChannel(async channel =>
        {
            await Topology.DeclareErrorQueue(channel, queue, cancellationToken);
            return await channel.MessageCountAsync(Topology.ErrorQueue(queue), cancellationToken);
        }, cancellationToken);

    /// <summary>The exception in one bounded line.</summary>
    public static string Describe(Exception exception)
    {
        var text = new StringBuilder();
        for (var e = exception; e is not null && text.Length < 1000; e = e.InnerException)
            text.Append(text.Length > 0 ? " ← " : "").Append(e.GetType().Name).Append(": ").Append(e.Message.ReplaceLineEndings(" "));
        return text.Length <= 1000 ? text.ToString() : text.ToString(0, 1000);
    }

    private static BasicProperties Properties(string? messageId, string? contentType, IDictionary<string, object?> headers) => new()
    {
        Persistent = true,
        MessageId = messageId,
        ContentType = contentType ?? Envelope.ContentType,
        Headers = headers,
    };
}
