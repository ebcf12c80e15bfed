using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Commerce.Gateway.V1;
using Commerce.Testing;
using Grpc.Core;

namespace Commerce.Gateway.Tests;

/// <summary>Watchers by the thousand, and some who do not read what they asked for.</summary>
public sealed class HostileWatcherTests
{
    [Fact]
    public async Task Of_thousands_of_opens_by_one_caller_and_by_many_as_many_stay_open_as_may_and_look_ups_go_on()
    {
        const int Each = 100;
        const int Altogether = 400;
        await using var suite = await Suite.Start(
            1, ("Gateway:MaxWatchers", "400"), ("Gateway:Limits:OpenStreams", "100"), ("Gateway:Limits:Watch:PerSecond", "100000"), ("Gateway:Limits:Watch:Burst", "100000"));
        var code = suite.World.Place().ToString();
        var open = new ConcurrentBag<AsyncServerStreamingCall<LookupView>>();
        async Task<string> Open(Metadata caller)
        {
            var call = suite.Node.Lookups.WatchLookup(new WatchLookupRequest { Code = code }, caller);
            try
            {
                await call.ResponseStream.MoveNext(CancellationToken.None);
                open.Add(call);
                return "open";
            }
            catch (RpcException error)
            {
                call.Dispose();
                return LookupTests.ReasonOf(error) ?? error.StatusCode.ToString();
            }
        }

        Metadata Caller(string name) => new() { { "authorization", "Bearer " + suite.Issuer.Token(name) } };
        async Task<SortedDictionary<string, int>> Flood(IEnumerable<Metadata> callers)
        {
            var answers = await Task.WhenAll(callers.Select(Open));
            return new SortedDictionary<string, int>(answers.CountBy(answer => answer).ToDictionary(), StringComparer.Ordinal);
        }

        var anna = Caller("anna");
        Assert.Equal(new SortedDictionary<string, int> { ["LIMIT_REACHED"] = 900, ["open"] = Each }, await Flood(Enumerable.Repeat(anna, 1000)));
        var others = Enumerable.Range(0, 20).Select(n => Caller($"other-{n}")).ToList();
        Assert.Equal(
            new SortedDictionary<string, int> { ["LIMIT_REACHED"] = 2000 - (Altogether - Each), ["open"] = Altogether - Each },
            await Flood(others.SelectMany(one => Enumerable.Repeat(one, 100))));
        Assert.Equal(code, (await suite.Node.Lookups.LookupAsync(new LookupRequest { Code = code })).OrderId);

        foreach (var call in open)
            call.Dispose();
        await Eventually.Value(() => Open(anna), answer => answer == "open");
    }

    [Theory]
    [InlineData("events")]
    [InlineData("gRPC")]
    public async Task Who_watches_and_never_reads_is_cut(string how)
    {
        using var connections = new Connections();
        // The server reckons how long what it wrote may take: at a slow rate that is long, and so is a test.
        await using var suite = await Suite.Start(1, ("Http:SlowFor", "00:00:01.100"), ("Http:LeastBytesPerSecond", "1000000"));
        var id = suite.World.Place();
        // Long, so that what the machine keeps for a connection is full before long.
        suite.World.BelongsTo(id, new Commerce.Types.V1.Contact { Name = "Ada" }, new Google.Type.PostalAddress { AddressLines = { Enumerable.Repeat(new string('x', 500), 20) } });
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        var port = (how == "gRPC" ? suite.Node.GrpcAddress : suite.Node.HttpAddress).Port;
        using var watch = how == "gRPC" ? suite.Node.Lookups.WatchLookup(new WatchLookupRequest { Code = id.ToString() }) : null;
        if (watch is null)
        {
            await deaf.ConnectAsync(IPAddress.Loopback, port);
            await deaf.SendAsync(Encoding.ASCII.GetBytes($"GET /v1/lookup/{id}:watch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {suite.Issuer.Token("deaf")}\r\n\r\n"));
        }

        await Eventually.True(() => connections.Opened(port));
        await Eventually.True(
            async () =>
            {
                for (var change = 0; change < 20; change++)
                    await suite.Tell(suite.World.AdvanceOrder(id));
                return connections.Now(port) == 0;
            },
            TimeSpan.FromMinutes(2));
    }

    /// <summary>The connections of every server of this process, as the servers count them, by port.</summary>
    private sealed class Connections : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentDictionary<int, int> _ports = new();

        public Connections()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "kestrel.active_connections")
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, change, tags, _) =>
            {
                foreach (var tag in tags)
                {
                    if (tag is { Key: "server.port", Value: int port })
                        _ports.AddOrUpdate(port, (int)change, (_, count) => count + (int)change);
                }
            });
            _listener.Start();
        }

        public int Now(int port) => _ports.GetValueOrDefault(port);

        public bool Opened(int port) => _ports.ContainsKey(port);

        public void Dispose() => _listener.Dispose();
    }
}
