using System.Runtime.CompilerServices;
using Commerce.Gateway.V1;
using Grpc.Core;

namespace Commerce.Client.Tests;

public sealed class WatchTests : IAsyncLifetime
{
    private FakeSuite _suite = null!;

    public async ValueTask InitializeAsync() => _suite = await FakeSuite.Start();

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Fact]
    public async Task After_a_break_it_goes_on_from_the_last_version_seen_and_nothing_comes_twice()
    {
        _suite.Watch = Stream;
        using var client = _suite.Client();

        List<long> versions = [];
        await foreach (var view in client.WatchLookup("ORD-1"))
        {
            versions.Add(view.Version);
            if (view.Version == 9)
                break;
        }

        Assert.Equal([1, 3, 4, 9], versions);
        Assert.Equal([0, 3, 3, 4], _suite.Calls.Select(call => ((WatchLookupRequest)call.Request).AfterVersion));

        static async IAsyncEnumerable<LookupView> Stream(int call, long after)
        {
            await Task.Yield();
            switch (call)
            {
                case 1:
                    yield return new LookupView { Version = 1 };
                    yield return new LookupView { Version = 3 };
                    throw FakeSuite.Refusal(StatusCode.Unavailable, "DEPENDENCY_UNAVAILABLE");
                case 2:
                    throw FakeSuite.Refusal(StatusCode.ResourceExhausted, "LIMIT_REACHED", TimeSpan.FromMilliseconds(1));
                case 3:
                    // A server that forgot: older ones do not come through; then it stops in order.
                    yield return new LookupView { Version = 2 };
                    yield return new LookupView { Version = 4 };
                    yield break;
                default:
                    yield return new LookupView { Version = 9 };
                    yield break;
            }
        }
    }

    [Fact]
    public async Task What_asking_again_cannot_mend_ends_it()
    {
        _suite.Watch = (_, _) => throw FakeSuite.Refusal(StatusCode.NotFound, "CODE_NOT_FOUND");
        using var client = _suite.Client();
        var error = await Assert.ThrowsAsync<CommerceException>(async () =>
        {
            await foreach (var _ in client.WatchLookup("x"))
                Assert.Fail("Nothing can come.");
        });
        Assert.Equal("CODE_NOT_FOUND", error.Reason);
        Assert.Single(_suite.Calls);
    }

    [Fact]
    public async Task The_caller_ends_it()
    {
        using var end = new CancellationTokenSource();
        _suite.Watch = (_, _) => Endless();
        using var client = _suite.Client();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in client.WatchLookup("ORD-1", cancellationToken: end.Token))
                await end.CancelAsync();
        });

        static async IAsyncEnumerable<LookupView> Endless([EnumeratorCancellation] CancellationToken left = default)
        {
            yield return new LookupView { Version = 1 };
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, left);
        }
    }

    [Fact]
    public async Task It_goes_on_from_where_it_was_with_a_fresh_token_whenever_one_ends_though_nothing_changed_meanwhile()
    {
        var (fetched, clock) = (0, new Clock());
        _suite.Watch = Stream;
        using var client = _suite.Client(options => options.TokenProvider = _ => ValueTask.FromResult(new AccessToken($"t{++fetched}", DateTimeOffset.MaxValue)), clock);

        List<long> versions = [];
        await foreach (var view in client.WatchLookup("ORD-1"))
        {
            versions.Add(view.Version);
            if (view.Version == 8)
                break;
        }

        Assert.Equal([7, 8], versions);
        Assert.Equal([0, 7, 7, 7, 7], _suite.Calls.Select(call => ((WatchLookupRequest)call.Request).AfterVersion));
        Assert.Equal(["Bearer t1", "Bearer t2", "Bearer t3", "Bearer t4", "Bearer t5"], _suite.Calls.Select(call => call.Headers.GetValue("authorization")));

        async IAsyncEnumerable<LookupView> Stream(int call, long after)
        {
            await Task.Yield();
            if (call is 1 or 5)
                yield return new LookupView { Version = call == 1 ? 7 : 8 };
            clock.Later(TimeSpan.FromMinutes(30));
            throw FakeSuite.Refusal(StatusCode.Unauthenticated, call == 4 ? "CREDENTIAL_REVOKED" : "CREDENTIAL_EXPIRED");
        }
    }

    [Fact]
    public async Task A_key_that_was_taken_back_ends_it()
    {
        var clock = new Clock();
        _suite.Watch = Stream;
        using var client = _suite.Client(options => options.ApiKey = "ck_gone", clock);
        var error = await Assert.ThrowsAsync<CommerceException>(async () =>
        {
            await foreach (var view in client.WatchLookup("ORD-1"))
                Assert.Equal(7, view.Version);
        });
        Assert.Equal("UNAUTHENTICATED", error.Reason);
        Assert.Equal(3, _suite.Calls.Count);

        async IAsyncEnumerable<LookupView> Stream(int call, long after)
        {
            await Task.Yield();
            if (call > 1)
                throw FakeSuite.Refusal(StatusCode.Unauthenticated, "UNAUTHENTICATED");
            yield return new LookupView { Version = 7 };
            clock.Later(TimeSpan.FromMinutes(30));
            throw FakeSuite.Refusal(StatusCode.Unauthenticated, "CREDENTIAL_REVOKED");
        }
    }

    [Fact]
    public async Task A_token_that_ended_meanwhile_is_replaced()
    {
        var fetched = 0;
        _suite.Watch = (call, _) => call == 1 ? throw FakeSuite.Refusal(StatusCode.Unauthenticated, "UNAUTHENTICATED") : One();
        using var client = _suite.Client(options => options.TokenProvider = _ => ValueTask.FromResult(new AccessToken($"t{++fetched}", DateTimeOffset.MaxValue)));
        await foreach (var view in client.WatchLookup("ORD-1"))
        {
            Assert.Equal(7, view.Version);
            break;
        }

        Assert.Equal(["Bearer t1", "Bearer t2"], _suite.Calls.Select(call => call.Headers.GetValue("authorization")));

        static async IAsyncEnumerable<LookupView> One()
        {
            await Task.Yield();
            yield return new LookupView { Version = 7 };
        }
    }

    /// <summary>Says that it is later than it is; waits as the system's does.</summary>
    private sealed class Clock : TimeProvider
    {
        private long _later;

        public void Later(TimeSpan by) => Interlocked.Add(ref _later, by.Ticks * (System.TimestampFrequency / TimeSpan.TicksPerSecond));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _later);
    }
}
