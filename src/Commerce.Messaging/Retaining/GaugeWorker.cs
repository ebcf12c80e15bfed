using Commerce.Messaging.Broker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Commerce.Messaging.Retaining;

/// <summary>
/// Looks every few seconds at what waits, for the gauges: also while broker or relay are away, when it matters. Counts stop
/// at a bound, so that a long queue does not make looking at it expensive.
/// </summary>
internal sealed partial class GaugeWorker(
    NpgsqlDataSource database, ErrorQueues errors, Registration registration, MessagingTelemetry telemetry, TimeProvider time, ILogger<GaugeWorker> logger) : BackgroundService
{
    private const string Query =
        """
        SELECT count(*), min(enqueued_at) FROM (SELECT enqueued_at FROM messaging.outbox ORDER BY id LIMIT 100000) o;
        SELECT count(*), min(parked_at) FROM (SELECT parked_at FROM messaging.parked_facts ORDER BY parked_at LIMIT 100000) p;
        SELECT count(*), min(failed_at) FROM (SELECT failed_at FROM messaging.failed_facts LIMIT 100000) f;
        SELECT count(*), min(due_at) FROM (SELECT due_at FROM messaging.recovery_points WHERE due_at <= now() ORDER BY due_at LIMIT 100000) r
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await CountRows(stoppingToken);
                foreach (var consumer in registration.Consumers)
                    telemetry.ErrorQueue(consumer.Subscription.Queue, await errors.Count(consumer.Subscription.Queue, stoppingToken));
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception.Message);
            }

            await Task.Delay(Interval, time, stoppingToken);
        }
    }

    private async Task CountRows(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Query);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        (telemetry.OutboxLag, telemetry.OutboxAge) = await Read(reader, cancellationToken);
        (telemetry.Parked, telemetry.ParkedAge) = await Read(reader, cancellationToken);
        (telemetry.Failed, _) = await Read(reader, cancellationToken);
        (telemetry.RecoveryDue, telemetry.RecoveryAge) = await Read(reader, cancellationToken);
    }

    private async Task<(long Count, double Age)> Read(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken);
        var count = reader.GetInt64(0);
        var age = reader.IsDBNull(1) ? 0 : Math.Max(0, (time.GetUtcNow() - reader.GetFieldValue<DateTimeOffset>(1)).TotalSeconds);
        await reader.NextResultAsync(cancellationToken);
        return (count, age);
    }

    [LoggerMessage(42, LogLevel.Debug, "What waits could not be counted: {Error}")]
    private partial void LogFailed(string error);
}
