using System.Net;
using Commerce.Gateway.Limits;
using Commerce.Operations.V1;
using Commerce.Orders.V1;
using Commerce.Testing;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Tests;

/// <summary>What is given up when there is more to do than can be done in time.</summary>
public sealed class SheddingTests : IAsyncDisposable
{
    private Suite? _suite;

    private Suite Suite => _suite!;

    public async ValueTask DisposeAsync()
    {
        if (_suite is not null)
            await _suite.DisposeAsync();
    }

    [Fact]
    public void Pressure_rises_while_work_waits_takes_the_least_important_first_and_falls_again()
    {
        using var telemetry = new GatewayTelemetry(new Meters());
        using var load = new LoadShedder(Options.Create(new LimitOptions()), telemetry);
        var reached = new Dictionary<Importance, int>();
        for (var window = 0; window < 100; window++)
        {
            load.Observe(TimeSpan.FromMilliseconds(500));
            foreach (var importance in Enum.GetValues<Importance>().Where(one => ShareOf(load, one) > 0.99))
                reached.TryAdd(importance, window);
        }

        Assert.Equal([Importance.Deferrable, Importance.Reading, Importance.Changing], reached.Keys);
        // Within a second, and what is more important after it was seen whether that was enough.
        Assert.InRange(reached[Importance.Deferrable], 1, 9);
        Assert.InRange(reached[Importance.Changing], 30, 50);
        // Of the most important some always go through.
        Assert.InRange(ShareOf(load, Importance.Critical), 0.7, 0.8);
        var windows = 0;
        for (; load.Pressure > 0; windows++)
            load.Observe(TimeSpan.Zero);
        Assert.InRange(windows, 20, 30);
        Assert.Equal(0, ShareOf(load, Importance.Deferrable));
    }

    [Fact]
    public void A_pause_of_the_machine_is_no_overload_and_a_wait_that_is_borne_is_none()
    {
        using var telemetry = new GatewayTelemetry(new Meters());
        using var load = new LoadShedder(Options.Create(new LimitOptions()), telemetry);
        load.Observe(TimeSpan.FromMilliseconds(100));
        for (var window = 0; window < 100; window++)
        {
            load.Observe(TimeSpan.FromMilliseconds(20));
            Assert.Equal(0, load.Pressure);
        }
    }

    [Fact]
    public async Task Under_load_exports_and_searches_are_refused_while_orders_are_placed()
    {
        _suite = await Suite.Start(1, ("Gateway:Limits:ShedWindow", "00:00:10"));
        var (node, load) = (Suite.Node, Suite.Node.Get<LoadShedder>());
        var orders = new OrderService.OrderServiceClient(node.Channel);
        // As if the queue stood for a while; that it is measured is tried below.
        Press(load, down: true);

        var error = await Assert.ThrowsAsync<RpcException>(async () => await orders.ListOrdersAsync(new ListOrdersRequest()));
        Assert.Equal((StatusCode.Unavailable, "OVERLOADED"), (error.StatusCode, LookupTests.ReasonOf(error)));
        Assert.NotNull(error.GetRpcStatus()!.GetDetail<RetryInfo>());
        using (var refused = await node.Http.GetAsync("/v1/orders:export"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        // Its answer comes from the service, which is a fake that knows of no placing.
        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(async () => await orders.PlaceOrderAsync(new PlaceOrderRequest()))).StatusCode);
        using var health = await node.Http.GetAsync("/alive");
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public async Task A_queue_for_threads_is_noticed_and_forgotten_when_it_is_gone()
    {
        using var telemetry = new GatewayTelemetry(new Meters());
        using var load = new LoadShedder(Options.Create(new LimitOptions { ShedAfter = TimeSpan.FromMilliseconds(20), ShedUntil = TimeSpan.FromMilliseconds(10), ShedWindow = TimeSpan.FromMilliseconds(50) }), telemetry);
        await load.StartAsync(CancellationToken.None);
        using (var stop = new CancellationTokenSource())
        {
            // More work than there are threads for, and every piece of it brings another.
            void Work(object? _)
            {
                Thread.SpinWait(200_000);
                if (!stop.IsCancellationRequested)
                    ThreadPool.UnsafeQueueUserWorkItem(Work, null);
            }

            for (var i = 0; i < 100; i++)
                ThreadPool.UnsafeQueueUserWorkItem(Work, null);
            Assert.True(SpinWait.SpinUntil(() => load.Pressure >= 1, TimeSpan.FromSeconds(20)));
            await stop.CancelAsync();
        }

        await Eventually.True(() => Task.FromResult(load.Pressure == 0));
        await load.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_service_that_hangs_holds_so_many_calls_and_the_last_places_are_for_what_is_important()
    {
        _suite = await Suite.Start(1, ("Gateway:Limits:InFlight", "4"));
        var orders = new OrderService.OrderServiceClient(Suite.Node.Channel);
        var id = Suite.World.Place();
        var hang = new TaskCompletionSource();
        var hanging = 0;
        Suite.Orders.Calls.Before = () => Interlocked.Increment(ref hanging) <= 3 ? hang.Task : Task.CompletedTask;
        var get = new GetOrderRequest { Name = $"orders/{id}" };
        var waiting = Enumerable.Range(0, 3).Select(_ => orders.GetOrderAsync(get).ResponseAsync).ToList();
        await Eventually.True(() => Task.FromResult(Volatile.Read(ref hanging) == 3));

        Assert.Equal("OVERLOADED", LookupTests.ReasonOf(await Assert.ThrowsAsync<RpcException>(async () => await orders.GetOrderAsync(get))));
        Assert.Equal("ORDER_STATE", LookupTests.ReasonOf(await Assert.ThrowsAsync<RpcException>(async () => await orders.CancelOrderAsync(new CancelOrderRequest { Name = $"orders/{id}", RequestId = "r" }))));
        // Of another service nothing is held.
        using (var other = await Suite.Node.Http.GetAsync("/v1/payments/x"))
            Assert.NotEqual(HttpStatusCode.ServiceUnavailable, other.StatusCode);

        hang.SetResult();
        await Task.WhenAll(waiting);
        // A place is given back when the answer was sent, and so after it was read.
        await Eventually.True(async () =>
        {
            try
            {
                await orders.GetOrderAsync(get);
                return true;
            }
            catch (RpcException exception) when (LookupTests.ReasonOf(exception) == "OVERLOADED")
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task To_refuse_a_call_costs_a_part_of_what_it_costs_to_serve_one()
    {
        _suite = await Suite.Start(1, ("Gateway:Limits:ShedWindow", "00:00:10"), ("Gateway:Limits:Search:PerSecond", "100000"), ("Gateway:Limits:Search:Burst", "100000"));
        var (node, load) = (Suite.Node, Suite.Node.Get<LoadShedder>());
        async Task<TimeSpan> Time(HttpStatusCode expected)
        {
            var began = TimeProvider.System.GetTimestamp();
            for (var i = 0; i < 300; i++)
            {
                using var answer = await node.Http.GetAsync("/v1/apiKeys?pageSize=1");
                Assert.Equal(expected, answer.StatusCode);
            }

            return TimeProvider.System.GetElapsedTime(began);
        }

        var (served, refused) = (new List<TimeSpan>(), new List<TimeSpan>());
        for (var round = 0; round < 5; round++)
        {
            served.Add(await Time(HttpStatusCode.OK));
            Press(load, down: true);
            refused.Add(await Time(HttpStatusCode.ServiceUnavailable));
            Press(load, down: false);
        }

        var ratio = refused.Order().ElementAt(2) / served.Order().ElementAt(2);
        TestContext.Current.TestOutputHelper?.WriteLine($"A refused call takes {ratio:0.00} of one that is served, the client's own part included.");
        Assert.True(ratio < 0.8, $"{ratio:0.00}");
    }

    [Fact]
    public void Every_path_of_REST_leads_to_its_method()
    {
        foreach (var method in PublicApi.Services.Append(MessagingService.Descriptor).SelectMany(service => service.Methods))
        {
            Assert.Equal($"/{method.Service.FullName}/{method.Name}", Find("POST", $"/{method.Service.FullName}/{method.Name}")?.Name);
            if (PublicApi.RuleOf(method) is not { } rule)
                continue;
            var (verb, template) = PublicApi.PathOf(rule);
            var path = System.Text.RegularExpressions.Regex.Replace(OpenApi.PathTemplate.Parse(template).Path, "{[^}]*}", "x1");
            Assert.Equal($"/{method.Service.FullName}/{method.Name}", Find(verb, path)?.Name);
            Assert.Equal($"/{method.Service.FullName}/{method.Name}", Find(verb, path.ToUpperInvariant() + "/")?.Name);
        }

        Assert.Equal("/commerce.gateway.v1.LookupService/WatchLookup", Find("GET", "/v1/lookup/ORD-1:watch")?.Name);
        Assert.Equal("/commerce.orders.v1.OrderService/ExportOrders", Find("GET", "/v1/orders:export")?.Name);
        Assert.Same(ApiMethod.None, Find("GET", "/v1/nothing"));
        Assert.Same(ApiMethod.None, Find("BREW", "/v1/orders"));
        Assert.Same(ApiMethod.None, Find("GET", "/v1/" + new string('/', 100)));
        Assert.Null(Find("GET", "/health"));
        Assert.Equal(Importance.Critical, Find("POST", "/v1/orders")!.Importance);
    }

    /// <summary>docs/limits.md says what a method's name makes of it. With COMMERCE_WRITE_DOCS=true it is written and not compared.</summary>
    [Fact]
    public void The_document_has_every_method()
    {
        const string Begin = "<!-- methods: generated -->\n", End = "<!-- methods: end -->";
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Commerce.sln")))
            folder = folder.Parent!;
        var path = Path.Combine(folder.FullName, "docs", "limits.md");
        var text = File.ReadAllText(path);
        var table = new System.Text.StringBuilder("| method | kind | importance |\n| --- | --- | --- |\n");
        foreach (var method in ApiMethods.All)
            table.Append(null, $"| {method.Name.Split('.')[^1].Replace('/', '.')} | {method.Class.ToString().ToLowerInvariant()} | {method.Importance.ToString().ToLowerInvariant()} |\n");
        var (from, to) = (text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, text.IndexOf(End, StringComparison.Ordinal));
        var should = string.Concat(text.AsSpan(0, from), table.ToString(), text.AsSpan(to));
        if (Environment.GetEnvironmentVariable("COMMERCE_WRITE_DOCS") == "true")
            File.WriteAllText(path, should);
        else
            Assert.Equal(should, text);
    }

    private static ApiMethod? Find(string verb, string path)
    {
        var http = new DefaultHttpContext { Request = { Method = verb, Path = path } };
        return ApiMethods.Find(http.Request);
    }

    private static double ShareOf(LoadShedder load, Importance importance) => Enumerable.Range(0, 2000).Count(_ => load.Sheds(importance)) / 2000.0;

    // So that exactly what is least important is refused; the host's own window is longer than the test.
    private static void Press(LoadShedder load, bool down)
    {
        while (down ? load.Pressure < 1 : load.Pressure > 0)
            load.Observe(down ? TimeSpan.FromHours(1) : TimeSpan.Zero);
    }

    private sealed class Meters : System.Diagnostics.Metrics.IMeterFactory
    {
        public System.Diagnostics.Metrics.Meter Create(System.Diagnostics.Metrics.MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }
}
