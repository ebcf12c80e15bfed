using System.Diagnostics;
using MassTransit;

namespace Commerce.Messaging.Relaying;

/// <summary>The broker confirmed the fact but could route it to no queue.</summary>
internal sealed class UnroutableException(string fact, Exception inner)
    : Exception($"No queue is bound for {fact}: its subscribers' queues were deleted, or Subscriptions lists none.", inner);

/// <summary>Publishes one row of the outbox.</summary>
internal sealed class Publisher(IBus bus, TimeProvider time)
{
    /// <summary>Completes when the broker has confirmed that it routed the fact.</summary>
    /// <exception cref="UnroutableException">It had nowhere to route it.</exception>
    public async Task Publish(OutboxRow row, CancellationToken cancellationToken)
    {
        var type = FactTypes.Get(row.Fact);
        var fact = type.Parse(row.Body);
        // The relay's own loop has no trace; the fact belongs to the one in which it was told.
        using var activity = MessagingTelemetry.Source.StartActivity("outbox relay", ActivityKind.Internal, row.TraceParent);
        try
        {
            await type.Publish(bus, fact, new Pipe(type, row, time), cancellationToken);
        }
        catch (MessageReturnedException exception)
        {
            throw new UnroutableException(row.Fact, exception);
        }
    }

    private sealed class Pipe(FactType type, OutboxRow row, TimeProvider time) : IPipe<PublishContext>
    {
        public Task Send(PublishContext context)
        {
            context.MessageId = row.MessageId;
            context.Durable = true;
            // A confirm alone says that the broker took it, not that a queue did.
            context.Mandatory = true;
            context.Serializer = new StoredBody(type, row, time);
            return Task.CompletedTask;
        }

        public void Probe(ProbeContext context)
        {
        }
    }
}
