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
/// here: a consumer that wants order finds it by the versions. Whatever happens to a row, it is not due again at once, so none
/// holds up those behind it; that goes for one that this version cannot read, too.
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
        if (await Next(connection, transaction, cancellationToken) is not { } row)
            return false;

        var binding = registration.Consumers.First(c => c.Name == row.Consumer);
        using var activity = MessagingTelemetry.Source.StartActivity("inbox retry", ActivityKind.Consumer, row.TraceParent);
        await transaction.SaveAsync(Savepoint, cancellationToken);
        try
        {
            var fact = new ReceivedFact(row.MessageId, FactTypes.Get(row.Fact).Parse(row.Body), row.TraceParent);
            await inbox.Handle(binding, fact, connection, transaction, Remove(row), cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Where it is the database that failed, so does this, and the row stays as it is.
            await transaction.RollbackAsync(Savepoint, cancellationToken);
            await Failed(binding, row, exception, connection, transaction, cancellationToken);
        }

        return true;
    }

    private async Task Failed(
        ConsumerBinding binding, Row row, Exception exception, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        // What passes by itself says nothing about the fact.
        var attempts = TransientErrors.Are(exception) ? row.Attempts : row.Attempts + 1;
        var ending = attempts >= options.Value.LongRetries && await GiveUp(binding, row, attempts, exception, cancellationToken)
            ? Remove(row)
            : Postpone(row, attempts, exception);
        await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { ending, new NpgsqlBatchCommand("COMMIT") } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>False: the error queue did not take it, and it stays here.</summary>
    private async Task<bool> GiveUp(ConsumerBinding binding, Row row, int attempts, Exception exception, CancellationToken cancellationToken)
    {
        try
        {
            var cause = new ErrorCause("gave-up", exception, attempts + options.Value.QuickRetries + 1);
            await errors.Move(
                binding.Subscription.Queue, row.MessageId.ToString("D", CultureInfo.InvariantCulture), Envelope.ContentType,
                row.TraceParent is null ? null : new Dictionary<string, object?> { [Envelope.TraceHeader] = row.TraceParent },
                Envelope.Write(row.MessageId, FactTypes.UrnOf(row.Fact), row.Body, row.TraceParent, time.GetUtcNow()), cause, cancellationToken);
            LogGaveUp(exception, row.Consumer, row.Fact, attempts, exception.Message);
            return true;
        }
        catch (Exception refused) when (!cancellationToken.IsCancellationRequested)
        {
            LogInterrupted(refused, refused.Message);
            return false;
        }
    }

    private NpgsqlBatchCommand Postpone(Row row, int attempts, Exception exception) =>
        new("UPDATE messaging.failed_facts SET attempts = $3, next_at = $4, last_error = $5 WHERE consumer = $1 AND message_id = $2")
        {
            Parameters =
            {
                InboxSql.Text(row.Consumer), InboxSql.Id(row.MessageId), new NpgsqlParameter<int> { TypedValue = attempts },
                InboxSql.Time(time.GetUtcNow() + BackOff.After(attempts + 1, options.Value.LongRetryFirst, options.Value.LongRetryMaximum, factor: 4)),
                InboxSql.Text(ErrorQueues.Describe(exception)),
            },
        };

    private async Task<Row?> Next(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
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
        return new Row(
            reader.GetString(0), reader.GetGuid(1), reader.GetString(2), reader.GetString(3), reader.IsDBNull(4) ? null : reader.GetString(4), reader.GetInt32(5));
    }

    private static NpgsqlBatchCommand Remove(Row row) =>
        new("DELETE FROM messaging.failed_facts WHERE consumer = $1 AND message_id = $2") { Parameters = { InboxSql.Text(row.Consumer), InboxSql.Id(row.MessageId) } };

    private sealed record Row(string Consumer, Guid MessageId, string Fact, string Body, string? TraceParent, int Attempts);

    [LoggerMessage(21, LogLevel.Warning, "Facts set aside could not be tried again: {Error}")]
    private partial void LogInterrupted(Exception exception, string error);

    [LoggerMessage(22, LogLevel.Error, "{Consumer}: {Fact} failed {Attempts} times after it was set aside and goes to the error queue: {Error}")]
    private partial void LogGaveUp(Exception exception, string consumer, string fact, int attempts, string error);
}
