using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Commerce.Messaging.Broker;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Commerce.Messaging.Relaying;

/// <summary>The broker confirmed the fact but could route it to no queue.</summary>
internal sealed class UnroutableException(string fact, Exception inner)
    : Exception($"No queue is bound for {fact}: its subscribers' queues were deleted, or Subscriptions lists none.", inner);

/// <summary>
/// Publishes rows of the outbox on a channel that is used by one session of the relay alone and ends with it. So a channel on
/// which anything went wrong is never used again, and nobody but the relay decides what is published again, and when.
/// </summary>
internal sealed class Publisher(IChannel channel, TimeProvider time) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Task> _declared = new();

    public static async Task<Publisher> Open(BrokerConnection broker, TimeProvider time, CancellationToken cancellationToken) =>
        new(await broker.OpenChannel(cancellationToken), time);

    /// <summary>
    /// Completes when the broker has confirmed that it routed the fact. Not to be cancelled, only to be left alone: a publish
    /// that ends half-way could count its confirm for the next one.
    /// </summary>
    /// <exception cref="UnroutableException">It had nowhere to route it.</exception>
    public async Task Publish(OutboxRow row)
    {
        var type = FactTypes.Get(row.Fact);
        // What nobody could read stays here, where its error is seen.
        type.Parse(row.Body);
        // The relay's own loop has no trace; the fact belongs to the one in which it was told.
        using var activity = MessagingTelemetry.Source.StartActivity("outbox relay", ActivityKind.Producer, row.TraceParent);
        var trace = activity?.Id ?? row.TraceParent;
        var properties = new BasicProperties
        {
            Persistent = true,
            MessageId = row.MessageId.ToString("D", CultureInfo.InvariantCulture),
            ContentType = Envelope.ContentType,
            Headers = trace is null ? null : new Dictionary<string, object?> { [Envelope.TraceHeader] = trace },
        };
        var body = Envelope.Write(row.MessageId, FactTypes.UrnOf(type.Name), row.Body, trace, time.GetUtcNow());
        // A fact that nobody subscribes to has no exchange yet, and publishing to none closes the channel.
        await _declared.GetOrAdd(type.Exchange, exchange => Topology.DeclareExchange(channel, exchange, CancellationToken.None));
        try
        {
            // A confirm alone says that the broker took it, not that a queue did: so mandatory.
            await channel.BasicPublishAsync(type.Exchange, "", mandatory: true, properties, body, CancellationToken.None);
        }
        catch (PublishException exception) when (exception.IsReturn)
        {
            throw new UnroutableException(row.Fact, exception);
        }
    }

    public ValueTask DisposeAsync() => channel.DisposeAsync();
}
