using System.Collections.Concurrent;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.Testing;
using Grpc.Core;
using StackExchange.Redis;

namespace Commerce.SystemTests;

/// <summary>Processes killed and servers restarted with orders in flight: nothing acknowledged is lost, nothing is done twice.</summary>
[Collection("One suite, one test at a time")]
public sealed class SurvivalTests(Suite suite)
{
    // Every process and every server of the suite, each ended with SIGKILL.
    private static readonly string[] Victims = ["payments", "orders", "shipments", "notifications", "sandbox", "gateway", "postgres", "messaging", "redis"];

    private const int Orders = 300;
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task Every_acknowledged_order_survives_the_death_of_every_process()
    {
        await suite.Knobs(new { day_seconds = 1.0 });
        var placed = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var share = Orders / (Victims.Length + 1);
        foreach (var victim in Victims)
        {
            // In the middle of its share: some orders are acknowledged, some are being placed, those before are on their way.
            var before = placed.Count;
            var placing = Place(share, placed);
            await Eventually.True(() => placed.Count >= before + (share / 3) || placing.IsCompleted, Bound);
            await suite.Kill(victim);
            await placing;
        }

        await Place(Orders - placed.Count, placed);
        Assert.Equal(Orders, placed.Count);
        Assert.Equal(Orders, placed.Values.Distinct().Count());

        foreach (var id in placed.Values)
            await Eventually.True(async () => await State(id) == OrderState.Completed, Bound, () => $"{id} is not completed.\n{Evidence.Of(suite, id)}");

        var book = await suite.Charges();
        foreach (var id in placed.Values)
        {
            var own = book[id].ToList();
            Assert.True(own.Count == 1, $"{id} has {own.Count} charges in the provider's book");
            Assert.Single(own[0]["captures"]!.AsArray());
            Assert.Empty(own[0]["refunds"]!.AsArray());
        }

        foreach (var (reference, id) in placed)
        {
            // Confirmed, shipped, delivered; that it was out for delivery is told unless it had arrived by then.
            IReadOnlyList<string> subjects = [];
            await Eventually.True(
                async () => (subjects = (await suite.Mails(Email(reference))).Subjects).Count >= 3,
                TimeSpan.FromSeconds(60),
                () => $"{id} has the mails: {string.Join(" | ", subjects)}\n{Evidence.Of(suite, id)}");
            Assert.True(subjects.Count <= 4, $"{id}: {string.Join(" | ", subjects)}");
            Assert.Equal(subjects.Count, subjects.Distinct().Count());
        }

        await suite.Knobs(new { day_seconds = 0.2 });
    }

    [Fact]
    public async Task A_flushed_redis_gives_the_same_answers()
    {
        var reference = Guid.NewGuid().ToString("N");
        await suite.Scenario(reference, new { ends_at = "DELIVERED" });
        var placed = await suite.Orders.PlaceOrderAsync(Shop.Order($"{reference}@example.com", externalId: reference));
        await Eventually.Value(async () => await suite.Lookup.LookupAsync(new LookupRequest { Code = placed.OrderId }), view => view.Order.State == OrderState.Completed, Bound);

        await using var redis = await ConnectionMultiplexer.ConnectAsync(suite.Run.Find("redis")!.ConnectionString + ",allowAdmin=true");
        // Where something changed meanwhile (a last mail is sent, say) the versions tell, and it is looked at once more.
        var (before, after) = (new LookupView(), new LookupView());
        await Eventually.True(
            async () =>
            {
                before = await suite.Lookup.LookupAsync(new LookupRequest { Code = placed.OrderId });
                foreach (var server in redis.GetServers())
                    await server.FlushAllDatabasesAsync();
                after = await suite.Lookup.LookupAsync(new LookupRequest { Code = placed.OrderId });
                return before.Version == after.Version;
            },
            Bound);
        Assert.Equal(before, after);
    }

    /// <summary>Places orders, a few at a time, and remembers each that was acknowledged: its reference and its id.</summary>
    private Task Place(int orders, ConcurrentDictionary<string, string> placed) => Parallel.ForEachAsync(
        Enumerable.Range(0, orders),
        new ParallelOptions { MaxDegreeOfParallelism = 4 },
        async (_, token) =>
        {
            var reference = Guid.NewGuid().ToString("N");
            await Again(() => suite.Scenario(reference, new { ends_at = "DELIVERED" }), token);
            var request = Shop.Order(Email(reference), externalId: reference);
            // No answer is no acknowledgement: the same request is sent until there is one.
            await Again(
                async () =>
                {
                    var order = await suite.Orders.PlaceOrderAsync(request, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(15), cancellationToken: token);
                    placed[reference] = order.OrderId;
                },
                token);
        });

    private static string Email(string reference) => $"{reference}@example.com";

    private async Task<OrderState> State(string id)
    {
        try
        {
            return (await suite.Orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + id })).State;
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
        {
            return OrderState.Unspecified;
        }
    }

    private static async Task Again(Func<Task> call, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await call();
                return;
            }
            catch (Exception exception) when (IsOutage(exception) && TimeProvider.System.GetElapsedTime(start) < Bound)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
            }
        }
    }

    private static bool IsOutage(Exception exception) => exception switch
    {
        RpcException rpc => rpc.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled,
        HttpRequestException or TaskCanceledException => true,
        _ => false,
    };
}
