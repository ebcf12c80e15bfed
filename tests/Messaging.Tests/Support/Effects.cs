using System.Diagnostics;
using Commerce.Facts;
using Npgsql;

namespace Commerce.Messaging.Tests;

/// <summary>What a test wants to happen while a fact is consumed.</summary>
internal sealed class Interference
{
    public Func<IFact, FactContext, Task> Before { get; set; } = (_, _) => Task.CompletedTask;
}

/// <summary>Hears every fact of Orders and leaves a row for each effect.</summary>
internal sealed class OrderEffects(Interference interference) :
    IConsumeFact<OrderPlaced>, IConsumeFact<OrderConfirmed>, IConsumeFact<OrderCancelled>, IConsumeFact<OrderProgressed>, IConsumeFact<OrderEdited>, IConsumeFact<OrderCompleted>,
    IConsumeFact<OrderImported>, IConsumeFact<OrderLinesChanged>, IConsumeFact<OrderChangeProposed>, IConsumeFact<OrderChangeWithdrawn>, IConsumeFact<ParcelReplaced>,
    IConsumeFact<StockLow>, IConsumeFact<StockOut>, IConsumeFact<StockReplenished>,
    IConsumeFact<ReturnRequested>, IConsumeFact<ReturnApproved>, IConsumeFact<ReturnRejected>, IConsumeFact<ReturnReceived>,
    IConsumeFact<ReturnCancelled>, IConsumeFact<ReturnProgressed>, IConsumeFact<OrderErased>
{
    public Task Consume(OrderPlaced fact, FactContext context) => Leave(fact, context);

    public Task Consume(OrderConfirmed fact, FactContext context) => Leave(fact, context);

    public Task Consume(OrderCancelled fact, FactContext context) => Leave(fact, context);

    public Task Consume(OrderProgressed fact, FactContext context) => Leave(fact, context);

    public Task Consume(OrderEdited fact, FactContext context) => Leave(fact, context);

    public Task Consume(OrderCompleted fact, FactContext context) => Leave(fact, context);

    public Task Consume(OrderImported fact, FactContext context) => Leave(fact, context);

    public Task Consume(OrderLinesChanged fact, FactContext context) => Leave(fact, context);

    public Task Consume(OrderChangeProposed fact, FactContext context) => Leave(fact, context);

    public Task Consume(OrderChangeWithdrawn fact, FactContext context) => Leave(fact, context);

    public Task Consume(ParcelReplaced fact, FactContext context) => Leave(fact, context);

    public Task Consume(StockLow fact, FactContext context) => Leave(fact, context);

    public Task Consume(StockOut fact, FactContext context) => Leave(fact, context);

    public Task Consume(StockReplenished fact, FactContext context) => Leave(fact, context);

    public Task Consume(ReturnRequested fact, FactContext context) => Leave(fact, context);

    public Task Consume(ReturnApproved fact, FactContext context) => Leave(fact, context);

    public Task Consume(ReturnRejected fact, FactContext context) => Leave(fact, context);

    public Task Consume(ReturnReceived fact, FactContext context) => Leave(fact, context);

    public Task Consume(ReturnCancelled fact, FactContext context) => Leave(fact, context);

    public Task Consume(ReturnProgressed fact, FactContext context) => Leave(fact, context);

    public Task Consume(OrderErased fact, FactContext context) => Leave(fact, context);

    private async Task Leave(IFact fact, FactContext context)
    {
        await interference.Before(fact, context);
        context.Batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO effects (key, version, fact, traceparent) VALUES ($1, $2, $3, $4)")
        {
            Parameters =
            {
                new NpgsqlParameter { Value = fact.Key }, new NpgsqlParameter { Value = fact.Version }, new NpgsqlParameter { Value = fact.GetType().Name },
                new NpgsqlParameter<string?> { TypedValue = Activity.Current?.Id },
            },
        });
    }
}

/// <summary>Facts to tell.</summary>
internal static class Make
{
    public static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    public static OrderPlaced Placed(string key, long version = 1) =>
        new(key, "acme", version, Noon, "external", new Money(1234, "EUR"), [new PaymentPartFact(1, "CARD", "tok", new Money(1234, "EUR"), 1)]);

    public static OrderProgressed Progressed(string key, long version) => new(key, "acme", version, Noon, "PAID", "UNFULFILLED");

    /// <summary>The facts of one order: placed, then progress up to the given version.</summary>
    public static IEnumerable<IFact> Order(string key, int versions) =>
        Enumerable.Range(1, versions).Select(v => v == 1 ? Placed(key) : (IFact)Progressed(key, v));
}
