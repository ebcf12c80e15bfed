using Commerce.Facts;

namespace Commerce.Payments;

/// <summary>
/// The payment of one order. It wants one of two things: everything captured; or, once the order was cancelled or a part
/// declined, nothing held and nothing kept. <see cref="Next"/> says what is to be done at the provider to get there.
/// <para>
/// Invariant: whenever Next is not empty, a recovery point is under way that carries it out. Whoever stores a change after
/// which there is something to do that was not there before stores such a point with it.
/// </para>
/// </summary>
public sealed class Payment(string orderId, string storeId, Money amount, IReadOnlyList<PaymentPart> parts)
{
    public string OrderId => orderId;

    public string StoreId => storeId;

    public Money Amount => amount;

    public IReadOnlyList<PaymentPart> Parts => parts;

    /// <summary>The order was cancelled.</summary>
    public bool Cancelled { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; private set; }

    /// <summary>Facts told so far; the version of the last one.</summary>
    public long Version { get; private set; }

    /// <summary>What the last fact told; null before the first one.</summary>
    public PaymentState? Told { get; private set; }

    /// <summary>Counts every stored change, told or not: who stores a change does so to the revision that it read, or reads again.</summary>
    public long Revision { get; private set; }

    public Money Captured => Sum(p => p.Captured);

    public Money Refunded => Sum(p => p.Refunded);

    /// <summary>Why it is declined; null if it is not. A hold that ran out, or was released at the provider, is lost like a declined one.</summary>
    public string? DeclineReason => parts.Select(p => p.DeclineReason).FirstOrDefault(r => r is not null)
        ?? (!Cancelled && parts.Any(p => p.State == PartState.Voided) ? "authorisation_voided" : null);

    /// <summary>The money goes back.</summary>
    public bool Releasing => Cancelled || DeclineReason is not null;

    /// <summary>A part waits for the shopper or the provider, and nothing can be done but ask now and then.</summary>
    public bool Waits => !Releasing && parts.Any(p => p.State == PartState.Waiting);

    public PaymentState State => Releasing ? ReleasingState : CollectingState;

    private PaymentState CollectingState =>
        parts.All(p => p.State == PartState.Captured) ? PaymentState.Captured
        : parts.Any(p => p.Refunded.Minor > 0) ? PaymentState.PartlyRefunded
        : parts.All(p => p.State is PartState.Authorised or PartState.Captured) ? PaymentState.Authorised
        : PaymentState.Pending;

    private PaymentState ReleasingState =>
        parts.All(p => p.Released)
            ? Captured.Minor > 0 && Cancelled ? PaymentState.Refunded : DeclineReason is not null ? PaymentState.Declined : PaymentState.Voided
        : Refunded.Minor > 0 ? PaymentState.PartlyRefunded
        : parts.All(p => p.State == PartState.Captured) ? PaymentState.Captured
        : parts.All(p => p.State is PartState.Authorised or PartState.Captured) ? PaymentState.Authorised
        : PaymentState.Pending;

    /// <summary>A payment as it was stored.</summary>
    public Payment Restore(long version, PaymentState? told, long revision, DateTimeOffset updatedAt)
    {
        (Version, Told, Revision, UpdatedAt) = (version, told, revision, updatedAt);
        return this;
    }

    /// <summary>The store kept it as it is now.</summary>
    public void Saved(DateTimeOffset at)
    {
        Revision++;
        UpdatedAt = at;
        foreach (var part in parts)
            part.Saved();
    }

    /// <summary>What is to be done at the provider now: one kind of thing to one or several parts; empty if nothing.</summary>
    public IReadOnlyList<(PaymentPart Part, PartAction Action)> Next()
    {
        if (Releasing)
            return [.. parts.Select(p => (p, Undo(p))).Where(s => s.Item2 is not null).Select(s => (s.p, s.Item2!.Value))];

        // Nothing is taken before everything is held: a decline then costs nobody anything.
        var asking = parts.Where(p => p.State is PartState.Pending or PartState.Asking).ToList();
        if (asking.Count > 0)
            return [.. asking.Select(p => (p, PartAction.Authorise))];
        return parts.All(p => p.State is PartState.Authorised or PartState.Captured)
            ? [.. parts.Where(p => p.State == PartState.Authorised).Select(p => (p, PartAction.Capture))]
            : [];
    }

    /// <summary>
    /// Marks the parts that nobody was asked for as asked. To be stored before the provider is asked, because until it has
    /// answered nothing else tells that it was.
    /// </summary>
    public void Ask()
    {
        foreach (var part in parts.Where(p => p.State == PartState.Pending && !Releasing))
            part.Ask();
    }

    /// <summary>Gives up the parts that nobody was asked for, if the money goes back: there is nothing to undo.</summary>
    public void DropUnasked()
    {
        foreach (var part in parts.Where(p => p.State == PartState.Pending && Releasing))
            part.Drop();
    }

    /// <summary>
    /// The facts that the state has and nobody was told yet, each with the next version. Authorised is told only when
    /// capturing did not follow at once, and pending only when somebody really waits: in between they are no news.
    /// </summary>
    public IReadOnlyList<IPaymentFact> Tell(DateTimeOffset now)
    {
        var state = State;
        if (!IsNews(state))
            return [];

        Told = state;
        Version++;
        IPaymentFact fact = state switch
        {
            PaymentState.Pending => new PaymentPending(orderId, storeId, Version, now, amount),
            PaymentState.Authorised => new PaymentAuthorised(orderId, storeId, Version, now, amount),
            PaymentState.Captured => new PaymentCaptured(orderId, storeId, Version, now, amount),
            PaymentState.Declined => new PaymentDeclined(orderId, storeId, Version, now, DeclineReason!),
            PaymentState.Voided => new PaymentVoided(orderId, storeId, Version, now),
            PaymentState.Refunded => new PaymentRefunded(orderId, storeId, Version, now, Refunded, Captured),
            _ => throw new InvalidOperationException($"Nothing is told of the state {state}."),
        };
        return [fact];
    }

    private bool IsNews(PaymentState state)
    {
        if (Releasing)
        {
            return parts.All(p => p.Released)
                && Told is not (PaymentState.Declined or PaymentState.Refunded)
                && Told != state;
        }

        return state switch
        {
            PaymentState.Pending => Waits && Told is null,
            PaymentState.Authorised => Told is null or PaymentState.Pending,
            PaymentState.Captured => Told is null or PaymentState.Pending or PaymentState.Authorised,
            _ => false,
        };
    }

    private static PartAction? Undo(PaymentPart part) => part.State switch
    {
        // Whether it was asked is not known. Asking again under the same key finds out, and whatever comes of it can be
        // voided; a request of ours that is still on its way comes to the same authorisation, and so to nothing.
        PartState.Asking => PartAction.Authorise,
        PartState.Waiting or PartState.Authorised => PartAction.Void,
        PartState.Captured or PartState.PartlyRefunded => PartAction.Refund,
        _ => null,
    };

    private Money Sum(Func<PaymentPart, Money> of) => parts.Aggregate(Money.Zero(amount.Currency), (sum, part) => sum + of(part));
}
