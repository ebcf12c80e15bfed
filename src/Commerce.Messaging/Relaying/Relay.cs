using Commerce.Messaging.Broker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Messaging.Relaying;

/// <summary>
/// Takes facts from the outbox to the broker. One relay a service is active, by a lock that its connection holds as long as
/// it lives; the other replicas ask for it again and again.
/// </summary>
internal sealed partial class Relay(
    NpgsqlDataSource database, BrokerConnection broker, OutboxSignal signal, Registration registration,
    MessagingTelemetry telemetry, IOptions<MessagingOptions> options, TimeProvider time, ILogger<Relay> logger) : BackgroundService
{
    // "cmmrelay" in ASCII: one lock a database, and each service has its own.
    internal const long LockKey = 0x636D6D72656C6179;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stoppingToken);
                await Acquire(connection, stoppingToken);
                try
                {
                    await Declare(stoppingToken);
                    await using var publisher = await Publisher.Open(broker, time, stoppingToken);
                    telemetry.RelayActive = true;
                    LogActive(registration.Service);
                    using var session = new RelaySession(connection, publisher, Declare, signal, telemetry, options.Value, time, logger);
                    failures = 0;
                    await session.Run(stoppingToken);
                }
                finally
                {
                    telemetry.RelayActive = false;
                    await Release(connection);
                }
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            // Whatever it was, the rows are still there; the relay never gives up.
            catch (Exception exception)
            {
                LogInterrupted(exception, registration.Service, exception.Message);
                await Task.Delay(BackOff.After(++failures, FirstPause, LongestPause), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Polls: a session that waits for a lock inside Postgres would hold back CREATE INDEX CONCURRENTLY in migrations.</summary>
    private async Task Acquire(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection)
        {
            Parameters = { new NpgsqlParameter<long> { TypedValue = LockKey } },
        };
        while (!(bool)(await command.ExecuteScalarAsync(cancellationToken))!)
            await Task.Delay(options.Value.StandbyPoll, time, cancellationToken);
    }

    private static async Task Release(NpgsqlConnection connection)
    {
        if (connection.FullState != System.Data.ConnectionState.Open)
            return;
        try
        {
            await using var command = new NpgsqlCommand("SELECT pg_advisory_unlock($1)", connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = LockKey } } };
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (NpgsqlException)
        {
            // The connection is gone, and the lock with it.
        }
    }

    private Task Declare(CancellationToken cancellationToken) =>
        broker.OnChannel(async channel =>
        {
            foreach (var subscription in registration.Subscribers)
                await Topology.Declare(channel, subscription, cancellationToken);
        }, cancellationToken);

    [LoggerMessage(2, LogLevel.Information, "{Service}: the relay is active")]
    private partial void LogActive(string service);

    [LoggerMessage(3, LogLevel.Warning, "{Service}: the relay was interrupted and begins again: {Error}")]
    private partial void LogInterrupted(Exception exception, string service, string error);
}
