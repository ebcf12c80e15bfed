using Npgsql;

namespace Commerce.Gateway.Access;

/// <summary>The API keys in the Gateway's database.</summary>
internal sealed class ApiKeyStore(NpgsqlDataSource database)
{
    private const string Columns =
        "id, display_name, store_ids, scopes, secret_hash, former_hash, former_until, created_at, created_by, expires_at, last_used_at, revoked_at";

    public async Task<ApiKey?> Find(string id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"SELECT {Columns} FROM api_keys WHERE id = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
        return await Read(command, cancellationToken) is [var found] ? found : null;
    }

    /// <summary>Newest first, after the key that the page before ended with.</summary>
    public async Task<IReadOnlyList<ApiKey>> List((DateTimeOffset CreatedAt, string Id)? after, int most, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"SELECT {Columns} FROM api_keys WHERE $1::timestamptz IS NULL OR (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT $3");
        command.Parameters.Add(new NpgsqlParameter { Value = after?.CreatedAt ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = after?.Id ?? "" });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        return await Read(command, cancellationToken);
    }

    public static NpgsqlBatchCommand Insert(ApiKey key) =>
        new("INSERT INTO api_keys (id, display_name, store_ids, scopes, secret_hash, created_at, created_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = key.Id },
                new NpgsqlParameter<string> { TypedValue = key.DisplayName },
                new NpgsqlParameter<string[]> { TypedValue = key.StoreIds },
                new NpgsqlParameter<string[]> { TypedValue = key.Scopes },
                new NpgsqlParameter<byte[]> { TypedValue = key.SecretHash },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = key.CreatedAt },
                new NpgsqlParameter<string> { TypedValue = key.CreatedBy },
                new NpgsqlParameter { Value = key.ExpiresAt ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz },
            },
        };

    // Of a key that is over nothing is changed: the row that was read is not there any more.
    public static NpgsqlBatchCommand Rotate(string id, byte[] hash, DateTimeOffset formerUntil, DateTimeOffset now) =>
        new(
            """
            UPDATE api_keys SET former_hash = secret_hash, former_until = $3, secret_hash = $2
            WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $4)
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = id },
                new NpgsqlParameter<byte[]> { TypedValue = hash },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = formerUntil },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
            },
        };

    /// <summary>Revokes a key, once; null: there is none.</summary>
    public async Task<ApiKey?> Revoke(string id, string by, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2), revoked_by = coalesce(revoked_by, $3) WHERE id = $1 RETURNING {Columns}");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = now });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = by });
        return await Read(command, cancellationToken) is [var revoked] ? revoked : null;
    }

    public async Task Used(IReadOnlyCollection<(string Id, DateTimeOffset At)> uses, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            UPDATE api_keys k SET last_used_at = u.at FROM unnest($1, $2) AS u (id, at)
            WHERE k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < u.at)
            """);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. uses.Select(use => use.Id)] });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. uses.Select(use => use.At)] });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<IReadOnlyList<ApiKey>> Read(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var keys = new List<ApiKey>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            keys.Add(new ApiKey(
                reader.GetString(0), reader.GetString(1), reader.GetFieldValue<string[]>(2), reader.GetFieldValue<string[]>(3), reader.GetFieldValue<byte[]>(4),
                reader.IsDBNull(5) ? null : reader.GetFieldValue<byte[]>(5), Time(reader, 6), reader.GetFieldValue<DateTimeOffset>(7), reader.GetString(8),
                Time(reader, 9), Time(reader, 10), Time(reader, 11)));
        }

        return keys;
    }

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
