using System.Net;
using System.Text.Json;
using Commerce.Gateway.Limits;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Tests;

/// <summary>How much one caller may ask for.</summary>
public sealed class LimitTests : IAsyncDisposable
{
    private Suite? _suite;

    private Suite Suite => _suite!;

    public async ValueTask DisposeAsync()
    {
        if (_suite is not null)
            await _suite.DisposeAsync();
    }

    [Fact]
    public async Task Who_calls_too_often_is_told_how_often_it_may_and_when_again()
    {
        await Start(1, ("Read:PerSecond", "0.5"), ("Read:Burst", "5"));
        var anna = Token("anna");
        for (var i = 0; i < 5; i++)
            await Who(Suite.Node, anna);
        var error = await Assert.ThrowsAsync<RpcException>(() => Who(Suite.Node, anna));
        Assert.Equal((StatusCode.ResourceExhausted, "RATE_LIMITED"), (error.StatusCode, LookupTests.ReasonOf(error)));
        var status = error.GetRpcStatus()!;
        Assert.Equal(("read", "0.5", "5"), (status.GetDetail<ErrorInfo>()!.Metadata["limit"], status.GetDetail<ErrorInfo>()!.Metadata["per_second"], status.GetDetail<ErrorInfo>()!.Metadata["burst"]));
        Assert.Equal("read", Assert.Single(status.GetDetail<QuotaFailure>()!.Violations).Subject);
        Assert.InRange(status.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan(), TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(2));

        // Somebody else, and another class of calls, have their own.
        await Who(Suite.Node, Token("berta"));
        await new AccessService.AccessServiceClient(Suite.Node.Channel).ListApiKeysAsync(new ListApiKeysRequest(), Bearer(anna));
    }

    [Fact]
    public async Task On_REST_every_answer_says_what_is_left()
    {
        await Start(1, ("Read:PerSecond", "0.5"), ("Read:Burst", "3"));
        using var client = new HttpClient { BaseAddress = Suite.Node.HttpAddress, DefaultRequestHeaders = { { "Authorization", "Bearer " + Token("anna") } } };
        for (var left = 2; left >= 0; left--)
        {
            using var answer = await client.GetAsync("/v1/whoami");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("\"read\";q=3;w=6", Assert.Single(answer.Headers.GetValues("RateLimit-Policy")));
            Assert.Equal($"\"read\";r={left};t={(3 - left) * 2}", Assert.Single(answer.Headers.GetValues("RateLimit")));
        }

        using var refused = await client.GetAsync("/v1/whoami");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 2);
        Assert.StartsWith("\"read\";r=0;t=", Assert.Single(refused.Headers.GetValues("RateLimit")), StringComparison.Ordinal);
        using var problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync());
        Assert.Equal("RATE_LIMITED", problem.RootElement.GetProperty("reason").GetString());

        // Also on what a service answers, and refuses.
        foreach (var path in new[] { "/v1/orders", "/v1/orders:export" })
        {
            using var passedOn = await client.GetAsync(path);
            Assert.StartsWith("\"search\";", Assert.Single(passedOn.Headers.GetValues("RateLimit")), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Several_Gateways_give_one_limit_together_and_who_calls_often_asks_Redis_seldom()
    {
        await Start(2, ("Read:PerSecond", "0.01"), ("Read:Burst", "400"), ("LeaseFor", "00:00:10"));
        var anna = Token("anna");
        var granted = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 1000), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            if (await IsGranted(Suite.Nodes[i % 2], anna))
                Interlocked.Increment(ref granted);
        });
        // Never more; and less by a lease of each at most.
        Assert.InRange(granted, 400 - 2 * 20, 401);
        Assert.InRange(Suite.Nodes.Sum(node => node.Get<RateLimits>().Leases), 2, 100);
    }

    [Fact]
    public async Task A_call_within_a_lease_asks_nobody_and_leaves_nothing_behind()
    {
        await Start(1, ("Read:PerSecond", "1000000"), ("Read:Burst", "1000000"), ("LeaseFor", "00:00:10"));
        var http = new DefaultHttpContext { Request = { Method = "POST", Path = "/commerce.gateway.v1.LookupService/Lookup" } };
        var (limits, anna) = (Suite.Node.Get<RateLimits>(), new Principal(PrincipalKind.Staff, "anna"));
        ValueTask<Verdict> Call() => limits.Of(anna, http)[ApiMethods.Find(http.Request)!.Class].Take();
        // Until a lease is long enough for all that follow.
        for (var i = 0; i < 100_000; i++)
            Assert.True((await Call()).Granted);
        var (leases, before, began, notAtOnce) = (limits.Leases, GC.GetAllocatedBytesForCurrentThread(), TimeProvider.System.GetTimestamp(), 0);
        for (var i = 0; i < 10_000; i++)
        {
            var call = Call();
            notAtOnce += call.IsCompletedSuccessfully ? 0 : 1;
            Assert.True((await call).Granted);
        }

        var (bytes, took) = (GC.GetAllocatedBytesForCurrentThread() - before, TimeProvider.System.GetElapsedTime(began));
        TestContext.Current.TestOutputHelper?.WriteLine($"{bytes / 10_000.0:0.0} bytes and {took.TotalMicroseconds / 10_000 * 1000:0} ns a call, {limits.Leases - leases} leases");
        Assert.InRange(notAtOnce, 0, 10);
        Assert.InRange(limits.Leases - leases, 0, 2);
        Assert.InRange(bytes, 0, 10_000);
    }

    [Fact]
    public async Task Who_calls_once_in_a_while_is_limited_exactly()
    {
        await Start(2, ("Write:PerSecond", "0.01"), ("Write:Burst", "10"));
        var anna = Token("anna");
        var granted = 0;
        for (var i = 0; i < 20; i++)
        {
            var error = await Assert.ThrowsAsync<RpcException>(async () => await new OrderService.OrderServiceClient(Suite.Nodes[i % 2].Channel).UpdateOrderAsync(new UpdateOrderRequest(), Bearer(anna)));
            granted += LookupTests.ReasonOf(error) == "RATE_LIMITED" ? 0 : 1;
        }

        Assert.Equal(10, granted);
    }

    [Fact]
    public async Task Without_Redis_each_Gateway_gives_its_share_and_none_fails()
    {
        await Start(2, ("Read:PerSecond", "0.01"), ("Read:Burst", "20"), ("NodeBeat", "00:00:00.050"));
        await Eventually.True(() => Task.FromResult(Suite.Nodes.All(node => node.Get<RateLimits>().Nodes == 2)));
        Suite.Redis.Cut();
        await Eventually.True(() => Task.FromResult(Suite.Nodes.All(node => !node.Get<RateLimits>().IsUp)));
        foreach (var node in Suite.Nodes)
        {
            var granted = 0;
            for (var i = 0; i < 30; i++)
                granted += await IsGranted(node, Token("carla")) ? 1 : 0;
            Assert.Equal(10, granted);
        }

        Suite.Redis.Restore();
        await Eventually.True(() => Task.FromResult(Suite.Node.Get<RateLimits>().IsUp));
        Assert.True(await IsGranted(Suite.Node, Token("dora")));
    }

    [Fact]
    public async Task One_that_floods_takes_nothing_from_another()
    {
        await Start(1, ("Read:PerSecond", "50"), ("Read:Burst", "100"));
        using var stop = new CancellationTokenSource();
        var (flooder, quiet, flooded) = (Token("flooder"), Token("quiet"), 0);
        var flood = Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                if (!await IsGranted(Suite.Node, flooder))
                    Interlocked.Increment(ref flooded);
            }
        })).ToList();
        await Eventually.True(() => Task.FromResult(Volatile.Read(ref flooded) > 100));
        for (var i = 0; i < 90; i++)
            await Who(Suite.Node, quiet);
        await stop.CancelAsync();
        await Task.WhenAll(flood);
    }

    [Fact]
    public async Task A_caller_with_a_limit_of_its_own_has_it()
    {
        await Start(1, ("Read:PerSecond", "0.01"), ("Read:Burst", "2"), ("Callers:0:Principal", "staff/erp"), ("Callers:0:Percent", "1000"));
        for (var i = 0; i < 20; i++)
            Assert.Equal(("read", 0.1, 20), (await Who(Suite.Node, Token("erp"))).CallLimits.Select(limit => (limit.Calls, limit.PerSecond, limit.Burst)).First());
        Assert.False(await IsGranted(Suite.Node, Token("erp")));
    }

    [Fact]
    public async Task Who_tries_credentials_is_stopped_and_who_was_known_is_not()
    {
        await Start(1, ("Strangers:PerSecond", "0.01"), ("Strangers:Burst", "5"));
        var known = Token("anna");
        await Who(Suite.Node, known);
        var reasons = new List<string?>();
        for (var i = 0; i < 8; i++)
            reasons.Add(LookupTests.ReasonOf(await Assert.ThrowsAsync<RpcException>(() => Who(Suite.Node, "nonsense" + i))));
        Assert.Equal([.. Enumerable.Repeat("UNAUTHENTICATED", 5), .. Enumerable.Repeat("RATE_LIMITED", 3)], reasons);
        using (var nobody = new HttpClient { BaseAddress = Suite.Node.HttpAddress })
        {
            using var answer = await nobody.GetAsync("/v1/whoami");
            Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
            Assert.NotNull(answer.Headers.RetryAfter);
        }

        await Who(Suite.Node, known);
        // A good one that nobody has seen here waits with the rest of its address: to look at it is what is stopped.
        Assert.Equal("RATE_LIMITED", LookupTests.ReasonOf(await Assert.ThrowsAsync<RpcException>(() => Who(Suite.Node, Token("new")))));
    }

    [Fact]
    public async Task A_caller_opens_so_many_streams_and_no_more_until_one_ends()
    {
        await Start(1, ("OpenStreams", "2"));
        var anna = Bearer(Token("anna"));
        var id = Suite.World.Place();
        async Task<AsyncServerStreamingCall<LookupView>> Open()
        {
            var call = Suite.Node.Lookups.WatchLookup(new WatchLookupRequest { Code = id.ToString() }, anna);
            try
            {
                await call.ResponseStream.MoveNext(CancellationToken.None);
                return call;
            }
            catch (RpcException)
            {
                call.Dispose();
                throw;
            }
        }

        var first = await Open();
        using var second = await Open();
        var error = await Assert.ThrowsAsync<RpcException>(Open);
        Assert.Equal((StatusCode.ResourceExhausted, "LIMIT_REACHED"), (error.StatusCode, LookupTests.ReasonOf(error)));
        Assert.NotNull(error.GetRpcStatus()!.GetDetail<RetryInfo>());
        using (var rest = new HttpClient { BaseAddress = Suite.Node.HttpAddress, DefaultRequestHeaders = { { "Authorization", anna[0].Value } } })
        {
            using var answer = await rest.GetAsync($"/v1/lookup/{id}:watch", HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        }

        first.Dispose();
        using var third = await Eventually.Value(async () =>
        {
            try
            {
                return await Open();
            }
            catch (RpcException)
            {
                return null;
            }
        }, one => one is not null);
    }

    [Theory]
    [InlineData("Read:PerSecond", "0")]
    [InlineData("Write:Burst", "0")]
    [InlineData("Callers:0:Principal", "nobody")]
    public async Task A_limit_that_says_nothing_shows_at_the_start(string key, string value) =>
        await Assert.ThrowsAsync<OptionsValidationException>(() => Start(1, (key, value)));

    [Fact]
    public async Task Behind_a_proxy_that_is_known_the_address_is_what_the_proxy_says()
    {
        await Start(1, ("Strangers:PerSecond", "0.01"), ("Strangers:Burst", "1"), ("Gateway:TrustedProxies:0", "127.0.0.0/8"));
        using var client = new HttpClient { BaseAddress = Suite.Node.HttpAddress };
        async Task<HttpStatusCode> From(string address)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/whoami") { Headers = { { "X-Forwarded-For", address } } };
            using var answer = await client.SendAsync(request);
            return answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.Unauthorized, await From("192.0.2.1"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await From("192.0.2.1"));
        Assert.Equal(HttpStatusCode.Unauthorized, await From("192.0.2.2"));
        // What the client itself claims stands before what the proxy adds.
        Assert.Equal(HttpStatusCode.TooManyRequests, await From("192.0.2.3, 192.0.2.2"));
    }

    [Fact]
    public async Task Of_a_callers_first_calls_that_come_all_at_once_none_is_refused_that_its_limit_allows()
    {
        await Start(1);
        var limits = Suite.Node.Get<RateLimits>();
        for (var caller = 0; caller < 10; caller++)
        {
            var permits = limits.PermitsOf($"new-{caller}", CallClass.Read, 1);
            var verdicts = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(async () =>
            {
                var all = true;
                for (var call = 0; call < 5; call++)
                    all &= (await permits.Take()).Granted;
                return all;
            })));
            Assert.All(verdicts, Assert.True);
        }
    }

    [Fact]
    public async Task A_stranger_who_floods_takes_nothing_from_another()
    {
        await Start(1, ("ShopperPercent", "10"), ("Read:PerSecond", "0.1"), ("Read:Burst", "20"), ("Gateway:TrustedProxies:0", "127.0.0.0/8"), ("Gateway:TrustedProxies:1", "::1"));
        using var client = new HttpClient { BaseAddress = Suite.Node.HttpAddress };
        async Task<string> From(string address)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/track/NOBODYHAS1") { Headers = { { "X-Forwarded-For", address } } };
            using var answer = await client.SendAsync(request);
            return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("reason").GetString()!;
        }

        Assert.Equal(["CODE_NOT_FOUND", "CODE_NOT_FOUND", "RATE_LIMITED"], [await From("192.0.2.1"), await From("192.0.2.1"), await From("192.0.2.1")]);
        Assert.Equal("CODE_NOT_FOUND", await From("192.0.2.2"));
    }

    [Fact]
    public async Task Without_a_known_proxy_what_a_client_claims_is_not_believed()
    {
        await Start(1, ("Strangers:PerSecond", "0.01"), ("Strangers:Burst", "1"));
        using var client = new HttpClient { BaseAddress = Suite.Node.HttpAddress };
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 3; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/whoami") { Headers = { { "X-Forwarded-For", $"192.0.2.{i}" } } };
            using var answer = await client.SendAsync(request);
            statuses.Add(answer.StatusCode);
        }

        Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests], statuses);
    }

    private async Task Start(int nodes, params (string Key, string Value)[] limits) =>
        _suite = await Suite.Start(nodes, [.. limits.Select(limit => (limit.Key.StartsWith("Gateway:", StringComparison.Ordinal) ? limit.Key : "Gateway:Limits:" + limit.Key, limit.Value))]);

    private string Token(string subject) => Suite.Issuer.Token(subject);

    private static Task<WhoAmIResponse> Who(GatewayNode node, string token) => new AccessService.AccessServiceClient(node.Strange).WhoAmIAsync(new WhoAmIRequest(), Bearer(token)).ResponseAsync;

    private static async Task<bool> IsGranted(GatewayNode node, string token)
    {
        try
        {
            await Who(node, token);
            return true;
        }
        catch (RpcException error) when (LookupTests.ReasonOf(error) == "RATE_LIMITED")
        {
            return false;
        }
    }

    private static Metadata Bearer(string credential) => new() { { "authorization", "Bearer " + credential } };
}
