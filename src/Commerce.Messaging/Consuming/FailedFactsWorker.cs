using System.Diagnostics;
using System.Globalization;
using Commerce.Messaging.Broker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Messaging.Consuming;

/// <summary>
/// Tries facts that were set aside again, each when it is due, and moves one that keeps failing to the error queue. The row
/// is locked while its fact is handled, so replicas do not meet over it. Facts of one key need no order among each other
/// here: a consumer that wants order finds it by the versions.
/// </summary>
internal sealed partial class FailedFactsWorker(
    NpgsqlDataSource database, Inbox inbox, ErrorQueues errors, Registration registration, IOptions<MessagingOptions> options,
    TimeProvider time, ILogger<FailedFactsWorker> logger) : BackgroundService
{
    private const string Savepoint = "attempt";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!await TryOne(stoppingToken))
                    await Task.Delay(options.Value.Sweep, time, stoppingToken);
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogInterrupted(exception, exception.Message);
                await Task.Delay(options.Value.Sweep, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>False: nothing is due.</summary>
    private async Task<bool> TryOne(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await Next(connection, transaction, cancellationToken) is not var (consumer, fact, attempts))
            return false;

        var binding = registration.Consumers.First(c => c.Name == consumer);
        using var activity = MessagingTelemetry.Source.StartActivity("inbox retry", ActivityKind.Consumer, fact.TraceParent);
        await transaction.SaveAsync(Savepoint, cancellationToken);
        try
        {
            await inbox.Handle(binding, fact, connection, transaction, Remove(consumer, fact.MessageId), cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && !TransientErrors.Are(exception))
        {
            await transaction.RollbackAsync(Savepoint, cancellationToken);
            await Failed(binding, fact, attempts + 1, exception, connection, transaction, cancellationToken);
        }

        return true;
    }

    private async Task Failed(
        ConsumerBinding binding, ReceivedFact fact, int attempts, Exception exception, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (attempts >= options.Value.LongRetries)
        {
            LogGaveUp(exception, binding.Name, fact.Type.Name, attempts, exception.Message);
            var cause = new ErrorCause("gave-up", exception, attempts + options.Value.QuickRetries + 1);
            await errors.Move(
                binding.Subscription.Queue, fact.MessageId.ToString("D", CultureInfo.InvariantCulture), Envelope.ContentType,
                fact.TraceParent is null ? null : new Dictionary<string, object?> { [Envelope.TraceHeader] = fact.TraceParent },
                Envelope.Write(fact.MessageId, fact.Type, fact.Body, fact.TraceParent, time.GetUtcNow()), cause, cancellationToken);
            batch.BatchCommands.Add(Remove(binding.Name, fact.MessageId));
        }
        else
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                "UPDATE messaging.failed_facts SET attempts = $3, next_at = $4, last_error = $5 WHERE consumer = $1 AND message_id = $2")
            {
                Parameters =
                {
                    InboxSql.Text(binding.Name), InboxSql.Id(fact.MessageId), new NpgsqlParameter<int> { TypedValue = attempts },
                    InboxSql.Time(time.GetUtcNow() + BackOff.After(attempts + 1, options.Value.LongRetryFirst, options.Value.LongRetryMaximum, factor: 4)),
                    InboxSql.Text(ErrorQueues.Describe(exception)),
                },
            });
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<(string Consumer, ReceivedFact Fact, int Attempts)?> Next(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT consumer, message_id, fact, body, traceparent, attempts FROM messaging.failed_facts
            WHERE next_at <= $1 AND consumer = ANY($2) ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED
            """,
            connection,
            transaction)
        {
            Parameters =
            {
                InboxSql.Time(time.GetUtcNow()),
                new NpgsqlParameter<string[]> { TypedValue = [.. registration.Consumers.Select(c => c.Name)] },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var fact = new ReceivedFact(reader.GetGuid(1), FactTypes.Get(reader.GetString(2)).Parse(reader.GetString(3)), reader.IsDBNull(4) ? null : reader.GetString(4));
        return (reader.GetString(0), fact, reader.GetInt32(5));
    }

    private static NpgsqlBatchCommand Remove(string consumer, Guid messageId) =>
        new("DELETE FROM messaging.failed_facts WHERE consumer = $1 AND message_id = $2") { Parameters = { InboxSql.Text(consumer), InboxSql.Id(messageId) } };

    [LoggerMessage(21, LogLevel.Warning, "Facts set aside could not be tried again: {Error}")]
    private partial void LogInterrupted(Exception exception, string error);

    [LoggerMessage(22, LogLevel.Error, "{Consumer}: {Fact} failed {Attempts} times after it was set aside and goes to the error queue: {Error}")]
    private partial void LogGaveUp(Exception exception, string consumer, string fact, int attempts, string error);
}
