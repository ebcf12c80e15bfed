namespace Commerce.Payments;

/// <summary>
/// Money that is to be taken of what is held. Promised first, which takes it from what can still be promised, and carried out
/// at the provider afterwards, under a key of its own: two of the same amount are two, and the same one again is one.
/// </summary>
public sealed class Capture
{
    /// <summary>From 1 within its payment.</summary>
    public required int Number { get; init; }

    public required Money Amount { get; init; }

    /// <summary>Who asked for it: a principal, for example "staff/anna".</summary>
    public required string By { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    /// <summary>What is taken of which part; never empty.</summary>
    public required IReadOnlyList<CapturePiece> Pieces { get; init; }

    public CaptureState State =>
        Pieces.Any(p => p.State == CapturePieceState.Promised) ? CaptureState.Pending
        : Pieces.All(p => p.State == CapturePieceState.Taken) ? CaptureState.Succeeded
        : CaptureState.Failed;

    /// <summary>What was taken of it.</summary>
    public Money Taken => Amount with { Minor = Pieces.Where(p => p.State == CapturePieceState.Taken).Sum(p => p.Amount.Minor) };

    /// <summary>It differs from what is stored.</summary>
    public bool Changed => Pieces.Any(p => p.Changed);
}

/// <summary>What of a capture is taken of one part of the payment.</summary>
public sealed class CapturePiece(int partNumber, Money amount)
{
    public int PartNumber => partNumber;

    public Money Amount => amount;

    public CapturePieceState State { get; private set; } = CapturePieceState.Promised;

    /// <summary>The provider's reason; null unless failed.</summary>
    public string? FailureReason { get; private set; }

    /// <summary>It differs from what is stored.</summary>
    public bool Changed { get; private set; } = true;

    /// <summary>A piece as it was stored.</summary>
    public CapturePiece Restore(CapturePieceState state, string? failureReason)
    {
        (State, FailureReason, Changed) = (state, failureReason, false);
        return this;
    }

    public void Saved() => Changed = false;

    /// <summary>The provider took it. Without effect on one that is settled.</summary>
    public void Take() => Settle(CapturePieceState.Taken, null);

    /// <summary>The provider refused it. Without effect on one that is settled.</summary>
    public void Refuse(string reason) => Settle(CapturePieceState.Failed, reason);

    private void Settle(CapturePieceState state, string? reason)
    {
        if (State == CapturePieceState.Promised)
            (State, FailureReason, Changed) = (state, reason, true);
    }
}

/// <summary>How far a capture has come. The numbers are those of the proto's enum.</summary>
public enum CaptureState
{
    /// <summary>Promised; the provider has not answered yet.</summary>
    Pending = 1,

    /// <summary>All of it was taken.</summary>
    Succeeded = 2,

    /// <summary>Not all of it was taken, and it will not be.</summary>
    Failed = 3,
}

/// <summary>How far a piece of a capture has come. The numbers are stored.</summary>
public enum CapturePieceState
{
    /// <summary>The provider is to be asked, or was, perhaps.</summary>
    Promised = 1,

    /// <summary>It was taken.</summary>
    Taken = 2,

    /// <summary>It was not taken, and will not be.</summary>
    Failed = 3,
}

/// <summary>When the money is taken. The numbers are stored, and are those of the proto's enum.</summary>
public enum CaptureMode
{
    /// <summary>At once, when everything is held.</summary>
    Automatic = 1,

    /// <summary>When somebody says so.</summary>
    Manual = 2,

    /// <summary>As parcels are handed over.</summary>
    OnShipment = 3,
}
