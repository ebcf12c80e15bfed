using System.Collections.Concurrent;
using System.Diagnostics;
using Commerce.Messaging.Broker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Messaging.Recovering;

/// <summary>
/// Carries out recovery points: any replica claims those that are due under a lease, renews it while the handler runs, and
/// closes the point in one transaction with the handler's result. A crash lets the lease run out, and the point is due again.
/// Each kind has its own room, so that a carrier that hangs does not hold up a payment.
/// </summary>
internal sealed partial class RecoveryWorker(
    NpgsqlDataSource database, RecoveryStore store, IServiceScopeFactory scopes, Outbox outbox, RecoveryPoints points, RecoverySignal signal,
    MessagingTelemetry telemetry, IOptions<MessagingOptions> options, TimeProvider time, ILogger<RecoveryWorker> logger) : BackgroundService
{
    private static readonly TimeSpan FirstBackOff = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<LeasedPoint, Running> _running = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var kinds = Kinds();
        if (kinds.Count == 0)
            return;
        var renewing = RenewLeases(stoppingToken);
        Task? signalled = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // Before the claim: what is signalled during it is looked for again.
                signalled = signalled is null || signalled.IsCompleted ? signal.WaitAsync(stoppingToken) : signalled;
                var room = Room(kinds);
                var wait = options.Value.Sweep;
                if (room.Count > 0)
                {
                    var before = time.GetTimestamp();
                    var (claimed, nextDue) = await store.Claim(room, stoppingToken);
                    foreach (var leased in claimed)
                        Start(leased, before, stoppingToken);
                    if (nextDue - time.GetUtcNow() is { } untilDue && untilDue < wait)
                        wait = untilDue;
                }

                await Waiting.ForAny(signalled, wait, time, stoppingToken);
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            // The points are still there; whatever kept us from claiming them passes.
            catch (Exception exception)
            {
                LogClaimFailed(exception, exception.Message);
                await Task.Delay(options.Value.Sweep, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private HashSet<string> Kinds()
    {
        using var scope = scopes.CreateScope();
        var kinds = new HashSet<string>();
        foreach (var handler in scope.ServiceProvider.GetServices<IRecover>())
        {
            if (!kinds.Add(handler.Kind))
                throw new InvalidOperationException($"Two handlers carry out recovery points of kind {handler.Kind}.");
        }

        return kinds;
    }

    private Dictionary<string, int> Room(HashSet<string> kinds)
    {
        var running = _running.Keys.CountBy(p => p.Point.Kind).ToDictionary();
        return kinds.Select(k => (Kind: k, Room: options.Value.RecoveryConcurrency - running.GetValueOrDefault(k)))
            .Where(k => k.Room > 0).ToDictionary(k => k.Kind, k => k.Room);
    }

    private void Start(LeasedPoint leased, long leasedAt, CancellationToken stoppingToken)
    {
        var cancellation = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        _running[leased] = new Running(cancellation, leasedAt);
        _ = Task.Run(
            async () =>
            {
                try
                {
                    await Run(leased, cancellation.Token);
                }
                catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
                {
                    LogAbandoned(leased.Point.Kind, leased.Attempt);
                }
                // The lease runs out, and the point is due again.
                catch (Exception exception)
                {
                    LogCloseFailed(exception, leased.Point.Kind, exception.Message);
                }
                finally
                {
                    _running.TryRemove(leased, out _);
                    cancellation.Dispose();
                    signal.Set();
                }
            },
            CancellationToken.None);
    }

    private async Task Run(LeasedPoint leased, CancellationToken cancellationToken)
    {
        var kind = leased.Point.Kind;
        using var activity = MessagingTelemetry.Source.StartActivity("recover " + kind, ActivityKind.Internal, leased.TraceParent);
        string result;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var handler = scope.ServiceProvider.GetServices<IRecover>().First(h => h.Kind == kind);
            var outcome = await handler.Recover(leased.Point, leased.Attempt, cancellationToken);
            await Close(leased, outcome, cancellationToken);
            result = outcome is RecoveryOutcome.Done ? "done" : "again";
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            result = "failed";
            LogAttemptFailed(exception, kind, leased.Attempt, exception.Message);
            activity?.SetStatus(ActivityStatusCode.Error, exception.GetType().Name);
            var at = time.GetUtcNow() + BackOff.After(leased.Attempt, FirstBackOff, options.Value.RecoveryBackOffMaximum);
            await Close(leased, new RecoveryOutcome.Again(at, ErrorQueues.Describe(exception)), cancellationToken);
        }

        telemetry.Recovered.Add(1, new("kind", kind), new("outcome", result));
    }

    private async Task Close(LeasedPoint leased, RecoveryOutcome outcome, CancellationToken cancellationToken)
    {
        var (own, commit) = outcome switch
        {
            RecoveryOutcome.Done done => (RecoveryStore.Remove(leased), done.Commit),
            RecoveryOutcome.Again again => (RecoveryStore.Postpone(leased, again.At, again.Why), again.Commit),
            _ => throw new UnreachableException(),
        };
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // First, which locks the point and asks whether it is still ours; and a point of the same kind and key that the
        // handler intends anew is another one. It travels with the commit where there is nothing in between.
        await using var closing = new NpgsqlBatch(connection, transaction) { BatchCommands = { own } };
        if (commit is null)
            closing.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        await closing.ExecuteNonQueryAsync(cancellationToken);
        if (own.RecordsAffected == 0)
        {
            LogFenced(leased.Point.Kind);
            return;
        }

        if (commit is null)
            return;
        var context = new RecoveryContext(connection, transaction, outbox, points, cancellationToken);
        await commit(context);
        // Never alone, or a failure that the handler swallowed would turn the commit into a silent rollback.
        if (context.Batch.BatchCommands.Count == 0)
            context.Batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1"));
        context.Batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        await context.Batch.ExecuteNonQueryAsync(cancellationToken);
        outbox.Wake();
        signal.Set();
    }

    /// <summary>
    /// Keeps the leases of what runs. A handler whose lease was taken, or could not be renewed in time, is cancelled before
    /// another worker can begin with its point. A renewal has a bound, since a database that is not reached need not say so:
    /// with a sixth of the lease for the pause and as much for the renewal, the last look falls before two thirds of it.
    /// </summary>
    private async Task RenewLeases(CancellationToken stoppingToken)
    {
        var share = options.Value.RecoveryLease / 6;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(share, time, stoppingToken);
            var running = _running.ToArray();
            if (running.Length == 0)
                continue;
            var before = time.GetTimestamp();
            try
            {
                // Left alone and not cancelled: to cancel a statement its server is asked, which may not answer either.
                var ours = await store.Renew([.. running.Select(r => r.Key)], share, stoppingToken).WaitAsync(share, time, stoppingToken);
                foreach (var (leased, run) in running)
                {
                    if (ours.Contains((leased.Point.Kind, leased.Point.Key, leased.Token)))
                        run.LeasedAt = before;
                    else
                        Cancel(leased, run.Cancellation);
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogClaimFailed(exception, exception.Message);
                foreach (var (leased, run) in running.Where(r => time.GetElapsedTime(r.Value.LeasedAt) >= options.Value.RecoveryLease / 2))
                    Cancel(leased, run.Cancellation);
            }
        }
    }

    private void Cancel(LeasedPoint leased, CancellationTokenSource cancellation)
    {
        try
        {
            // What hears of it may ask a database that does not answer; the others must not wait for that.
            _ = cancellation.CancelAsync();
            LogFenced(leased.Point.Kind);
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself just now.
        }
    }

    /// <summary>A handler at work, and when its lease began at the latest.</summary>
    private sealed class Running(CancellationTokenSource cancellation, long leasedAt)
    {
        public CancellationTokenSource Cancellation => cancellation;

        public long LeasedAt { get; set; } = leasedAt;
    }

    [LoggerMessage(31, LogLevel.Warning, "Recovery points could not be claimed or renewed: {Error}")]
    private partial void LogClaimFailed(Exception exception, string error);

    [LoggerMessage(32, LogLevel.Warning, "Recovery point {Kind}, attempt {Attempt}, failed and is tried again: {Error}")]
    private partial void LogAttemptFailed(Exception exception, string kind, int attempt, string error);

    [LoggerMessage(33, LogLevel.Warning, "Recovery point {Kind} could not be closed; its lease will run out: {Error}")]
    private partial void LogCloseFailed(Exception exception, string kind, string error);

    [LoggerMessage(34, LogLevel.Information, "Recovery point {Kind} was removed or taken over while it ran")]
    private partial void LogFenced(string kind);

    [LoggerMessage(35, LogLevel.Information, "Recovery point {Kind}, attempt {Attempt}, was abandoned; its lease will run out")]
    private partial void LogAbandoned(string kind, int attempt);
}
