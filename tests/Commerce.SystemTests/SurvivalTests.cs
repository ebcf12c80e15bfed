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
    private const int Orders = 120;
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task Every_acknowledged_order_survives_the_death_of_every_process()
    {
        await suite.Knobs(new { day_seconds = 1.0 });
        var placed = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var emails = new ConcurrentBag<(string Email, string OrderId)>();
        using var killed = new CancellationTokenSource();
        var placing = Parallel.ForEachAsync(
            Enumerable.Range(0, Orders),
            new ParallelOptions { MaxDegreeOfParallelism = 6 },
            async (_, token) =>
            {
                var reference = Guid.NewGuid().ToString("N");
                await Again(() => suite.Scenario(reference, new { ends_at = "DELIVERED" }), token);
                var request = Shop.Order($"{reference}@example.com", places: 1, externalId: reference);
                // No answer is no acknowledgement: the same request is sent until there is one.
                await Again(
                    async () =>
                    {
                        var order = await suite.Orders.PlaceOrderAsync(request, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(15), cancellationToken: token);
                        placed[reference] = order.OrderId;
                        emails.Add((request.Customer.Email, order.OrderId));
                    },
                    token);
            });

        foreach (var resource in (string[])["payments", "orders", "shipments", "notifications", "sandbox", "gateway", "postgres", "redis"])
            await suite.Kill(resource);
        await placing;
        Assert.Equal(Orders, placed.Count);
        Assert.Equal(Orders, placed.Values.Distinct().Count());

        foreach (var (reference, id) in placed)
        {
            await Eventually.True(
                async () => await State(id) == OrderState.Completed,
                Bound,
                () => $"{id} ({reference}) is not completed. {suite.Output()}");
        }

        var book = await suite.Charges();
        foreach (var id in placed.Values)
        {
            var own = book[id].ToList();
            Assert.True(own.Count == 1, $"{id} has {own.Count} charges in the provider's book");
            Assert.Single(own[0]["captures"]!.AsArray());
            Assert.Empty(own[0]["refunds"]!.AsArray());
        }

        foreach (var (email, id) in emails)
        {
            // Confirmed, shipped, delivered; that it was out for delivery is told unless it had arrived by then.
            var mails = await Eventually.Value(async () => await suite.Mails(email), mails => mails.Subjects.Count >= 3, TimeSpan.FromSeconds(60));
            Assert.True(mails.Subjects.Count <= 4, $"{id}: {string.Join(" | ", mails.Subjects)}");
            Assert.Equal(mails.Subjects.Count, mails.Subjects.Distinct().Count());
        }

        await suite.Knobs(new { day_seconds = 0.2 });
    }

    [Fact]
    public async Task A_flushed_redis_gives_the_same_answers()
    {
        var reference = Guid.NewGuid().ToString("N");
        await suite.Scenario(reference, new { ends_at = "DELIVERED" });
        var placed = await suite.Orders.PlaceOrderAsync(Shop.Order($"{reference}@example.com", externalId: reference));
        var before = await Eventually.Value(
            async () => await suite.Lookup.LookupAsync(new LookupRequest { Code = placed.OrderId }), view => view.Order.State == OrderState.Completed, Bound);

        await using (var redis = await ConnectionMultiplexer.ConnectAsync(suite.Run.Find("redis")!.ConnectionString + ",allowAdmin=true"))
        {
            foreach (var server in redis.GetServers())
                await server.FlushAllDatabasesAsync();
        }

        var after = await suite.Lookup.LookupAsync(new LookupRequest { Code = placed.OrderId });
        Assert.Equal(before, after);
    }

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
