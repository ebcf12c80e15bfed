using System.Globalization;
using Commerce.Bench.Messaging;
using Commerce.Facts;
using Commerce.Gateway.V1;
using Google.Protobuf;

namespace Commerce.Bench.Gateway;

/// <summary>
/// How long it takes from a fact's publishing until a watcher has the new view, against a bare consumer of the same fact, from a queue of the
/// same kind, that writes the same bytes to a stream; and what 10,000 watchers cost, of one order and of one each: memory, and one change.
/// </summary>
internal static class WatchBench
{
    private const int Rounds = 5;
    private const int Changes = 200;
    private const int Watchers = 10_000;
    private const int StreamsAConnection = 100;
    private const string Ours = "/commerce.gateway.v1.LookupService/WatchLookup";
    private static readonly TimeSpan Still = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    public static async Task<IReadOnlyList<Comparison>> Run()
    {
        await using var servers = await BenchServers.Start();
        await using var services = await BenchServices.Start();
        await using var bare = await PeerProcess.Start("bare", servers.Redis, servers.Broker, services.Ports);
        await using var gateway = await PeerProcess.Gateway(servers, services.Ports, "10000");
        var publisher = Peer.Bus(servers.Broker);
        await publisher.StartAsync();
        await BenchServices.Declare(servers);
        var id = OrderId.New("ORD", TimeProvider.System).ToString();
        var view = (await new LookupService.LookupServiceClient(gateway.Channel).LookupAsync(new LookupRequest { Code = id })).ToByteArray();
        await bare.Channel.CreateCallInvoker().AsyncUnaryCall(BareMethodsOf.Set, null, default, view);

        using var watched = new RawGrpc(gateway, Ours);
        using var told = new RawGrpc(bare, $"/{GatewayPeers.Bare}/Watch");
        watched.Call(new WatchLookupRequest { Code = id }.ToByteArray(), 0);
        told.Call(new LookupRequest { Code = id }.ToByteArray(), 0);
        foreach (var one in new[] { watched, told })
        {
            one.Flush();
            Until(one, 1);
        }

        Task Advance(string order) => publisher.Publish(new OrderEdited(order, "main", 1000 + BenchWorld.Advance(order), TimeProvider.System.GetUtcNow(), []));
        Task Tell() => Advance(id);
        List<double> ours = [];
        List<double> limit = [];
        List<double> all = [];
        await Times(Tell, [watched, told]);
        for (var round = 0; round < Rounds; round++)
        {
            // One fact goes to both, and each is waited for by itself: in turns, who is waited for first.
            var (first, second) = round % 2 == 0 ? (watched, told) : (told, watched);
            var firstTimes = await Times(Tell, [first, second]);
            var secondTimes = await Times(Tell, [second, first]);
            ours.Add(1000 / Comparison.Median(first == watched ? firstTimes : secondTimes));
            limit.Add(1000 / Comparison.Median(first == watched ? secondTimes : firstTimes));
            all.AddRange(first == watched ? firstTimes : secondTimes);
        }

        all.Sort();
        var change = new Comparison("watch", "changes/s one after the other", ours, limit, "a bare MassTransit consumer of the same fact that writes the same bytes to a stream", 0.5)
        {
            Beside = string.Create(CultureInfo.InvariantCulture, $"from the fact's publishing to the watcher: p50 {all[all.Count / 2]:F2} ms, p99 {all[all.Count * 99 / 100]:F2} ms"),
        };
        var many = await Many(gateway, bare, id, view.Length, Tell, Advance);
        await publisher.StopAsync();
        return [change, .. many];
    }

    /// <summary>Milliseconds until the first of the connections had each change; the other one catches up in between.</summary>
    private static async Task<List<double>> Times(Func<Task> tell, RawGrpc[] streams)
    {
        var times = new List<double>();
        for (var change = 0; change < Changes; change++)
        {
            var (mine, other) = (streams[0].Messages + 1, streams[1].Messages + 1);
            var began = TimeProvider.System.GetTimestamp();
            await tell();
            Until(streams[0], mine);
            times.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
            Until(streams[1], other);
        }

        return times;
    }

    private static async Task<IReadOnlyList<Comparison>> Many(PeerProcess gateway, PeerProcess bare, string id, int size, Func<Task> tell, Func<string, Task> advance)
    {
        var (oursMemory, oursTimes, oursCpu) = await Crowd(gateway, Ours, new WatchLookupRequest { Code = id }, size, tell);
        var (limitMemory, limitTimes, limitCpu) = await Crowd(bare, $"/{GatewayPeers.Bare}/Watch", new LookupRequest { Code = id }, size, tell);
        return
        [
            new Comparison("watch, 10,000 watchers, change at all of them", "1/s", [.. oursTimes.Select(time => 1000 / time)], [.. limitTimes.Select(time => 1000 / time)], "the bare stream with as many", 0.5)
            {
                Beside = string.Create(
                    CultureInfo.InvariantCulture,
                    $"one change: {Comparison.Median(oursTimes):F0} ms until the last has it, {oursCpu:F0} ms of processor; bare {Comparison.Median(limitTimes):F0} ms, {limitCpu:F0} ms"),
            },
            new Comparison("watch, 10,000 watchers, watchers a megabyte", "watchers", [1_048_576 / oursMemory.Heap], [1_048_576 / limitMemory.Heap], "the bare stream with as many", 0.5)
            {
                Beside = string.Create(
                    CultureInfo.InvariantCulture,
                    $"a watcher: {oursMemory.Heap:F0} bytes on the heap, {oursMemory.Resident:F0} resident; bare {limitMemory.Heap:F0}, {limitMemory.Resident:F0}"),
            },
            await Different(gateway, size, advance, Comparison.Median(limitTimes), limitMemory.Heap),
        ];
    }

    /// <summary>As many watchers, each of another order: one change concerns one of them.</summary>
    private static async Task<Comparison> Different(PeerProcess gateway, int size, Func<string, Task> advance, double crowdTime, double limitHeap)
    {
        var ids = Enumerable.Range(0, Watchers).Select(_ => OrderId.New("ORD", TimeProvider.System).ToString()).ToList();
        // The crowd before them has gone.
        var before = await gateway.Memory();
        var connections = new List<RawGrpc>();
        try
        {
            foreach (var some in ids.Chunk(StreamsAConnection))
            {
                var connection = new RawGrpc(gateway, Ours);
                connections.Add(connection);
                foreach (var id in some)
                    connection.Call(new WatchLookupRequest { Code = id }.ToByteArray(), 0);
                connection.Flush();
                Until(connection, (size + 5L) * StreamsAConnection, one => one.Bytes);
            }

            var after = await gateway.Memory();
            var (began, cpu) = (TimeProvider.System.GetTimestamp(), await gateway.Figure("cpu"));
            // Two rounds through all of them, whatever is told.
            await Task.Delay(Still, TimeProvider.System);
            var still = (await gateway.Figure("cpu") - cpu) / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
            var times = new List<double>();
            cpu = await gateway.Figure("cpu");
            for (var change = 0; change < Changes; change++)
            {
                var n = change * (Watchers / Changes);
                var connection = connections[n / StreamsAConnection];
                var bytes = connection.Bytes + size + 5;
                began = TimeProvider.System.GetTimestamp();
                await advance(ids[n]);
                Until(connection, bytes, one => one.Bytes);
                times.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
            }

            var each = (await gateway.Figure("cpu") - cpu) / Changes;
            times.Sort();
            var heap = (after.Heap - before.Heap) / Watchers;
            return new Comparison("watch, 10,000 watchers of one order each, watchers a megabyte", "watchers", [1_048_576 / heap], [1_048_576 / limitHeap], "the bare stream with as many", null)
            {
                Beside = string.Create(
                    CultureInfo.InvariantCulture,
                    $"a watcher: {heap:F0} bytes on the heap, {(after.Resident - before.Resident) / Watchers:F0} resident; one change at the one whom it concerns: p50 {times[times.Count / 2]:F2} ms, p99 {times[times.Count * 99 / 100]:F2} ms, {each:F2} ms of processor (bare, which tells all of them: {crowdTime:F0} ms); while nothing is told {still:F0} ms of processor a second"),
            };
        }
        finally
        {
            connections.ForEach(one => one.Dispose());
        }
    }

    private static async Task<((double Heap, double Resident) Memory, List<double> Times, double Cpu)> Crowd(
        PeerProcess process, string path, IMessage request, int size, Func<Task> tell)
    {
        var before = await process.Memory();
        var body = request.ToByteArray();
        var connections = new List<RawGrpc>();
        try
        {
            for (var n = 0; n < Watchers / StreamsAConnection; n++)
            {
                var connection = new RawGrpc(process, path);
                connections.Add(connection);
                for (var stream = 0; stream < StreamsAConnection; stream++)
                    connection.Call(body, 0);
                connection.Flush();
                Until(connection, (size + 5L) * StreamsAConnection, one => one.Bytes);
            }

            var after = await process.Memory();
            var times = new List<double>();
            var cpu = await process.Figure("cpu");
            for (var round = 0; round < Rounds; round++)
            {
                var bytes = connections.Sum(one => one.Bytes) + ((size + 5L) * Watchers);
                var began = TimeProvider.System.GetTimestamp();
                await tell();
                foreach (var connection in connections)
                    Until(connection, (size + 5L) * StreamsAConnection * (round + 2), one => one.Bytes);
                times.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
                if (connections.Sum(one => one.Bytes) != bytes)
                    throw new InvalidOperationException("A watcher had something else than the one view.");
            }

            return (((after.Heap - before.Heap) / Watchers, (after.Resident - before.Resident) / Watchers), times, (await process.Figure("cpu") - cpu) / Rounds);
        }
        finally
        {
            connections.ForEach(one => one.Dispose());
        }
    }

    private static void Until(RawGrpc connection, long messages) => Until(connection, messages, one => one.Messages);

    private static void Until(RawGrpc connection, long count, Func<RawGrpc, long> counted)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (counted(connection) < count)
        {
            if (connection.Poll(TimeSpan.FromMilliseconds(100)))
                connection.Receive(null);
            else if (TimeProvider.System.GetElapsedTime(began) > Bound)
                throw new TimeoutException($"{counted(connection)} came instead of {count}.");
        }
    }
}
