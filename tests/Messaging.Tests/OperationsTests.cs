using System.Text;
using Commerce.Facts;
using Commerce.Messaging.Broker;
using Commerce.Operations.V1;
using Commerce.Testing;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Messaging.Tests;

/// <summary>What those who run the suite see of the queues, and how they bring back what failed.</summary>
public sealed class OperationsTests : MessagingTest
{
    private const string Name = "queues/" + Queue;

    [Fact]
    public async Task A_poisonous_fact_is_listed_without_its_words_and_after_a_redrive_has_its_effect_once()
    {
        Interference.Before = (fact, _) => fact.Version == 2 ? throw new InvalidOperationException("ada@example.com cannot be told") : Task.CompletedTask;
        await using var orders = Orders();
        await using var notifications = await Operated(o => o.LongRetries = 2);
        await orders.Start();
        await orders.Tell(Make.Order("ORD-1", 3));

        var queue = await Eventually.Value(notifications.Queue, queue => queue is { ErrorMessages: 1, ParkedFacts: 1 });
        Assert.Equal((Name, 0L, 0L), (queue.Name, queue.WaitingMessages, queue.SetAsideFacts));
        Assert.Equal((QueueError.Types.Reason.GaveUp, "InvalidOperationException", "OrderProgressed"), (queue.LastError.Reason, queue.LastError.Error, queue.LastError.Fact));
        Assert.True(Guid.TryParse(queue.LastError.MessageId, out _));
        Assert.True(queue.LastError.Attempts > 2);
        Assert.InRange(queue.LastError.FailTime.ToDateTimeOffset(), queue.OldestTime.ToDateTimeOffset(), TimeProvider.System.GetUtcNow());
        Assert.DoesNotContain("ada", queue.ToString(), StringComparison.OrdinalIgnoreCase);

        Interference.Before = (_, _) => Task.CompletedTask;
        var redriven = await notifications.Messaging.RedriveQueueAsync(new RedriveQueueRequest { Name = Name });
        Assert.Equal((Name, 1, 0), (redriven.Name, redriven.ReturnedMessages, redriven.DueFacts));
        await Eventually.True(async () => await notifications.Database.Count("effects") == 3);
        var repeated = await notifications.Messaging.RedriveQueueAsync(new RedriveQueueRequest { Name = Name });
        Assert.Equal(0, repeated.ReturnedMessages);
        Assert.Equal([1L, 2, 3], (await notifications.Database.ReadEffects())["ORD-1"]);
        Assert.Equal(new Queue { Name = Name }, await Eventually.Value(notifications.Queue, queue => queue.ErrorMessages == 0));
    }

    [Fact]
    public async Task A_fact_that_waits_for_a_late_attempt_is_listed_and_made_due()
    {
        Interference.Before = (_, _) => throw new InvalidOperationException("not yet");
        await using var orders = Orders();
        await using var notifications = await Operated(o => o.LongRetryFirst = TimeSpan.FromHours(1));
        await orders.Start();
        await orders.Tell(Make.Placed("ORD-1"));

        var queue = await Eventually.Value(notifications.Queue, queue => queue.SetAsideFacts == 1);
        Assert.Equal((0L, QueueError.Types.Reason.SetAside, "OrderPlaced"), (queue.ErrorMessages, queue.LastError.Reason, queue.LastError.Fact));
        Assert.Equal(queue.OldestTime, queue.LastError.FailTime);

        Interference.Before = (_, _) => Task.CompletedTask;
        var redriven = await notifications.Messaging.RedriveQueueAsync(new RedriveQueueRequest { Name = Name });
        Assert.Equal((0, 1), (redriven.ReturnedMessages, redriven.DueFacts));
        await Eventually.True(async () => await notifications.Database.Count("effects") == 1);
    }

    [Fact]
    public async Task Looking_leaves_the_error_queue_as_it_is()
    {
        await using var wire = new Wire(Broker.ConnectionString);
        await using var notifications = await Operated();
        await notifications.Queue();
        for (var message = 0; message < 3; message++)
            await wire.Send(Queue, Encoding.UTF8.GetBytes($"not JSON {message}"));
        await Eventually.Value(notifications.Queue, queue => queue.ErrorMessages == 3);

        // More often than RabbitMQ 4 would suffer without a delivery limit of the queue's own.
        for (var look = 0; look < 30; look++)
            Assert.Equal((3L, QueueError.Types.Reason.Undecodable, ""), await notifications.Queue() is var queue ? (queue.ErrorMessages, queue.LastError.Reason, queue.LastError.Fact) : default);
        var channel = await wire.Channel();
        var left = new List<string>();
        while (await channel.BasicGetAsync(Topology.ErrorQueue(Queue), autoAck: true) is { } message)
            left.Add(Encoding.UTF8.GetString(message.Body.Span));
        // Their order is the broker's own affair: it takes back at the head or the tail.
        Assert.Equal(["not JSON 0", "not JSON 1", "not JSON 2"], left.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_still_cannot_be_read_after_a_redrive_goes_to_the_error_queue_again_and_at_once()
    {
        await using var wire = new Wire(Broker.ConnectionString);
        await using var notifications = await Operated();
        await notifications.Queue();
        await wire.Send(Queue, "not JSON"u8.ToArray());
        var first = await Eventually.Value(notifications.Queue, queue => queue.ErrorMessages == 1);

        await notifications.Messaging.RedriveQueueAsync(new RedriveQueueRequest { Name = Name });

        var second = await Eventually.Value(notifications.Queue, queue => queue.ErrorMessages == 1 && queue.LastError.FailTime > first.LastError.FailTime);
        Assert.Equal(QueueError.Types.Reason.Undecodable, second.LastError.Reason);
    }

    [Fact]
    public async Task A_service_without_a_database_tells_of_its_queues_too()
    {
        await using var gateway = await OperatedService.Start("gateway", null, Broker.ConnectionString, m => m.Observe<Nobody>("orders").Observe<Nobody>("shipments"));

        var first = await gateway.Messaging.ListQueuesAsync(new ListQueuesRequest { PageSize = 1 });
        var second = await gateway.Messaging.ListQueuesAsync(new ListQueuesRequest { PageSize = 1, PageToken = first.NextPageToken });

        Assert.Equal([new Queue { Name = "queues/gateway.orders" }, new Queue { Name = "queues/gateway.shipments" }], first.Queues.Concat(second.Queues));
        Assert.Empty(second.NextPageToken);
        var redriven = await gateway.Messaging.RedriveQueueAsync(new RedriveQueueRequest { Name = "queues/gateway.orders" });
        Assert.Equal((0, 0), (redriven.ReturnedMessages, redriven.DueFacts));
    }

    [Theory]
    [InlineData("shop/acme", StatusCode.PermissionDenied)]
    [InlineData("shopper/ada", StatusCode.PermissionDenied)]
    [InlineData("service/orders", StatusCode.PermissionDenied)]
    [InlineData("staff/anna", StatusCode.OK)]
    public async Task Only_staff_may(string principal, StatusCode expected)
    {
        await using var notifications = await Operated();
        Assert.Equal(expected, await StatusOf(() => notifications.Messaging.ListQueuesAsync(new ListQueuesRequest(), TestAccess.As("notifications", principal)).ResponseAsync));
        Assert.Equal(expected, await StatusOf(() => notifications.Messaging.RedriveQueueAsync(new RedriveQueueRequest { Name = Name }, TestAccess.As("notifications", principal)).ResponseAsync));
    }

    [Theory]
    [InlineData("queues/payments.orders", StatusCode.NotFound)]
    [InlineData("notifications.orders", StatusCode.InvalidArgument)]
    [InlineData("queues/", StatusCode.InvalidArgument)]
    [InlineData("", StatusCode.InvalidArgument)]
    public async Task Only_a_queue_of_this_service_is_redriven(string name, StatusCode expected)
    {
        await using var notifications = await Operated();
        Assert.Equal(expected, await StatusOf(() => notifications.Messaging.RedriveQueueAsync(new RedriveQueueRequest { Name = name }).ResponseAsync));
    }

    [Fact]
    public async Task Without_the_broker_it_says_so()
    {
        await using var cable = new Cable(Broker.ConnectionString);
        await using var notifications = await OperatedService.Start(
            "notifications", NotificationsDatabase.ConnectionString, cable.Address, m => m.Consume<OrderEffects>("orders", Delivery.InOrder), services: s => s.AddSingleton(Interference));
        await notifications.Queue();
        cable.Cut();
        await Eventually.True(async () => await StatusOf(() => notifications.Messaging.ListQueuesAsync(new ListQueuesRequest()).ResponseAsync) == StatusCode.Unavailable);
    }

    private Task<OperatedService> Operated(Action<MessagingOptions>? options = null) => OperatedService.Start(
        "notifications", NotificationsDatabase.ConnectionString, Broker.ConnectionString, m => m.Consume<OrderEffects>("orders", Delivery.InOrder), options, s => s.AddSingleton(Interference));

    private static async Task<StatusCode> StatusOf(Func<Task> call)
    {
        try
        {
            await call();
            return StatusCode.OK;
        }
        catch (RpcException exception)
        {
            return exception.StatusCode;
        }
    }

    private sealed class Nobody : IObserveFacts
    {
        public Task Observe(IFact fact, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
