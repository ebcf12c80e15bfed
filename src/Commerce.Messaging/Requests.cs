using System.Security.Cryptography;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf;
using Grpc.Core;
using Npgsql;

namespace Commerce.Messaging;

/// <summary>Who asked what under which request_id, and a hash of the payload without it.</summary>
public sealed record RequestKey(string Caller, string Method, string RequestId, byte[] PayloadHash)
{
    /// <summary>The key of a gRPC call. The request_id itself is part of the key, so hashing it too changes nothing.</summary>
    public static RequestKey For(ServerCallContext context, string requestId, IMessage request) =>
        new(Principal.Of(context).ToString(), context.Method, requestId, SHA256.HashData(request.ToByteArray()));
}

/// <summary>What an earlier call with the same key made: read the resource again to answer.</summary>
public sealed record RequestAnswer(string Resource, long Version);

/// <summary>How a call that is safe to repeat ended.</summary>
/// <param name="Answer">What it made, now or earlier.</param>
/// <param name="Repeated">An earlier call with the same key made it; this one changed nothing.</param>
public sealed record RequestOutcome(RequestAnswer Answer, bool Repeated);

/// <summary>
/// Makes mutating calls safe to repeat. <see cref="Record(RequestKey, string, long)"/> goes first into the batch of the call's own transaction:
/// a twin that is under way is waited for by the unique index, and then fails the batch with a unique violation on
/// "requests_pkey", upon which <see cref="Find"/> tells what the twin made.
/// </summary>
public sealed class Requests(NpgsqlDataSource database, TimeProvider time)
{
    public const string Constraint = "requests_pkey";

    public NpgsqlBatchCommand Record(RequestKey key, string resource, long version) =>
        new("INSERT INTO messaging.requests (caller, method, request_id, payload_hash, resource, version, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = key.Caller },
                new NpgsqlParameter<string> { TypedValue = key.Method },
                new NpgsqlParameter<string> { TypedValue = key.RequestId },
                new NpgsqlParameter<byte[]> { TypedValue = key.PayloadHash },
                new NpgsqlParameter<string> { TypedValue = resource },
                new NpgsqlParameter<long> { TypedValue = version },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() },
            },
        };

    /// <summary>
    /// The record of calls that share a transaction. In the order of their keys, so that transactions which have a call in common
    /// wait for each other and never deadlock.
    /// </summary>
    public NpgsqlBatchCommand Record(IEnumerable<(RequestKey Key, string Resource, long Version)> calls)
    {
        var sorted = calls.OrderBy(c => c.Key.Caller, StringComparer.Ordinal).ThenBy(c => c.Key.Method, StringComparer.Ordinal)
            .ThenBy(c => c.Key.RequestId, StringComparer.Ordinal).ToList();
        return new(
            """
            INSERT INTO messaging.requests (caller, method, request_id, payload_hash, resource, version, created_at)
            SELECT caller, method, request_id, payload_hash, resource, version, $7
            FROM unnest($1, $2, $3, $4, $5, $6) AS c (caller, method, request_id, payload_hash, resource, version)
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]> { TypedValue = [.. sorted.Select(c => c.Key.Caller)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. sorted.Select(c => c.Key.Method)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. sorted.Select(c => c.Key.RequestId)] },
                new NpgsqlParameter<byte[][]> { TypedValue = [.. sorted.Select(c => c.Key.PayloadHash)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. sorted.Select(c => c.Resource)] },
                new NpgsqlParameter<long[]> { TypedValue = [.. sorted.Select(c => c.Version)] },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() },
            },
        };
    }

    /// <summary>
    /// The whole pattern in one round trip: the record and the writes are one transaction. Where a call with the same key was
    /// first (one that is under way is waited for), nothing is written and its answer is returned.
    /// </summary>
    /// <param name="key">Who asked what.</param>
    /// <param name="resource">The name of what this call makes.</param>
    /// <param name="version">Its version.</param>
    /// <param name="write">Adds the call's writes, facts and recovery points; called again should the earlier call's record age out meanwhile.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="Failure">REQUEST_ID_REUSED: the earlier call had another payload.</exception>
    public async Task<RequestOutcome> Once(RequestKey key, string resource, long version, Action<NpgsqlBatch> write, CancellationToken cancellationToken)
    {
        while (true)
        {
            await using var batch = database.CreateBatch();
            batch.BatchCommands.Add(Record(key, resource, version));
            write(batch);
            try
            {
                await batch.ExecuteNonQueryAsync(cancellationToken);
                return new RequestOutcome(new RequestAnswer(resource, version), Repeated: false);
            }
            catch (PostgresException exception) when (IsRepeated(exception))
            {
                if (await Find(key, cancellationToken) is { } earlier)
                    return new RequestOutcome(earlier, Repeated: true);
            }
        }
    }

    /// <summary>Whether a batch failed because an earlier call had the same key: <see cref="Find"/> tells what it made.</summary>
    public static bool IsRepeated(PostgresException exception) =>
        exception is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: Constraint };

    /// <summary>What an earlier call made, or null if there was none.</summary>
    /// <exception cref="Failure">REQUEST_ID_REUSED: the earlier call had another payload.</exception>
    public async Task<RequestAnswer?> Find(RequestKey key, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "SELECT payload_hash, resource, version FROM messaging.requests WHERE caller = $1 AND method = $2 AND request_id = $3");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key.Caller });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key.Method });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key.RequestId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        if (!reader.GetFieldValue<byte[]>(0).AsSpan().SequenceEqual(key.PayloadHash))
        {
            throw new Failure(
                ErrorReason.RequestIdReused,
                "This request_id was used before with another payload; use a new one for a new request, or send the first payload again.",
                new FieldError("request_id", "Already used with another payload."));
        }

        return new RequestAnswer(reader.GetString(1), reader.GetInt64(2));
    }
}
