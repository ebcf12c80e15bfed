using System.Diagnostics;
using Commerce.Facts;
using Commerce.Messaging.Broker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Messaging.Consuming;

/// <summary>
/// Gives each fact its effect once: the record that it was handled, how far its key has come, and the effect are one
/// transaction of two round trips, one to find out whether it is our turn and one for the writes and the commit.
/// </summary>
internal sealed class Inbox(
    NpgsqlDataSource database, IServiceScopeFactory scopes, Outbox outbox, RecoveryPoints recoveryPoints, MessagingTelemetry telemetry,
    IOptions<MessagingOptions> options, TimeProvider time)
{
    /// <summary>Handles the fact, or finds that there is nothing to do, or parks it; an exception means that nothing was changed.</summary>
    public async Task Handle(ConsumerBinding binding, ReceivedFact fact, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await Handle(binding, fact, connection, transaction, null, cancellationToken);
    }

    /// <summary>As above in a transaction that is open already, with a last command that is to be committed with the effect.</summary>
    public async Task Handle(
        ConsumerBinding binding, ReceivedFact fact, NpgsqlConnection connection, NpgsqlTransaction transaction, NpgsqlBatchCommand? last, CancellationToken cancellationToken)
    {
        var (turn, next) = await Claim(binding, fact, connection, transaction, cancellationToken);
        telemetry.Handled.Add(1, new("consumer", binding.Name), new("outcome", Outcome(turn)));
        var writes = new NpgsqlBatch(connection, transaction);
        var told = false;
        if (turn == Turn.Early)
        {
            // It was not handled yet: the record goes again, and comes back with the effect.
            writes.BatchCommands.Add(InboxSql.Forget(binding.Name, fact.MessageId));
            writes.BatchCommands.Add(InboxSql.Park(binding.Name, fact, time.GetUtcNow()));
        }
        else if (turn == Turn.Ours)
        {
            var context = await Consume(binding, fact, connection, transaction, cancellationToken);
            (writes, told) = (context.Batch, context.Told);
            if (next is not null)
            {
                await Execute(writes, cancellationToken);
                writes = new NpgsqlBatch(connection, transaction);
                told |= await ApplyParked(binding, fact, next, connection, transaction, cancellationToken);
            }
        }

        // Not when its turn comes: what failed may be what it waits for.
        if (turn != Turn.Repeated && fact.Fact is OrderErased erased)
        {
            foreach (var command in ErasedFacts.InDatabase(binding.Name, erased.OrderId))
                writes.BatchCommands.Add(command);
            recoveryPoints.Add(writes, ErasedFacts.PointOf(binding.Name, erased.OrderId));
            told = true;
        }

        if (last is not null)
            writes.BatchCommands.Add(last);
        await Commit(writes, cancellationToken);
        if (told)
        {
            outbox.Wake();
            recoveryPoints.Wake();
        }
    }

    /// <summary>
    /// The key is locked before the inbox's record is made, here and wherever parked facts are applied: two transactions that
    /// took both in different orders would deadlock.
    /// </summary>
    private async Task<(Turn Turn, ReceivedFact? Next)> Claim(
        ConsumerBinding binding, ReceivedFact fact, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var (key, version) = (fact.Fact.Key, fact.Fact.Version);
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (binding.Delivery == Delivery.InOrder)
            batch.BatchCommands.Add(InboxSql.AdvanceToNext(binding.Name, key, version));
        else if (binding.Delivery == Delivery.Latest)
            batch.BatchCommands.Add(InboxSql.AdvanceToNewer(binding.Name, key, version));
        batch.BatchCommands.Add(InboxSql.Record(binding.Name, fact.MessageId, time.GetUtcNow()));
        if (binding.Delivery == Delivery.InOrder)
            batch.BatchCommands.Add(InboxSql.Parked(binding.Name, key, version + 1));

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        long? advancedTo = version;
        if (binding.Delivery != Delivery.EachOnce)
        {
            advancedTo = await reader.ReadAsync(cancellationToken) ? reader.GetInt64(0) : null;
            await reader.NextResultAsync(cancellationToken);
        }

        var first = await reader.ReadAsync(cancellationToken);
        ReceivedFact? next = null;
        if (binding.Delivery == Delivery.InOrder)
        {
            await reader.NextResultAsync(cancellationToken);
            next = await ReadParked(reader, cancellationToken);
        }

        var turn = (first, advancedTo) switch
        {
            (false, _) => Turn.Repeated,
            (true, null) => Turn.Past,
            (true, { } reached) when reached == version => Turn.Ours,
            _ => Turn.Early,
        };
        return (turn, next);
    }

    private async Task<FactContext> Consume(
        ConsumerBinding binding, ReceivedFact fact, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var consumer = scope.ServiceProvider.GetRequiredService(binding.Consumer);
        var context = new FactContext(connection, transaction, fact.MessageId, outbox, recoveryPoints, cancellationToken);
        await fact.Type.Consume(consumer, fact.Fact, context);
        return context;
    }

    /// <summary>
    /// Applies the facts that waited for this one, each with its own record, in the same transaction: a crash in between
    /// would leave them without anybody who remembers them. One that fails is set aside and does not undo those before it.
    /// </summary>
    private async Task<bool> ApplyParked(
        ConsumerBinding binding, ReceivedFact applied, ReceivedFact? next, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        const string Savepoint = "parked";
        var told = false;
        var (consumer, key) = (binding.Name, applied.Fact.Key);
        for (var version = applied.Fact.Version + 1; next is not null; version++)
        {
            var fact = next;
            using var activity = MessagingTelemetry.Source.StartActivity("inbox unpark", ActivityKind.Consumer, fact.TraceParent);
            await transaction.SaveAsync(Savepoint, cancellationToken);
            try
            {
                await using (var batch = new NpgsqlBatch(connection, transaction))
                {
                    batch.BatchCommands.Add(InboxSql.AdvanceToNext(consumer, key, version));
                    batch.BatchCommands.Add(InboxSql.Record(consumer, fact.MessageId, time.GetUtcNow()));
                    batch.BatchCommands.Add(InboxSql.Unpark(consumer, key, version));
                    batch.BatchCommands.Add(InboxSql.Parked(consumer, key, version + 1));
                    await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
                    await reader.NextResultAsync(cancellationToken);
                    await reader.NextResultAsync(cancellationToken);
                    next = await ReadParked(reader, cancellationToken);
                }

                var context = await Consume(binding, fact, connection, transaction, cancellationToken);
                await Execute(context.Batch, cancellationToken);
                told |= context.Told;
                telemetry.Handled.Add(1, new("consumer", consumer), new("outcome", "unparked"));
            }
            catch (Exception exception) when (!TransientErrors.Are(exception) && !cancellationToken.IsCancellationRequested)
            {
                await transaction.RollbackAsync(Savepoint, cancellationToken);
                var now = time.GetUtcNow();
                await using var batch = new NpgsqlBatch(connection, transaction);
                batch.BatchCommands.Add(InboxSql.Unpark(consumer, key, version));
                batch.BatchCommands.Add(InboxSql.SetAside(consumer, fact, 1, now + options.Value.LongRetryFirst, ErrorQueues.Describe(exception), now));
                await batch.ExecuteNonQueryAsync(cancellationToken);
                return told;
            }
        }

        return told;
    }

    private static async Task<ReceivedFact?> ReadParked(NpgsqlDataReader reader, CancellationToken cancellationToken) =>
        await reader.ReadAsync(cancellationToken)
            ? new ReceivedFact(reader.GetGuid(0), FactTypes.Get(reader.GetString(1)).Parse(reader.GetString(2)), reader.IsDBNull(3) ? null : reader.GetString(3))
            : null;

    private static async Task Execute(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        if (batch.BatchCommands.Count > 0)
            await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// The commit travels with the writes. Alone it would turn into a rollback without an error where a consumer has
    /// swallowed the failure of a statement, so it never goes alone: the statement before it is refused then.
    /// </summary>
    private static async Task Commit(NpgsqlBatch writes, CancellationToken cancellationToken)
    {
        if (writes.BatchCommands.Count == 0)
            writes.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1"));
        writes.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        await writes.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string Outcome(Turn turn) => turn switch
    {
        Turn.Ours => "applied",
        Turn.Early => "parked",
        Turn.Past => "past",
        _ => "repeated",
    };

    private enum Turn
    {
        Ours,
        Early,
        Past,
        Repeated,
    }
}
