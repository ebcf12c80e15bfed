using System.Diagnostics;
using Commerce.Facts;
using Commerce.Messaging.Broker;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Messaging.Consuming;

/// <summary>
/// Stands between the broker and the inbox. A fact is acknowledged when it was handled or is kept elsewhere, safely:
/// parked, set aside in Postgres after failures, or in the error queue. Servers that are away are waited for in place,
/// without a limit: they say nothing about the fact. (Where that takes longer than the broker's consumer timeout, half an
/// hour, it takes the fact back and delivers it again, which the inbox does not mind.)
/// The wait ends with the delivery itself. A delivery whose connection broke can never be acknowledged, the broker makes it
/// anew, and the endpoint does not consume again before every old one has returned: one that waited on would leave it deaf.
/// </summary>
internal sealed partial class FactReceiver(
    IServiceProvider services, ErrorQueues errors, ErasedFacts erasedFacts, IOptions<MessagingOptions> options, IHostApplicationLifetime lifetime,
    TimeProvider time, ILogger<FactReceiver> logger)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>Handles a fact with the inbox.</summary>
    public async Task Receive(ConsumerBinding binding, Inbox inbox, NpgsqlDataSource database, IFact fact, ConsumeContext message)
    {
        var received = new ReceivedFact(
            message.MessageId ?? throw new InvalidOperationException("The message has no id, so a redelivery could not be told."), fact, Activity.Current?.Id);
        var failure = await Try(binding.Name, received.Type.Name, () => inbox.Handle(binding, received, message.CancellationToken), message.CancellationToken);
        if (failure is not null)
            await InPlace(binding.Name, received.Type.Name, () => SetAside(binding, received, failure, database, message.CancellationToken), message.CancellationToken);
    }

    /// <summary>Shows a fact to an observer, which has no database to set it aside in: after the quick retries it goes to the error queue.</summary>
    public async Task Observe(ObserverBinding binding, IFact fact, ConsumeContext message)
    {
        var observer = (IObserveFacts)services.GetService(binding.Observer)!;
        var failure = await Try(binding.Subscription.Queue, fact.GetType().Name, Show, message.CancellationToken);
        if (failure is not null)
            await MoveToErrorQueue(binding.Subscription.Queue, message.ReceiveContext, new ErrorCause("gave-up", failure, options.Value.QuickRetries + 1));

        async Task Show()
        {
            await observer.Observe(fact, message.CancellationToken);
            if (fact is OrderErased erased)
                await erasedFacts.InErrorQueue(binding.Subscription.Queue, erased.OrderId, message.CancellationToken);
        }
    }

    /// <summary>Moves a message that never became a fact, with its headers and body as they came.</summary>
    public Task MoveToErrorQueue(string queue, ReceiveContext message, ErrorCause cause)
    {
        LogErrorQueue(queue, cause.Reason, cause.Exception is { } exception ? ErrorQueues.Describe(exception) : "");
        // MassTransit tells of the delivery as if by headers. Kept, they would come twice when the message comes back from the
        // error queue and has to go there again.
        var headers = message.TransportHeaders.GetAll()
            .Where(h => h.Value is string or int or long or bool && !h.Key.StartsWith("RabbitMQ-", StringComparison.Ordinal))
            .DistinctBy(h => h.Key)
            .ToDictionary(h => h.Key, h => (object?)h.Value);
        return InPlace(
            queue,
            cause.Reason,
            () => errors.Move(
                queue, message.TransportHeaders.Get<string>(MessageHeaders.TransportMessageId) ?? message.TransportHeaders.Get<string>(MessageHeaders.MessageId),
                message.ContentType?.ToString(), headers, message.Body.GetBytes(), cause, message.CancellationToken),
            message.CancellationToken);
    }

    private async Task SetAside(ConsumerBinding binding, ReceivedFact fact, Exception failure, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(InboxSql.SetAside(binding.Name, fact, 0, now + options.Value.LongRetryFirst, ErrorQueues.Describe(failure), now));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        LogSetAside(failure, binding.Name, fact.Type.Name, failure.Message);
    }

    /// <summary>Null: it worked; otherwise the exception of the last of a few quick attempts.</summary>
    private async Task<Exception?> Try(string consumer, string fact, Func<Task> work, CancellationToken delivery)
    {
        for (var attempt = 1; ; attempt++)
        {
            Exception? failure = null;
            await InPlace(
                consumer,
                fact,
                async () =>
                {
                    try
                    {
                        await work();
                    }
                    catch (Exception exception) when (!TransientErrors.Are(exception) && !IsOver(delivery))
                    {
                        failure = exception;
                    }
                },
                delivery);
            if (failure is null || attempt > options.Value.QuickRetries)
                return failure;
            await Pause(attempt, delivery);
        }
    }

    /// <summary>Until it works, or the delivery is over; then the broker has the message back.</summary>
    private async Task InPlace(string consumer, string fact, Func<Task> work, CancellationToken delivery)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await work();
                return;
            }
            catch (Exception) when (IsOver(delivery))
            {
                throw new OperationCanceledException(delivery.IsCancellationRequested ? delivery : lifetime.ApplicationStopping);
            }
            catch (Exception exception)
            {
                if (attempt is 1 || attempt % 10 == 0)
                    LogWaiting(consumer, fact, attempt, exception.Message);
                await Pause(attempt, delivery);
            }
        }
    }

    /// <summary>The connection over which it would be acknowledged is gone, or the process ends.</summary>
    private bool IsOver(CancellationToken delivery) => delivery.IsCancellationRequested || lifetime.ApplicationStopping.IsCancellationRequested;

    private async Task Pause(int attempt, CancellationToken delivery)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(delivery, lifetime.ApplicationStopping);
        await Task.Delay(BackOff.After(attempt, FirstWait, LongestWait), time, over.Token);
    }

    [LoggerMessage(11, LogLevel.Warning, "{Consumer}: {Fact} waits in place, attempt {Attempt}: {Error}")]
    private partial void LogWaiting(string consumer, string fact, int attempt, string error);

    [LoggerMessage(12, LogLevel.Warning, "{Consumer}: {Fact} failed and was set aside, to be tried again later: {Error}")]
    private partial void LogSetAside(Exception exception, string consumer, string fact, string error);

    [LoggerMessage(13, LogLevel.Error, "{Queue}: a message goes to the error queue ({Reason}): {Error}")]
    private partial void LogErrorQueue(string queue, string reason, string error);
}
