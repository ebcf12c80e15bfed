using Npgsql;

namespace Commerce.Shipments;

/// <summary>
/// Works off what waits, some at a time. Nobody's call waits for it: while there is more, it rests three times as long as it worked, so that
/// those who bring scans keep the cores and the database.
/// </summary>
/// <param name="some">How many it takes at a time.</param>
/// <param name="pause">Between two looks when all is done.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where failures go.</param>
internal abstract partial class BacklogWorker(int some, TimeSpan pause, TimeProvider time, ILogger logger) : BackgroundService
{
    private const int RestsPerWork = 3;

    protected TimeProvider Time { get; } = time;

    /// <summary>Works some off; returns how many.</summary>
    public abstract Task<int> Sweep(CancellationToken cancellationToken);

    /// <summary>What is to be done when nothing waits.</summary>
    protected virtual Task WhenDone(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var rest = pause;
        while (true)
        {
            await Task.Delay(rest, Time, stoppingToken);
            rest = pause;
            try
            {
                var start = Time.GetTimestamp();
                if (await Sweep(stoppingToken) == some)
                    rest = Time.GetElapsedTime(start) * RestsPerWork;
                else
                    await WhenDone(stoppingToken);
            }
            catch (NpgsqlException exception)
            {
                // The next look does it as well.
                LogFailed(GetType().Name, exception.GetType().Name);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Worker} could not work: {Error}. Done by the next look.")]
    private partial void LogFailed(string worker, string error);
}
