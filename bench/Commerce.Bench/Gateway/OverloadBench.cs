using System.Diagnostics;
using System.Globalization;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;

namespace Commerce.Bench.Gateway;

/// <summary>
/// The Gateway and the services behind it asked for three times what they can do, by clients who do not wait: how much of it is still
/// answered in time, whether orders are placed as if nothing were the matter, and how soon it is over. The load has a processor of its own, so
/// that making more of it takes nothing from those who serve it.
/// </summary>
internal static class OverloadBench
{
    private const int Rounds = 3;
    private const double Times = 3;
    private const int Page = 10;
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Storm = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    public static async Task<IReadOnlyList<Comparison>> Run()
    {
        var (serving, loading) = Processors();
        await using var servers = await BenchServers.Start();
        await Pin(loading);
        await using var services = await PeerProcess.StartOn(serving, "services");
        await using var gateway = await PeerProcess.Gateway(servers, string.Join(',', BareFanOut.Services.Select(_ => services.Grpc.Port)), "10000", sheds: true, on: serving);
        using var load = new MixedLoad(gateway);
        // Those that are long enough to be compiled to the end.
        for (var warm = 0; warm < 3; warm++)
            load.Closed(Calm);

        List<double> top = [], good = [], topPlaced = [], placed = [], calmTail = [], stormTail = [];
        var beside = new List<string>();
        for (var round = 0; round < Rounds; round++)
        {
            var before = load.Closed(Calm);
            var rate = before.Good / before.Time.TotalSeconds;
            var calm = load.Open(rate / 2, Calm, Settled / 2);
            using var told = new CancellationTokenSource();
            var probe = Task.Run(() => Told(gateway, told.Token));
            var cpu = await gateway.Figure("cpu");
            var storm = load.Open(rate * Times, Storm, Settled);
            cpu = await gateway.Figure("cpu") - cpu;
            await told.CancelAsync();
            var over = load.Recover(rate / 2);
            top.Add(rate);
            good.Add(storm.Good / storm.Time.TotalSeconds);
            topPlaced.Add(before.GoodOf(Kind.Critical) / before.Time.TotalSeconds);
            placed.Add(storm.GoodOf(Kind.Critical) / storm.Time.TotalSeconds);
            calmTail.Add(1000 / calm.Tail(Kind.Critical));
            stormTail.Add(1000 / storm.Tail(Kind.Critical));
            var toldWhat = await probe;
            beside.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"round {round + 1}: {storm.Words()}; told: {toldWhat}; {over.TotalSeconds:F1} s after its end all is answered again; of a processor {cpu / Storm.TotalMilliseconds:F2}; at half the top rate: {calm.Words()}"));
            Console.Error.WriteLine($"{rate:F0}/s {beside[^1]}");
        }

        return
        [
            new Comparison("overload, orders placed in time at 3 times the top rate", "1/s", placed, topPlaced, "the top rate, without more than can be done", 1) { Beside = string.Join('\n', beside) },
            // A look-up costs little more than its refusal, and placing an order ten times as much: the more of the latter, the fewer all together.
            new Comparison("overload, all that is answered in time", "calls/s", good, top, "the top rate", null),
            new Comparison("overload, orders placed, 1 / p99", "1/s", stormTail, calmTail, "the same at half the top rate", null),
        ];
    }

    /// <summary>This process has only one processor from now on, with all its threads.</summary>
    private static async Task Pin(int processor)
    {
        using var taskset = Process.Start(new ProcessStartInfo("taskset", ["-a", "-c", "-p", $"{processor}", $"{Environment.ProcessId}"]) { RedirectStandardOutput = true })!;
        await taskset.StandardOutput.ReadToEndAsync();
        await taskset.WaitForExitAsync();
    }

    private static (string Serving, int Loading) Processors()
    {
        if (!OperatingSystem.IsLinux() || Environment.ProcessorCount < 2)
            throw new InvalidOperationException("This bench needs Linux and two processors: one is the load's.");
        return (string.Create(CultureInfo.InvariantCulture, $"0-{Environment.ProcessorCount - 2}"), Environment.ProcessorCount - 1);
    }

    /// <summary>What somebody is told who lists orders meanwhile.</summary>
    private static async Task<string> Told(PeerProcess gateway, CancellationToken over)
    {
        var orders = new OrderService.OrderServiceClient(gateway.Channel);
        var told = new SortedDictionary<string, int>(StringComparer.Ordinal);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        while (!over.IsCancellationRequested)
        {
            var what = "answered";
            try
            {
                await orders.ListOrdersAsync(new ListOrdersRequest { StoreId = "main", PageSize = Page }, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(5), cancellationToken: CancellationToken.None);
            }
            catch (RpcException error)
            {
                var status = error.GetRpcStatus();
                what = $"{error.StatusCode} {status?.GetDetail<ErrorInfo>()?.Reason} {(status?.GetDetail<RetryInfo>() is null ? "without" : "with")} RetryInfo";
            }

            told[what] = told.GetValueOrDefault(what) + 1;
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return string.Join(", ", told.Select(one => $"{one.Value} {one.Key}"));
    }

    private enum Kind
    {
        Critical,
        Reading,
        Deferrable,
    }

    /// <summary>What became of the calls of a time.</summary>
    private sealed class Tally(TimeSpan time)
    {
        private readonly int[] _refused = new int[3];
        private readonly int[] _late = new int[3];
        private readonly List<double>[] _times = [[], [], []];
        private readonly List<double> _refusals = [];

        public TimeSpan Time => time;

        public int Good => _times.Sum(one => one.Count);

        public int GoodOf(Kind kind) => _times[(int)kind].Count;

        public void Add(Kind kind, double milliseconds, bool answered)
        {
            if (!answered)
            {
                _refused[(int)kind]++;
                _refusals.Add(milliseconds);
            }
            else if (milliseconds > MixedLoad.Patience.TotalMilliseconds)
            {
                _late[(int)kind]++;
            }
            else
            {
                _times[(int)kind].Add(milliseconds);
            }
        }

        /// <summary>Nobody waits for it any longer.</summary>
        public void GiveUp(Kind kind) => _late[(int)kind]++;

        public bool AllAnswered => _refused.Sum() + _late.Sum() == 0;

        public double Tail(Kind kind) => At(_times[(int)kind], 0.99);

        public string Words() => string.Join("; ", Enum.GetValues<Kind>().Select(kind =>
        {
            var all = Math.Max(1, _times[(int)kind].Count + _late[(int)kind] + _refused[(int)kind]);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{kind.ToString().ToLowerInvariant()}: of {all} {100.0 * _times[(int)kind].Count / all:F1} % answered (p50 {At(_times[(int)kind], 0.5):F1} ms, p99 {At(_times[(int)kind], 0.99):F1} ms), {100.0 * _refused[(int)kind] / all:F1} % refused, {100.0 * _late[(int)kind] / all:F1} % too late");
        })) + string.Create(CultureInfo.InvariantCulture, $"; a refusal takes p50 {At(_refusals, 0.5):F1} ms, p99 {At(_refusals, 0.99):F1} ms");

        private static double At(List<double> times, double share)
        {
            times.Sort();
            return times.Count == 0 ? double.NaN : times[(int)(share * (times.Count - 1))];
        }
    }

    /// <summary>Of ten calls one places an order, six look an order up and three list orders.</summary>
    private sealed class MixedLoad : IDisposable
    {
        /// <summary>Who has no answer until then has gone.</summary>
        public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

        private const int AtOnce = 64;
        private const int MostOnConnection = 95;
        private static readonly Kind[] Mix = [Kind.Critical, Kind.Reading, Kind.Reading, Kind.Deferrable, Kind.Reading, Kind.Reading, Kind.Deferrable, Kind.Reading, Kind.Reading, Kind.Deferrable];
        private static readonly int[] ConnectionsOf = [4, 16, 8];

        private readonly RawGrpc[][] _connections;
        private readonly byte[][] _bodies;
        private readonly int[] _turn = new int[3];

        public MixedLoad(PeerProcess gateway)
        {
            string[] paths = ["/commerce.orders.v1.OrderService/PlaceOrder", "/commerce.gateway.v1.LookupService/Lookup", "/commerce.orders.v1.OrderService/ListOrders"];
            _connections = [.. paths.Select((path, kind) => Enumerable.Range(0, ConnectionsOf[kind]).Select(_ => new RawGrpc(gateway, path)).ToArray())];
            var code = OrderId.New("ORD", TimeProvider.System).ToString();
            _bodies =
            [
                new PlaceOrderRequest { StoreId = "main", RequestId = code }.ToByteArray(), new LookupRequest { Code = code }.ToByteArray(),
                new ListOrdersRequest { StoreId = "main", PageSize = Page }.ToByteArray(),
            ];
        }

        /// <summary>As many at once as keep the server busy; each answer brings the next call.</summary>
        public Tally Closed(TimeSpan time) => OnAThread(() =>
        {
            var tally = new Tally(time);
            var start = TimeProvider.System.GetTimestamp();
            var (next, open) = (0, 0);
            while (true)
            {
                var over = TimeProvider.System.GetElapsedTime(start) >= time;
                for (; !over && open < AtOnce; open++)
                    Call(Mix[next++ % Mix.Length], TimeProvider.System.GetTimestamp());
                if (over && open == 0)
                    return tally;
                Flush();
                Receive((kind, began, answered) =>
                {
                    open--;
                    if (!over)
                        tally.Add(kind, TimeProvider.System.GetElapsedTime(began).TotalMilliseconds, answered);
                });
            }
        });

        /// <summary>Calls at a pace that does not wait for answers; those after the beginning are counted.</summary>
        public Tally Open(double pace, TimeSpan time, TimeSpan beginning) => OnAThread(() => Paced(pace, time, beginning));

        /// <summary>How long it takes at a pace that can be borne until of half a second all are answered.</summary>
        public TimeSpan Recover(double pace) => OnAThread(() =>
        {
            var began = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(30))
            {
                var before = TimeProvider.System.GetElapsedTime(began);
                if (Paced(pace, TimeSpan.FromSeconds(0.5), TimeSpan.Zero).AllAnswered)
                    return before;
            }

            return TimeSpan.MaxValue;
        });

        public void Dispose()
        {
            foreach (var one in _connections.SelectMany(all => all))
                one.Dispose();
        }

        private Tally Paced(double pace, TimeSpan time, TimeSpan beginning)
        {
            var tally = new Tally(time - beginning);
            using var tickEnd = new ManualResetEvent(false);
            var start = TimeProvider.System.GetTimestamp();
            var counted = start + (long)(beginning.TotalSeconds * TimeProvider.System.TimestampFrequency);
            var waiting = new Queue<long>[] { new(), new(), new() };
            var due = 0L;
            while (true)
            {
                var elapsed = TimeProvider.System.GetElapsedTime(start);
                var wanted = (long)(Math.Min(elapsed.TotalSeconds, time.TotalSeconds) * pace);
                for (; due < wanted; due++)
                    waiting[(int)Mix[due % Mix.Length]].Enqueue(start + (long)(due / pace * TimeProvider.System.TimestampFrequency));
                foreach (var kind in Enum.GetValues<Kind>())
                {
                    var queue = waiting[(int)kind];
                    while (queue.TryPeek(out var since))
                    {
                        if (TimeProvider.System.GetElapsedTime(since) > Patience)
                        {
                            // It never found a place on a connection, as it would wait in a client.
                            if (since >= counted)
                                tally.GiveUp(kind);
                        }
                        else if (!TryCall(kind, since))
                        {
                            break;
                        }

                        queue.Dequeue();
                    }
                }

                Flush();
                if (elapsed >= time && waiting.All(queue => queue.Count == 0) && _connections.All(all => all.All(one => one.Open == 0)))
                    return tally;
                tickEnd.WaitOne(1);
                Receive((kind, began, answered) =>
                {
                    if (began >= counted)
                        tally.Add(kind, TimeProvider.System.GetElapsedTime(began).TotalMilliseconds, answered);
                });
            }
        }

        private bool TryCall(Kind kind, long began)
        {
            var all = _connections[(int)kind];
            for (var i = 0; i < all.Length; i++)
            {
                var one = all[_turn[(int)kind]++ % all.Length];
                if (one.Open >= MostOnConnection)
                    continue;
                one.Call(_bodies[(int)kind], began);
                return true;
            }

            return false;
        }

        private void Call(Kind kind, long began)
        {
            if (!TryCall(kind, began))
                throw new InvalidOperationException("There are too few connections.");
        }

        private void Flush()
        {
            foreach (var all in _connections)
            {
                foreach (var one in all)
                    one.Flush();
            }
        }

        private void Receive(Action<Kind, long, bool> ended)
        {
            for (var kind = 0; kind < _connections.Length; kind++)
            {
                foreach (var one in _connections[kind])
                {
                    while (one.Poll(TimeSpan.Zero))
                        one.Receive((began, answered) => ended((Kind)kind, began, answered));
                }
            }
        }

        private T OnAThread<T>(Func<T> work)
        {
            T result = default!;
            Exception? failure = null;
            var thread = new Thread(() =>
            {
                try
                {
                    result = work();
                }
                catch (Exception exception)
                {
                    failure = exception;
                }
            });
            thread.Start();
            thread.Join();
            return failure is null ? result : throw new InvalidOperationException("The load could not be made.", failure);
        }
    }
}
