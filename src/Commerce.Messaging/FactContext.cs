using Commerce.Facts;
using Npgsql;

namespace Commerce.Messaging;

/// <summary>
/// What a consumer works with: the open transaction of its inbox record. Commands queued in <see cref="Batch"/> go to the
/// database in one round trip, with the commit, after Consume returns.
/// </summary>
public sealed class FactContext(
    NpgsqlConnection connection,
    NpgsqlTransaction transaction,
    Guid messageId,
    Outbox outbox,
    RecoveryPoints recoveryPoints,
    CancellationToken cancellationToken)
{
    public NpgsqlConnection Connection => connection;

    public NpgsqlTransaction Transaction => transaction;

    /// <summary>The fact's own id; a redelivery has the same.</summary>
    public Guid MessageId => messageId;

    public CancellationToken CancellationToken => cancellationToken;

    /// <summary>Writes that need no answer; executed in order, before the commit.</summary>
    public NpgsqlBatch Batch { get; } = new(connection, transaction);

    /// <summary>Tells a fact of our own, in this transaction.</summary>
    public void Tell(IFact fact)
    {
        outbox.Add(Batch, fact);
        Told = true;
    }

    /// <summary>Stores the intent of an outside call, in this transaction; it is carried out after the commit.</summary>
    public void Intend(RecoveryPoint point)
    {
        recoveryPoints.Add(Batch, point);
        Told = true;
    }

    /// <summary>Whether the workers are to be woken after the commit.</summary>
    internal bool Told { get; private set; }
}
