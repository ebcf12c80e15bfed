using System.Collections.Concurrent;
using System.Diagnostics;
using Commerce.Facts;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Messaging.Tests;

public sealed class EndToEndTests : MessagingTest
{
    [Fact]
    public async Task A_fact_goes_from_the_outbox_over_the_broker_into_the_effect_and_leaves_the_outbox()
    {
        await using var orders = Orders();
        await using var notifications = Notifications();
        await orders.Start();
        await notifications.Start();

        await orders.Tell(Make.Order("ORD-1", 5).Concat(Make.Order("ORD-2", 3)));

        await Eventually.True(async () => await notifications.Database.Count("effects") == 8);
        var effects = await notifications.Database.ReadEffects();
        Assert.Equal([1, 2, 3, 4, 5], effects["ORD-1"]);
        Assert.Equal([1, 2, 3], effects["ORD-2"]);
        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);
        Assert.Equal(8, await notifications.Database.Count("messaging.inbox"));
        Assert.Equal(0, await notifications.Database.Count("messaging.parked_facts"));
    }

    [Fact]
    public async Task What_is_told_before_its_subscriber_has_ever_run_waits_for_it()
    {
        await using var orders = Orders();
        await orders.Start();
        await orders.Tell(Make.Order("ORD-1", 3));
        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);

        await using var notifications = Notifications();
        await notifications.Start();
        await Eventually.True(async () => await notifications.Database.Count("effects") == 3);
    }

    [Fact]
    public async Task One_trace_runs_from_the_teller_through_outbox_and_broker_to_the_consumer()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "MassTransit" or "Commerce.Messaging" or "test",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource("test");
        await using var orders = Orders();
        await using var notifications = Notifications();
        await orders.Start();
        await notifications.Start();

        string trace;
        using (var activity = source.StartActivity("call"))
        {
            trace = activity!.TraceId.ToHexString();
            // Version 2 first: it is parked, and keeps its trace while it waits.
            await orders.Tell(Make.Progressed("ORD-1", 2));
        }

        await Eventually.True(async () => await notifications.Database.Count("messaging.parked_facts") == 1);
        await orders.Tell(Make.Placed("ORD-1"));

        await Eventually.True(async () => await notifications.Database.Count("effects") == 2);
        Assert.Contains(trace, await notifications.Database.Scalar<string>("SELECT traceparent FROM effects WHERE version = 2"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_observer_needs_no_database()
    {
        await using var orders = Orders();
        await using var gateway = TestService.Build("gateway", null, Broker.ConnectionString, m => m.Observe<Observer>("orders"));
        await orders.Start();
        await gateway.Start();

        await orders.Tell(Make.Order("ORD-1", 3));

        var observer = gateway.Services.GetRequiredService<Observer>();
        await Eventually.True(() => observer.Seen.Count == 3);
        Assert.Equal(Make.Placed("ORD-1").Total, observer.Seen.OfType<OrderPlaced>().Single().Total);
    }

    [Fact]
    public void A_consumer_that_misses_a_fact_of_its_subscription_is_refused_with_the_facts_name()
    {
        var refused = Assert.Throws<InvalidOperationException>(() => TestService.Build(
            "notifications", NotificationsDatabase.ConnectionString, Broker.ConnectionString, m => m.Consume<OrderEffects>("shipments", Delivery.InOrder)));
        Assert.Contains("IConsumeFact<> for: ShipmentCreated, LabelBought", refused.Message, StringComparison.Ordinal);
        refused = Assert.Throws<InvalidOperationException>(() => TestService.Build(
            "notifications", NotificationsDatabase.ConnectionString, Broker.ConnectionString, m => m.Consume<OrderEffects>("gateway", Delivery.InOrder)));
        Assert.Contains("notifications listens to gateway", refused.Message, StringComparison.Ordinal);
    }

    private sealed class Observer : IObserveFacts
    {
        public ConcurrentQueue<IFact> Seen { get; } = [];

        public Task Observe(IFact fact, CancellationToken cancellationToken)
        {
            Seen.Enqueue(fact);
            return Task.CompletedTask;
        }
    }
}
