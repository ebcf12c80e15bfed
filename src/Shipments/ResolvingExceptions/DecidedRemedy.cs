using Action = Commerce.Shipments.V1.ResolutionAction;
using State = Commerce.Shipments.V1.DecidedRemedy.Types.State;

namespace Commerce.Shipments.ResolvingExceptions;

/// <summary>What is decided in the place of a parcel's arrival, for whoever waits for it: without who decided it and why.</summary>
internal sealed record DecidedRemedyRecord(Remedy Remedy, State State, long? AmountMinor, string? Currency, DateTimeOffset DecidedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>Of a resolution; null: it stands in for nothing.</summary>
    public static DecidedRemedyRecord? Of(Resolution one) => one.Action switch
    {
        Action.Reship => Of(one, Remedy.Reshipped),
        Action.Refund => Of(one, Remedy.Refunded),
        _ => null,
    };

    /// <summary>Whether somebody who waits for the parcel would see a difference.</summary>
    public bool IsNewsAfter(DecidedRemedyRecord? before) => before is null || this with { UpdatedAt = before.UpdatedAt } != before;

    private static DecidedRemedyRecord Of(Resolution one, Remedy remedy) => new(
        remedy,
        one.State switch
        {
            V1.Resolution.Types.State.Done => State.Done,
            V1.Resolution.Types.State.Failed => State.Failed,
            _ => State.Pending,
        },
        one.Amount?.Minor, one.Amount?.Currency, Stored(one.CreatedAt), Stored(one.UpdatedAt));

    // As the database gives it back, so that the same is the same.
    private static DateTimeOffset Stored(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
