using System.Globalization;
using Commerce.Gateway.V1;
using Google.Protobuf;

namespace Commerce.Bench.Gateway;

/// <summary>
/// Look-ups by Order ID: of a code that was just asked for, of codes that only Redis has, and of codes that only the services have; each in
/// turns with the least that could answer with the same bytes, behind the same pipeline and without any.
/// </summary>
internal static class LookupBench
{
    private const int Rounds = 5;
    private const int WarmCodes = 500;
    private const int Pool = 100_000;
    private const string Ours = "/commerce.gateway.v1.LookupService/Lookup";
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2);

    public static async Task<IReadOnlyList<Comparison>> Run()
    {
        await using var servers = await BenchServers.Start();
        await using var services = await PeerProcess.Start("services");
        var port = services.Grpc.Port.ToString(CultureInfo.InvariantCulture);
        await using var bare = await PeerProcess.Start("bare", servers.Redis, servers.Broker, port);
        var comparisons = new List<Comparison>();
        List<IMessage> warm = [.. Codes(WarmCodes)];

        await using (var gateway = await PeerProcess.Gateway(servers, port, "10000"))
        await using (var piped = await PeerProcess.Gateway(servers, port, "0", "memory"))
        {
            var size = await Prepare(gateway, piped, bare, warm);
            comparisons.Add(await Compare("lookup, warm, same pipeline", new(gateway, Ours, warm, size), new(piped, Ours, warm, size), "a bare method behind the same pipeline, same bytes", 0.85));
            comparisons.Add(await Compare("lookup, warm, naked", new(gateway, Ours, warm, size), new(bare, $"/{GatewayPeers.Bare}/Memory", warm, size), "a bare Grpc.AspNetCore method, same bytes", 0.5));
        }

        await using (var gateway = await PeerProcess.Gateway(servers, port, "0"))
        await using (var piped = await PeerProcess.Gateway(servers, port, "0", "redis"))
        {
            var size = await Prepare(gateway, piped, bare, warm);
            comparisons.Add(await Compare(
                "lookup, from Redis", new(gateway, Ours, warm, size), new(piped, Ours, warm, size), "a bare method doing one Redis GET behind the same pipeline", 0.9));
            List<IMessage> cold = [.. Codes(Pool)];
            comparisons.Add(await Compare(
                "lookup, cold", new(gateway, Ours, cold, size) { Before = gateway.Flush }, new(bare, $"/{GatewayPeers.Bare}/FanOut", cold, size), "the same six calls written bare, without Redis", 0.5));
        }

        return comparisons;
    }

    private static IEnumerable<LookupRequest> Codes(int count) => Enumerable.Range(0, count).Select(_ => new LookupRequest { Code = OrderId.New("ORD", TimeProvider.System).ToString() });

    /// <summary>Everything is compiled and in Redis; the bare methods have the bytes. Their length.</summary>
    private static async Task<int> Prepare(PeerProcess gateway, PeerProcess piped, PeerProcess bare, List<IMessage> requests)
    {
        var lookups = new LookupService.LookupServiceClient(gateway.Channel);
        var bytes = (await lookups.LookupAsync((LookupRequest)requests[0])).ToByteArray();
        foreach (var one in new[] { piped, bare })
            await one.Channel.CreateCallInvoker().AsyncUnaryCall(BareMethodsOf.Set, null, default, bytes);
        // One that is not answered says why.
        await Parallel.ForEachAsync(requests, async (request, cancellationToken) => await lookups.LookupAsync((LookupRequest)request, cancellationToken: cancellationToken));
        // Those that are long enough to be compiled to the end.
        foreach (var one in new[] { gateway, piped })
            RawLoad.Closed(one, Ours, requests, bytes.Length, Round);
        RawLoad.Closed(bare, $"/{GatewayPeers.Bare}/Memory", requests, bytes.Length, Round);
        return bytes.Length;
    }

    private static async Task<Comparison> Compare(string name, Side ours, Side limit, string limitIs, double aim)
    {
        List<double> oursRates = [];
        List<double> limitRates = [];
        await ours.Rate();
        await limit.Rate();
        var (oursAllocated, limitAllocated) = (0.0, 0.0);
        for (var round = 0; round < Rounds; round++)
        {
            if (round % 2 == 1)
                limitRates.Add(await limit.Rate());
            oursRates.Add(await ours.Rate());
            if (round % 2 == 0)
                limitRates.Add(await limit.Rate());
            (oursAllocated, limitAllocated) = (ours.AllocatedACall, limit.AllocatedACall);
        }

        // Half of the lower top rate for both, so that they are asked the same.
        var pace = Math.Min(Comparison.Median(oursRates), Comparison.Median(limitRates)) / 2;
        var oursTimes = await ours.Times(pace);
        var limitTimes = await limit.Times(pace);
        // What was measured so far is seen though what follows should fail.
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {Comparison.Median(oursRates):F0} of {Comparison.Median(limitRates):F0}"));
        return new Comparison(name, "calls/s", oursRates, limitRates, limitIs, aim)
        {
            Beside = string.Create(
                CultureInfo.InvariantCulture,
                $"{ours.Size} bytes an answer; at {pace:F0}/s p50, p99, p99.9: {Words(oursTimes)}; limit {Words(limitTimes)}; allocated a call: {oursAllocated:F0} bytes, limit {limitAllocated:F0}"),
        };
    }

    private static string Words(List<double> times) => string.Create(CultureInfo.InvariantCulture, $"{At(times, 0.5):F2}, {At(times, 0.99):F2}, {At(times, 0.999):F2} ms");

    private static double At(List<double> sorted, double share) => sorted[(int)(share * (sorted.Count - 1))];

    /// <summary>What is called, and how.</summary>
    private sealed record Side(PeerProcess Process, string Path, IReadOnlyList<IMessage> Requests, int Size)
    {
        public Func<Task>? Before { get; init; }

        public double AllocatedACall { get; private set; }

        public async Task<double> Rate()
        {
            if (Before is not null)
                await Before();
            var before = await Process.Figure("allocated");
            var rate = await Task.Run(() => RawLoad.Closed(Process, Path, Requests, Size, Round));
            AllocatedACall = (await Process.Figure("allocated") - before) / (rate * Round.TotalSeconds);
            return rate;
        }

        public async Task<List<double>> Times(double pace)
        {
            if (Before is not null)
                await Before();
            return await Task.Run(() => RawLoad.Open(Process, Path, Requests, Size, pace, Round));
        }
    }
}
