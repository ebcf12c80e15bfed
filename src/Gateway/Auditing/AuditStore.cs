using System.Security.Cryptography;
using System.Text;
using Commerce.ServiceDefaults;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Gateway.Auditing;

/// <summary>The audit log in the Gateway's database.</summary>
internal sealed class AuditStore(NpgsqlDataSource database)
{
    private const string Columns = "time, id, principal, stores, method, resources, result, trace_id, client, took_micros, calls";

    private static readonly int Persons = CallTrail.PersonPrefix.Length;

    // Asked once: it never changes.
    private readonly Lock _lock = new();
    private readonly HashSet<int> _months = [];
    private Task<byte[]>? _key;

    /// <summary>Writes calls at once.</summary>
    public async Task Write(IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken)
    {
        var key = await Key();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await Months(connection, records, cancellationToken);
        await using var copy = await connection.BeginBinaryImportAsync($"COPY audit_events ({Columns}) FROM STDIN (FORMAT BINARY)", cancellationToken);
        foreach (var one in records)
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(one.Time, NpgsqlDbType.TimestampTz, cancellationToken);
            await copy.WriteAsync(one.Id, NpgsqlDbType.Uuid, cancellationToken);
            await copy.WriteAsync(one.Principal, NpgsqlDbType.Text, cancellationToken);
            if (one.Stores is null)
                await copy.WriteNullAsync(cancellationToken);
            else
                await copy.WriteAsync(one.Stores, NpgsqlDbType.Array | NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(one.Method, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(Keyed(one.Resources, key), NpgsqlDbType.Array | NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(one.Result, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(one.TraceId, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(one.Client, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(one.TookMicros, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(one.Calls, NpgsqlDbType.Integer, cancellationToken);
        }

        await copy.CompleteAsync(cancellationToken);
    }

    /// <summary>Writes calls of which some may be there: whoever wrote them did not hear whether it worked.</summary>
    public async Task WriteAgain(IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken)
    {
        var key = await Key();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await Months(connection, records, cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        foreach (var one in records)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"INSERT INTO audit_events ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING")
            {
                Parameters =
                {
                    new NpgsqlParameter<DateTimeOffset> { TypedValue = one.Time },
                    new NpgsqlParameter<Guid> { TypedValue = one.Id },
                    new NpgsqlParameter<string> { TypedValue = one.Principal },
                    new NpgsqlParameter<string[]?> { TypedValue = one.Stores },
                    new NpgsqlParameter<string> { TypedValue = one.Method },
                    new NpgsqlParameter<string[]> { TypedValue = Keyed(one.Resources, key) },
                    new NpgsqlParameter<string> { TypedValue = one.Result },
                    new NpgsqlParameter<string> { TypedValue = one.TraceId },
                    new NpgsqlParameter<string> { TypedValue = one.Client },
                    new NpgsqlParameter<long> { TypedValue = one.TookMicros },
                    new NpgsqlParameter<int> { TypedValue = one.Calls },
                },
            });
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Drops the months that ended before a time.</summary>
    public async Task<int> DropBefore(DateTimeOffset time, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT audit_drop_before($1)");
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = time });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Newest first. Texts are as they are kept; empty: whatever they are.</summary>
    public async Task<IReadOnlyList<AuditRecord>> Search(
        string principal, string resource, string person, string method, string result, DateTimeOffset? from, DateTimeOffset? until, (DateTimeOffset Time, Guid Id)? after, int most, CancellationToken cancellationToken)
    {
        // The text differs with the filters and never with their values: each is planned for the index that serves it.
        await using var command = database.CreateCommand();
        var where = new List<string>();
        Add("principal = {0}", principal);
        Add("method = {0}", method);
        Add("result = {0}", result);
        if (resource.StartsWith(CallTrail.Customers, StringComparison.Ordinal))
            resource = Keyed(CallTrail.CustomerOf(resource[CallTrail.Customers.Length..]), await Key());
        string[] about = [.. new[] { resource, CallTrail.PersonOf(person) is { } hashed ? Keyed(hashed, await Key()) : "" }.Where(one => one.Length > 0)];
        if (about.Length > 0)
        {
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = about });
            where.Add($"resources @> ${command.Parameters.Count}");
        }

        if (from is { } first)
            Time("time >= {0}", first);
        if (until is { } end)
            Time("time < {0}", end);
        if (after is { } position)
        {
            Time("(time, id) < ({0}, ", position.Time);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = position.Id });
            where[^1] += $"${command.Parameters.Count})";
        }

        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        command.CommandText = $"SELECT {Columns} FROM audit_events {(where.Count > 0 ? "WHERE " + string.Join(" AND ", where) : "")} ORDER BY time DESC, id DESC LIMIT ${command.Parameters.Count}";
        var found = new List<AuditRecord>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(new AuditRecord(
                reader.GetFieldValue<DateTimeOffset>(0), reader.GetGuid(1), reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<string[]>(3), reader.GetString(4),
                reader.GetFieldValue<string[]>(5), reader.GetString(6), reader.GetString(7), reader.GetString(8), reader.GetInt64(9), reader.GetInt32(10)));
        }

        return found;

        void Add(string condition, string value)
        {
            if (value.Length == 0)
                return;
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = value });
            where.Add(string.Format(System.Globalization.CultureInfo.InvariantCulture, condition, "$" + command.Parameters.Count));
        }

        void Time(string condition, DateTimeOffset value)
        {
            command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = value.ToUniversalTime() });
            where.Add(string.Format(System.Globalization.CultureInfo.InvariantCulture, condition, "$" + command.Parameters.Count));
        }
    }

    private async Task Months(NpgsqlConnection connection, IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken)
    {
        foreach (var month in records.GroupBy(one => (one.Time.UtcDateTime.Year * 12) + one.Time.UtcDateTime.Month))
        {
            if (_months.Contains(month.Key))
                continue;
            await using var command = new NpgsqlCommand("SELECT audit_month($1)", connection) { Parameters = { new NpgsqlParameter<DateTimeOffset> { TypedValue = month.First().Time } } };
            await command.ExecuteNonQueryAsync(cancellationToken);
            _months.Add(month.Key);
        }
    }

    private Task<byte[]> Key()
    {
        lock (_lock)
            return _key is null or { IsFaulted: true } or { IsCanceled: true } ? _key = Read() : _key;

        async Task<byte[]> Read()
        {
            await using var command = database.CreateCommand("SELECT key FROM audit_key");
            return (byte[])(await command.ExecuteScalarAsync())!;
        }
    }

    private static string[] Keyed(string[] resources, byte[] key) => Array.Exists(resources, IsPerson) ? Array.ConvertAll(resources, one => IsPerson(one) ? Keyed(one, key) : one) : resources;

    private static string Keyed(string person, byte[] key) => "persons/" + Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(person[Persons..])).AsSpan(0, 16));

    private static bool IsPerson(string resource) => resource.StartsWith(CallTrail.PersonPrefix, StringComparison.Ordinal);
}
