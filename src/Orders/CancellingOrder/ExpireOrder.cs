using Commerce.Messaging;
using Commerce.Orders.Storage;

namespace Commerce.Orders.CancellingOrder;

/// <summary>The timer that is set with every order: cancels it if nothing came of its payment.</summary>
public sealed class ExpireOrder(OrderStore store, TimeProvider clock) : IRecover
{
    private const string Actor = "service/orders";

    public string Kind => Order.ExpiryKind;

    public Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken) =>
        Task.FromResult<RecoveryOutcome>(new RecoveryOutcome.Done(context => Expire(point, context)));

    private async Task Expire(RecoveryPoint point, RecoveryContext context)
    {
        if (!OrderId.TryParse(point.Key, out var id))
            throw new InvalidOperationException($"The recovery point {point.Kind} \"{point.Key}\" has no Order ID for its key.");
        OrdersTelemetry.About(id);
        if (await OrderStore.Lock(context.Connection, context.Transaction, id, context.CancellationToken) is not { } order)
            return;
        if (order.Expire(new Moment(clock.Now(), Actor)) is { } change)
        {
            store.Save(context.Batch, order, change);
        }
    }
}
