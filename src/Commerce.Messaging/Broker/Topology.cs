using Commerce.Facts;
using RabbitMQ.Client;

namespace Commerce.Messaging.Broker;

/// <summary>
/// Exchanges and queues, as every relay and every consumer declares them. A queue's arguments can never be changed once it
/// exists, and a declaration with other ones is refused by the broker: so they are written down here and nowhere else.
/// </summary>
internal static class Topology
{
    /// <summary>
    /// The arguments of a subscriber's queue.
    /// <list type="bullet">
    /// <item>quorum: replicated where there is more than one node, and fsynced before the confirm everywhere.</item>
    /// <item>A delivery limit: RabbitMQ 4 has 20 where none is given, 3.10 has none. A fact comes back without being at fault
    /// whenever its consumer's process or connection dies, so 20 is soon reached by an unstable network; a thousand is only
    /// reached by a fact that kills its process each time, and then goes to the error queue.</item>
    /// <item>Dead letters go to the error queue by the default exchange. At-least-once dead lettering is left off: in RabbitMQ
    /// 3.10.8 a queue that is deleted while its dead-letter worker starts takes the broker's supervisor down, and every later
    /// declaration fails. This is the last resort behind our own bounded attempts, which move a fact with confirms.</item>
    /// </list>
    /// </summary>
    public static IReadOnlyDictionary<string, object?> QueueArguments(string queue) => new Dictionary<string, object?>
    {
        ["x-queue-type"] = "quorum",
        ["x-delivery-limit"] = 1000,
        ["x-dead-letter-exchange"] = "",
        ["x-dead-letter-routing-key"] = ErrorQueue(queue),
    };

    /// <summary>
    /// The arguments of an error queue. It has nowhere to pass messages on to, so reaching a delivery limit would drop them
    /// (in RabbitMQ 4 after 20 looks at one): the limit is out of reach. −1 would say so, but 3.10 refuses it.
    /// </summary>
    public static IReadOnlyDictionary<string, object?> ErrorQueueArguments { get; } = new Dictionary<string, object?>
    {
        ["x-queue-type"] = "quorum",
        ["x-delivery-limit"] = 1_000_000_000,
    };

    public static string ErrorQueue(string queue) => queue + "_error";

    /// <summary>
    /// Declares what a subscriber needs: a fanout exchange per fact, bound to the exchange of the endpoint, bound to its
    /// queue; that is how MassTransit lays out a receive endpoint, so both declare the same.
    /// </summary>
    public static async Task Declare(IChannel channel, Subscription subscription, CancellationToken cancellationToken)
    {
        var queue = subscription.Queue;
        await DeclareErrorQueue(channel, queue, cancellationToken);
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, QueueArguments(queue).ToDictionary(), cancellationToken: cancellationToken);
        await DeclareExchange(channel, queue, cancellationToken);
        await channel.QueueBindAsync(queue, queue, "", cancellationToken: cancellationToken);
        foreach (var fact in subscription.Facts)
        {
            var exchange = FactType.ExchangeOf(fact);
            await DeclareExchange(channel, exchange, cancellationToken);
            await channel.ExchangeBindAsync(queue, exchange, "", cancellationToken: cancellationToken);
        }
    }

    public static Task DeclareExchange(IChannel channel, string exchange, CancellationToken cancellationToken) =>
        channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: cancellationToken);

    public static Task DeclareErrorQueue(IChannel channel, string queue, CancellationToken cancellationToken) =>
        channel.QueueDeclareAsync(ErrorQueue(queue), durable: true, exclusive: false, autoDelete: false, ErrorQueueArguments.ToDictionary(), cancellationToken: cancellationToken);
}
