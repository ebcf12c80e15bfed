using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Messaging.Broker;

/// <summary>
/// Starts the bus, and goes on until it has started. MassTransit's own hosted service tries once: a broker that dies while a
/// service starts would leave that service deaf for the rest of its life. Once started, MassTransit reconnects by itself.
/// </summary>
internal sealed partial class BusStarter(IBusControl bus, TimeProvider time, ILogger<BusStarter> logger) : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private bool _started;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_started)
            await bus.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var failures = 0; !_started && !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                using var limit = new CancellationTokenSource(Patience, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stoppingToken);
                await bus.StartAsync(either.Token);
                _started = true;
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            // Whatever it was: without the bus the service hears nothing, so there is nothing better to do than to try again.
            catch (Exception exception)
            {
                LogNotStarted(exception.Message);
                await Task.Delay(BackOff.After(++failures, FirstPause, LongestPause), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(40, LogLevel.Warning, "The bus could not be started and is tried again: {Error}")]
    private partial void LogNotStarted(string error);
}
