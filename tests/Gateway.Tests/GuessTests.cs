using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Commerce.Gateway.Access;
using Commerce.Gateway.Shoppers;
using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Commerce.Gateway.Tests;

/// <summary>A stranger who guesses.</summary>
public sealed class GuessTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Then = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private Suite _suite = null!;

    public async ValueTask InitializeAsync() => _suite = await Suite.Start();

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    /// <summary>
    /// 100,000 guesses in 1,000 s. At one code 5 are free and the next ones wait 2, 4, … 512 and 600 s; from one address 20 are free and the
    /// next ones wait 1, 2, … 512 s; altogether 500 are taken at once and 20 more each second.
    /// </summary>
    [Theory]
    [InlineData("one code, from everywhere", 14, true)]
    [InlineData("one address, at every code", 30, true)]
    [InlineData("every code, from everywhere", 20_500, true)]
    [InlineData("one code, from everywhere", 14, false)]
    [InlineData("one address, at every code", 30, false)]
    [InlineData("every code, from everywhere", 20_500, false)]
    public async Task Of_100_000_guesses_few_are_looked_at(string how, int most, bool withRedis)
    {
        if (!withRedis)
            await CutRedis();
        var (services, time, opening, logger) = Opening();
        var code = services.Order.OrderId;
        var answers = new HashSet<(ErrorReason, string)>();
        for (var i = 0; i < 100_000; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            var typed = how.StartsWith("one code", StringComparison.Ordinal) ? code : OrderId.New("ORD", time).ToString();
            var address = how.StartsWith("one address", StringComparison.Ordinal) ? "192.0.2.1" : FormattableString.Invariant($"2001:db8:{i:x}");
            var failure = await Assert.ThrowsAsync<Failure>(() => opening.Open(ShopperTests.Ask(typed, FormattableString.Invariant($"guess{i}@example.com"), null, null), address, CancellationToken.None));
            answers.Add((failure.Reason, failure.Reason == ErrorReason.GuessingSlowed ? "" : failure.Message));
        }

        Assert.InRange(services.LookedAt, 1, most);
        Assert.Equal([ErrorReason.OrderNotOpened, ErrorReason.GuessingSlowed], answers.Select(answer => answer.Item1).Order());
        // Somebody is told, once a minute, and of nobody.
        var lines = logger.Written;
        Assert.InRange(lines.Count, 1, 18);
        Assert.All(lines, line => Assert.DoesNotContain("192.0.2", line, StringComparison.Ordinal));
        Assert.All(lines, line => Assert.DoesNotContain(code, line, StringComparison.Ordinal));
        if (!withRedis)
            _suite.Redis.Restore();
    }

    [Fact]
    public async Task What_is_guessed_while_Redis_is_away_is_counted_when_it_is_back()
    {
        var (services, time, opening, _) = Opening();
        await CutRedis();
        await Guess(600);
        Assert.Equal(500, services.LookedAt);
        _suite.Redis.Restore();
        foreach (var node in _suite.Nodes)
            await Testing.Eventually.True(() => Task.FromResult(node.Get<RedisLink>().IsUp));
        // One more is due by now.
        time.Advance(TimeSpan.FromMilliseconds(50));
        await Guess(100);
        Assert.InRange(services.LookedAt, 500, 501);

        async Task Guess(int times)
        {
            for (var i = 0; i < times; i++)
                await Assert.ThrowsAsync<Failure>(() => opening.Open(ShopperTests.Ask(OrderId.New("ORD", time).ToString(), "eve@example.com", null, null), FormattableString.Invariant($"2001:db8:{Random.Shared.Next():x}"), CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_thousand_guesses_at_the_same_moment_are_no_way_around_it()
    {
        var (services, _, opening, _) = Opening();
        var tries = Enumerable.Range(0, 1000).Select(i => Task.Run(() => opening.Open(ShopperTests.Ask(services.Order.OrderId, FormattableString.Invariant($"guess{i}@example.com"), null, null), FormattableString.Invariant($"10.0.{i / 250}.{i % 250}"), CancellationToken.None)));
        await Assert.ThrowsAsync<Failure>(() => Task.WhenAll(tries));
        Assert.InRange(services.LookedAt, 1, 6);
    }

    [Fact]
    public async Task Who_it_really_is_gets_in_again_after_the_wait_and_right_answers_cost_nothing()
    {
        var (services, time, opening, _) = Opening();
        var wrong = ShopperTests.Ask(services.Order.OrderId, "eve@example.com", null, null);
        var right = ShopperTests.Ask(services.Order.OrderId, "ada@example.com", null, null);
        for (var i = 0; i < 200; i++)
            await opening.Open(right, "10.0.0.1", CancellationToken.None);
        for (var i = 0; i < 6; i++)
            Assert.Equal(ErrorReason.OrderNotOpened, (await Assert.ThrowsAsync<Failure>(() => opening.Open(wrong, "10.0.0.2", CancellationToken.None))).Reason);

        var slowed = await Assert.ThrowsAsync<Failure>(() => opening.Open(right, "10.0.0.1", CancellationToken.None));
        Assert.Equal((ErrorReason.GuessingSlowed, TimeSpan.FromSeconds(2)), (slowed.Reason, slowed.RetryAfter));
        time.Advance(slowed.RetryAfter!.Value);
        Assert.Equal(services.Order.OrderId, (await opening.Open(right, "10.0.0.1", CancellationToken.None)).OrderId);
        // The other factor is slowed by itself: who guesses postal codes keeps nobody out who knows more.
        for (var i = 0; i < 4; i++)
            Assert.Equal(ErrorReason.OrderNotOpened, (await Assert.ThrowsAsync<Failure>(() => opening.Open(ShopperTests.Ask(services.Order.OrderId, null, null, "1000" + i), "10.0.0.3", CancellationToken.None))).Reason);
        Assert.Equal(ErrorReason.GuessingSlowed, (await Assert.ThrowsAsync<Failure>(() => opening.Open(ShopperTests.Ask(services.Order.OrderId, null, null, "90210"), "10.0.0.3", CancellationToken.None))).Reason);
        Assert.Equal(services.Order.OrderId, (await opening.Open(right, "10.0.0.1", CancellationToken.None)).OrderId);
    }

    [Fact]
    public async Task What_is_slowed_on_one_Gateway_is_slowed_on_another_and_stays_so_when_Redis_goes_or_forgets()
    {
        var (services, time, opening, _) = Opening();
        var other = await _suite.AddNode("Development");
        var (elsewhere, _, openingElsewhere, _) = Opening(other, time, services);
        var wrong = ShopperTests.Ask(services.Order.OrderId, "eve@example.com", null, null);
        for (var i = 0; i < 6; i++)
            await Assert.ThrowsAsync<Failure>(() => opening.Open(wrong, "10.0.0." + i, CancellationToken.None));
        Assert.Equal(ErrorReason.GuessingSlowed, (await Assert.ThrowsAsync<Failure>(() => openingElsewhere.Open(wrong, "10.0.0.9", CancellationToken.None))).Reason);
        Assert.Equal(6, elsewhere.LookedAt);

        await _suite.FlushRedis();
        Assert.Equal(ErrorReason.GuessingSlowed, (await Assert.ThrowsAsync<Failure>(() => opening.Open(wrong, "10.0.0.9", CancellationToken.None))).Reason);
        time.Advance(TimeSpan.FromSeconds(2));
        // What was forgotten is known here: the next one waits longer still.
        await Assert.ThrowsAsync<Failure>(() => opening.Open(wrong, "10.0.0.9", CancellationToken.None));
        Assert.Equal(TimeSpan.FromSeconds(4), (await Assert.ThrowsAsync<Failure>(() => openingElsewhere.Open(wrong, "10.0.0.8", CancellationToken.None))).RetryAfter);
        await CutRedis();
        Assert.Equal(TimeSpan.FromSeconds(4), (await Assert.ThrowsAsync<Failure>(() => opening.Open(wrong, "10.0.0.7", CancellationToken.None))).RetryAfter);
        _suite.Redis.Restore();
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2:ffff::", "2001:db8:1:2::/64")]
    public void Of_IPv6_a_network_is_one_address(string address, string known) => Assert.Equal(known, ClientAddress.Of(IPAddress.Parse(address)));

    [Fact]
    public async Task For_whom_a_proxy_calls_is_believed_of_the_proxies_that_are_trusted_alone()
    {
        var trusting = await _suite.AddNode("Development", ("Gateway:TrustedProxies:0", "127.0.0.0/8"), ("Gateway:TrustedProxies:1", "10.0.0.1"), ("Shoppers:PerAddress:Free", "2"), ("Shoppers:AnswerAfter", "00:00:00"));
        async Task<HttpStatusCode> Guess(GatewayNode node, string forwarded)
        {
            using var http = new HttpClient { BaseAddress = node.HttpAddress, DefaultRequestHeaders = { { "X-Forwarded-For", forwarded } } };
            using var answer = await http.GetAsync($"/v1/track/NOBODYHAS{Random.Shared.Next(100_000)}");
            return answer.StatusCode;
        }

        // The two that are free, and one that makes the next one wait.
        foreach (var _ in Enumerable.Range(0, 3))
            Assert.Equal(HttpStatusCode.NotFound, await Guess(trusting, "198.51.100.1"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await Guess(trusting, "203.0.113.9, 198.51.100.1, 10.0.0.1"));
        Assert.Equal(HttpStatusCode.NotFound, await Guess(trusting, "198.51.100.2"));

        var doubting = await _suite.AddNode("Development", ("Shoppers:PerAddress:Free", "2"), ("Shoppers:AnswerAfter", "00:00:00"));
        foreach (var i in Enumerable.Range(0, 3))
            Assert.Equal(HttpStatusCode.NotFound, await Guess(doubting, "198.51.100." + i));
        Assert.Equal(HttpStatusCode.TooManyRequests, await Guess(doubting, "198.51.100.77"));
        await Assert.ThrowsAsync<OptionsValidationException>(() => _suite.AddNode("Development", ("Gateway:TrustedProxies:0", "everybody")));
    }

    [Fact]
    public async Task Guessing_over_REST_is_answered_alike_with_when_to_come_again_and_nothing_personal()
    {
        var id = _suite.World.Place(externalId: "SHOPS-OWN-1");
        _suite.World.BelongsTo(id, ShopperTests.Ada(), ShopperTests.Address());
        var node = await _suite.AddNode("Development", ("Shoppers:AnswerAfter", "00:00:00.01"));
        using var stranger = new HttpClient { BaseAddress = node.HttpAddress };
        var seen = new List<string>();
        for (var i = 0; i < 40; i++)
        {
            var code = (i % 4) switch { 0 => id.ToString(), 1 => OrderId.New("ORD", TimeProvider.System).ToString(), 2 => id + "X", _ => "SHOPS-OWN-1" };
            using var opened = await stranger.PostAsJsonAsync($"/v1/track/{code}:open", new { email = $"guess{i}@example.com" });
            using var looked = await stranger.GetAsync($"/v1/track/{code}");
            foreach (var answer in new[] { opened, looked })
            {
                seen.Add($"{(int)answer.StatusCode} {answer.Headers} {await answer.Content.ReadAsStringAsync()}");
                if (answer.StatusCode == HttpStatusCode.TooManyRequests)
                    Assert.True(answer.Headers.RetryAfter!.Delta > TimeSpan.Zero);
            }
        }

        Assert.Contains(seen, one => one.StartsWith("429", StringComparison.Ordinal));
        foreach (var personal in new[] { "Ada", "Lovelace", "202555", "Secret", "90210" })
            Assert.DoesNotContain(seen, one => one.Contains(personal, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_wrong_factor_and_an_order_that_is_not_there_are_answered_with_the_same_bytes()
    {
        var node = await _suite.AddNode("Development", ("Shoppers:AnswerAfter", "00:00:00.01"));
        using var stranger = new HttpClient { BaseAddress = node.HttpAddress };
        string? first = null;
        foreach (var id in Cases())
        {
            using var answer = await stranger.PostAsJsonAsync($"/v1/track/{id}:open", new { email = "eve@example.com" });
            answer.Headers.Remove("Date");
            // What the address has left of its calls, whatever these were about.
            answer.Headers.Remove("RateLimit");
            var text = $"{answer.StatusCode}\n{answer.Headers}\n{answer.Content.Headers.ContentLength} {answer.Content.Headers.ContentType}\n{ShopperTests.WithoutTrace(await answer.Content.ReadAsStringAsync())}";
            Assert.Equal(first ??= text, text);
            var error = await Assert.ThrowsAsync<RpcException>(async () => await new ShopperService.ShopperServiceClient(node.Strange).OpenOrderAsync(ShopperTests.Ask(id, null, "+12025550199", null)));
            Assert.Equal("ORDER_NOT_OPENED", LookupTests.ReasonOf(error));
        }
    }

    /// <summary>
    /// Here the services take longer for an order that there is, as a database does that has to read it. 40 of each, one after the other in turn,
    /// and ranked: without the wait the ranks tell the two apart (which shows that this test can), with it they do not.
    /// </summary>
    [Theory]
    [InlineData("00:00:00", true)]
    [InlineData("00:00:00.15", false)]
    public async Task The_time_that_an_answer_takes_does_not_tell_whether_there_is_such_an_order(string answerAfter, bool tells)
    {
        var node = await _suite.AddNode("Development", ("Shoppers:AnswerAfter", answerAfter), ("Shoppers:PerAddress:Free", "10000"), ("Shoppers:PerCode:Free", "10000"), ("Shoppers:GuessesAtOnce", "10000"));
        _suite.Orders.Calls.Before = () => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        var strangers = new ShopperService.ShopperServiceClient(node.Strange);
        var id = _suite.World.Place();
        _suite.World.BelongsTo(id, ShopperTests.Ada(), ShopperTests.Address());
        await Time(id.ToString());
        var samples = new List<(double Time, bool Exists)>();
        for (var i = 0; i < 40; i++)
        {
            samples.Add((await Time(id.ToString()), true));
            samples.Add((await Time(OrderId.New("ORD", TimeProvider.System).ToString()), false));
        }

        _suite.Orders.Calls.Before = null;
        var z = Math.Abs(RankSum([.. samples]));
        // Chance alone goes beyond 5 once in two million runs; 40 and 40 that are apart give 7.7.
        Assert.True(tells ? z > 5 : z < 5, FormattableString.Invariant($"{z:0.00}: {string.Join(' ', samples.Select(one => FormattableString.Invariant($"{(one.Exists ? '+' : '-')}{one.Time:0.0}")))}"));

        async Task<double> Time(string code)
        {
            var began = Stopwatch.GetTimestamp();
            await Assert.ThrowsAsync<RpcException>(async () => await strangers.OpenOrderAsync(ShopperTests.Ask(code, "eve@example.com", null, null)));
            return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }
    }

    /// <summary>The rank sum of Mann and Whitney, as a normal deviate.</summary>
    private static double RankSum((double Time, bool Exists)[] samples)
    {
        var sum = samples.OrderBy(one => one.Time).Index().Where(one => one.Item.Exists).Sum(one => one.Index + 1.0);
        var (n, m) = ((double)samples.Count(one => one.Exists), (double)samples.Count(one => !one.Exists));
        return (sum - (n * (n + m + 1) / 2)) / Math.Sqrt(n * m * (n + m + 1) / 12);
    }

    // Wrong, unknown, another store's, a prefix that is not its store's, erased.
    private IEnumerable<string> Cases()
    {
        var id = _suite.World.Place();
        _suite.World.BelongsTo(id, ShopperTests.Ada(), ShopperTests.Address());
        var outlet = _suite.World.Place(store: "outlet");
        _suite.World.BelongsTo(outlet, ShopperTests.Ada(), ShopperTests.Address());
        var erased = _suite.World.Place();
        _suite.World.BelongsTo(erased, new Contact(), new Google.Type.PostalAddress());
        return [id.ToString(), OrderId.New("ORD", TimeProvider.System).ToString(), outlet.ToString(), new OrderId("ABC", id.Value).ToString(), erased.ToString()];
    }

    private async Task CutRedis()
    {
        _suite.Redis.Cut();
        foreach (var node in _suite.Nodes)
            await Testing.Eventually.True(() => Task.FromResult(!node.Get<RedisLink>().IsUp));
    }

    private (CountedServices Services, FakeTimeProvider Time, OrderOpening Opening, Lines Logger) Opening(GatewayNode? node = null, FakeTimeProvider? clock = null, CountedServices? services = null)
    {
        node ??= _suite.Node;
        services ??= new CountedServices(new Order { OrderId = OrderId.New("ORD", TimeProvider.System).ToString(), Customer = ShopperTests.Ada(), ShippingAddress = ShopperTests.Address() });
        var time = clock ?? new FakeTimeProvider(Then);
        var options = Options.Create(new ShopperOptions { LinkKey = ShopperKeys.Link, SessionKey = ShopperKeys.Session, AnswerAfter = TimeSpan.Zero });
        var (gateway, logger) = (node.Get<IOptions<GatewayOptions>>(), new Lines());
        var guesses = new Guesses(node.Get<RedisLink>(), options, gateway, time, node.Get<GatewayTelemetry>(), logger);
        return (services, time, new OrderOpening(
            new OrderService.OrderServiceClient(services), new TrackingService.TrackingServiceClient(services), guesses, new OrderSessions(node.Get<EndedSessions>(), options, time), node.Get<EndedSessions>(), options, gateway, time), logger);
    }

    private sealed class Lines : ILogger<Guesses>
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Written.Add(formatter(state, exception));
    }

    /// <summary>Orders and Shipments in memory: one order, and how often somebody's guess was held against it.</summary>
    private sealed class CountedServices(Order order) : CallInvoker
    {
        private int _lookedAt;

        public Order Order => order;

        public int LookedAt => _lookedAt;

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            object? answer = null;
            if (request is LookupParcelsRequest)
            {
                Interlocked.Increment(ref _lookedAt);
                answer = new LookupParcelsResponse();
            }
            else if (request is GetOrderRequest { Name: var name } && name == "orders/" + order.OrderId)
            {
                answer = order;
            }

            return new AsyncUnaryCall<TResponse>(
                answer is null ? Task.FromException<TResponse>(new RpcException(new Status(StatusCode.NotFound, "Not there."))) : Task.FromResult((TResponse)answer),
                Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();
    }
}
