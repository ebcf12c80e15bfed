using System.Globalization;
using System.Net;
using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.Testing;
using Grpc.Core;

namespace Commerce.Gateway.Tests;

public sealed class WatchTests : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private Suite _suite = null!;

    public async ValueTask InitializeAsync() => _suite = await Suite.Start(nodes: 2, ("Gateway:WatchPoll", "00:00:00.100"), ("Gateway:Heartbeat", "00:00:00.100"));

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    private AsyncServerStreamingCall<LookupView> Watch(string code, long after = 0, int node = 0) =>
        _suite.Nodes[node].Lookups.WatchLookup(new WatchLookupRequest { Code = code, AfterVersion = after });

    private static async Task<LookupView> Next(AsyncServerStreamingCall<LookupView> watch)
    {
        using var bound = new CancellationTokenSource(Bound);
        Assert.True(await watch.ResponseStream.MoveNext(bound.Token));
        return watch.ResponseStream.Current;
    }

    [Fact]
    public async Task The_view_of_now_comes_first_and_then_every_change_on_whichever_node_it_was_heard()
    {
        var id = _suite.World.Place();
        using var watch = Watch(id.ToString());
        Assert.Equal(1, (await Next(watch)).Version);

        await _suite.Tell(_suite.World.AdvancePayment(id), node: 1);
        Assert.Equal(2, (await Next(watch)).Version);

        await _suite.Tell(_suite.World.AddShipment(id), node: 0);
        var view = await Next(watch);
        Assert.Equal(3, view.Version);
        Assert.Single(view.Shipments);
    }

    [Fact]
    public async Task After_a_break_only_what_is_newer_comes()
    {
        var id = _suite.World.Place();
        _suite.World.AdvanceOrder(id);
        using var watch = Watch(id.ToString(), after: 2);
        using var control = Watch(id.ToString());
        Assert.Equal(2, (await Next(control)).Version);

        await _suite.Tell(_suite.World.AdvanceOrder(id));

        Assert.Equal(3, (await Next(watch)).Version);
    }

    [Fact]
    public async Task What_comes_next_is_never_older_and_the_last_change_always_comes()
    {
        var id = _suite.World.Place();
        using var watch = Watch(id.ToString());
        var last = (await Next(watch)).Version;

        var changes = Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
                await _suite.Tell(i % 2 == 0 ? _suite.World.AdvanceOrder(id) : _suite.World.AdvancePayment(id), i % 2);
        });
        while (last < 201)
        {
            var version = (await Next(watch)).Version;
            Assert.True(version > last);
            last = version;
        }

        await changes;
        Assert.Equal(_suite.World.VersionOf(id), last);
    }

    [Fact]
    public async Task A_tracking_id_is_watched_as_such()
    {
        var id = _suite.World.Place();
        _suite.World.AddShipment(id);
        _suite.World.AddShipment(id);
        _suite.World.Label(id, "WATCHED01", 1);
        using var watch = Watch("watched-01");
        await Next(watch);

        await _suite.Tell(_suite.World.AdvanceShipment(id));

        var view = await Next(watch);
        Assert.Equal("WATCHED01", view.TrackingNumber);
        Assert.Equal("WATCHED01", view.Shipments[0].TrackingNumber);
    }

    [Fact]
    public async Task A_code_that_cannot_be_found_is_an_error_and_not_a_silent_stream()
    {
        using var watch = Watch("NOBODY0001");
        var error = await Assert.ThrowsAsync<RpcException>(() => Next(watch));
        Assert.Equal("CODE_NOT_FOUND", LookupTests.ReasonOf(error));

        using var events = await _suite.Node.Http.GetAsync("/v1/lookup/NOBODY0001:watch");
        Assert.Equal(HttpStatusCode.NotFound, events.StatusCode);
        Assert.Equal("application/problem+json", events.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Without_Redis_a_watch_goes_on_and_with_it_again_too()
    {
        var id = _suite.World.Place();
        using var watch = Watch(id.ToString());
        await Next(watch);
        var link = _suite.Node.Get<RedisLink>();
        await _suite.CutRedis();

        // Heard by nobody: found by asking.
        _suite.World.AdvanceOrder(id);
        Assert.Equal(2, (await Next(watch)).Version);
        // Heard by this node.
        await _suite.Tell(_suite.World.AdvanceOrder(id));
        Assert.Equal(3, (await Next(watch)).Version);

        _suite.Redis.Restore();
        await Eventually.True(() => link.IsUp && _suite.Nodes[1].Get<RedisLink>().IsUp);
        await _suite.Tell(_suite.World.AdvanceOrder(id), node: 1);
        Assert.Equal(4, (await Next(watch)).Version);
    }

    [Fact]
    public async Task A_change_whose_message_was_lost_is_found_by_the_safety_check()
    {
        await using var suite = await Suite.Start(settings: [("Gateway:WatchPoll", "00:00:00.050"), ("Gateway:WatchRecheck", "00:00:00.100"), ("Gateway:MaxPartAge", "00:00:00.100")]);
        var id = suite.World.Place();
        using var watch = suite.Node.Lookups.WatchLookup(new WatchLookupRequest { Code = id.ToString() });
        await Next(watch);

        suite.World.AdvanceOrder(id);

        Assert.Equal(2, (await Next(watch)).Version);
    }

    [Fact]
    public async Task More_watchers_than_the_limit_are_refused_until_one_leaves()
    {
        await using var suite = await Suite.Start(settings: ("Gateway:MaxWatchers", "1"));
        var id = suite.World.Place();
        var first = suite.Node.Lookups.WatchLookup(new WatchLookupRequest { Code = id.ToString() });
        await Next(first);

        using (var second = suite.Node.Lookups.WatchLookup(new WatchLookupRequest { Code = id.ToString() }))
        {
            var error = await Assert.ThrowsAsync<RpcException>(() => Next(second));
            Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
            Assert.Equal("LIMIT_REACHED", LookupTests.ReasonOf(error));
        }

        first.Dispose();
        await Eventually.True(async () =>
        {
            using var third = suite.Node.Lookups.WatchLookup(new WatchLookupRequest { Code = id.ToString() });
            try
            {
                return (await Next(third)).Version == 1;
            }
            catch (RpcException)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task Of_a_flood_of_opens_as_many_watch_as_there_are_places_and_for_the_others_nobody_is_asked()
    {
        const int Places = 20;
        await using var suite = await Suite.Start(settings: [("Gateway:MaxWatchers", $"{Places}"), ("Gateway:Limits:Watch:PerSecond", "100000"), ("Gateway:Limits:Watch:Burst", "100000")]);
        // Each of an order that nobody looked at, so that whoever is let in asks the services.
        var opens = Enumerable.Range(0, 1000).Select(_ => suite.Node.Lookups.WatchLookup(new WatchLookupRequest { Code = suite.World.Place().ToString() })).ToList();
        var outcomes = await Task.WhenAll(opens.Select(async open =>
        {
            try
            {
                await Next(open);
                return "watches";
            }
            catch (RpcException error)
            {
                return LookupTests.ReasonOf(error) ?? error.Status.ToString();
            }
        }));

        Assert.Equal([("LIMIT_REACHED", 1000 - Places), ("watches", Places)], outcomes.CountBy(outcome => outcome).Select(one => (one.Key, one.Value)).Order());
        // What is watched is read again, from the services where Redis takes too long.
        Assert.InRange(suite.Orders.Calls.Count, Places, 5 * Places);
        foreach (var open in opens)
            open.Dispose();
    }

    [Fact]
    public async Task One_change_is_read_once_however_many_watch()
    {
        var id = _suite.World.Place();
        var watches = Enumerable.Range(0, 100).Select(_ => Watch(id.ToString())).ToList();
        foreach (var watch in watches)
            await Next(watch);
        var calls = _suite.Orders.Calls.Count;

        await _suite.Tell(_suite.World.AdvanceOrder(id));
        foreach (var watch in watches)
            Assert.Equal(2, (await Next(watch)).Version);

        Assert.InRange(_suite.Orders.Calls.Count - calls, 1, 2);
        foreach (var watch in watches)
            watch.Dispose();
    }

    [Fact]
    public async Task Events_carry_versions_as_ids_and_resume_by_the_last_id()
    {
        var id = _suite.World.Place();
        using var events = await Events.Open(_suite.Node.Http, id.ToString());
        var first = await events.Next();
        Assert.Equal("1", first["id"]);
        Assert.Equal("view", first["event"]);
        Assert.Equal(id.ToString(), Google.Protobuf.JsonParser.Default.Parse<LookupView>(first["data"]).OrderId);

        await _suite.Tell(_suite.World.AdvanceOrder(id));
        Assert.Equal("2", (await events.Next())["id"]);

        _suite.World.AdvanceOrder(id);
        await _suite.Tell(_suite.World.AdvanceOrder(id));
        using var resumed = await Events.Open(_suite.Node.Http, id.ToString(), lastEventId: 2);
        Assert.Equal("4", (await resumed.Next())["id"]);
        using var byQuery = await Events.Open(_suite.Node.Http, id.ToString(), query: "?afterVersion=3");
        Assert.Equal("4", (await byQuery.Next())["id"]);
    }

    [Fact]
    public async Task An_idle_event_stream_says_that_it_is_alive()
    {
        var id = _suite.World.Place();
        using var events = await Events.Open(_suite.Node.Http, id.ToString(), lastEventId: 1);
        Assert.StartsWith(":", await events.Comment(), StringComparison.Ordinal);
        Assert.StartsWith(":", await events.Comment(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("minus one")]
    [InlineData("-1")]
    [InlineData("99999999999999999999")]
    public async Task A_last_event_id_that_is_no_version_is_refused(string lastEventId)
    {
        var id = _suite.World.Place();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/lookup/{id}:watch");
        request.Headers.Add("Last-Event-ID", lastEventId);
        using var response = await _suite.Node.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    private sealed class Events(HttpResponseMessage response, StreamReader reader) : IDisposable
    {
        public static async Task<Events> Open(HttpClient http, string code, long? lastEventId = null, string query = "")
        {
            var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/lookup/{code}:watch{query}");
            if (lastEventId is { } id)
                request.Headers.Add("Last-Event-ID", id.ToString(CultureInfo.InvariantCulture));
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
            return new Events(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
        }

        public async Task<Dictionary<string, string>> Next()
        {
            var fields = new Dictionary<string, string>();
            while (true)
            {
                var line = await Line();
                if (line.Length == 0 && fields.ContainsKey("data"))
                    return fields;
                if (line.Length > 0 && line[0] != ':')
                    fields[line[..line.IndexOf(':', StringComparison.Ordinal)]] = line[(line.IndexOf(':', StringComparison.Ordinal) + 2)..];
            }
        }

        public async Task<string> Comment()
        {
            while (true)
            {
                if (await Line() is [':', ..] comment)
                    return comment;
            }
        }

        public void Dispose()
        {
            reader.Dispose();
            response.Dispose();
        }

        private async Task<string> Line()
        {
            using var bound = new CancellationTokenSource(Bound);
            return await reader.ReadLineAsync(bound.Token) ?? throw new EndOfStreamException();
        }
    }
}
