using Commerce.Messaging.Broker;
using Npgsql;

namespace Commerce.Messaging;

/// <summary>What a redrive brought back.</summary>
/// <param name="FromErrorQueue">Messages moved from the error queue back to the queue.</param>
/// <param name="MadeDue">Facts that were set aside and are tried again now.</param>
public sealed record Redriven(int FromErrorQueue, int MadeDue);

/// <summary>Brings back what failed, once its cause is mended.</summary>
public sealed class Redrive
{
    private readonly ErrorQueues _errors;
    private readonly Registration _registration;
    private readonly TimeProvider _time;
    private readonly IServiceProvider _services;

    internal Redrive(ErrorQueues errors, Registration registration, TimeProvider time, IServiceProvider services) =>
        (_errors, _registration, _time, _services) = (errors, registration, time, services);

    /// <summary>The queues that this service consumes.</summary>
    public IReadOnlyList<string> Queues =>
        [.. _registration.Consumers.Select(c => c.Subscription.Queue).Concat(_registration.Observers.Select(o => o.Subscription.Queue))];

    /// <summary>
    /// Moves the messages of the queue's error queue back to it (each at least once: the inbox knows what it handled), and
    /// makes the facts that were set aside due.
    /// </summary>
    /// <exception cref="ArgumentException">This service does not consume such a queue.</exception>
    public async Task<Redriven> RedriveErrors(string queue, int limit = 10_000, CancellationToken cancellationToken = default)
    {
        if (!Queues.Contains(queue))
            throw new ArgumentException($"This service does not consume {queue}; it consumes: {string.Join(", ", Queues)}.", nameof(queue));
        var moved = await _errors.Redrive(queue, limit, cancellationToken);
        return new Redriven(moved, await MakeDue(queue, cancellationToken));
    }

    /// <summary>How many messages wait in the queue's error queue.</summary>
    public async Task<long> CountErrors(string queue, CancellationToken cancellationToken = default) => await _errors.Count(queue, cancellationToken);

    private async Task<int> MakeDue(string queue, CancellationToken cancellationToken)
    {
        if (_services.GetService(typeof(NpgsqlDataSource)) is not NpgsqlDataSource database)
            return 0;
        await using var command = database.CreateCommand("UPDATE messaging.failed_facts SET next_at = $2 WHERE consumer = $1 AND next_at > $2");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = _time.GetUtcNow() });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
