using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Commerce.Messaging.Relaying;

/// <summary>
/// The relay's work while it is the active one. Everything it asks of the database goes over the connection that holds the
/// lock, so a session that lost the lock can neither claim nor delete any more; it throws, and what it was publishing is
/// cancelled. It claims by state, which rows there are, and never by a cursor: a lower id may be committed after a higher one.
/// Each key has a lane, in which facts go one after the other; lanes go in parallel.
/// </summary>
internal sealed partial class RelaySession(
    NpgsqlConnection connection, Publisher publisher, Func<CancellationToken, Task> declare, OutboxSignal signal, MessagingTelemetry telemetry,
    MessagingOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    // Enough to make the deletion's round trip cheap for each row, and few enough that publishing never waits for it.
    private const int DeleteBatch = 128;
    private const int MostRestingKeys = 1000;

    private static readonly TimeSpan FirstRest = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Queue<OutboxRow>> _lanes = [];
    private readonly HashSet<long> _claimed = [];
    private readonly Dictionary<string, Rest> _resting = [];
    private readonly OutboxSignal _progress = new();
    private readonly SemaphoreSlim _inFlight = new(options.RelayInFlight);
    private List<long> _confirmed = [];
    private List<(long Id, string Error)> _failed = [];
    private int _publishing;
    private bool _returned;
    private Exception? _fault;

    /// <summary>Relays until cancelled, or throws when the database or the broker is away.</summary>
    public async Task Run(CancellationToken cancellationToken)
    {
        using var session = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task? signalled = null;
        Task? progressed = null;
        try
        {
            while (true)
            {
                session.Token.ThrowIfCancellationRequested();
                if (_returned && Rested())
                {
                    _returned = false;
                    await declare(session.Token);
                }

                // Before the claim: what is signalled during it is looked for again. Afterwards, a signal that came too late for the claim
                // could not be told from one that led to it, and its fact would wait for the sweep.
                signalled = signalled is null || signalled.IsCompleted ? signal.WaitAsync(session.Token) : signalled;
                progressed = progressed is null || progressed.IsCompleted ? _progress.WaitAsync(session.Token) : progressed;
                foreach (var row in await Exchange(session.Token))
                    Enqueue(row, session.Token);

                await Waiting.ForAny(Wake(signalled, progressed), UntilNextLook(), time, session.Token);
                if (_fault is { } fault)
                    throw new InvalidOperationException("The broker does not confirm: " + fault.Message, fault);
            }
        }
        finally
        {
            await session.CancelAsync();
        }
    }

    public void Dispose() => _inFlight.Dispose();

    // With much on its way, what is new can wait until some of it is done.
    private Task Wake(Task signalled, Task progressed) => _publishing > DeleteBatch ? progressed : Task.WhenAny(signalled, progressed);

    /// <summary>Settles what was published since, and claims more, in one round trip.</summary>
    private async Task<List<OutboxRow>> Exchange(CancellationToken cancellationToken)
    {
        List<long> confirmed;
        List<(long Id, string Error)> failed;
        long[] claimed;
        string[] resting;
        lock (_lock)
        {
            (confirmed, _confirmed) = (_confirmed, []);
            (failed, _failed) = (_failed, []);
            claimed = [.. _claimed.Except(confirmed)];
            var now = time.GetUtcNow();
            resting = [.. _resting.Where(r => r.Value.Until > now).Select(r => r.Key)];
        }

        if (resting.Length > MostRestingKeys)
            throw new InvalidOperationException($"Facts of more than {MostRestingKeys} keys cannot be published; the last error: {failed.LastOrDefault().Error}");

        await using var batch = new NpgsqlBatch(connection);
        if (confirmed.Count > 0)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM messaging.outbox WHERE id = ANY($1)")
            {
                Parameters = { new NpgsqlParameter<long[]> { TypedValue = [.. confirmed] } },
            });
        }

        if (failed.Count > 0)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                "UPDATE messaging.outbox o SET attempts = attempts + 1, last_error = e.error FROM unnest($1, $2) AS e (id, error) WHERE o.id = e.id")
            {
                Parameters =
                {
                    new NpgsqlParameter<long[]> { TypedValue = [.. failed.Select(f => f.Id)] },
                    new NpgsqlParameter<string[]> { TypedValue = [.. failed.Select(f => f.Error)] },
                },
            });
        }

        // Planned anew each time, also where it is prepared by itself: a plan for any LIMIT would look dear. So the arrays are
        // constants to the planner, which looks them up by hash.
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            "SELECT id, message_id, fact, key, body, traceparent FROM messaging.outbox WHERE id <> ALL($1) AND key <> ALL($2) ORDER BY id LIMIT $3")
        {
            Parameters =
            {
                new NpgsqlParameter<long[]> { TypedValue = claimed },
                new NpgsqlParameter<string[]> { TypedValue = resting },
                new NpgsqlParameter<int> { TypedValue = Math.Max(0, options.RelayClaim - claimed.Length) },
            },
        });
        var rows = new List<OutboxRow>();
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                rows.Add(new OutboxRow(
                    reader.GetInt64(0), reader.GetGuid(1), reader.GetString(2), reader.GetString(3), reader.GetString(4),
                    reader.IsDBNull(5) ? null : reader.GetString(5)));
            }
        }

        lock (_lock)
        {
            _claimed.ExceptWith(confirmed);
            _claimed.ExceptWith(failed.Select(f => f.Id));
        }

        return rows;
    }

    private void Enqueue(OutboxRow row, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_claimed.Add(row.Id))
                return;
            // A key whose fact failed while this row was being read: it is read again when the key has rested.
            if (_resting.TryGetValue(row.Key, out var rest) && rest.Until > time.GetUtcNow())
            {
                _claimed.Remove(row.Id);
                return;
            }

            _publishing++;
            if (_lanes.TryGetValue(row.Key, out var lane))
            {
                lane.Enqueue(row);
                return;
            }

            lane = new Queue<OutboxRow>(1);
            lane.Enqueue(row);
            _lanes.Add(row.Key, lane);
            _ = RunLane(row.Key, lane, cancellationToken);
        }
    }

    private async Task RunLane(string key, Queue<OutboxRow> lane, CancellationToken cancellationToken)
    {
        // The caller holds the lock, and has more to enqueue.
        await Task.Yield();
        while (true)
        {
            OutboxRow row;
            lock (_lock)
            {
                if (lane.Count == 0)
                {
                    _lanes.Remove(key);
                    return;
                }

                row = lane.Dequeue();
            }

            try
            {
                await _inFlight.WaitAsync(cancellationToken);
                try
                {
                    await publisher.Publish(row).WaitAsync(options.PublishTimeout, time, cancellationToken);
                }
                finally
                {
                    _inFlight.Release();
                }

                Confirmed(row);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is UnroutableException or JsonException or UnknownFactException)
            {
                Failed(key, row, lane, exception);
                return;
            }
            // The broker is away. What was on its way may have arrived or not: the session ends, and all of it goes again.
            catch (Exception exception)
            {
                _fault = exception;
                _progress.Set();
                return;
            }
        }
    }

    private void Confirmed(OutboxRow row)
    {
        telemetry.Relayed.Add(1);
        lock (_lock)
        {
            _confirmed.Add(row.Id);
            if (_resting.Count > 0)
                _resting.Remove(row.Key);
            if (--_publishing == 0 || _confirmed.Count >= DeleteBatch)
                _progress.Set();
        }
    }

    /// <summary>The rest of the key waits behind the fact that failed.</summary>
    private void Failed(string key, OutboxRow row, Queue<OutboxRow> lane, Exception exception)
    {
        telemetry.Returned.Add(1, new KeyValuePair<string, object?>("fact", row.Fact));
        LogFailed(row.Fact, row.Id, exception.Message);
        lock (_lock)
        {
            _failed.Add((row.Id, Broker.ErrorQueues.Describe(exception)));
            _publishing -= 1 + lane.Count;
            _claimed.ExceptWith(lane.Select(r => r.Id));
            _lanes.Remove(key);
            var failures = _resting.TryGetValue(key, out var rest) ? rest.Failures + 1 : 1;
            _resting[key] = new Rest(failures, time.GetUtcNow() + BackOff.After(failures, FirstRest, LongestRest));
            _returned |= exception is UnroutableException;
            _progress.Set();
        }
    }

    private bool Rested()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            return _resting.Values.Any(r => r.Until <= now);
        }
    }

    private TimeSpan UntilNextLook()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var next = _resting.Values.Select(r => r.Until - now).Where(t => t > TimeSpan.Zero).DefaultIfEmpty(options.Sweep).Min();
            return next < options.Sweep ? next : options.Sweep;
        }
    }

    private readonly record struct Rest(int Failures, DateTimeOffset Until);

    [LoggerMessage(1, LogLevel.Warning, "{Fact} (outbox row {Id}) could not be published and stays: {Error}")]
    private partial void LogFailed(string fact, long id, string error);
}
