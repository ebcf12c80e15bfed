using Commerce.Facts;
using Commerce.Messaging;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;

namespace Commerce.Notifications.Consumers;

/// <summary>Hears orders: the shopper is told that theirs is confirmed, or cancelled.</summary>
internal sealed partial class OrderFactsConsumer(TimeProvider time) :
    IConsumeFact<OrderPlaced>, IConsumeFact<OrderConfirmed>, IConsumeFact<OrderCancelled>, IConsumeFact<OrderProgressed>,
    IConsumeFact<OrderEdited>, IConsumeFact<OrderCompleted>, IConsumeFact<OrderImported>, IConsumeFact<OrderLinesChanged>,
    IConsumeFact<OrderChangeProposed>, IConsumeFact<OrderChangeWithdrawn>, IConsumeFact<ParcelReplaced>,
    IConsumeFact<ReturnRequested>, IConsumeFact<ReturnApproved>, IConsumeFact<ReturnRejected>, IConsumeFact<ReturnReceived>,
    IConsumeFact<ReturnCancelled>, IConsumeFact<ReturnProgressed>
{
    public Task Consume(OrderConfirmed fact, FactContext context) => Tell(fact, Kind.OrderConfirmed, context);

    public Task Consume(OrderCancelled fact, FactContext context) => Tell(fact, Kind.OrderCancelled, context);

    // Nothing to tell: heard because facts of one order are counted without a gap.
    public Task Consume(OrderPlaced fact, FactContext context) => Task.CompletedTask;

    public Task Consume(OrderProgressed fact, FactContext context) => Task.CompletedTask;

    public Task Consume(OrderEdited fact, FactContext context) => Task.CompletedTask;

    public Task Consume(OrderCompleted fact, FactContext context) => Task.CompletedTask;

    public Task Consume(OrderImported fact, FactContext context) => Task.CompletedTask;

    public Task Consume(OrderLinesChanged fact, FactContext context) => Task.CompletedTask;

    public Task Consume(OrderChangeProposed fact, FactContext context) => Task.CompletedTask;

    public Task Consume(OrderChangeWithdrawn fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ParcelReplaced fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ReturnRequested fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ReturnApproved fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ReturnRejected fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ReturnReceived fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ReturnCancelled fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ReturnProgressed fact, FactContext context) => Task.CompletedTask;

    private Task Tell(IOrderFact fact, Kind kind, FactContext context)
    {
        context.Decide(Notification.About(fact.StoreId, fact.OrderId, kind, time.GetUtcNow()));
        return Task.CompletedTask;
    }
}
