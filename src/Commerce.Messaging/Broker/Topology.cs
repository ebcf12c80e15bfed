using Commerce.Facts;
using MassTransit;
using RabbitMQ.Client;

namespace Commerce.Messaging.Broker;

/// <summary>
/// Names and arguments of exchanges and queues. RabbitMQ refuses to change a queue's arguments later, so relay and consumers
/// both take them from here, and they are the same on RabbitMQ 3.10 and 4.x.
/// </summary>
internal static class Topology
{
    /// <summary>
    /// Deliveries of one message before the broker takes it for poison. RabbitMQ 4 has a default of 20 and drops; 3.10 has
    /// none. Our own bound is much lower, so this is reached only by a consumer that dies again and again.
    /// </summary>
    private const int DeliveryLimit = 1000;

    /// <summary>The exchange of a fact: "OrderPlaced" is told on "order-placed".</summary>
    public static string Exchange(Type fact) =>
        string.Concat(fact.Name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : c.ToString()));

    public static string ErrorQueue(string queue) => queue + "_error";

    /// <summary>What passes the delivery limit goes where failures go, instead of being dropped.</summary>
    public static IReadOnlyDictionary<string, object?> Arguments(string queue) => new Dictionary<string, object?>
    {
        ["x-queue-type"] = "quorum",
        ["x-delivery-limit"] = DeliveryLimit,
        ["x-dead-letter-exchange"] = ErrorQueue(queue),
    };

    public static void Configure(IRabbitMqReceiveEndpointConfigurator endpoint, Subscription subscription)
    {
        endpoint.ConfigureConsumeTopology = false;
        endpoint.SetQuorumQueue();
        foreach (var (name, value) in Arguments(subscription.Queue))
            endpoint.SetQueueArgument(name, value!);
        foreach (var fact in subscription.Facts)
            endpoint.Bind(Exchange(fact), binding => binding.ExchangeType = ExchangeType.Fanout);
    }

    /// <summary>Declares every queue that hears a service's facts, and the error queues behind them.</summary>
    public static async Task Declare(IConnection connection, string source, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        foreach (var subscription in Subscriptions.All.Where(subscription => subscription.Source == source))
        {
            await Declare(channel, ErrorQueue(subscription.Queue), Arguments(subscription.Queue), cancellationToken);
            await Declare(channel, subscription.Queue, Arguments(subscription.Queue), cancellationToken);
            foreach (var fact in subscription.Facts)
            {
                await channel.ExchangeDeclareAsync(Exchange(fact), ExchangeType.Fanout, durable: true, cancellationToken: cancellationToken);
                await channel.ExchangeBindAsync(subscription.Queue, Exchange(fact), "", cancellationToken: cancellationToken);
            }
        }
    }

    private static async Task Declare(IChannel channel, string queue, IReadOnlyDictionary<string, object?> arguments, CancellationToken cancellationToken)
    {
        await channel.ExchangeDeclareAsync(queue, ExchangeType.Fanout, durable: true, cancellationToken: cancellationToken);
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>(arguments), cancellationToken: cancellationToken);
        await channel.QueueBindAsync(queue, queue, "", cancellationToken: cancellationToken);
    }
}

/// <summary>Facts keep their own names on the broker, without a namespace: other languages read them too.</summary>
internal sealed class FactNames : IEntityNameFormatter
{
    public string FormatEntityName<T>() => Topology.Exchange(typeof(T));
}
