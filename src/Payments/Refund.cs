using Commerce.Payments.Providers;

namespace Commerce.Payments;

/// <summary>
/// Money that goes back. Promised first, which takes it from what can still be promised, and carried out at the provider
/// afterwards. It counts as given back when the provider says that it was; one that failed never does, and what it had
/// promised is free again.
/// </summary>
public sealed class Refund
{
    private bool _told;

    /// <summary>From 1 within its payment.</summary>
    public required int Number { get; init; }

    public required Money Amount { get; init; }

    public required RefundReason Reason { get; init; }

    public RefundDestination Destination { get; init; } = RefundDestination.OriginalMeans;

    /// <summary>In words; empty if none were given.</summary>
    public required string Note { get; init; }

    /// <summary>Who asked for it: a principal, for example "staff/anna".</summary>
    public required string By { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    /// <summary>Its credit note is issued.</summary>
    public bool Credited { get; init; }

    /// <summary>It was told that it failed.</summary>
    public bool FailureTold { get; private set; }

    /// <summary>What goes back to which part; never empty.</summary>
    public required IReadOnlyList<RefundPiece> Pieces { get; init; }

    /// <summary>The suite gives everything back, and goes on until it has.</summary>
    public bool IsRelease => Reason is RefundReason.OrderCancelled or RefundReason.PaymentDeclined;

    /// <summary>The suite gives back what the order costs less than before, and goes on until it has.</summary>
    public bool IsReduction => Reason == RefundReason.OrderChanged && By == Payment.Actor;

    /// <summary>One that is promised anew should it fail.</summary>
    public bool GoesOn => IsRelease || IsReduction;

    public RefundState State =>
        Pieces.Any(p => p.IsOpen) ? RefundState.Pending
        : Pieces.All(p => p.State == RefundPieceState.Succeeded) ? RefundState.Succeeded
        : RefundState.Failed;

    /// <summary>What was given back of it.</summary>
    public Money Given => Amount with { Minor = Pieces.Where(p => p.State == RefundPieceState.Succeeded).Sum(p => p.Amount.Minor) };

    /// <summary>It failed for good, and nobody was told yet.</summary>
    public bool FailureDue => !FailureTold && !GoesOn && State == RefundState.Failed;

    /// <summary>The provider's reasons; empty unless failed.</summary>
    public string FailureReason => string.Join(", ", Pieces.Select(p => p.FailureReason).Where(reason => reason is { Length: > 0 }).Distinct());

    /// <summary>It differs from what is stored.</summary>
    public bool Changed => _told || Pieces.Any(p => p.Changed);

    /// <summary>A refund as it was stored.</summary>
    public Refund Restore(bool failureTold)
    {
        FailureTold = failureTold;
        return this;
    }

    /// <summary>That it failed is told now.</summary>
    public void TellFailure() => (FailureTold, _told) = (true, true);

    public void Saved(DateTimeOffset at)
    {
        (UpdatedAt, _told) = (at, false);
        foreach (var piece in Pieces)
            piece.Saved();
    }
}

/// <summary>What of a refund goes back to one part of the payment.</summary>
public sealed class RefundPiece(int partNumber, Money amount)
{
    public int PartNumber => partNumber;

    public Money Amount => amount;

    public RefundPieceState State { get; private set; } = RefundPieceState.Promised;

    /// <summary>The provider's own id of the refund; null until it is known.</summary>
    public string? ProviderReference { get; private set; }

    /// <summary>The provider's reason; null unless failed.</summary>
    public string? FailureReason { get; private set; }

    /// <summary>It differs from what is stored.</summary>
    public bool Changed { get; private set; } = true;

    /// <summary>It may still go back: nobody else may be promised this money.</summary>
    public bool IsOpen => State is RefundPieceState.Promised or RefundPieceState.Waiting;

    /// <summary>A piece as it was stored.</summary>
    public RefundPiece Restore(RefundPieceState state, string? providerReference, string? failureReason)
    {
        (State, ProviderReference, FailureReason, Changed) = (state, providerReference, failureReason, false);
        return this;
    }

    public void Saved() => Changed = false;

    /// <summary>The provider refused it. Without effect on one that is settled.</summary>
    public void Refuse(string reason)
    {
        if (!IsOpen)
            return;
        (State, FailureReason, Changed) = (RefundPieceState.Failed, reason, true);
    }

    /// <summary>Takes in what the provider says. True if that was news; what is settled stays settled.</summary>
    /// <exception cref="ProviderFaultException">It is about another refund or amount than ours, or contradicts what was final.</exception>
    public bool Learn(ProviderRefund seen)
    {
        if (ProviderReference is not null && ProviderReference != seen.Id)
            throw new ProviderFaultException($"What goes back to part {partNumber} is refund {ProviderReference}; the provider now speaks of {seen.Id}.");
        if (seen.Amount != amount)
            throw new ProviderFaultException($"The provider says that refund {seen.Id} is over {seen.Amount}; ours is over {amount}.");
        var state = seen.Status switch
        {
            RefundStatus.Succeeded => RefundPieceState.Succeeded,
            RefundStatus.Failed => RefundPieceState.Failed,
            _ => RefundPieceState.Waiting,
        };
        if (!IsOpen)
        {
            return state == RefundPieceState.Waiting || state == State
                ? false
                : throw new ProviderFaultException($"The provider says that refund {seen.Id} {seen.Status}; it had said {State}.");
        }

        if (state == State && ProviderReference is not null)
            return false;
        State = state;
        ProviderReference = seen.Id;
        FailureReason = state == RefundPieceState.Failed ? seen.FailureReason ?? "failed" : null;
        Changed = true;
        return true;
    }
}

/// <summary>How far a refund has come. The numbers are those of the proto's enum.</summary>
public enum RefundState
{
    /// <summary>Promised, and not settled yet.</summary>
    Pending = 1,

    /// <summary>All of it was given back.</summary>
    Succeeded = 2,

    /// <summary>Settled, and not all of it was given back.</summary>
    Failed = 3,
}

/// <summary>How far a piece of a refund has come. The numbers are stored.</summary>
public enum RefundPieceState
{
    /// <summary>The provider is to be asked, or was, perhaps.</summary>
    Promised = 1,

    /// <summary>The provider took it on, and has not settled it.</summary>
    Waiting = 2,

    /// <summary>It went back.</summary>
    Succeeded = 3,

    /// <summary>It did not go back, and will not.</summary>
    Failed = 4,
}

/// <summary>Where money that is given back goes. The numbers are stored, and are those of the proto's enum.</summary>
public enum RefundDestination
{
    /// <summary>Back to what it was paid with.</summary>
    OriginalMeans = 1,

    /// <summary>To the customer's credit with the store.</summary>
    StoreCredit = 2,
}

/// <summary>Why money is given back. The numbers are stored, and are those of the proto's enum.</summary>
public enum RefundReason
{
    /// <summary>Goods came back.</summary>
    Return = 1,

    /// <summary>Goods arrived damaged or were not what was ordered.</summary>
    Damaged = 2,

    /// <summary>Goods did not arrive.</summary>
    NotDelivered = 3,

    /// <summary>The order was changed, and costs less.</summary>
    OrderChanged = 4,

    /// <summary>To make up for something.</summary>
    Goodwill = 5,

    /// <summary>Suspected fraud.</summary>
    Fraud = 6,

    /// <summary>Another reason.</summary>
    Other = 7,

    /// <summary>The order was cancelled.</summary>
    OrderCancelled = 8,

    /// <summary>Another part of the payment was declined after this one was taken.</summary>
    PaymentDeclined = 9,
}
