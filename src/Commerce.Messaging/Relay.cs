using System.Diagnostics;
using System.Text.Json;
using Commerce.Facts;
using Commerce.Messaging.Broker;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using RabbitMQ.Client;

namespace Commerce.Messaging;

/// <summary>
/// Takes facts from the outbox to the broker. One relay a service is active, by a lock that its own connection holds: the
/// rows are read over that same connection, so a relay that lost the lock reads nothing more. Keys go in parallel, the facts
/// of one key one after the other. A row is deleted only after the broker confirmed that it routed the fact.
/// </summary>
internal sealed partial class Relay(
    NpgsqlDataSource database, IBus bus, BrokerAddress broker, OutboxSignal signal, MessagingService service, TimeProvider time, ILogger<Relay> logger) : BackgroundService
{
    private const int BatchSize = 1000;
    private const int InFlight = 128;
    private const long LockKey = 0x436F6D6D65726365;

    private static readonly TimeSpan Sweep = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private static readonly Dictionary<string, Type> Facts =
        Subscriptions.All.SelectMany(subscription => subscription.Facts).Distinct().ToDictionary(fact => fact.Name, StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = TimeSpan.FromMilliseconds(200);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stoppingToken);
                if (await TryLock(connection, stoppingToken))
                {
                    LogActive(service.Name);
                    await DeclareSubscribers(stoppingToken);
                    pause = TimeSpan.FromMilliseconds(200);
                    await RelayWhileLocked(connection, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            // Whatever it was, the rows are still there; the relay never gives up.
            catch (Exception exception)
            {
                LogInterrupted(exception, service.Name, exception.Message);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }

            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<bool> TryLock(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = LockKey } } };
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task DeclareSubscribers(CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory { Uri = broker.Uri, ClientProvidedName = service.Name + " relay topology" };
        await using var connection = await factory.CreateConnectionAsync(cancellationToken);
        await Topology.Declare(connection, service.Name, cancellationToken);
    }

    private async Task RelayWhileLocked(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var rows = await Read(connection, cancellationToken);
            if (rows.Count == 0)
            {
                await WaitForWork(Sweep, cancellationToken);
                continue;
            }

            var failed = await Publish(connection, rows, cancellationToken);
            failures = failed ? failures + 1 : 0;
            if (failed)
                await WaitForWork(Backoff(failures), cancellationToken);
        }
    }

    private static async Task<List<OutboxRow>> Read(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT id, message_id, fact, key, body, traceparent FROM messaging.outbox ORDER BY id LIMIT $1", connection)
        {
            Parameters = { new NpgsqlParameter<int> { TypedValue = BatchSize } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<OutboxRow>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new OutboxRow(
                reader.GetInt64(0), reader.GetGuid(1), reader.GetString(2), reader.GetString(3), reader.GetString(4),
                reader.IsDBNull(5) ? null : reader.GetString(5)));
        }

        return rows;
    }

    private async Task<bool> Publish(NpgsqlConnection connection, List<OutboxRow> rows, CancellationToken cancellationToken)
    {
        var confirmed = new List<long>(rows.Count);
        var errors = new List<(long Id, string Error)>();
        await Parallel.ForEachAsync(
            rows.GroupBy(row => row.Key),
            new ParallelOptions { MaxDegreeOfParallelism = InFlight, CancellationToken = cancellationToken },
            async (facts, token) =>
            {
                foreach (var row in facts)
                {
                    try
                    {
                        await Publish(row, token);
                        lock (confirmed)
                            confirmed.Add(row.Id);
                    }
                    // The rest of the key waits for this one: order within a key is a promise.
                    catch (Exception exception) when (exception is not OperationCanceledException || !token.IsCancellationRequested)
                    {
                        MessagingTelemetry.PublishFailures.Add(1);
                        lock (errors)
                            errors.Add((row.Id, exception.Message));
                        return;
                    }
                }
            });

        MessagingTelemetry.Published.Add(confirmed.Count);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM messaging.outbox WHERE id = ANY($1)")
        {
            Parameters = { new NpgsqlParameter<long[]> { TypedValue = [.. confirmed] } },
        });
        if (errors.Count > 0)
        {
            LogUnpublished(service.Name, errors.Count, errors[0].Error);
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                "UPDATE messaging.outbox o SET attempts = attempts + 1, last_error = e.error FROM unnest($1, $2) AS e (id, error) WHERE o.id = e.id")
            {
                Parameters =
                {
                    new NpgsqlParameter<long[]> { TypedValue = [.. errors.Select(error => error.Id)] },
                    new NpgsqlParameter<string[]> { TypedValue = [.. errors.Select(error => error.Error)] },
                },
            });
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
        return errors.Count > 0;
    }

    private async Task Publish(OutboxRow row, CancellationToken cancellationToken)
    {
        if (!Facts.TryGetValue(row.Fact, out var type))
            throw new InvalidOperationException($"The fact {row.Fact} has no subscriber in Subscriptions, so no queue would keep it.");
        // The relay's own loop has no trace; the fact belongs to the one in which it was told.
        using var activity = MessagingTelemetry.Source.StartActivity("outbox relay", ActivityKind.Internal, row.TraceParent);
        var fact = JsonSerializer.Deserialize(row.Body, type, FactJson.Options) ?? throw new JsonException("The fact's body is null.");
        await bus.Publish(
            fact,
            type,
            Pipe.Execute<PublishContext>(context =>
            {
                context.MessageId = row.MessageId;
                context.Durable = true;
                // A confirm alone says that the broker took it, not that a queue did.
                context.GetPayload<RabbitMqSendContext>().Mandatory = true;
            }),
            cancellationToken);
    }

    private async Task WaitForWork(TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var swept = Task.Delay(atMost, time, waiting.Token);
        var signalled = signal.WaitAsync(waiting.Token);
        await Task.WhenAny(swept, signalled);
        await waiting.CancelAsync();
        await Task.WhenAll(swept, signalled).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static TimeSpan Backoff(int failures) =>
        TimeSpan.FromMilliseconds(Math.Min(LongestPause.TotalMilliseconds, 100 * Math.Pow(2, Math.Min(failures, 10))));

    [LoggerMessage(1, LogLevel.Information, "{Service}: the relay is active")]
    private partial void LogActive(string service);

    [LoggerMessage(2, LogLevel.Warning, "{Service}: the relay was interrupted and begins again: {Error}")]
    private partial void LogInterrupted(Exception exception, string service, string error);

    [LoggerMessage(3, LogLevel.Warning, "{Service}: {Count} facts could not be published and wait: {Error}")]
    private partial void LogUnpublished(string service, int count, string error);

    private sealed record OutboxRow(long Id, Guid MessageId, string Fact, string Key, string Body, string? TraceParent);
}
