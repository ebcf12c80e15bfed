using System.Globalization;
using Commerce.Bench.Messaging;
using Commerce.Facts;
using Commerce.Gateway.V1;
using Google.Protobuf;

namespace Commerce.Bench.Gateway;

/// <summary>
/// How long it takes from a fact's publishing until a watcher has the new view, against a bare consumer of the same fact that writes the same
/// bytes to a stream; and what 10,000 watchers of one order cost: memory, and one change.
/// </summary>
internal static class WatchBench
{
    private const int Rounds = 5;
    private const int Changes = 200;
    private const int Watchers = 10_000;
    private const int StreamsAConnection = 100;
    private const string Ours = "/commerce.gateway.v1.LookupService/WatchLookup";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    public static async Task<IReadOnlyList<Comparison>> Run()
    {
        await using var servers = await BenchServers.Start();
        await using var services = await BenchServices.Start();
        await using var bare = await PeerProcess.Start("bare", servers.Redis, servers.Broker, services.Port);
        await using var gateway = await PeerProcess.Gateway(servers, services.Port, "10000");
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

        Task Tell() => publisher.Publish(new OrderEdited(id, "main", 1000 + BenchWorld.Advance(id), TimeProvider.System.GetUtcNow(), []));
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
        var many = await Many(gateway, bare, id, view.Length, Tell);
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

    private static async Task<IReadOnlyList<Comparison>> Many(PeerProcess gateway, PeerProcess bare, string id, int size, Func<Task> tell)
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
        ];
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
