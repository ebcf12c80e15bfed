using Npgsql;

namespace Commerce.Shipments.ReferenceData;

/// <summary>Looks again and again for what other replicas stored.</summary>
internal sealed partial class ReferenceRefresher(ReferenceBook book, TimeProvider time, ILogger<ReferenceRefresher> logger) : BackgroundService
{
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        var failing = false;
        do
        {
            try
            {
                await book.Refresh(stoppingToken);
                failing = false;
            }
            catch (NpgsqlException exception)
            {
                // What is known goes on to count.
                if (!failing)
                    LogFailed(exception.GetType().Name);
                failing = true;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(LogLevel.Warning, "Lists and rate cards could not be looked at: {Error}. Looked at again by itself.")]
    private partial void LogFailed(string error);
}
