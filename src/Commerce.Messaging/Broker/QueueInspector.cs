using System.Globalization;
using System.Text;
using System.Text.Json;
using Commerce.Facts;
using RabbitMQ.Client;

namespace Commerce.Messaging.Broker;

/// <summary>What waits on the broker for one subscriber.</summary>
/// <param name="Waiting">Messages that no consumer has yet.</param>
/// <param name="Errors">Messages in the error queue.</param>
/// <param name="Failed">The first of them, at most <see cref="QueueInspector.MostFailed"/>.</param>
internal sealed record QueueLook(long Waiting, long Errors, IReadOnlyList<FailedMessage> Failed);

/// <summary>A message in an error queue, as far as it can be shown: nothing of it is quoted that may be a person's words.</summary>
/// <param name="Reason">As in <see cref="ErrorCause"/>; null: the broker put it there.</param>
/// <param name="Error">What <see cref="ErrorQueues.Describe"/> said of the exception.</param>
internal sealed record FailedMessage(string? Reason, string? Error, string? Fact, string? MessageId, string? TraceParent, int Attempts, DateTimeOffset? At);

/// <summary>Looks at a subscriber's queues and leaves them as they are.</summary>
internal sealed class QueueInspector(BrokerConnection broker)
{
    public const int MostFailed = 100;

    public Task<QueueLook> Look(Subscription subscription, CancellationToken cancellationToken) =>
        broker.OnChannel(async channel =>
        {
            await Topology.Declare(channel, subscription, cancellationToken);
            var errorQueue = Topology.ErrorQueue(subscription.Queue);
            var waiting = await channel.MessageCountAsync(subscription.Queue, cancellationToken);
            var failed = new List<FailedMessage>();
            var last = 0ul;
            while (failed.Count < MostFailed && await channel.BasicGetAsync(errorQueue, autoAck: false, cancellationToken) is { } message)
            {
                last = message.DeliveryTag;
                failed.Add(Read(message));
            }

            // Asked only for what is beyond those that were seen: the broker's own count lags behind what was just given back.
            var more = failed.Count < MostFailed ? 0 : await channel.MessageCountAsync(errorQueue, cancellationToken);
            // Back before the answer: the channel's end waits for it.
            if (last > 0)
                await channel.BasicNackAsync(last, multiple: true, requeue: true, cancellationToken);
            return new QueueLook(waiting, failed.Count + more, failed);
        }, cancellationToken);

    private static FailedMessage Read(BasicGetResult message)
    {
        var headers = message.BasicProperties.Headers ?? new Dictionary<string, object?>();
        var (fact, traceparent) = ReadEnvelope(message.Body);
        var at = Text(headers, ErrorQueues.HeaderPrefix + "at");
        return new FailedMessage(
            Text(headers, ErrorQueues.HeaderPrefix + "reason"),
            Text(headers, ErrorQueues.HeaderPrefix + "message"),
            fact,
            message.BasicProperties.MessageId,
            traceparent ?? Text(headers, Envelope.TraceHeader),
            int.TryParse(Text(headers, ErrorQueues.HeaderPrefix + "attempts"), CultureInfo.InvariantCulture, out var attempts) ? attempts : 0,
            DateTimeOffset.TryParse(at, CultureInfo.InvariantCulture, out var time) ? time : DeadLetteredAt(headers));
    }

    // What reached the delivery limit has only the broker's own header.
    private static DateTimeOffset? DeadLetteredAt(IDictionary<string, object?> headers) =>
        headers.TryGetValue("x-death", out var deaths) && deaths is IList<object?> { Count: > 0 } list
            && list[0] is IDictionary<string, object?> death && death.TryGetValue("time", out var time) && time is AmqpTimestamp timestamp
            ? DateTimeOffset.FromUnixTimeSeconds(timestamp.UnixTime)
            : null;

    private static (string? Fact, string? TraceParent) ReadEnvelope(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var envelope = JsonDocument.Parse(body);
            var root = envelope.RootElement;
            var urns = root.GetProperty("messageType").EnumerateArray().Select(urn => urn.GetString()).ToHashSet();
            var traceparent = root.TryGetProperty("headers", out var headers) && headers.TryGetProperty(Envelope.TraceHeader, out var header) ? header.GetString() : null;
            return (FactTypes.All.FirstOrDefault(fact => urns.Contains(FactTypes.UrnOf(fact.Name)))?.Name, traceparent);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            // It is in the error queue because it can be anything.
            return (null, null);
        }
    }

    private static string? Text(IDictionary<string, object?> headers, string name) => headers.TryGetValue(name, out var value)
        ? value switch
        {
            string text => text,
            byte[] bytes => Encoding.UTF8.GetString(bytes),
            _ => null,
        }
        : null;
}
