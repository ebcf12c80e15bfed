using Commerce.Facts;
using Commerce.Messaging;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;

namespace Commerce.Notifications.Consumers;

/// <summary>Hears orders: the shopper is told that theirs is confirmed, changed, or cancelled, and what becomes of their returns.</summary>
internal sealed partial class OrderFactsConsumer(TimeProvider time) :
    IConsumeFact<OrderPlaced>, IConsumeFact<OrderConfirmed>, IConsumeFact<OrderCancelled>, IConsumeFact<OrderProgressed>,
    IConsumeFact<OrderEdited>, IConsumeFact<OrderCompleted>, IConsumeFact<OrderImported>, IConsumeFact<OrderLinesChanged>,
    IConsumeFact<OrderChangeProposed>, IConsumeFact<OrderChangeWithdrawn>, IConsumeFact<ParcelReplaced>,
    IConsumeFact<ReturnRequested>, IConsumeFact<ReturnApproved>, IConsumeFact<ReturnRejected>, IConsumeFact<ReturnReceived>,
    IConsumeFact<ReturnCancelled>, IConsumeFact<ReturnProgressed>, IConsumeFact<OrderErased>
{
    public Task Consume(OrderConfirmed fact, FactContext context) => Tell(fact, Kind.OrderConfirmed, context);

    public Task Consume(OrderCancelled fact, FactContext context) => Tell(fact, Kind.OrderCancelled, context);

    public Task Consume(OrderEdited fact, FactContext context) => Tell(fact, Kind.OrderChanged, context, VersionOf(fact));

    public Task Consume(OrderLinesChanged fact, FactContext context) => Tell(fact, Kind.OrderChanged, context, VersionOf(fact));

    // Its payment may need the shopper; whether it does is asked when it is to be told.
    public Task Consume(OrderChangeProposed fact, FactContext context) => Tell(fact, Kind.PaymentActionRequired, context, ChangeOf(fact.Change));

    public Task Consume(OrderChangeWithdrawn fact, FactContext context) => Tell(fact, Kind.ChangeWithdrawn, context, ChangeOf(fact.Change), reason: fact.Reason);

    // With a label it is told when the label is there: see ShipmentFactsConsumer.
    public Task Consume(ReturnApproved fact, FactContext context) =>
        fact.LabelWanted ? Task.CompletedTask : Tell(fact, Kind.ReturnApproved, context, ReturnOf(fact.ReturnNumber), fact.ReturnNumber);

    public Task Consume(ReturnRejected fact, FactContext context) => Tell(fact, Kind.ReturnRejected, context, ReturnOf(fact.ReturnNumber), fact.ReturnNumber);

    public Task Consume(ReturnReceived fact, FactContext context) =>
        Tell(fact, Kind.ReturnReceived, context, $"{ReturnOf(fact.ReturnNumber)} {VersionOf(fact)}", fact.ReturnNumber);

    // Nothing to tell: heard because facts of one order are counted without a gap.
    public Task Consume(OrderPlaced fact, FactContext context) => Task.CompletedTask;

    public Task Consume(OrderProgressed fact, FactContext context) => Task.CompletedTask;

    public Task Consume(OrderCompleted fact, FactContext context) => Task.CompletedTask;

    public Task Consume(OrderImported fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ParcelReplaced fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ReturnRequested fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ReturnCancelled fact, FactContext context) => Task.CompletedTask;

    // That money went back is told by who gave it: see PaymentFactsConsumer.
    public Task Consume(ReturnProgressed fact, FactContext context) => Task.CompletedTask;

    // There is nothing to erase: whom to write to is asked of Orders, each time.
    public Task Consume(OrderErased fact, FactContext context) => Task.CompletedTask;

    /// <summary>An order's return, as the event of a message.</summary>
    public static string ReturnOf(int number) => FormattableString.Invariant($"R{number}");

    /// <summary>An order's change, as the event of a message.</summary>
    public static string ChangeOf(int number) => FormattableString.Invariant($"C{number}");

    private static string VersionOf(IOrderFact fact) => FormattableString.Invariant($"v{fact.Version}");

    private Task Tell(IOrderFact fact, Kind kind, FactContext context, string what = "", int returnNumber = 0, string reason = "")
    {
        context.Decide(Notification.About(fact.StoreId, fact.OrderId, kind, time.GetUtcNow(), what: what) with { ReturnNumber = returnNumber, Reason = reason });
        return Task.CompletedTask;
    }
}
