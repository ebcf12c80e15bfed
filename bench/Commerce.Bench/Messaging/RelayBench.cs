using Commerce.Facts;
using Commerce.Messaging;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Bench.Messaging;

/// <summary>From the outbox to the broker, confirmed, deleted, in order for each key; against publishing the same facts from memory.</summary>
internal static class RelayBench
{
    private const int Count = 10_000;
    private const int Rounds = 5;

    public static async Task<Comparison> Run()
    {
        await using var servers = await BenchServers.Start();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:messaging", servers.Broker)]);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton(servers.Database);
        builder.AddMessaging("orders");
        using var host = builder.Build();
        var concurrency = host.Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<MessagingOptions>>().Value.RelayInFlight;
        await host.StartAsync();
        var outbox = host.Services.GetRequiredService<Outbox>();
        var bus = Peer.Bus(servers.Broker);

        await Relay(servers, outbox, Peer.Facts(Count, "warm"));
        await bus.StartAsync();
        await Publish(servers, bus, Peer.Facts(Count, "warm"), concurrency);
        List<double> ours = [];
        List<double> limit = [];
        for (var round = 0; round < Rounds; round++)
        {
            var facts = Peer.Facts(Count, $"r{round}");
            // Who goes first changes, so that neither has always the fuller tables or the warmer caches.
            if (round % 2 == 1)
                limit.Add(await Publish(servers, bus, facts, concurrency));
            ours.Add(await Relay(servers, outbox, facts));
            if (round % 2 == 0)
                limit.Add(await Publish(servers, bus, facts, concurrency));
        }

        await bus.StopAsync();
        await host.StopAsync();
        return new Comparison(
            "relay", "facts/s", ours, limit, $"a bare MassTransit publisher of the same facts from memory, confirmed, {concurrency} at a time", 0.8);
    }

    private static async Task<double> Relay(BenchServers servers, Outbox outbox, List<OrderPlaced> facts)
    {
        await using (var connection = await servers.Database.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            foreach (var chunk in facts.Chunk(1000))
            {
                await using var batch = connection.CreateBatch();
                foreach (var fact in chunk)
                    outbox.Add(batch, fact);
                await batch.ExecuteNonQueryAsync();
            }

            await transaction.CommitAsync();
        }

        var start = TimeProvider.System.GetTimestamp();
        outbox.Wake();
        await using var empty = servers.Database.CreateCommand("SELECT NOT EXISTS (SELECT FROM messaging.outbox)");
        while (!(bool)(await empty.ExecuteScalarAsync())!)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        var rate = facts.Count / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        await Purge(servers);
        return rate;
    }

    private static async Task<double> Publish(BenchServers servers, MassTransit.IBusControl bus, List<OrderPlaced> facts, int concurrency)
    {
        var start = TimeProvider.System.GetTimestamp();
        await Peer.Publish(bus, facts, concurrency);
        var rate = facts.Count / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        await Purge(servers);
        return rate;
    }

    private static Task Purge(BenchServers servers) =>
        servers.Purge(Subscriptions.All.Where(s => s.Source == "orders" && s.Facts.Contains(typeof(OrderPlaced))).Select(s => s.Queue));
}
