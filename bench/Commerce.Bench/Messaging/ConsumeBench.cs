using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Messaging.Broker;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Commerce.Bench.Messaging;

/// <summary>
/// From the broker into the database: inbox, order of versions and an insert as effect, in one transaction; against a bare
/// MassTransit consumer that does the same insert, with the same prefetch and concurrency.
/// </summary>
internal static class ConsumeBench
{
    private const int Count = 8_000;
    private const int Rounds = 5;
    private const string Queue = "notifications.orders";
    private const string Insert = "INSERT INTO effects (key, version) VALUES ($1, $2)";

    public static async Task<Comparison> Run()
    {
        await using var servers = await BenchServers.Start();
        await DeclareQueues(servers);
        var publisher = Peer.Bus(servers.Broker);
        await publisher.StartAsync();
        var options = new MessagingOptions();

        await Ours(servers, publisher, Peer.Facts(Count, "warm"));
        await Bare(servers, publisher, Peer.Facts(Count, "warm"), options);
        List<double> ours = [];
        List<double> limit = [];
        for (var round = 0; round < Rounds; round++)
        {
            // Who goes first changes, so that neither has always the fuller tables or the warmer caches.
            if (round % 2 == 1)
                limit.Add(await Bare(servers, publisher, Peer.Facts(Count, $"b{round}"), options));
            ours.Add(await Ours(servers, publisher, Peer.Facts(Count, $"o{round}")));
            if (round % 2 == 0)
                limit.Add(await Bare(servers, publisher, Peer.Facts(Count, $"b{round}"), options));
        }

        await publisher.StopAsync();
        return new Comparison(
            "consume", "facts/s", ours, limit,
            $"a bare MassTransit consumer doing the same insert, prefetch {options.ConsumerPrefetch}, {options.ConsumerConcurrency} at a time", 0.5);
    }

    // The relay of Orders declares the queues of its subscribers.
    private static async Task DeclareQueues(BenchServers servers)
    {
        using var orders = Service(servers, "orders", _ => { });
        await orders.StartAsync();
        await using var told = servers.Database.CreateBatch();
        orders.Services.GetRequiredService<Outbox>().Add(told, Peer.Facts(4, "declare")[0]);
        await told.ExecuteNonQueryAsync();
        await using var empty = servers.Database.CreateCommand("SELECT NOT EXISTS (SELECT FROM messaging.outbox)");
        while (!(bool)(await empty.ExecuteScalarAsync())!)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        await orders.StopAsync();
        await Purge(servers);
    }

    private static async Task<double> Ours(BenchServers servers, IBus publisher, List<OrderPlaced> facts)
    {
        await Peer.Publish(publisher, facts, 256);
        var progress = new Progress(facts.Count);
        using var host = Service(servers, "notifications", messaging => messaging.Consume<Consumer>("orders", Delivery.InOrder), progress);
        await host.StartAsync();
        await progress.Finished.WaitAsync(TimeSpan.FromMinutes(5), TimeProvider.System);
        await using var effects = servers.Database.CreateCommand("SELECT count(*) FROM effects");
        while ((long)(await effects.ExecuteScalarAsync())! < facts.Count)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        var rate = progress.Rate();
        await host.StopAsync();
        await Purge(servers);
        return rate;
    }

    private static async Task<double> Bare(BenchServers servers, IBus publisher, List<OrderPlaced> facts, MessagingOptions options)
    {
        await Peer.Publish(publisher, facts, 256);
        var progress = new Progress(facts.Count);
        var bus = Peer.Bus(servers.Broker, bus => bus.ReceiveEndpoint(Queue, endpoint =>
        {
            endpoint.ConfigureConsumeTopology = false;
            endpoint.PrefetchCount = (ushort)options.ConsumerPrefetch;
            endpoint.ConcurrentMessageLimit = options.ConsumerConcurrency;
            foreach (var (name, value) in Topology.QueueArguments(Queue))
                endpoint.SetQueueArgument(name, value!);
            endpoint.Handler<OrderPlaced>(async context =>
            {
                progress.Begin();
                await using var insert = servers.Database.CreateCommand(Insert);
                insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = context.Message.Key });
                insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = context.Message.Version });
                await insert.ExecuteNonQueryAsync();
                progress.Done();
            });
        }));
        await bus.StartAsync();
        await progress.Finished.WaitAsync(TimeSpan.FromMinutes(5), TimeProvider.System);
        var rate = progress.Rate();
        await bus.StopAsync();
        await Purge(servers);
        return rate;
    }

    private static IHost Service(BenchServers servers, string service, Action<MessagingBuilder> messaging, Progress? progress = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:messaging", servers.Broker)]);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton(servers.Database);
        builder.Services.AddSingleton(progress ?? new Progress(0));
        messaging(builder.AddMessaging(service));
        return builder.Build();
    }

    private static async Task Purge(BenchServers servers)
    {
        await servers.Purge(Subscriptions.All.Where(s => s.Source == "orders" && s.Facts.Contains(typeof(OrderPlaced))).Select(s => s.Queue));
        await servers.Execute("TRUNCATE effects, messaging.inbox, messaging.inbox_versions, messaging.parked_facts");
    }

    /// <summary>From the first fact to the last: the start of hosts and connections is not what is measured.</summary>
    private sealed class Progress(int count)
    {
        private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _first;
        private long _last;
        private int _done;

        public Task Finished => _finished.Task;

        public void Begin() => Interlocked.CompareExchange(ref _first, TimeProvider.System.GetTimestamp(), 0);

        public void Done()
        {
            if (Interlocked.Increment(ref _done) != count)
                return;
            _last = TimeProvider.System.GetTimestamp();
            _finished.TrySetResult();
        }

        public double Rate() => count / TimeProvider.System.GetElapsedTime(_first, _last).TotalSeconds;
    }

    private sealed class Consumer(Progress progress) :
        IConsumeFact<OrderPlaced>, IConsumeFact<OrderConfirmed>, IConsumeFact<OrderCancelled>, IConsumeFact<OrderProgressed>, IConsumeFact<OrderEdited>,
        IConsumeFact<OrderCompleted>, IConsumeFact<OrderImported>, IConsumeFact<OrderLinesChanged>, IConsumeFact<OrderChangeProposed>,
        IConsumeFact<OrderChangeWithdrawn>, IConsumeFact<StockLow>, IConsumeFact<StockOut>, IConsumeFact<StockReplenished>,
        IConsumeFact<ReturnRequested>, IConsumeFact<ReturnApproved>, IConsumeFact<ReturnRejected>, IConsumeFact<ReturnReceived>,
        IConsumeFact<ReturnCancelled>, IConsumeFact<ReturnProgressed>
    {
        public Task Consume(OrderPlaced fact, FactContext context)
        {
            progress.Begin();
            context.Batch.BatchCommands.Add(new NpgsqlBatchCommand(Insert)
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = fact.Key }, new NpgsqlParameter<long> { TypedValue = fact.Version } },
            });
            // The commit of this one is still to come; the sixteen at work at the end are a matter of milliseconds.
            progress.Done();
            return Task.CompletedTask;
        }

        public Task Consume(OrderConfirmed fact, FactContext context) => Task.CompletedTask;

        public Task Consume(OrderCancelled fact, FactContext context) => Task.CompletedTask;

        public Task Consume(OrderProgressed fact, FactContext context) => Task.CompletedTask;

        public Task Consume(OrderEdited fact, FactContext context) => Task.CompletedTask;

        public Task Consume(OrderCompleted fact, FactContext context) => Task.CompletedTask;

        public Task Consume(OrderImported fact, FactContext context) => Task.CompletedTask;

        public Task Consume(OrderLinesChanged fact, FactContext context) => Task.CompletedTask;

        public Task Consume(OrderChangeProposed fact, FactContext context) => Task.CompletedTask;

        public Task Consume(OrderChangeWithdrawn fact, FactContext context) => Task.CompletedTask;

        public Task Consume(StockLow fact, FactContext context) => Task.CompletedTask;

        public Task Consume(StockOut fact, FactContext context) => Task.CompletedTask;

        public Task Consume(StockReplenished fact, FactContext context) => Task.CompletedTask;

        public Task Consume(ReturnRequested fact, FactContext context) => Task.CompletedTask;

        public Task Consume(ReturnApproved fact, FactContext context) => Task.CompletedTask;

        public Task Consume(ReturnRejected fact, FactContext context) => Task.CompletedTask;

        public Task Consume(ReturnReceived fact, FactContext context) => Task.CompletedTask;

        public Task Consume(ReturnCancelled fact, FactContext context) => Task.CompletedTask;

        public Task Consume(ReturnProgressed fact, FactContext context) => Task.CompletedTask;
    }
}
