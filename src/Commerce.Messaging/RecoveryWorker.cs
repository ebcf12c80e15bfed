using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Commerce.Messaging;

/// <summary>
/// Carries out recovery points: claims those that are due under a lease, runs their handlers, and closes each in one
/// transaction with its result. Any replica may claim; the attempt's number fences off one whose lease ran out meanwhile.
/// </summary>
internal sealed partial class RecoveryWorker(
    NpgsqlDataSource database,
    IServiceScopeFactory scopes,
    Outbox outbox,
    RecoveryPoints points,
    RecoverySignal signal,
    TimeProvider time,
    ILogger<RecoveryWorker> logger) : BackgroundService
{
    private const int Parallelism = 32;

    // Longer than any outside call may take, so that a point is taken over only from the dead.
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Sweep = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _slots = new(Parallelism);

    public override void Dispose()
    {
        _slots.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _slots.WaitAsync(stoppingToken);
                _slots.Release();
                var claimed = await Claim(_slots.CurrentCount, stoppingToken);
                foreach (var point in claimed)
                {
                    await _slots.WaitAsync(stoppingToken);
                    _ = RunAndRelease(point, stoppingToken);
                }

                if (claimed.Count == 0)
                    await WaitForWork(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            // The points are still there; whatever kept us from claiming them passes.
            catch (Exception exception)
            {
                LogClaimFailed(exception, exception.Message);
                await Task.Delay(Sweep, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<List<Claimed>> Claim(int most, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var command = database.CreateCommand(
            """
            UPDATE messaging.recovery_points SET leased_until = $2, attempts = attempts + 1
            WHERE (kind, key) IN (
              SELECT kind, key FROM messaging.recovery_points
              WHERE due_at <= $1 AND (leased_until IS NULL OR leased_until < $1)
              ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
            RETURNING kind, key, payload, due_at, attempts, traceparent
            """);
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = now });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = now + Lease });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Math.Max(1, most) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var claimed = new List<Claimed>();
        while (await reader.ReadAsync(cancellationToken))
        {
            claimed.Add(new Claimed(
                new RecoveryPoint(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<DateTimeOffset>(3)),
                reader.GetInt32(4),
                reader.IsDBNull(5) ? null : reader.GetString(5)));
        }

        return claimed;
    }

    private async Task RunAndRelease(Claimed claimed, CancellationToken cancellationToken)
    {
        try
        {
            await Run(claimed, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The lease runs out, and the point is due again.
        }
        catch (Exception exception)
        {
            LogCloseFailed(exception, claimed.Point.Kind, exception.Message);
        }
        finally
        {
            _slots.Release();
            signal.Set();
        }
    }

    private async Task Run(Claimed claimed, CancellationToken cancellationToken)
    {
        var (point, attempt) = (claimed.Point, claimed.Attempt);
        using var activity = MessagingTelemetry.Source.StartActivity("recover " + point.Kind, ActivityKind.Internal, claimed.TraceParent);
        RecoveryOutcome outcome;
        string result;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var handler = scope.ServiceProvider.GetServices<IRecover>().FirstOrDefault(one => one.Kind == point.Kind)
                ?? throw new InvalidOperationException($"No handler carries out recovery points of kind {point.Kind}.");
            using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limited.CancelAfter(Lease - TimeSpan.FromSeconds(5));
            outcome = await handler.Recover(point, attempt, limited.Token);
            result = outcome is RecoveryOutcome.Done ? "done" : "again";
            await Close(claimed, outcome, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            result = "failed";
            var at = time.GetUtcNow() + Backoff(attempt);
            LogAttemptFailed(exception, point.Kind, attempt, exception.Message);
            activity?.SetStatus(ActivityStatusCode.Error, exception.GetType().Name);
            await Close(claimed, new RecoveryOutcome.Again(at, exception.Message), cancellationToken);
        }

        MessagingTelemetry.RecoveryAttempts.Add(1, new KeyValuePair<string, object?>("kind", point.Kind), new KeyValuePair<string, object?>("outcome", result));
    }

    private async Task Close(Claimed claimed, RecoveryOutcome outcome, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var context = new RecoveryContext(connection, transaction, outbox, points, cancellationToken);
        var commit = outcome switch
        {
            RecoveryOutcome.Done done => done.Commit,
            RecoveryOutcome.Again again => again.Commit,
            _ => null,
        };
        if (commit is not null)
            await commit(context);

        // First in the batch: a point of the same kind and key that the handler intends anew is another one.
        await using var own = new NpgsqlCommand
        {
            Connection = connection,
            Transaction = transaction,
        };
        own.Parameters.Add(new NpgsqlParameter<string> { TypedValue = claimed.Point.Kind });
        own.Parameters.Add(new NpgsqlParameter<string> { TypedValue = claimed.Point.Key });
        own.Parameters.Add(new NpgsqlParameter<int> { TypedValue = claimed.Attempt });
        if (outcome is RecoveryOutcome.Again later)
        {
            own.CommandText = "UPDATE messaging.recovery_points SET leased_until = NULL, due_at = $4, last_error = $5 WHERE kind = $1 AND key = $2 AND attempts = $3";
            own.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = later.At.ToUniversalTime() });
            own.Parameters.Add(new NpgsqlParameter<string> { TypedValue = later.Why.Length > 500 ? later.Why[..500] : later.Why });
        }
        else
        {
            own.CommandText = "DELETE FROM messaging.recovery_points WHERE kind = $1 AND key = $2 AND attempts = $3";
        }

        if (await own.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            // Somebody removed the point, or took it over after our lease: what we found out is theirs to say.
            LogFenced(claimed.Point.Kind);
            return;
        }

        if (context.Batch.BatchCommands.Count > 0)
            await context.Batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.Wake();
    }

    private async Task WaitForWork(CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var swept = Task.Delay(Sweep, time, waiting.Token);
        var signalled = signal.WaitAsync(waiting.Token);
        await Task.WhenAny(swept, signalled);
        await waiting.CancelAsync();
        await Task.WhenAll(swept, signalled).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static TimeSpan Backoff(int attempt)
    {
        var full = Math.Min(LongestBackoff.TotalMilliseconds, 200 * Math.Pow(2, Math.Min(attempt - 1, 12)));
        return TimeSpan.FromMilliseconds(full * (0.75 + Random.Shared.NextDouble() / 2));
    }

    [LoggerMessage(11, LogLevel.Warning, "Recovery points could not be claimed: {Error}")]
    private partial void LogClaimFailed(Exception exception, string error);

    [LoggerMessage(12, LogLevel.Warning, "Recovery point {Kind}, attempt {Attempt}, failed and is tried again: {Error}")]
    private partial void LogAttemptFailed(Exception exception, string kind, int attempt, string error);

    [LoggerMessage(13, LogLevel.Warning, "Recovery point {Kind} could not be closed; its lease will run out: {Error}")]
    private partial void LogCloseFailed(Exception exception, string kind, string error);

    [LoggerMessage(14, LogLevel.Information, "Recovery point {Kind} was removed or taken over while it ran")]
    private partial void LogFenced(string kind);

    private sealed record Claimed(RecoveryPoint Point, int Attempt, string? TraceParent);
}
