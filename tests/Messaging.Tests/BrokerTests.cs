using Commerce.Messaging.Broker;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client.Exceptions;

namespace Commerce.Messaging.Tests;

/// <summary>What the broker can do to a service that listens.</summary>
public sealed class BrokerTests : MessagingTest
{
    // MassTransit pauses for up to half a minute between its attempts to connect.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task A_fact_in_hand_when_the_connection_breaks_comes_again_and_leaves_nobody_deaf()
    {
        await using var cable = new Cable(Broker.ConnectionString);
        var inHand = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // It stays in hand until its delivery is over; the next time it is let through.
        Interference.Before = (_, context) => inHand.TrySetResult() ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken) : Task.CompletedTask;
        await using var orders = Orders();
        await using var notifications = Notifications(broker: cable.Address);
        await orders.Start();
        await notifications.Start();
        await orders.Tell(Make.Placed("ORD-1"));
        await inHand.Task.WaitAsync(Bound, TimeProvider.System);

        cable.Cut();
        cable.Mend();
        await orders.Tell(Make.Order("ORD-1", 3).Skip(1));

        await Eventually.True(async () => await notifications.Database.Count("effects") == 3, Bound);
        Assert.Equal([1L, 2, 3], (await notifications.Database.ReadEffects())["ORD-1"]);
        Assert.Equal(0, await notifications.Database.Count("messaging.failed_facts"));
        Assert.Equal(0, await notifications.Services.GetRequiredService<Redrive>().CountErrors(Queue));
    }

    [Fact]
    public async Task A_fact_that_waits_in_place_when_the_service_stops_is_still_in_its_queue()
    {
        await using var wire = new Wire(Broker.ConnectionString);
        var waits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interference.Before = (_, _) =>
        {
            waits.TrySetResult();
            throw new TimeoutException("a server is away");
        };
        await using var orders = Orders();
        await using var notifications = Notifications();
        await orders.Start();
        await notifications.Start();
        await orders.Tell(Make.Placed("ORD-1"));
        await waits.Task.WaitAsync(Bound, TimeProvider.System);

        await notifications.Stop();

        await Eventually.True(async () => await wire.Count(Queue) == 1);
        Assert.Equal(0u, await wire.Count(Topology.ErrorQueue(Queue)));
    }

    [Fact]
    public async Task A_service_that_starts_while_the_broker_is_away_hears_when_it_comes()
    {
        await using var cable = new Cable(Broker.ConnectionString);
        cable.Cut();
        await using var orders = Orders();
        await using var notifications = Notifications(broker: cable.Address);
        await orders.Start();
        await notifications.Start();
        await orders.Tell(Make.Order("ORD-1", 3));
        await Eventually.True(async () => await orders.Database.Count("messaging.outbox") == 0);

        cable.Mend();

        await Eventually.True(async () => await notifications.Database.Count("effects") == 3, Bound);
    }

    [Fact]
    public async Task A_consumer_that_the_broker_cancels_comes_back()
    {
        await using var wire = new Wire(Broker.ConnectionString);
        await using var orders = Orders();
        await using var notifications = Notifications();
        await orders.Start();
        await notifications.Start();
        await orders.Tell(Make.Placed("ORD-1"));
        await Eventually.True(async () => await notifications.Database.Count("effects") == 1);

        // What the broker does to consumers of a queue that it loses, whyever.
        var channel = await wire.Channel();
        await channel.QueueDeleteAsync(Queue, ifUnused: false, ifEmpty: false);
        await Eventually.True(async () => await HasConsumer(wire), Bound);
        await orders.Tell(Make.Progressed("ORD-1", 2));

        await Eventually.True(async () => await notifications.Database.Count("effects") == 2, Bound);
    }

    [Fact]
    public async Task A_service_that_stays_deaf_although_the_broker_answers_ends_to_be_started_anew()
    {
        // A queue with other arguments: no declaration of it succeeds, as little as a consumer that hangs would come back.
        await using var wire = new Wire(Broker.ConnectionString);
        await (await wire.Channel()).QueueDeclareAsync(Queue, durable: true, exclusive: false, autoDelete: false);
        await using var notifications = Notifications(options: o => o.DeafAfter = TimeSpan.FromSeconds(2));
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registered = notifications.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);
        try
        {
            await notifications.Start();

            await stopping.Task.WaitAsync(Bound, TimeProvider.System);
            Assert.NotEqual(0, Environment.ExitCode);
        }
        finally
        {
            Environment.ExitCode = 0;
        }
    }

    [Fact]
    public async Task A_broker_that_is_away_ends_nobody()
    {
        await using var cable = new Cable(Broker.ConnectionString);
        cable.Cut();
        await using var notifications = Notifications(broker: cable.Address, options: o => o.DeafAfter = TimeSpan.FromMilliseconds(400));
        await notifications.Start();
        var stopping = notifications.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

        // It looks four times in the bound, and asks the broker each time.
        await Eventually.True(() => cable.Refused >= 40, Bound);
        Assert.False(stopping.IsCancellationRequested);
    }

    private static async Task<bool> HasConsumer(Wire wire)
    {
        try
        {
            return await (await wire.Channel()).ConsumerCountAsync(Queue) > 0;
        }
        catch (OperationInterruptedException)
        {
            return false;
        }
    }
}
