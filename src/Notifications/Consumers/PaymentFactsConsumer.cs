using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Notifications.Storage;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;

namespace Commerce.Notifications.Consumers;

/// <summary>
/// Hears payments: the shopper is told that something is for them to do, and that money was given back. That a payment failed is
/// told with the order that is cancelled, or the change that is not made.
/// </summary>
internal sealed class PaymentFactsConsumer(TimeProvider time) : IConsumeFact<PaymentPending>, IConsumeFact<PaymentRefunded>
{
    // Whether the shopper, or only the provider, is waited for is asked when it is to be told.
    public Task Consume(PaymentPending fact, FactContext context)
    {
        context.Decide(Notification.About(fact.StoreId, fact.OrderId, Kind.PaymentActionRequired, time.GetUtcNow()));
        return Task.CompletedTask;
    }

    public async Task Consume(PaymentRefunded fact, FactContext context)
    {
        var told = await NotificationStore.ToldRefunded(context.Connection, context.Transaction, fact.OrderId, context.CancellationToken);
        if (fact.Refunded.Minor <= told)
            return;
        context.Decide(Notification.About(fact.StoreId, fact.OrderId, Kind.Refunded, time.GetUtcNow(), what: FormattableString.Invariant($"v{fact.Version}")) with
        {
            Amount = fact.Refunded with { Minor = fact.Refunded.Minor - told },
        });
    }
}
