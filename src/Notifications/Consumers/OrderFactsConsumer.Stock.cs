using Commerce.Facts;
using Commerce.Messaging;

namespace Commerce.Notifications.Consumers;

/// <summary>Hears stock: nobody is written to about it yet, and facts of one stock are counted without a gap.</summary>
internal sealed partial class OrderFactsConsumer : IConsumeFact<StockLow>, IConsumeFact<StockOut>, IConsumeFact<StockReplenished>
{
    public Task Consume(StockLow fact, FactContext context) => Task.CompletedTask;

    public Task Consume(StockOut fact, FactContext context) => Task.CompletedTask;

    public Task Consume(StockReplenished fact, FactContext context) => Task.CompletedTask;
}
