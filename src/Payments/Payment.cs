using Commerce.Facts;
using Commerce.Payments.Providers;

namespace Commerce.Payments;

/// <summary>
/// The payment of one order. It wants one of two things: everything captured; or, once the order was cancelled or a part
/// declined, nothing held and nothing kept. Beside that, whatever was promised as a refund is to go back.
/// <see cref="Next"/> says what is to be done at the provider to get there.
/// <para>
/// Invariant: whenever Next is not empty, a recovery point is under way that carries it out. Whoever stores a change after
/// which there is something to do that was not there before stores such a point with it.
/// </para>
/// </summary>
public sealed partial class Payment(string orderId, string storeId, Money amount, IReadOnlyList<PaymentPart> parts)
{
    private readonly List<Refund> _refunds = [];

    public string OrderId => orderId;

    public string StoreId => storeId;

    /// <summary>What the order came to when it was placed.</summary>
    public Money Amount => amount;

    public IReadOnlyList<PaymentPart> Parts => parts;

    /// <summary>The order was cancelled.</summary>
    public bool Cancelled { get; init; }

    /// <summary>What was promised to go back, first one first.</summary>
    public IReadOnlyList<Refund> Refunds => _refunds;

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; private set; }

    /// <summary>Facts told so far; the version of the last one.</summary>
    public long Version { get; private set; }

    /// <summary>What the last fact told; null before the first one.</summary>
    public PaymentState? Told { get; private set; }

    /// <summary>What the facts so far have told to be given back, in minor units.</summary>
    public long ToldRefunded { get; private set; }

    /// <summary>It was told that the order is paid: it has an invoice, and what goes back has a credit note.</summary>
    public bool Sold { get; private set; }

    /// <summary>Invoice and receipt are issued.</summary>
    public bool Invoiced { get; init; }

    /// <summary>A document is to be issued. Whoever stores a change with which this is so stores the intent with it.</summary>
    public bool DocumentsDue => Sold && (!Invoiced || _refunds.Any(r => !r.Credited && r.State != RefundState.Pending && r.Given.Minor > 0));

    /// <summary>Counts every stored change, told or not: who stores a change does so to the revision that it read, or reads again.</summary>
    public long Revision { get; private set; }

    public Money Captured => Sum(p => p.Captured);

    public Money Refunded => Sum(p => p.Refunded);

    /// <summary>Taken, and neither given back nor promised: what a refund may come to.</summary>
    public Money Refundable => amount with { Minor = parts.Sum(RefundableOf) };

    /// <summary>Why it is declined; null if it is not. A hold that ran out, or was released at the provider, is lost like a declined one.</summary>
    public string? DeclineReason => Placed.Select(p => p.DeclineReason).FirstOrDefault(r => r is not null)
        ?? (!Cancelled && Placed.Any(p => p.State == PartState.Voided) ? "authorisation_voided" : null);

    /// <summary>The money goes back.</summary>
    public bool Releasing => Cancelled || DeclineReason is not null;

    /// <summary>A part waits for the shopper or the provider, and nothing can be done but ask now and then.</summary>
    public bool Waits => !Releasing && parts.Any(p => p.State == PartState.Waiting);

    /// <summary>The provider has taken on a refund and not settled it, and nothing can be done but ask now and then.</summary>
    public bool AwaitsRefund => _refunds.Any(r => r.Pieces.Any(p => p.State == RefundPieceState.Waiting));

    public PaymentState State => Releasing ? ReleasingState : CollectingState;

    private PaymentState CollectingState =>
        Counted.All(p => p.State == PartState.Captured) ? PaymentState.Captured
        : Counted.All(p => p.State == PartState.Refunded) ? PaymentState.Refunded
        : Counted.Any(p => p.Refunded.Minor > 0) ? PaymentState.PartlyRefunded
        : Counted.All(p => p.State is PartState.Authorised or PartState.Captured) ? PaymentState.Authorised
        : PaymentState.Pending;

    private PaymentState ReleasingState =>
        parts.All(p => p.Released)
            ? Captured.Minor > 0 && Cancelled ? PaymentState.Refunded : DeclineReason is not null ? PaymentState.Declined : PaymentState.Voided
        : Refunded.Minor > 0 ? PaymentState.PartlyRefunded
        : parts.All(p => p.State == PartState.Captured) ? PaymentState.Captured
        : parts.All(p => p.State is PartState.Authorised or PartState.Captured) ? PaymentState.Authorised
        : PaymentState.Pending;

    /// <summary>A payment as it was stored.</summary>
    public Payment Restore(long version, PaymentState? told, long toldRefunded, bool sold, long revision, DateTimeOffset updatedAt, IEnumerable<Refund> refunds)
    {
        (Version, Told, ToldRefunded, Sold, Revision, UpdatedAt) = (version, told, toldRefunded, sold, revision, updatedAt);
        _refunds.AddRange(refunds);
        return this;
    }

    /// <summary>The store kept it as it is now.</summary>
    public void Saved(DateTimeOffset at)
    {
        Revision++;
        UpdatedAt = at;
        foreach (var part in parts)
            part.Saved();
        foreach (var refund in _refunds.Where(r => r.Changed))
        {
            refund.UpdatedAt = at;
            foreach (var piece in refund.Pieces)
                piece.Saved();
        }
    }

    /// <summary>Something differs from what is stored.</summary>
    public bool Changed => parts.Any(p => p.Changed) || _refunds.Any(r => r.Changed);

    /// <summary>What is to be done at the provider now; empty if nothing. A refund without its promise has to be promised first.</summary>
    public IReadOnlyList<PaymentStep> Next()
    {
        var refunds = _refunds.SelectMany(r => r.Pieces, (refund, piece) => (refund, piece))
            .Where(one => one.piece.State == RefundPieceState.Promised)
            .Select(one => new PaymentStep(PartOf(one.piece), PartAction.Refund, one.refund));
        return [.. Releasing ? parts.SelectMany(Undo) : [.. Collect(), .. CollectCharges(), .. GiveBackReduction()], .. refunds];
    }

    /// <summary>
    /// Promises to give an amount back, the last part first: a voucher, or the second card, is paid back before the main
    /// means of payment, and few parts are touched.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The amount is not more than zero and at most what is refundable.</exception>
    public Refund Promise(Money back, RefundReason reason, string note, string by, DateTimeOffset now)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(back.Minor, nameof(back));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(back, Refundable, nameof(back));
        var pieces = new List<RefundPiece>();
        var left = back.Minor;
        foreach (var part in parts.Reverse())
        {
            var piece = Math.Min(left, RefundableOf(part));
            if (piece == 0)
                continue;
            pieces.Add(new RefundPiece(part.Number, amount with { Minor = piece }));
            left -= piece;
        }

        var refund = new Refund
        {
            Number = _refunds.Count + 1,
            Amount = back,
            Reason = reason,
            Note = note,
            By = by,
            CreatedAt = now,
            UpdatedAt = now,
            Pieces = pieces,
        };
        _refunds.Add(refund);
        return refund;
    }

    /// <summary>
    /// If the money goes back, promises all that is not promised yet. To be stored before the provider is asked, as any
    /// promise.
    /// </summary>
    public void PromiseRelease(DateTimeOffset now)
    {
        if (Releasing && Refundable.Minor > 0)
            Promise(Refundable, Cancelled ? RefundReason.OrderCancelled : RefundReason.PaymentDeclined, "", "service/payments", now);
    }

    /// <summary>The piece of a refund that goes back to a part; null if there is none.</summary>
    public RefundPiece? PieceOf(int refundNumber, int partNumber) =>
        _refunds.Find(r => r.Number == refundNumber)?.Pieces.FirstOrDefault(p => p.PartNumber == partNumber);

    /// <summary>Takes in what the provider says of a piece of a refund. True if that was news.</summary>
    /// <exception cref="ProviderFaultException">It contradicts what is known.</exception>
    public bool Learn(RefundPiece piece, ProviderRefund seen)
    {
        var news = piece.Learn(seen);
        if (piece.State == RefundPieceState.Succeeded)
        {
            PartOf(piece).GaveBack(_refunds.SelectMany(r => r.Pieces)
                .Where(p => p.PartNumber == piece.PartNumber && p.State == RefundPieceState.Succeeded).Sum(p => p.Amount.Minor));
        }

        return news;
    }

    /// <summary>
    /// Marks the parts that nobody was asked for as asked. To be stored before the provider is asked, because until it has
    /// answered nothing else tells that it was.
    /// </summary>
    public void Ask()
    {
        foreach (var part in parts.Where(p => p is { State: PartState.Pending, Withdrawn: false } && !Releasing))
            part.Ask();
    }

    /// <summary>Gives up the parts that nobody was asked for, if the money goes back: there is nothing to undo.</summary>
    public void DropUnasked()
    {
        foreach (var part in parts.Where(p => p.State == PartState.Pending && (Releasing || p.Withdrawn)))
            part.Drop();
    }

    /// <summary>
    /// The facts that the state has and nobody was told yet, each with the next version. Authorised is told only when
    /// capturing did not follow at once, and pending only when somebody really waits: in between they are no news. What was
    /// captured is told before what was given back of it, also where both became known at once.
    /// </summary>
    public IReadOnlyList<IPaymentFact> Tell(DateTimeOffset now)
    {
        var facts = new List<IPaymentFact>();
        foreach (var state in News())
        {
            Told = state;
            Version++;
            facts.Add(state switch
            {
                PaymentState.Pending => new PaymentPending(orderId, storeId, Version, now, amount),
                PaymentState.Authorised => new PaymentAuthorised(orderId, storeId, Version, now, amount),
                PaymentState.Captured => new PaymentCaptured(orderId, storeId, Version, now, amount),
                PaymentState.Declined => new PaymentDeclined(orderId, storeId, Version, now, DeclineReason!),
                PaymentState.Voided => new PaymentVoided(orderId, storeId, Version, now),
                _ => new PaymentRefunded(orderId, storeId, Version, now, Refunded, Captured, ReductionGiven),
            });
            Sold |= state == PaymentState.Captured;
            if (state is PaymentState.PartlyRefunded or PaymentState.Refunded)
                ToldRefunded = Refunded.Minor;
        }

        facts.AddRange(TellCharges(now));
        return facts;
    }

    private IEnumerable<PaymentState> News()
    {
        var state = State;
        if (Releasing)
        {
            if (parts.All(p => p.Released) && Told is not (PaymentState.Declined or PaymentState.Refunded) && Told != state)
                yield return state;
            yield break;
        }

        switch (state)
        {
            case PaymentState.Pending when Waits && Told is null:
            case PaymentState.Authorised when Told is null or PaymentState.Pending:
                yield return state;
                break;
            case PaymentState.Captured or PaymentState.PartlyRefunded or PaymentState.Refunded when Counted.All(p => p.Taken):
                if (Told is null or PaymentState.Pending or PaymentState.Authorised)
                    yield return PaymentState.Captured;
                if (Refunded.Minor > ToldRefunded)
                    yield return state;
                break;
        }
    }

    private IEnumerable<PaymentStep> Collect()
    {
        // Nothing is taken before everything is held: a decline then costs nobody anything.
        var asking = Placed.Where(p => p.State is PartState.Pending or PartState.Asking).ToList();
        if (asking.Count > 0)
            return asking.Select(p => new PaymentStep(p, PartAction.Authorise, null));
        return Placed.All(p => p.State == PartState.Authorised || p.Taken)
            ? Placed.Where(p => p.State == PartState.Authorised).Select(p => new PaymentStep(p, PartAction.Capture, null))
            : [];
    }

    private IEnumerable<PaymentStep> Undo(PaymentPart part) => part.State switch
    {
        // Whether it was asked is not known. Asking again under the same key finds out, and whatever comes of it can be
        // voided; a request of ours that is still on its way comes to the same authorisation, and so to nothing.
        PartState.Asking => [new PaymentStep(part, PartAction.Authorise, null)],
        PartState.Waiting or PartState.Authorised => [new PaymentStep(part, PartAction.Void, null)],
        PartState.Captured or PartState.PartlyRefunded when RefundableOf(part) > 0 => [new PaymentStep(part, PartAction.Refund, null)],
        _ => [],
    };

    // What is promised and was given back already, without our having learned that the one is the other, counts twice here:
    // that errs towards promising less.
    private long RefundableOf(PaymentPart part) => Math.Max(0, part.Kept - _refunds
        .SelectMany(r => r.Pieces).Where(p => p.PartNumber == part.Number && p.IsOpen).Sum(p => p.Amount.Minor));

    private PaymentPart PartOf(RefundPiece piece) => parts.Single(p => p.Number == piece.PartNumber);

    private Money Sum(Func<PaymentPart, Money> of) => parts.Aggregate(Money.Zero(amount.Currency), (sum, part) => sum + of(part));
}

/// <summary>One thing to be done at a provider about a part. A refund is that of <paramref name="Refund"/>; null: it is to be promised first.</summary>
public sealed record PaymentStep(PaymentPart Part, PartAction Action, Refund? Refund);
