using Commerce.ServiceDefaults;
using Commerce.Testing;
using Commerce.Types.V1;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Commerce.Messaging.Tests;

public sealed class RequestTests : MessagingTest
{
    private static readonly RequestKey Key = new("shop/acme", "/commerce.orders.v1.OrderService/PlaceOrder", "r-1", [1, 2, 3]);

    [Fact]
    public async Task Concurrent_twins_have_one_effect_and_one_answer()
    {
        await using var orders = Orders();
        var requests = orders.Services.GetRequiredService<Requests>();

        var outcomes = await Task.WhenAll(Enumerable.Range(1, 12).Select(i => requests.Once(Key, $"orders/{i}", i, Effect, default)));

        var made = Assert.Single(outcomes, o => !o.Repeated).Answer;
        Assert.All(outcomes, o => Assert.Equal(made, o.Answer));
        Assert.Equal(1, await orders.Database.Count("effects"));
    }

    [Fact]
    public async Task The_same_request_id_with_another_payload_is_refused_and_changes_nothing()
    {
        await using var orders = Orders();
        var requests = orders.Services.GetRequiredService<Requests>();
        await requests.Once(Key, "orders/1", 1, Effect, default);

        var failure = await Assert.ThrowsAsync<Failure>(() => requests.Once(Key with { PayloadHash = [9] }, "orders/2", 1, Effect, default));

        Assert.Equal(ErrorReason.RequestIdReused, failure.Reason);
        Assert.Equal("request_id", Assert.Single(failure.Fields).Field);
        Assert.Equal(1, await orders.Database.Count("effects"));
    }

    [Fact]
    public async Task The_same_request_id_of_another_caller_or_method_is_another_request()
    {
        await using var orders = Orders();
        var requests = orders.Services.GetRequiredService<Requests>();
        await requests.Once(Key, "orders/1", 1, Effect, default);
        Assert.False((await requests.Once(Key with { Caller = "shop/other" }, "orders/2", 1, Effect, default)).Repeated);
        Assert.False((await requests.Once(Key with { Method = "/other" }, "orders/3", 1, Effect, default)).Repeated);
        Assert.Equal(3, await orders.Database.Count("effects"));
    }

    [Fact]
    public async Task A_call_that_failed_leaves_no_record_and_may_be_repeated()
    {
        await using var orders = Orders();
        var requests = orders.Services.GetRequiredService<Requests>();
        await Assert.ThrowsAsync<PostgresException>(() => requests.Once(Key, "orders/1", 1, b => b.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1/0")), default));
        Assert.Null(await requests.Find(Key, default));
        Assert.False((await requests.Once(Key, "orders/1", 1, Effect, default)).Repeated);
    }

    [Fact]
    public async Task Answers_are_kept_as_long_as_promised_and_then_deleted()
    {
        await using var orders = Orders();
        await orders.Database.Execute(
            """
            INSERT INTO messaging.requests SELECT 'c', 'm', n::text, '\x00', 'orders/1', 1, now() - interval '71 hours' FROM generate_series(1, 10) n;
            INSERT INTO messaging.requests SELECT 'c', 'm', n::text, '\x00', 'orders/1', 1, now() - interval '97 hours' FROM generate_series(11, 2510) n;
            INSERT INTO messaging.inbox SELECT 'c', gen_random_uuid(), now() - interval '8 days' FROM generate_series(1, 1500)
            """);
        await orders.Start();
        await Eventually.True(async () => await orders.Database.Count("messaging.requests") == 10 && await orders.Database.Count("messaging.inbox") == 0);
    }

    private static void Effect(NpgsqlBatch batch) =>
        batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO effects (key, version, fact) VALUES ('k', 1, '')"));
}
