using System.Text;
using System.Text.Json;
using Commerce.Facts;
using Commerce.Messaging.Broker;
using Commerce.Messaging.Consuming;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Commerce.Messaging.Tests;

public sealed class FailureTests : MessagingTest
{
    private static readonly string ErrorQueue = Topology.ErrorQueue(Queue);

    [Fact]
    public async Task A_poisonous_fact_goes_to_the_error_queue_with_the_reason_and_a_redrive_brings_it_back_in_its_place()
    {
        Interference.Before = (fact, _) => fact.Version == 2 ? throw new InvalidOperationException("cannot stand version 2") : Task.CompletedTask;
        await using var wire = new Wire(Broker.ConnectionString);
        await using var orders = Orders();
        await using var notifications = Notifications(options: o => o.LongRetries = 2);
        await orders.Start();
        await notifications.Start();
        await orders.Tell(Make.Order("ORD-1", 4).Concat(Make.Order("ORD-2", 1)));

        await Eventually.True(async () => await notifications.Services.GetRequiredService<Redrive>().CountErrors(Queue) == 1);
        Assert.Equal([1L], (await notifications.Database.ReadEffects())["ORD-1"]);
        await Eventually.True(async () => await notifications.Database.Count("messaging.parked_facts") == 2);
        await Eventually.True(async () => await notifications.Database.Count("messaging.failed_facts") == 0);

        Interference.Before = (_, _) => Task.CompletedTask;
        var redriven = await notifications.Services.GetRequiredService<Redrive>().RedriveErrors(Queue);
        Assert.Equal(1, redriven.FromErrorQueue);
        await Eventually.True(async () => await notifications.Database.Count("effects") == 5);
        Assert.Equal([1L, 2, 3, 4], (await notifications.Database.ReadEffects())["ORD-1"]);
        Assert.Equal(0u, await wire.Count(ErrorQueue));
        Assert.Equal(0, await notifications.Database.Count("messaging.parked_facts"));
    }

    [Fact]
    public async Task A_message_in_the_error_queue_says_why_it_is_there()
    {
        Interference.Before = (_, _) => throw new InvalidOperationException("no luck today");
        await using var wire = new Wire(Broker.ConnectionString);
        await using var orders = Orders();
        await using var notifications = Notifications(options: o => (o.QuickRetries, o.LongRetries) = (1, 1));
        await orders.Start();
        await notifications.Start();
        await orders.Tell(Make.Placed("ORD-1"));

        await Eventually.True(async () => await notifications.Services.GetRequiredService<Redrive>().CountErrors(Queue) == 1);
        var message = Assert.Single(await wire.Take(ErrorQueue));
        Assert.Equal(("ORD-1", 1L), (message.Key, message.Version));
        Assert.Equal("gave-up", message.Headers["commerce-error-reason"]);
        Assert.Equal("3", message.Headers["commerce-error-attempts"]);
        Assert.Equal(typeof(InvalidOperationException).FullName, message.Headers["commerce-error-type"]);
        Assert.Contains("no luck today", message.Headers["commerce-error-message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_failed_says_nothing_any_more_of_a_customer_who_is_erased_and_can_be_brought_back_all_the_same()
    {
        Interference.Before = (fact, _) => fact.Version == 1 ? throw new InvalidOperationException("not now") : Task.CompletedTask;
        await using var orders = Orders();
        await using var notifications = Notifications(options: o => o.LongRetries = 2);
        await orders.Start();
        await notifications.Start();
        await orders.Tell([Make.Placed("ORD-1") with { CustomerId = "kunde-\"7\"" }, Make.Placed("ORD-2") with { CustomerId = "kunde-8" }]);
        await Eventually.True(async () => await notifications.Services.GetRequiredService<Redrive>().CountErrors(Queue) == 2);
        // Parked behind the one that failed, as what tells of the erasure is.
        await orders.Tell([Make.Placed("ORD-1", 3) with { CustomerId = "kunde-\"7\"" }]);
        await Eventually.True(async () => await notifications.Database.Count("messaging.parked_facts") == 1);

        await orders.Tell([new OrderErased("ORD-1", "acme", 2, Make.Noon, "erasure")]);

        await Eventually.True(async () => await notifications.Database.Count("messaging.parked_facts") == 2 && await notifications.Database.Count("messaging.recovery_points") == 0);
        Assert.Equal(2, await notifications.Database.Count("messaging.parked_facts WHERE body NOT LIKE '%kunde%' AND body NOT LIKE '%\"tok\"%'"));

        Interference.Before = (_, _) => Task.CompletedTask;
        Assert.Equal(2, (await notifications.Services.GetRequiredService<Redrive>().RedriveErrors(Queue)).FromErrorQueue);
        await Eventually.True(async () => await notifications.Database.Count("effects") == 4);
        Assert.Equal([1L, 2, 3], (await notifications.Database.ReadEffects())["ORD-1"]);
    }

    [Fact]
    public async Task Of_what_waits_in_an_error_queue_only_what_is_of_the_order_is_changed()
    {
        await using var wire = new Wire(Broker.ConnectionString);
        await using var notifications = Notifications();
        await notifications.Start();
        Assert.Equal(0, await notifications.Services.GetRequiredService<Redrive>().CountErrors(Queue));
        static byte[] Message(string order, string customer) => Encoding.UTF8.GetBytes(
            $$$"""{"messageId":"8f3a5c80-0000-0000-0000-000000000001","message":{"orderId":"{{{order}}}","customerId":"{{{customer}}}","paymentParts":[{"token":"tok_{{{customer}}}"}]}}""");
        foreach (var body in new[] { Message("ORD-2", "b"), Message("ORD-1", "a"), "no JSON: ORD-1"u8.ToArray(), Message("ORD-3", "c") })
            await wire.Send(ErrorQueue, body);

        await notifications.Services.GetRequiredService<ErasedFacts>().InErrorQueue(Queue, "ORD-1", CancellationToken.None);

        await Eventually.True(async () => await wire.Count(ErrorQueue) == 4);
        var bodies = await wire.Bodies(ErrorQueue);
        Assert.Equal(
            [Encoding.UTF8.GetString(Message("ORD-2", "b")), Encoding.UTF8.GetString(Message("ORD-3", "c")), "no JSON: ORD-1", Encoding.UTF8.GetString(Message("ORD-1", "")).Replace("\"customerId\":\"\"", "\"customerId\":null", StringComparison.Ordinal).Replace("tok_", "", StringComparison.Ordinal)],
            new[] { "ORD-2", "ORD-3", "no JSON", "message\":{\"orderId\":\"ORD-1" }.Select(what => bodies.Single(body => body.Contains(what, StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("this is not JSON")]
    [InlineData("{\"messageId\":\"8f3a5c80-0000-0000-0000-000000000001\",\"messageType\":[\"urn:message:Commerce.Facts:OrderPlaced\"],\"message\":{\"orderId\":7}}")]
    [InlineData("{\"messageId\":\"8f3a5c80-0000-0000-0000-000000000001\",\"messageType\":[\"urn:message:Somebody:Else\"],\"message\":{}}")]
    public async Task What_cannot_be_read_goes_to_the_error_queue_at_once_and_holds_nothing_up(string body)
    {
        await using var wire = new Wire(Broker.ConnectionString);
        await using var orders = Orders();
        await using var notifications = Notifications();
        await orders.Start();
        await notifications.Start();
        await orders.Tell(Make.Placed("ORD-1"));
        await Eventually.True(async () => await notifications.Database.Count("effects") == 1);

        await wire.Send(Queue, Encoding.UTF8.GetBytes(body));
        await orders.Tell(Make.Progressed("ORD-1", 2));

        await Eventually.True(async () => await notifications.Services.GetRequiredService<Redrive>().CountErrors(Queue) == 1);
        await Eventually.True(async () => await notifications.Database.Count("effects") == 2);
        Assert.Equal(1u, await wire.Count(ErrorQueue));
    }

    [Fact]
    public async Task What_was_set_aside_and_cannot_be_read_ends_in_the_error_queue_and_holds_nothing_up()
    {
        await using var notifications = Notifications(options: o => o.LongRetries = 2);
        const string Aside = """
            INSERT INTO messaging.failed_facts (consumer, message_id, key, version, fact, body, attempts, next_at, last_error, failed_at)
            VALUES ($1, gen_random_uuid(), 'ORD-1', 1, $2, $3, 0, now() - $4 * interval '1 minute', '', now())
            """;
        await notifications.Database.Execute(Aside, Queue, "OfTheFuture", "{}", 3);
        await notifications.Database.Execute(Aside, Queue, "OrderPlaced", "{\"orderId\":7}", 2);
        await notifications.Database.Execute(Aside, Queue, "OrderPlaced", JsonSerializer.Serialize(Make.Placed("ORD-1"), FactJson.Options), 1);

        await notifications.Start();

        await Eventually.True(async () => await notifications.Database.Count("effects") == 1);
        await Eventually.True(async () => await notifications.Services.GetRequiredService<Redrive>().CountErrors(Queue) == 2);
        await Eventually.True(async () => await notifications.Database.Count("messaging.failed_facts") == 0);
        await using var wire = new Wire(Broker.ConnectionString);
        var channel = await wire.Channel();
        var first = await channel.BasicGetAsync(ErrorQueue, autoAck: true);
        Assert.Contains("urn:message:Commerce.Facts:", Encoding.UTF8.GetString(first!.Body.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redrive_moves_what_was_there_and_not_what_comes_back_meanwhile()
    {
        await using var wire = new Wire(Broker.ConnectionString);
        await using var notifications = Notifications();
        await notifications.Start();
        var redrive = notifications.Services.GetRequiredService<Redrive>();
        Assert.Equal(0, await redrive.CountErrors(Queue));
        for (var message = 0; message < 20; message++)
            await wire.Send(ErrorQueue, "this is not JSON"u8.ToArray());

        // Each comes back at once.
        Assert.Equal(20, (await redrive.RedriveErrors(Queue)).FromErrorQueue);

        await Eventually.True(async () => await redrive.CountErrors(Queue) == 20);
    }

    [Fact]
    public async Task A_fact_that_failed_for_a_while_is_not_overtaken_by_those_of_its_key()
    {
        var failures = 0;
        Interference.Before = (fact, _) =>
            fact.Version == 2 && Interlocked.Increment(ref failures) <= 5 ? throw new InvalidOperationException("not yet") : Task.CompletedTask;
        await using var orders = Orders();
        await using var notifications = Notifications();
        await orders.Start();
        await notifications.Start();
        var facts = Make.Order("ORD-1", 4).ToArray();
        // The first is through before the others come: a fact that overtakes it is parked, has no quick attempts, and would
        // wait a minute for its sixth.
        await orders.Tell(facts[0]);
        await Eventually.True(async () => await notifications.Database.Count("effects") == 1);

        await orders.Tell(facts[1..]);

        await Eventually.True(async () => await notifications.Database.Count("effects") == 4);
        Assert.Equal([1L, 2, 3, 4], (await notifications.Database.ReadEffects())["ORD-1"]);
        Assert.Equal(6, failures);
        Assert.Equal(0, await notifications.Database.Count("messaging.failed_facts"));
    }

    [Fact]
    public async Task A_parked_fact_that_fails_does_not_undo_the_one_before_it()
    {
        var failures = 0;
        Interference.Before = (fact, _) =>
            fact.Version == 2 && Interlocked.Increment(ref failures) <= 1 ? throw new InvalidOperationException("not yet") : Task.CompletedTask;
        await using var orders = Orders();
        await using var notifications = Notifications();
        await orders.Start();
        await notifications.Start();
        await orders.Tell(Make.Progressed("ORD-1", 2), Make.Progressed("ORD-1", 3));
        await Eventually.True(async () => await notifications.Database.Count("messaging.parked_facts") == 2);

        await orders.Tell(Make.Placed("ORD-1"));

        await Eventually.True(async () => await notifications.Database.Count("effects") == 3);
        Assert.Equal([1L, 2, 3], (await notifications.Database.ReadEffects())["ORD-1"]);
        Assert.Equal(2, failures);
    }

    [Fact]
    public async Task While_the_database_is_away_facts_wait_and_none_becomes_an_error()
    {
        await using var orders = Orders();
        await using var notifications = Notifications();
        await orders.Start();
        await notifications.Start();
        await orders.Tell(Make.Placed("ORD-1"));
        await Eventually.True(async () => await notifications.Database.Count("effects") == 1);

        var name = new NpgsqlConnectionStringBuilder(NotificationsDatabase.ConnectionString).Database;
        await using var admin = NpgsqlDataSource.Create(OrdersDatabase.ConnectionString);
        await admin.Execute($"ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false");
        await admin.Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name!);
        await orders.Tell(Make.Order("ORD-1", 5).Skip(1).Concat(Make.Order("ORD-2", 5)));
        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);
        await admin.Execute($"ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true");

        await Eventually.True(async () => await notifications.Database.Count("effects") == 10);
        Assert.All((await notifications.Database.ReadEffects()).Values, effects => Assert.Equal([1L, 2, 3, 4, 5], effects));
        Assert.Equal(0, await notifications.Services.GetRequiredService<Redrive>().CountErrors(Queue));
    }

    [Fact]
    public async Task Killed_between_effect_and_acknowledgement_the_fact_comes_again_and_has_its_effect_once()
    {
        await using var orders = Orders();
        await orders.Start();
        await orders.Tell(Make.Order("ORD-1", 3));
        await using var observed = NpgsqlDataSource.Create(NotificationsDatabase.ConnectionString);
        await using (var victim = Victim.Start(Moment.BetweenEffectAndAcknowledgement, "notifications", NotificationsDatabase.ConnectionString, Broker.ConnectionString))
            await Eventually.True(() => victim.HasExited, Victim.Bound);
        var before = await observed.Count("effects");
        Assert.InRange(before + await observed.Count("messaging.parked_facts"), 1, 3);

        await using var wire = new Wire(Broker.ConnectionString);
        await Eventually.True(async () => await wire.Count(Queue) == 3);
        await using var notifications = Notifications();
        await notifications.Start();
        await Eventually.True(async () => await wire.Count(Queue) == 0 && await observed.Count("effects") == 3);
        Assert.Equal([1L, 2, 3], (await observed.ReadEffects())["ORD-1"]);
    }

    [Fact]
    public async Task A_consumer_that_swallows_the_failure_of_a_statement_has_not_handled_the_fact()
    {
        var swallowed = 0;
        Interference.Before = async (_, context) =>
        {
            if (Interlocked.Increment(ref swallowed) > 1)
                return;
            await using var wrong = new NpgsqlCommand("SELECT 1/0", context.Connection, context.Transaction);
            await Assert.ThrowsAsync<PostgresException>(() => wrong.ExecuteNonQueryAsync());
        };
        await using var orders = Orders();
        await using var notifications = Notifications();
        await orders.Start();
        await notifications.Start();
        await orders.Tell(Make.Placed("ORD-1"));
        await Eventually.True(async () => await notifications.Database.Count("effects") == 1);
        Assert.Equal(2, swallowed);
    }
}
