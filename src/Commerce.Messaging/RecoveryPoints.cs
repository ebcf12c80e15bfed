using System.Diagnostics;
using Npgsql;

namespace Commerce.Messaging;

/// <summary>
/// The intent of something that cannot be part of a transaction: a call to a provider or a carrier, a mail, or anything at
/// a later time. Stored with the decision, carried out after the commit, and again after a crash until its handler is done.
/// </summary>
/// <param name="Kind">Which handler carries it out, for example "authorise-payment".</param>
/// <param name="Key">What it is about; (kind, key) is unique, and the key makes the outside call idempotent.</param>
/// <param name="Payload">JSON for the handler; ids, no personal data.</param>
/// <param name="DueAt">Not before; null: at once.</param>
public sealed record RecoveryPoint(string Kind, string Key, string Payload = "{}", DateTimeOffset? DueAt = null);

/// <summary>Writes recovery points into the transaction of the decision.</summary>
public sealed class RecoveryPoints(TimeProvider time, RecoverySignal signal)
{
    /// <summary>Adds the point's row to a batch; one that exists already stays as it is.</summary>
    public void Add(NpgsqlBatch batch, RecoveryPoint point) => Add(batch, point, "ON CONFLICT DO NOTHING");

    /// <summary>The same, but one that exists already is due no later than this one.</summary>
    public void Hasten(NpgsqlBatch batch, RecoveryPoint point) =>
        Add(batch, point, "ON CONFLICT (kind, key) DO UPDATE SET due_at = LEAST(recovery_points.due_at, excluded.due_at)");

    private void Add(NpgsqlBatch batch, RecoveryPoint point, string onConflict)
    {
        var now = time.GetUtcNow();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $"INSERT INTO messaging.recovery_points (kind, key, payload, traceparent, due_at, created_at) VALUES ($1, $2, $3, $4, $5, $6) {onConflict}")
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = point.Kind },
                new NpgsqlParameter<string> { TypedValue = point.Key },
                new NpgsqlParameter<string> { TypedValue = point.Payload },
                new NpgsqlParameter<string?> { TypedValue = Activity.Current?.Id },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = point.DueAt?.ToUniversalTime() ?? now },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
            },
        });
    }

    /// <summary>The same for points of several decisions that share a transaction, each with the trace of its decision.</summary>
    public void Add(NpgsqlBatch batch, IReadOnlyList<(RecoveryPoint Point, string? TraceParent)> points)
    {
        if (points.Count == 0)
            return;
        var now = time.GetUtcNow();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            INSERT INTO messaging.recovery_points (kind, key, payload, traceparent, due_at, created_at)
            SELECT kind, key, payload, traceparent, due_at, $6 FROM unnest($1, $2, $3, $4, $5) AS p (kind, key, payload, traceparent, due_at)
            ON CONFLICT DO NOTHING
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]> { TypedValue = [.. points.Select(p => p.Point.Kind)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. points.Select(p => p.Point.Key)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. points.Select(p => p.Point.Payload)] },
                new NpgsqlParameter<string?[]> { TypedValue = [.. points.Select(p => p.TraceParent)] },
                new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. points.Select(p => p.Point.DueAt?.ToUniversalTime() ?? now)] },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
            },
        });
    }

    /// <summary>Removes a point that is no longer wanted (a timer, say), in the same transaction as the reason.</summary>
    public static void Remove(NpgsqlBatch batch, string kind, string key) =>
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM messaging.recovery_points WHERE kind = $1 AND key = $2")
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = kind }, new NpgsqlParameter<string> { TypedValue = key } },
        });

    /// <summary>Tells the worker of this process that something was committed.</summary>
    public void Wake() => signal.Set();
}
