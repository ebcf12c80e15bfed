using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Messaging.Retaining;

/// <summary>Deletes what nobody can ask for any more, in bounded steps along the index on time, and counts what waits.</summary>
internal sealed partial class RetentionWorker(
    NpgsqlDataSource database, IOptions<MessagingOptions> options, TimeProvider time, ILogger<RetentionWorker> logger) : BackgroundService
{
    private const int Step = 1000;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var now = time.GetUtcNow();
                await Sweep("messaging.requests", "created_at", now - options.Value.KeepRequests, stoppingToken);
                await Sweep("messaging.inbox", "handled_at", now - options.Value.KeepInbox, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception, exception.Message);
            }

            await Task.Delay(Interval, time, stoppingToken);
        }
    }

    private async Task Sweep(string table, string column, DateTimeOffset before, CancellationToken cancellationToken)
    {
        int deleted;
        do
        {
            await using var command = database.CreateCommand(
                $"DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {column} < $1 ORDER BY {column} LIMIT {Step} FOR UPDATE SKIP LOCKED))");
            command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = before });
            deleted = await command.ExecuteNonQueryAsync(cancellationToken);
        }
        while (deleted == Step);
    }

    [LoggerMessage(41, LogLevel.Warning, "What aged out could not be deleted, and is later: {Error}")]
    private partial void LogFailed(Exception exception, string error);
}
