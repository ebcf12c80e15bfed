using Commerce.Messaging;
using Commerce.Orders.Storage;

namespace Commerce.Orders.ChangingLines;

/// <summary>The timer that is set with every change that waits for its money: withdraws it if the money does not come.</summary>
public sealed class ExpireChange(OrderStore store, TimeProvider clock) : IRecover
{
    private const string Actor = "service/orders";

    public string Kind => Order.ChangeExpiryKind;

    public Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken) =>
        Task.FromResult<RecoveryOutcome>(new RecoveryOutcome.Done(context => Expire(point, context)));

    private async Task Expire(RecoveryPoint point, RecoveryContext context)
    {
        if (point.Key.Split('/') is not [var orderId, var text] || !OrderId.TryParse(orderId, out var id) || !int.TryParse(text, out var number))
            throw new InvalidOperationException($"The recovery point {point.Kind} \"{point.Key}\" does not name a change of an order.");
        OrdersTelemetry.About(id);
        if (await OrderStore.Lock(context.Connection, context.Transaction, id, context.CancellationToken) is not { } order)
            return;
        if (order.Withdraw(number, "EXPIRED", new Moment(clock.Now(), Actor)) is { } change)
            store.Save(context.Batch, order, change);
    }
}
