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
    private const int Rounds = 9;
    // Until all that is run often is compiled to the end: a cold look-up goes through much.
    private const int WarmUpRounds = 4;
    private const int WarmCodes = 500;
    private const int Pool = 100_000;
    private const string Ours = "/commerce.gateway.v1.LookupService/Lookup";
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2);

    /// <param name="only">Only what has this in its name is measured.</param>
    public static async Task<IReadOnlyList<Comparison>> Run(string only)
    {
        await using var servers = await BenchServers.Start();
        await using var services = await PeerProcess.Start("services");
        var port = string.Join(',', BareFanOut.Services.Select(_ => services.Grpc.Port));
        await using var bare = await PeerProcess.Start("bare", servers.Redis, servers.Broker, port);
        List<IMessage> warm = [.. Codes(WarmCodes)];
        List<IMessage> cold = [.. Codes(Pool)];
        (string Name, string HotAnswers, string Piped, Func<PeerProcess, PeerProcess, int, Sides> Sides)[] figures =
        [
            ("lookup, warm, same pipeline", "10000", "memory", (gateway, piped, size) => new(
                new(gateway, Ours, warm, size), new(piped, Ours, warm, size), "a bare method behind the same pipeline, same bytes", 0.85)),
            ("lookup, warm, naked", "10000", "memory", (gateway, _, size) => new(
                new(gateway, Ours, warm, size), new(bare, $"/{GatewayPeers.Bare}/Memory", warm, size), "a bare Grpc.AspNetCore method, same bytes", 0.5)),
            ("lookup, from Redis", "0", "redis", (gateway, piped, size) => new(
                new(gateway, Ours, warm, size), new(piped, Ours, warm, size), "a bare method doing one Redis GET behind the same pipeline", 0.9)),
            ("lookup, cold", "0", "services", (gateway, _, size) => new(
                new(gateway, Ours, cold, size) { Before = gateway.Flush }, new(bare, $"/{GatewayPeers.Bare}/FanOut", cold, size), "the same six calls written bare, without Redis", 0.5)),
            ("lookup, cold, same pipeline", "0", "services", (gateway, piped, size) => new(
                new(gateway, Ours, cold, size) { Before = gateway.Flush }, new(piped, Ours, cold, size), "the same six calls written bare behind the same pipeline, without Redis", null)),
        ];
        var comparisons = new List<Comparison>();
        foreach (var alike in figures.Where(figure => figure.Name.Contains(only, StringComparison.Ordinal)).GroupBy(figure => (figure.HotAnswers, figure.Piped)))
        {
            await using var gateway = await PeerProcess.Gateway(servers, port, alike.Key.HotAnswers);
            await using var piped = await PeerProcess.Gateway(servers, port, "0", alike.Key.Piped);
            var size = await Prepare(gateway, piped, bare, warm);
            foreach (var figure in alike)
                comparisons.Add(await Compare(figure.Name, figure.Sides(gateway, piped, size)));
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

    private static async Task<Comparison> Compare(string name, Sides sides)
    {
        var (ours, limit, limitIs, aim) = sides;
        List<double> oursRates = [];
        List<double> limitRates = [];
        for (var round = 0; round < WarmUpRounds; round++)
        {
            await ours.Rate();
            await limit.Rate();
        }

        for (var round = 0; round < Rounds; round++)
        {
            if (round % 2 == 1)
                limitRates.Add(await limit.Rate());
            oursRates.Add(await ours.Rate());
            if (round % 2 == 0)
                limitRates.Add(await limit.Rate());
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
                $"{ours.Size} bytes an answer; at {pace:F0}/s p50, p99, p99.9: {Words(oursTimes)}; limit {Words(limitTimes)}; a call: {Words(ours.ACall)}, limit {Words(limit.ACall)}"),
        };
    }

    private static string Words(List<double> times) => string.Create(CultureInfo.InvariantCulture, $"{At(times, 0.5):F2}, {At(times, 0.99):F2}, {At(times, 0.999):F2} ms");

    private static string Words((double Allocated, double Processor) call) => string.Create(CultureInfo.InvariantCulture, $"{call.Allocated:F0} bytes allocated and {call.Processor:F0} µs of processor");

    private static double At(List<double> sorted, double share) => sorted[(int)(share * (sorted.Count - 1))];

    /// <summary>What is measured against what.</summary>
    private sealed record Sides(Side Ours, Side Limit, string LimitIs, double? Aim);

    /// <summary>What is called, and how.</summary>
    private sealed record Side(PeerProcess Process, string Path, IReadOnlyList<IMessage> Requests, int Size)
    {
        public Func<Task>? Before { get; init; }

        /// <summary>Bytes allocated and microseconds of processor by the process that is called, for each call of the last round.</summary>
        public (double Allocated, double Processor) ACall { get; private set; }

        public async Task<double> Rate()
        {
            if (Before is not null)
                await Before();
            var (allocated, processor) = (await Process.Figure("allocated"), await Process.Figure("cpu"));
            var rate = await Task.Run(() => RawLoad.Closed(Process, Path, Requests, Size, Round));
            var calls = rate * Round.TotalSeconds;
            ACall = ((await Process.Figure("allocated") - allocated) / calls, (await Process.Figure("cpu") - processor) * 1000 / calls);
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
