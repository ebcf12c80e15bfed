using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Messaging.Recovering;

/// <summary>A point that this process has leased; the token tells its lease from a later one of the same point.</summary>
internal sealed record LeasedPoint(RecoveryPoint Point, int Attempt, string? TraceParent, Guid Token);

/// <summary>
/// Leases of recovery points. What is due is judged by the application's clock, as everything that it plans; a lease by the
/// database's, because replicas whose clocks differ would otherwise take points from each other.
/// </summary>
internal sealed class RecoveryStore(NpgsqlDataSource database, IOptions<MessagingOptions> options, TimeProvider time)
{
    /// <summary>Claims due points, of each kind as many as it has room for, and says when the next one will be due.</summary>
    public async Task<(List<LeasedPoint> Points, DateTimeOffset? NextDue)> Claim(IReadOnlyDictionary<string, int> room, CancellationToken cancellationToken)
    {
        var (now, token) = (time.GetUtcNow(), Guid.NewGuid());
        string[] kinds = [.. room.Keys];
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            UPDATE messaging.recovery_points p
            SET leased_until = clock_timestamp() + $4, lease_token = $5, attempts = p.attempts + 1
            FROM (
              SELECT due.kind, due.key FROM unnest($1, $2) AS k (kind, room)
              CROSS JOIN LATERAL (
                SELECT r.kind, r.key FROM messaging.recovery_points r
                WHERE r.kind = k.kind AND r.due_at <= $3 AND (r.leased_until IS NULL OR r.leased_until < clock_timestamp())
                ORDER BY r.due_at LIMIT k.room FOR UPDATE SKIP LOCKED) due) claimed
            WHERE p.kind = claimed.kind AND p.key = claimed.key
            RETURNING p.kind, p.key, p.payload, p.due_at, p.attempts, p.traceparent
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]> { TypedValue = kinds },
                new NpgsqlParameter<int[]> { TypedValue = [.. room.Values] },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
                new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.RecoveryLease },
                new NpgsqlParameter<Guid> { TypedValue = token },
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            SELECT min(n.due_at) FROM unnest($1) AS k (kind)
            CROSS JOIN LATERAL (SELECT due_at FROM messaging.recovery_points r WHERE r.kind = k.kind AND r.due_at > $2 ORDER BY due_at LIMIT 1) n
            """)
        {
            Parameters = { new NpgsqlParameter<string[]> { TypedValue = kinds }, new NpgsqlParameter<DateTimeOffset> { TypedValue = now } },
        });

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var points = new List<LeasedPoint>();
        while (await reader.ReadAsync(cancellationToken))
        {
            points.Add(new LeasedPoint(
                new RecoveryPoint(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<DateTimeOffset>(3)),
                reader.GetInt32(4), reader.IsDBNull(5) ? null : reader.GetString(5), token));
        }

        await reader.NextResultAsync(cancellationToken);
        DateTimeOffset? next = await reader.ReadAsync(cancellationToken) && !reader.IsDBNull(0) ? reader.GetFieldValue<DateTimeOffset>(0) : null;
        return (points, next);
    }

    /// <summary>Prolongs leases and returns those that are still ours. A statement that takes longer than <paramref name="bound"/> gives its connection up.</summary>
    public async Task<HashSet<(string Kind, string Key, Guid Token)>> Renew(IReadOnlyCollection<LeasedPoint> points, TimeSpan bound, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            UPDATE messaging.recovery_points p SET leased_until = clock_timestamp() + $4
            FROM unnest($1, $2, $3) AS l (kind, key, token) WHERE p.kind = l.kind AND p.key = l.key AND p.lease_token = l.token
            RETURNING p.kind, p.key, p.lease_token
            """);
        command.CommandTimeout = (int)Math.Ceiling(bound.TotalSeconds);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. points.Select(p => p.Point.Kind)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. points.Select(p => p.Point.Key)] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. points.Select(p => p.Token)] });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.RecoveryLease });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ours = new HashSet<(string, string, Guid)>();
        while (await reader.ReadAsync(cancellationToken))
            ours.Add((reader.GetString(0), reader.GetString(1), reader.GetGuid(2)));
        return ours;
    }

    /// <summary>Removes the point; nothing happens where the lease is no longer ours.</summary>
    public static NpgsqlBatchCommand Remove(LeasedPoint leased) =>
        new("DELETE FROM messaging.recovery_points WHERE kind = $1 AND key = $2 AND lease_token = $3")
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = leased.Point.Kind },
                new NpgsqlParameter<string> { TypedValue = leased.Point.Key },
                new NpgsqlParameter<Guid> { TypedValue = leased.Token },
            },
        };

    /// <summary>Ends the lease and makes the point due again; nothing happens where the lease is no longer ours.</summary>
    public static NpgsqlBatchCommand Postpone(LeasedPoint leased, DateTimeOffset dueAt, string why) =>
        new("UPDATE messaging.recovery_points SET due_at = $4, last_error = $5, leased_until = NULL, lease_token = NULL WHERE kind = $1 AND key = $2 AND lease_token = $3")
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = leased.Point.Kind },
                new NpgsqlParameter<string> { TypedValue = leased.Point.Key },
                new NpgsqlParameter<Guid> { TypedValue = leased.Token },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = dueAt.ToUniversalTime() },
                new NpgsqlParameter<string> { TypedValue = why.Length <= 1000 ? why : why[..1000] },
            },
        };
}
