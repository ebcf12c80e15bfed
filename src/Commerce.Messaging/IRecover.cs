using Npgsql;

namespace Commerce.Messaging;

/// <summary>
/// Carries out recovery points of one kind. It may run more than once for one point (a crash after the outside call and
/// before the commit), so the outside call takes a key of ours. It returns what to do in the closing transaction: the
/// worker executes the batch it fills together with the point's removal. An exception means: again later, with back-off.
/// </summary>
public interface IRecover
{
    /// <summary>The kind of points that it carries out.</summary>
    string Kind { get; }

    /// <summary>Does the outside work, and says how it ended.</summary>
    Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken);
}

/// <summary>How an attempt ended.</summary>
public abstract record RecoveryOutcome
{
    private RecoveryOutcome()
    {
    }

    /// <summary>
    /// Finished: <paramref name="Commit"/> runs in the closing transaction (it reads and locks what it must, and queues
    /// its writes, facts and further points on the context), and the point is removed in it.
    /// </summary>
    public sealed record Done(Func<RecoveryContext, Task>? Commit = null) : RecoveryOutcome;

    /// <summary>Not yet: try again at the given time; <paramref name="Commit"/> as above, for example to show an exception.</summary>
    public sealed record Again(DateTimeOffset At, string Why, Func<RecoveryContext, Task>? Commit = null) : RecoveryOutcome;
}

/// <summary>The closing transaction of a recovery point.</summary>
public sealed class RecoveryContext(NpgsqlConnection connection, NpgsqlTransaction transaction, Outbox outbox, RecoveryPoints recoveryPoints, CancellationToken cancellationToken)
{
    public NpgsqlConnection Connection => connection;

    public NpgsqlTransaction Transaction => transaction;

    public CancellationToken CancellationToken => cancellationToken;

    /// <summary>Writes that need no answer; executed in order, before the commit.</summary>
    public NpgsqlBatch Batch { get; } = new(connection, transaction);

    public void Tell(Facts.IFact fact) => outbox.Add(Batch, fact);

    public void Intend(RecoveryPoint point) => recoveryPoints.Add(Batch, point);
}
