using Npgsql;

namespace Commerce.Messaging.Consuming;

/// <summary>The inbox's statements.</summary>
internal static class InboxSql
{
    /// <summary>Waits for a twin that is under way; gives a row only to the first.</summary>
    public static NpgsqlBatchCommand Record(string consumer, Guid messageId, DateTimeOffset now) =>
        new("INSERT INTO messaging.inbox (consumer, message_id, handled_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1")
        {
            Parameters = { Text(consumer), Id(messageId), Time(now) },
        };

    /// <summary>
    /// Locks the key (also one that is not there yet, and also when nothing changes) and advances it if the version is newer.
    /// No row: it is not newer.
    /// </summary>
    public static NpgsqlBatchCommand AdvanceToNewer(string consumer, string key, long version) =>
        new("""
            INSERT INTO messaging.inbox_versions AS v (consumer, key, version) VALUES ($1, $2, $3)
            ON CONFLICT (consumer, key) DO UPDATE SET version = $3 WHERE v.version < $3 RETURNING version
            """)
        {
            Parameters = { Text(consumer), Text(key), Number(version) },
        };

    /// <summary>
    /// Locks the key as above and advances it if the version is the next one. No row: it is not newer; another version than
    /// the given one: that is how far the key has come, and the fact is early.
    /// </summary>
    public static NpgsqlBatchCommand AdvanceToNext(string consumer, string key, long version) =>
        new("""
            INSERT INTO messaging.inbox_versions AS v (consumer, key, version) VALUES ($1, $2, CASE WHEN $3 = 1 THEN 1 ELSE 0 END)
            ON CONFLICT (consumer, key) DO UPDATE SET version = CASE WHEN v.version = $3 - 1 THEN $3 ELSE v.version END
            WHERE v.version < $3 RETURNING version
            """)
        {
            Parameters = { Text(consumer), Text(key), Number(version) },
        };

    public static NpgsqlBatchCommand Parked(string consumer, string key, long version) =>
        new("SELECT message_id, fact, body, traceparent FROM messaging.parked_facts WHERE consumer = $1 AND key = $2 AND version = $3")
        {
            Parameters = { Text(consumer), Text(key), Number(version) },
        };

    /// <summary>A redelivery of what is parked already changes nothing.</summary>
    public static NpgsqlBatchCommand Park(string consumer, ReceivedFact fact, DateTimeOffset now) =>
        new("""
            INSERT INTO messaging.parked_facts (consumer, key, version, message_id, fact, body, traceparent, parked_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
            """)
        {
            Parameters =
            {
                Text(consumer), Text(fact.Fact.Key), Number(fact.Fact.Version), Id(fact.MessageId), Text(fact.Type.Name), Text(fact.Body),
                new NpgsqlParameter<string?> { TypedValue = fact.TraceParent }, Time(now),
            },
        };

    public static NpgsqlBatchCommand Unpark(string consumer, string key, long version) =>
        new("DELETE FROM messaging.parked_facts WHERE consumer = $1 AND key = $2 AND version = $3")
        {
            Parameters = { Text(consumer), Text(key), Number(version) },
        };

    public static NpgsqlBatchCommand Forget(string consumer, Guid messageId) =>
        new("DELETE FROM messaging.inbox WHERE consumer = $1 AND message_id = $2") { Parameters = { Text(consumer), Id(messageId) } };

    /// <summary>Sets a fact aside after failures; one that is aside already stays as it is.</summary>
    public static NpgsqlBatchCommand SetAside(string consumer, ReceivedFact fact, int attempts, DateTimeOffset nextAt, string error, DateTimeOffset now) =>
        new("""
            INSERT INTO messaging.failed_facts (consumer, message_id, key, version, fact, body, traceparent, attempts, next_at, last_error, failed_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING
            """)
        {
            Parameters =
            {
                Text(consumer), Id(fact.MessageId), Text(fact.Fact.Key), Number(fact.Fact.Version), Text(fact.Type.Name), Text(fact.Body),
                new NpgsqlParameter<string?> { TypedValue = fact.TraceParent }, new NpgsqlParameter<int> { TypedValue = attempts },
                Time(nextAt), Text(error), Time(now),
            },
        };

    public static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };

    public static NpgsqlParameter<Guid> Id(Guid value) => new() { TypedValue = value };

    public static NpgsqlParameter<long> Number(long value) => new() { TypedValue = value };

    public static NpgsqlParameter<DateTimeOffset> Time(DateTimeOffset value) => new() { TypedValue = value.ToUniversalTime() };
}
