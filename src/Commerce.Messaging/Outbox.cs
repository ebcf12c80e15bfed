using System.Diagnostics;
using System.Text.Json;
using Commerce.Facts;
using Npgsql;

namespace Commerce.Messaging;

/// <summary>
/// Writes facts beside the change that they tell, in the same transaction. Call <see cref="Add(NpgsqlBatch, IFact)"/> on the change's own
/// batch, and <see cref="Wake"/> after the commit so that the relay need not wait for its sweep.
/// </summary>
public sealed class Outbox(TimeProvider time, OutboxSignal signal)
{
    /// <summary>Adds the fact's row to a batch that is to be executed in the transaction of the change.</summary>
    public void Add(NpgsqlBatch batch, IFact fact)
    {
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            "INSERT INTO messaging.outbox (message_id, fact, key, version, body, traceparent, enqueued_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = Guid.CreateVersion7(time.GetUtcNow()) },
                new NpgsqlParameter<string> { TypedValue = fact.GetType().Name },
                new NpgsqlParameter<string> { TypedValue = fact.Key },
                new NpgsqlParameter<long> { TypedValue = fact.Version },
                new NpgsqlParameter<string> { TypedValue = JsonSerializer.Serialize(fact, fact.GetType(), FactJson.Options) },
                new NpgsqlParameter<string?> { TypedValue = Activity.Current?.Id },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() },
            },
        });
    }

    /// <summary>The same for facts of several changes that share a transaction, each with the trace in which it was told.</summary>
    public void Add(NpgsqlBatch batch, IReadOnlyList<(IFact Fact, string? TraceParent)> facts)
    {
        var now = time.GetUtcNow();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            INSERT INTO messaging.outbox (message_id, fact, key, version, body, traceparent, enqueued_at)
            SELECT message_id, fact, key, version, body, traceparent, $7
            FROM unnest($1, $2, $3, $4, $5, $6) AS f (message_id, fact, key, version, body, traceparent)
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid[]> { TypedValue = [.. facts.Select(_ => Guid.CreateVersion7(now))] },
                new NpgsqlParameter<string[]> { TypedValue = [.. facts.Select(f => f.Fact.GetType().Name)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. facts.Select(f => f.Fact.Key)] },
                new NpgsqlParameter<long[]> { TypedValue = [.. facts.Select(f => f.Fact.Version)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. facts.Select(f => JsonSerializer.Serialize(f.Fact, f.Fact.GetType(), FactJson.Options))] },
                new NpgsqlParameter<string?[]> { TypedValue = [.. facts.Select(f => f.TraceParent)] },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
            },
        });
    }

    /// <summary>Tells the relay of this process that something was committed.</summary>
    public void Wake() => signal.Set();
}
