using System.Collections.Concurrent;
using System.Globalization;
using Commerce.Bench.Messaging;
using Commerce.Facts;
using Commerce.Gateway.V1;
using Grpc.Core;

namespace Commerce.Bench.Gateway;

/// <summary>
/// How old a view can be while 1,000 changes a second are told: from the publishing of a fact until a watcher of its order has a view with the
/// change, over 500 watched orders; at 100 changes a second beside.
/// </summary>
internal static class StalenessBench
{
    private const int Orders = 500;
    private const int Rounds = 3;
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<Comparison>> Run()
    {
        await using var servers = await BenchServers.Start();
        await using var services = await BenchServices.Start();
        await using var gateway = await PeerProcess.Gateway(servers, services.Ports, "10000");
        var publisher = Peer.Bus(servers.Broker);
        await publisher.StartAsync();
        await BenchServices.Declare(servers);

        var ids = Enumerable.Range(0, Orders).Select(_ => OrderId.New("ORD", TimeProvider.System).ToString()).ToList();
        var changes = ids.ToDictionary(id => id, _ => new ConcurrentQueue<(long Version, long Began)>());
        var times = new ConcurrentQueue<double>();
        using var stop = new CancellationTokenSource();
        var lookups = new LookupService.LookupServiceClient(gateway.Channel);
        using var seen = new CountdownEvent(Orders);
        var watching = ids.Select(id => Task.Run(async () =>
        {
            using var watch = lookups.WatchLookup(new WatchLookupRequest { Code = id }, cancellationToken: stop.Token);
            var first = true;
            while (await watch.ResponseStream.MoveNext(stop.Token))
            {
                while (changes[id].TryPeek(out var change) && change.Version <= watch.ResponseStream.Current.Order.Version && changes[id].TryDequeue(out change))
                    times.Enqueue(TimeProvider.System.GetElapsedTime(change.Began).TotalMilliseconds);
                if (first)
                    seen.Signal();
                first = false;
            }
        })).ToList();
        seen.Wait(TimeSpan.FromSeconds(30));

        List<double> fast = [];
        List<double> slow = [];
        var words = "";
        await Load(publisher, ids, changes, 1000, TimeSpan.FromSeconds(2));
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var pace in round % 2 == 0 ? new[] { 1000, 100 } : [100, 1000])
            {
                times.Clear();
                await Load(publisher, ids, changes, pace, Round);
                var sorted = times.Order().ToList();
                (pace == 1000 ? fast : slow).Add(1000 / sorted[sorted.Count * 99 / 100]);
                words += string.Create(CultureInfo.InvariantCulture, $"{pace}/s: {sorted.Count} changes, p50 {sorted[sorted.Count / 2]:F1}, p99 {sorted[sorted.Count * 99 / 100]:F1}, p99.9 {sorted[sorted.Count * 999 / 1000]:F1} ms; ");
            }
        }

        await stop.CancelAsync();
        try
        {
            await Task.WhenAll(watching);
        }
        catch (Exception exception) when (exception is OperationCanceledException or RpcException)
        {
            // They were told to end.
        }

        await publisher.StopAsync();
        return [new Comparison("staleness, 1,000 changes/s", "1/s (of the p99)", fast, slow, "the same at 100 changes/s", 0.1) { Beside = words.TrimEnd(' ', ';') }];
    }

    private static async Task Load(MassTransit.IBusControl publisher, List<string> ids, Dictionary<string, ConcurrentQueue<(long, long)>> changes, int pace, TimeSpan time)
    {
        var began = TimeProvider.System.GetTimestamp();
        var sent = 0;
        var published = new List<Task>();
        while (TimeProvider.System.GetElapsedTime(began) is var elapsed && elapsed < time)
        {
            for (; sent < elapsed.TotalSeconds * pace; sent++)
            {
                var id = ids[sent % ids.Count];
                var version = 1000 + BenchWorld.Advance(id);
                changes[id].Enqueue((version, TimeProvider.System.GetTimestamp()));
                published.Add(publisher.Publish(new OrderEdited(id, "main", version, TimeProvider.System.GetUtcNow(), [])));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        await Task.WhenAll(published);
        while (changes.Values.Any(queue => !queue.IsEmpty))
        {
            if (TimeProvider.System.GetElapsedTime(began) > time + TimeSpan.FromSeconds(60))
                throw new TimeoutException("A change was never seen.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }
}
