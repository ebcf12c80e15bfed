using System.Text.RegularExpressions;
using Commerce.Facts;
using Commerce.Messaging.Broker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Messaging.Operating;

/// <summary>One failure, without the words of its error.</summary>
/// <param name="Reason">As in <see cref="ErrorCause"/>, "set-aside", or null: the broker gave it up.</param>
internal sealed record QueueFailure(string? Reason, string Error, string? Fact, string? MessageId, string? TraceParent, int Attempts, DateTimeOffset At);

/// <summary>What waits in and beside one queue.</summary>
internal sealed record QueueState(string Queue, long Waiting, long SetAside, long Parked, long Errors, DateTimeOffset? Oldest, QueueFailure? Last);

/// <summary>The queues of this service as those who run it see them: on the broker and, where it has a database, in there.</summary>
internal sealed partial class QueueOperations(
    Registration registration, QueueInspector inspector, Redrive redrive, IServiceProvider services, IOptions<MessagingOptions> options) : IDisposable
{
    // A look holds the messages of the error queue for a moment, in which a redrive would not find them.
    private readonly SemaphoreSlim _errorQueues = new(1);

    // Counts stop at a bound, as those of the gauges do.
    private const string Query =
        """
        SELECT f.count, f.oldest, p.count, p.oldest, l.fact, l.message_id, l.traceparent, l.attempts, l.last_error, l.failed_at
        FROM (SELECT count(*), min(failed_at) AS oldest FROM (SELECT failed_at FROM messaging.failed_facts WHERE consumer = $1 LIMIT 100000) x) f
        CROSS JOIN (SELECT count(*), min(parked_at) AS oldest FROM (SELECT parked_at FROM messaging.parked_facts WHERE consumer = $1 LIMIT 100000) x) p
        LEFT JOIN LATERAL (
          SELECT fact, message_id, traceparent, attempts, last_error, failed_at FROM messaging.failed_facts
          WHERE consumer = $1 ORDER BY failed_at DESC LIMIT 1) l ON true
        """;

    /// <summary>Names, in order.</summary>
    public IReadOnlyList<string> Queues => [.. redrive.Queues.Order(StringComparer.Ordinal)];

    public async Task<QueueState> Look(string queue, CancellationToken cancellationToken)
    {
        var broker = await Exclusively(() => inspector.Look(SubscriptionOf(queue), cancellationToken), cancellationToken);
        var (setAside, parked, oldestKept, lastKept) = services.GetService<NpgsqlDataSource>() is { } database
            ? await LookInto(database, queue, cancellationToken)
            : (0, 0, null, null);
        var failures = broker.Failed.Where(message => message.At is not null).Select(message => new QueueFailure(
            message.Reason, KindOf(message.Error), message.Fact, message.MessageId, message.TraceParent, message.Attempts, message.At!.Value));
        var oldest = broker.Failed.Select(message => message.At).Append(oldestKept).Min();
        return new QueueState(queue, broker.Waiting, setAside, parked, broker.Errors, oldest, failures.Concat(lastKept is null ? [] : [lastKept]).MaxBy(failure => failure.At));
    }

    public Task<Redriven> Redrive(string queue, CancellationToken cancellationToken) =>
        Exclusively(() => redrive.RedriveErrors(queue, cancellationToken: cancellationToken), cancellationToken);

    public void Dispose() => _errorQueues.Dispose();

    private async Task<T> Exclusively<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await _errorQueues.WaitAsync(cancellationToken);
        try
        {
            return await work();
        }
        finally
        {
            _errorQueues.Release();
        }
    }

    private Subscription SubscriptionOf(string queue) => registration.Consumers.Select(consumer => consumer.Subscription)
        .Concat(registration.Observers.Select(observer => observer.Subscription))
        .First(subscription => subscription.Queue == queue);

    private async Task<(long SetAside, long Parked, DateTimeOffset? Oldest, QueueFailure? Last)> LookInto(
        NpgsqlDataSource database, string queue, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Query);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        DateTimeOffset? oldestSetAside = await reader.IsDBNullAsync(1, cancellationToken) ? null : reader.GetFieldValue<DateTimeOffset>(1);
        DateTimeOffset? oldestParked = await reader.IsDBNullAsync(3, cancellationToken) ? null : reader.GetFieldValue<DateTimeOffset>(3);
        var last = await reader.IsDBNullAsync(4, cancellationToken)
            ? null
            : new QueueFailure(
                "set-aside", KindOf(reader.GetString(8)), reader.GetString(4), reader.GetGuid(5).ToString(), reader.IsDBNull(6) ? null : reader.GetString(6),
                // The attempts that are counted are those after the quick ones.
                reader.GetInt32(7) + options.Value.QuickRetries + 1, reader.GetFieldValue<DateTimeOffset>(9));
        return (reader.GetInt64(0), reader.GetInt64(2), new[] { oldestSetAside, oldestParked }.Min(), last);
    }

    /// <summary>Of <see cref="ErrorQueues.Describe"/>'s text only the outermost error's kind, and the SQLSTATE: the words may quote what a person typed.</summary>
    private static string KindOf(string? described) => described is not null && Kind().Match(described) is { Success: true } kind
        ? kind.Groups["state"].Success ? $"{kind.Groups["type"].Value} {kind.Groups["state"].Value}" : kind.Groups["type"].Value
        : "";

    [GeneratedRegex(@"\A(?:(?<type>PostgresException): (?<state>[0-9A-Z]{5}): |(?<type>[\w`]+): )", RegexOptions.CultureInvariant)]
    private static partial Regex Kind();
}
