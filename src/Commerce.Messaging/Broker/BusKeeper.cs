using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RabbitMQ.Client.Exceptions;

namespace Commerce.Messaging.Broker;

/// <summary>
/// Starts the bus beside the service, and ends the process if it stays deaf. The bus comes when the broker does, and comes
/// back by itself after the broker was away, for as long as that takes: so its start is never given up (MassTransit's own
/// hosted service does after a minute). But it cannot be started a second time in one process: after a start that failed,
/// MassTransit takes its faulted endpoints for running and leaves them out, and one that hangs keeps the stop from ending.
/// What cannot be repaired is made anew, as after any crash: whoever runs the service starts it again.
/// </summary>
internal sealed partial class BusKeeper(
    IBusControl bus, BrokerConnection broker, Registration registration, IOptions<MessagingOptions> options, IHostApplicationLifetime lifetime,
    TimeProvider time, ILogger<BusKeeper> logger) : BackgroundService
{
    // EX_UNAVAILABLE of sysexits.h.
    private const int ExitCode = 69;
    private const int NotFound = 404;

    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerBound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopBound = TimeSpan.FromSeconds(45);

    private Task<BusHandle>? _started;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_started is { IsCompletedSuccessfully: true })
        {
            // One that hangs must not keep the process.
            await bus.StopAsync(cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _started = Task.Run(() => bus.StartAsync(stoppingToken), CancellationToken.None);
        _ = _started.ContinueWith(
            start => LogNotStarted(start.Exception!.GetBaseException().Message), stoppingToken, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

        var look = options.Value.DeafAfter / 4 < LongestLook ? options.Value.DeafAfter / 4 : LongestLook;
        long? deafSince = null;
        while (true)
        {
            await Task.Delay(look, time, stoppingToken);
            if (await WhyDeaf(stoppingToken) is not { } why)
            {
                deafSince = null;
                continue;
            }

            deafSince ??= time.GetTimestamp();
            if (time.GetElapsedTime(deafSince.Value) < options.Value.DeafAfter)
                continue;
            End(why);
            return;
        }
    }

    /// <summary>Null: it hears, or the broker is not in order itself, in which case the bus can do no better than to wait.</summary>
    private async Task<string?> WhyDeaf(CancellationToken cancellationToken)
    {
        var health = bus.CheckHealth();
        try
        {
            using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            bound.CancelAfter(AnswerBound);
            var unheard = await Unheard(bound.Token).WaitAsync(AnswerBound, time, cancellationToken);
            if (unheard is not null)
                return unheard;
            return health.Status == BusHealthStatus.Healthy ? null : health.Description;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>
    /// What the bus says of itself is not enough: an endpoint can hang and still call itself ready. The broker knows whether
    /// a queue has a consumer. (Other replicas count too; where one of them hears, nothing waits.)
    /// </summary>
    private Task<string?> Unheard(CancellationToken cancellationToken) => broker.OnChannel(
        async channel =>
        {
            var queues = registration.Consumers.Select(c => c.Subscription.Queue).Concat(registration.Observers.Select(o => o.Subscription.Queue));
            foreach (var queue in queues)
            {
                try
                {
                    if (await channel.ConsumerCountAsync(queue, cancellationToken) == 0)
                        return $"{queue} has no consumer";
                }
                catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == NotFound)
                {
                    return $"{queue} does not exist";
                }
            }

            return (string?)null;
        },
        cancellationToken);

    private void End(string why)
    {
        LogDeaf(registration.Service, options.Value.DeafAfter, why);
        Environment.ExitCode = ExitCode;
        lifetime.StopApplication();
        // An orderly stop may hang in what made us deaf.
        _ = Task.Delay(StopBound, time, lifetime.ApplicationStopped).ContinueWith(
            _ => Environment.Exit(ExitCode), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }

    [LoggerMessage(40, LogLevel.Warning, "The bus did not start: {Error}")]
    private partial void LogNotStarted(string error);

    [LoggerMessage(41, LogLevel.Critical, "{Service} has heard nothing for {DeafAfter} although the broker answers, and ends, to be started anew: {Why}")]
    private partial void LogDeaf(string service, TimeSpan deafAfter, string why);
}
