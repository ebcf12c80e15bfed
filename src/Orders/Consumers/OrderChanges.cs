using Commerce.Messaging;
using Commerce.Orders.Storage;

namespace Commerce.Orders.Consumers;

/// <summary>What every consumer does: lock the order, let the aggregate decide, store what it decided beside the inbox's record.</summary>
public sealed class OrderChanges(OrderStore store, TimeProvider clock)
{
    /// <summary>
    /// A transition that is null writes nothing. One that the aggregate refuses throws, so that the fact is tried again and
    /// then put where somebody sees it: a contradiction between services is never dropped.
    /// </summary>
    public Task Apply(string orderId, string actor, FactContext context, Func<Order, Moment, OrderChange?> transition) =>
        Apply(orderId, actor, context, (order, moment) => Task.FromResult(transition(order, moment)));

    /// <summary>As above, for a transition that reads more of the order.</summary>
    public async Task Apply(string orderId, string actor, FactContext context, Func<Order, Moment, Task<OrderChange?>> transition)
    {
        if (!OrderId.TryParse(orderId, out var id))
            throw new InvalidOperationException($"\"{orderId}\" is not an Order ID.");
        OrdersTelemetry.About(id);
        var order = await OrderStore.Lock(context.Connection, context.Transaction, id, context.CancellationToken)
            ?? throw new InvalidOperationException($"There is no order {id}, yet {actor} told a fact about it.");
        if (await transition(order, new Moment(clock.Now(), actor)) is { } change)
        {
            store.Save(context.Batch, order, change);
        }
    }
}
