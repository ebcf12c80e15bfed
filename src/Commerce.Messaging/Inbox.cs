using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using Commerce.Facts;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Commerce.Messaging;

/// <summary>Who hears what, and how.</summary>
internal sealed record ConsumerDefinition(string Name, Type Consumer, Subscription Subscription, Delivery Delivery);

/// <summary>
/// Gives each fact its effect once: the record that it was handled, the key's version and the effect are one transaction.
/// </summary>
internal sealed class Inbox(NpgsqlDataSource database, IServiceScopeFactory scopes, Outbox outbox, RecoveryPoints recoveryPoints, TimeProvider time)
{
    private static readonly ConcurrentDictionary<(Type, Type), Func<object, IFact, FactContext, Task>> Dispatchers = new();

    public async Task Handle(ConsumerDefinition consumer, IFact fact, Guid messageId, CancellationToken cancellationToken)
    {
        if (!await HandleOne(consumer, fact, messageId, cancellationToken))
            return;
        outbox.Wake();
        recoveryPoints.Wake();
        if (consumer.Delivery == Delivery.InOrder)
            await Unpark(consumer, fact.Key, cancellationToken);
    }

    /// <summary>Applies what waited for its turn, each in a transaction of its own.</summary>
    public async Task Unpark(ConsumerDefinition consumer, string key, CancellationToken cancellationToken)
    {
        while (await ApplyParked(consumer, key, cancellationToken))
        {
            outbox.Wake();
            recoveryPoints.Wake();
        }
    }

    private async Task<bool> HandleOne(ConsumerDefinition consumer, IFact fact, Guid messageId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (isNew, last) = await Record(connection, transaction, consumer, fact.Key, messageId, cancellationToken);
        if (!isNew)
        {
            MessagingTelemetry.Duplicates.Add(1, new KeyValuePair<string, object?>("consumer", consumer.Name));
            return false;
        }

        if (consumer.Delivery == Delivery.EachOnce || (consumer.Delivery == Delivery.Latest && fact.Version > last) || fact.Version == last + 1)
        {
            await Apply(connection, transaction, consumer, fact, messageId, cancellationToken);
            return true;
        }

        if (consumer.Delivery == Delivery.InOrder && fact.Version > last + 1)
        {
            await Park(connection, transaction, consumer, fact, messageId, cancellationToken);
            MessagingTelemetry.Parked.Add(1, new KeyValuePair<string, object?>("consumer", consumer.Name));
        }

        await transaction.CommitAsync(cancellationToken);
        return false;
    }

    private async Task<(bool IsNew, long Last)> Record(
        NpgsqlConnection connection, NpgsqlTransaction transaction, ConsumerDefinition consumer, string key, Guid messageId, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            "INSERT INTO messaging.inbox (consumer, message_id, handled_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1")
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = consumer.Name },
                new NpgsqlParameter<Guid> { TypedValue = messageId },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() },
            },
        });
        if (consumer.Delivery != Delivery.EachOnce)
            batch.BatchCommands.Add(LockVersion(consumer, key));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var isNew = await reader.ReadAsync(cancellationToken);
        if (consumer.Delivery == Delivery.EachOnce)
            return (isNew, 0);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (isNew, reader.GetInt64(0));
    }

    // The row's lock makes competing consumers of one key take turns; the first of them makes the row.
    private static NpgsqlBatchCommand LockVersion(ConsumerDefinition consumer, string key) => new(
        """
        INSERT INTO messaging.inbox_versions AS v (consumer, key, version) VALUES ($1, $2, 0)
        ON CONFLICT (consumer, key) DO UPDATE SET version = v.version RETURNING version
        """)
    {
        Parameters = { new NpgsqlParameter<string> { TypedValue = consumer.Name }, new NpgsqlParameter<string> { TypedValue = key } },
    };

    private async Task Apply(
        NpgsqlConnection connection, NpgsqlTransaction transaction, ConsumerDefinition consumer, IFact fact, Guid messageId, CancellationToken cancellationToken)
    {
        var context = new FactContext(connection, transaction, messageId, outbox, recoveryPoints, cancellationToken);
        await using var scope = scopes.CreateAsyncScope();
        await Dispatcher(consumer.Consumer, fact.GetType())(scope.ServiceProvider.GetRequiredService(consumer.Consumer), fact, context);
        if (consumer.Delivery != Delivery.EachOnce)
        {
            context.Batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE messaging.inbox_versions SET version = $3 WHERE consumer = $1 AND key = $2")
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = consumer.Name },
                    new NpgsqlParameter<string> { TypedValue = fact.Key },
                    new NpgsqlParameter<long> { TypedValue = fact.Version },
                },
            });
        }

        if (context.Batch.BatchCommands.Count > 0)
            await context.Batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        MessagingTelemetry.Consumed.Add(1, new KeyValuePair<string, object?>("consumer", consumer.Name));
    }

    private async Task Park(
        NpgsqlConnection connection, NpgsqlTransaction transaction, ConsumerDefinition consumer, IFact fact, Guid messageId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO messaging.parked_facts (consumer, key, version, message_id, fact, body, traceparent, parked_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
            """,
            connection,
            transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = consumer.Name },
                new NpgsqlParameter<string> { TypedValue = fact.Key },
                new NpgsqlParameter<long> { TypedValue = fact.Version },
                new NpgsqlParameter<Guid> { TypedValue = messageId },
                new NpgsqlParameter<string> { TypedValue = fact.GetType().Name },
                new NpgsqlParameter<string> { TypedValue = JsonSerializer.Serialize(fact, fact.GetType(), FactJson.Options) },
                new NpgsqlParameter<string?> { TypedValue = Activity.Current?.Id },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<bool> ApplyParked(ConsumerDefinition consumer, string key, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(LockVersion(consumer, key));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            DELETE FROM messaging.parked_facts p USING messaging.inbox_versions v
            WHERE p.consumer = $1 AND p.key = $2 AND v.consumer = $1 AND v.key = $2 AND p.version = v.version + 1
            RETURNING p.message_id, p.fact, p.body, p.traceparent
            """)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = consumer.Name }, new NpgsqlParameter<string> { TypedValue = key } },
        });
        Guid messageId;
        string name, body;
        string? traceParent;
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await reader.NextResultAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
                return false;
            (messageId, name, body, traceParent) = (reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3));
        }

        var type = consumer.Subscription.Facts.First(fact => fact.Name == name);
        using var activity = MessagingTelemetry.Source.StartActivity("unpark " + name, ActivityKind.Consumer, traceParent);
        var fact = (IFact)JsonSerializer.Deserialize(body, type, FactJson.Options)!;
        await Apply(connection, transaction, consumer, fact, messageId, cancellationToken);
        return true;
    }

    private static Func<object, IFact, FactContext, Task> Dispatcher(Type consumer, Type fact) => Dispatchers.GetOrAdd((consumer, fact), static types =>
    {
        var method = typeof(Inbox).GetMethod(nameof(Dispatch), BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(types.Item2);
        return method.CreateDelegate<Func<object, IFact, FactContext, Task>>();
    });

    private static Task Dispatch<TFact>(object consumer, IFact fact, FactContext context)
        where TFact : class, IFact => ((IConsumeFact<TFact>)consumer).Consume((TFact)fact, context);
}
