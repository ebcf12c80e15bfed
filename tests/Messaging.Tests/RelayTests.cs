using System.Diagnostics.Metrics;
using Commerce.Facts;
using Commerce.Testing;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Commerce.Messaging.Tests;

public sealed class RelayTests : MessagingTest
{
    [Fact]
    public async Task On_the_wire_the_facts_of_a_key_are_in_order_and_each_is_there_once()
    {
        await using var orders = Orders(options: o => o.RelayClaim = 50);
        await using var wire = new Wire(Broker.ConnectionString);
        await orders.Start();
        var run = 0;
        // Keys and the number of their facts, told in chunks of a size by lot while the relay is already at work.
        await Gen.Select(Gen.Int[1, 12].Array[1, 40], Gen.Int[1, 30]).SampleAsync(
            async given =>
            {
                var (versions, chunk) = given;
                var prefix = $"ORD-{Interlocked.Increment(ref run)}-";
                var left = versions.Select((v, key) => new Queue<IFact>(Make.Order(prefix + key, v))).ToList();
                var facts = new List<IFact>();
                while (left.Any(q => q.Count > 0))
                    facts.AddRange(left.Where(q => q.Count > 0).Select(q => q.Dequeue()));
                foreach (var some in facts.Chunk(chunk))
                    await orders.Tell(some);

                await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);
                var messages = await wire.Take(Queue);
                Assert.Equal(facts.Count, messages.Count);
                Assert.Equal(facts.Count, messages.DistinctBy(m => m.Id).Count());
                foreach (var key in messages.GroupBy(m => m.Key))
                    Assert.Equal(key.Select(m => m.Version).Order(), key.Select(m => m.Version));
            },
            iter: 15,
            threads: 1);
    }

    [Fact]
    public async Task A_fact_that_is_told_while_the_relay_deletes_the_one_before_does_not_wait_for_the_sweep()
    {
        const int facts = 500;
        await using var orders = Orders(options: o => o.Sweep = TimeSpan.FromHours(1));
        await using var wire = new Wire(Broker.ConnectionString);
        await orders.Start();
        await orders.Tell(Make.Placed("ORD-0"));
        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);
        using var arrived = new SemaphoreSlim(0);
        var channel = await wire.Channel();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, _) =>
        {
            arrived.Release();
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(Queue, autoAck: true, consumer);
        await arrived.WaitAsync(TestContext.Current.CancellationToken);
        // Each is told the moment the one before is on the wire: then the relay hears of its confirm, deletes it and claims.
        for (var fact = 1; fact <= facts; fact++)
        {
            await orders.Tell(Make.Placed($"ORD-{fact}"));
            Assert.True(await arrived.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken), $"Fact {fact} was not published within 30 s.");
        }
    }

    [Fact]
    public async Task The_message_id_on_the_wire_is_the_outboxs()
    {
        await using var orders = Orders();
        await using var wire = new Wire(Broker.ConnectionString);
        await orders.Tell(Make.Placed("ORD-1"));
        var id = await orders.Database.Scalar<Guid>("SELECT message_id FROM messaging.outbox");
        await orders.Start();
        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);
        Assert.Equal(id, Assert.Single(await wire.Take(Queue)).Id);
    }

    [Fact]
    public async Task What_no_queue_takes_stays_with_its_error_and_goes_out_once_the_queues_are_back()
    {
        await using var orders = Orders();
        await using var wire = new Wire(Broker.ConnectionString);
        var returned = 0L;
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "commerce.outbox.returned")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        meters.SetMeasurementEventCallback<long>((_, measurement, _, _) => Interlocked.Add(ref returned, measurement));
        meters.Start();
        await orders.Start();
        await orders.Tell(Make.Placed("ORD-1"));
        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);
        var channel = await wire.Channel();
        foreach (var subscription in Subscriptions.All.Where(s => s.Source == "orders"))
            await channel.QueueDeleteAsync(subscription.Queue, ifUnused: false, ifEmpty: false);

        // Seen by a trigger: the row leaves again as soon as the relay has declared the queues anew.
        await orders.Database.Execute(
            """
            CREATE TABLE seen (attempts int, error text);
            CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (NEW.attempts, NEW.last_error); RETURN NEW; END $$;
            CREATE TRIGGER see AFTER UPDATE ON messaging.outbox FOR EACH ROW EXECUTE FUNCTION see()
            """);
        await orders.Tell(Make.Progressed("ORD-1", 2), Make.Progressed("ORD-1", 3));

        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);
        Assert.True(returned >= 1);
        Assert.Equal(1, await orders.Database.Scalar<int>("SELECT min(attempts) FROM seen"));
        Assert.Contains("No queue is bound for OrderProgressed", await orders.Database.Scalar<string>("SELECT error FROM seen LIMIT 1"), StringComparison.Ordinal);
        Assert.Equal([2, 3], (await wire.Take(Queue)).Select(m => m.Version));
    }

    [Fact]
    public async Task While_the_broker_is_away_rows_stay_and_afterwards_each_key_is_in_order()
    {
        await using var cable = new Cable(Broker.ConnectionString);
        await using var orders = Orders(cable.Address);
        await using var notifications = Notifications();
        await orders.Start();
        await notifications.Start();
        await orders.Tell(Make.Placed("ORD-1"));
        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);

        cable.Cut();
        await orders.Tell(Make.Order("ORD-1", 4).Skip(1).Concat(Make.Order("ORD-2", 4)));
        var telemetry = orders.Services.GetRequiredService<MessagingTelemetry>();
        // It sees the cut as a lost connection, or as a publish that nobody confirms in time (30 s); either way the rows stay.
        await Eventually.True(
            async () => !telemetry.RelayActive || await orders.Database.Scalar<long>("SELECT count(*) FROM messaging.outbox WHERE attempts > 0") > 0,
            TimeSpan.FromSeconds(90));
        Assert.Equal(7, await orders.Database.Count("messaging.outbox"));

        cable.Mend();
        await Eventually.True(async () => await notifications.Database.Count("effects") == 8, TimeSpan.FromSeconds(60));
        Assert.All((await notifications.Database.ReadEffects()).Values, effects => Assert.Equal([1L, 2, 3, 4], effects));
        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);
    }

    [Fact]
    public async Task Killed_between_confirm_and_delete_the_fact_arrives_again_and_takes_effect_once()
    {
        await using var notifications = Notifications();
        await notifications.Start();
        await using var orders = Orders();
        await orders.Tell(Make.Order("ORD-1", 2));

        await using (var victim = Victim.Start(Moment.BetweenConfirmAndDelete, "orders", OrdersDatabase.ConnectionString, Broker.ConnectionString))
            await Eventually.True(() => victim.HasExited, Victim.Bound);
        await Eventually.True(async () => await notifications.Database.Count("effects") == 1);
        Assert.Equal(2, await orders.Database.Count("messaging.outbox"));

        await orders.Start();
        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);
        await Eventually.True(async () => await notifications.Database.Count("effects") == 2);
        // The second copy of the first fact came before the second fact, in the same queue: it had its chance.
        Assert.Equal([1L, 2], (await notifications.Database.ReadEffects())["ORD-1"]);
    }

    [Fact]
    public async Task One_relay_is_active_and_a_standby_takes_over_when_it_is_killed()
    {
        await using var notifications = Notifications();
        await notifications.Start();
        await using var standby = Orders();
        await using (var victim = Victim.Start(Moment.WhenKilled, "orders", OrdersDatabase.ConnectionString, Broker.ConnectionString))
        {
            await Eventually.True(async () => await standby.Database.Scalar<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 1, Victim.Bound);
            await standby.Start();
            await standby.Tell(Make.Order("ORD-1", 3));
            await Eventually.True(async () => await notifications.Database.Count("effects") == 3);
            var telemetry = standby.Services.GetRequiredService<MessagingTelemetry>();
            Assert.False(telemetry.RelayActive);

            victim.Kill();
            await standby.Tell(Make.Order("ORD-1", 6).Skip(3));
            await Eventually.True(async () => await notifications.Database.Count("effects") == 6);
            Assert.True(telemetry.RelayActive);
        }

        Assert.Equal([1L, 2, 3, 4, 5, 6], (await notifications.Database.ReadEffects())["ORD-1"]);
    }

    [Fact]
    public async Task A_relay_whose_connection_dies_stops_and_begins_again_with_the_lock()
    {
        await using var notifications = Notifications();
        await notifications.Start();
        await using var orders = Orders();
        await orders.Start();
        for (var round = 0; round < 5; round++)
        {
            await orders.Tell(Enumerable.Range(0, 50).SelectMany(k => Make.Order($"ORD-{round}-{k}", 2)));
            await using var outside = NpgsqlDataSource.Create(OrdersDatabase.ConnectionString);
            await outside.Execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");
        }

        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);
        await Eventually.True(async () => await notifications.Database.Count("effects") == 500);
        Assert.All((await notifications.Database.ReadEffects()).Values, effects => Assert.Equal([1L, 2], effects));
    }
}
