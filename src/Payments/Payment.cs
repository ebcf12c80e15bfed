using Commerce.Facts;
using Commerce.Payments.Providers;
using Commerce.Payments.StoreCredits;

namespace Commerce.Payments;

/// <summary>
/// The payment of one order. It wants one of two things: everything captured, at once or as it is told; or, once the order was
/// cancelled or a part declined, nothing held and nothing kept. Beside that, whatever was promised as a refund is to go back.
/// <see cref="Next"/> says what is to be done at the provider to get there.
/// <para>
/// Invariant: whenever Next is not empty, a recovery point is under way that carries it out. Whoever stores a change after
/// which there is something to do that was not there before stores such a point with it.
/// </para>
/// </summary>
public sealed partial class Payment(string orderId, string storeId, Money amount, IReadOnlyList<PaymentPart> parts)
{
    private readonly List<Refund> _refunds = [];
    private readonly List<Capture> _captures = [];

    public string OrderId => orderId;

    public string StoreId => storeId;

    /// <summary>What the order came to when it was placed.</summary>
    public Money Amount => amount;

    public IReadOnlyList<PaymentPart> Parts => parts;

    /// <summary>The shop's own id of the customer; empty if the order names none.</summary>
    public string CustomerId { get; init; } = "";

    /// <summary>Whose store credit a refund becomes: the customer's, or, of an order that names none, its own under its Order ID.</summary>
    public string CreditHolder => CustomerId.Length > 0 ? CustomerId : OrderId;

    /// <summary>The order was cancelled.</summary>
    public bool Cancelled { get; init; }

    /// <summary>When the money is taken.</summary>
    public CaptureMode CaptureMode { get; init; } = CaptureMode.Automatic;

    /// <summary>What is held and not taken is to be let go.</summary>
    public bool VoidRequested { get; private set; }

    /// <summary>What was promised to go back, first one first.</summary>
    public IReadOnlyList<Refund> Refunds => _refunds;

    /// <summary>What was promised to be taken, first one first; none where everything is taken at once.</summary>
    public IReadOnlyList<Capture> Captures => _captures;

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

    /// <summary>Nothing of it is under way: no refund, no capture, and no document.</summary>
    public bool IsSettled => !DocumentsDue && _refunds.All(r => r.State != RefundState.Pending) && _captures.All(c => c.State != CaptureState.Pending);

    public Money Captured => Sum(p => p.Captured);

    public Money Refunded => Sum(p => p.Refunded);

    /// <summary>Taken, and neither given back nor promised: what a refund may come to.</summary>
    public Money Refundable => amount with { Minor = parts.Sum(RefundableOf) };

    /// <summary>
    /// Held, due, and neither taken nor promised: what a capture by hand may come to. Nothing is taken before everything is held.
    /// </summary>
    public Money Capturable => amount with
    {
        Minor = TakenByHand && !Releasing && !VoidRequested && AllHeld ? Math.Min(Placed.Sum(CapturableOf), Math.Max(0, Due.Minor - Captured.Minor - PromisedToBeTaken)) : 0,
    };

    /// <summary>
    /// Why it is declined; null if it is not. A hold that ran out, or was released at the provider, is lost like a declined one;
    /// but where goods have left for what was taken already, that much is kept.
    /// </summary>
    public string? DeclineReason => Placed.Select(p => p.DeclineReason).FirstOrDefault(r => r is not null)
        ?? (!Cancelled && !VoidRequested && Placed.Any(p => p.State == PartState.Voided) && (!TakenByHand || Captured.IsZero) ? "authorisation_voided" : null);

    /// <summary>The money goes back.</summary>
    public bool Releasing => Cancelled || DeclineReason is not null || (VoidRequested && Captured.IsZero && !_captures.Any(c => c.State == CaptureState.Pending));

    private bool TakenByHand => CaptureMode != CaptureMode.Automatic;

    private bool AllHeld => Placed.All(p => p.State is PartState.Authorised or PartState.Voided || p.Taken);

    /// <summary>A part waits for the shopper or the provider, and nothing can be done but ask now and then.</summary>
    public bool Waits => !Releasing && parts.Any(p => p.State == PartState.Waiting);

    /// <summary>The provider has taken on a refund and not settled it, and nothing can be done but ask now and then.</summary>
    public bool AwaitsRefund => _refunds.Any(r => r.Pieces.Any(p => p.State == RefundPieceState.Waiting));

    public PaymentState State => Releasing ? ReleasingState : CollectingState;

    private PaymentState CollectingState =>
        Counted.Any(p => p.Refunded.Minor > 0) ? Counted.All(IsComplete) && Refunded == Captured ? PaymentState.Refunded : PaymentState.PartlyRefunded
        : Counted.All(IsComplete) ? PaymentState.Captured
        : TakenByHand && Placed.Any(p => p.Taken) ? PaymentState.PartlyCaptured
        : Counted.All(p => p.State is PartState.Authorised or PartState.Captured) ? PaymentState.Authorised
        : Placed.Any(p => p.NextActionUrl is not null) ? PaymentState.RequiresAction
        : PaymentState.Pending;

    private PaymentState ReleasingState =>
        parts.All(p => p.Released)
            ? Captured.Minor > 0 && Cancelled ? PaymentState.Refunded : DeclineReason is not null ? PaymentState.Declined : PaymentState.Voided
        : Refunded.Minor > 0 ? PaymentState.PartlyRefunded
        : parts.All(p => p.State == PartState.Captured) ? PaymentState.Captured
        : parts.All(p => p.State is PartState.Authorised or PartState.Captured) ? PaymentState.Authorised
        : PaymentState.Pending;

    /// <summary>A payment as it was stored.</summary>
    public Payment Restore(
        long version, PaymentState? told, long toldRefunded, bool sold, long revision, DateTimeOffset updatedAt, IEnumerable<Refund> refunds, bool voidRequested, IEnumerable<Capture> captures)
    {
        (Version, Told, ToldRefunded, Sold, Revision, UpdatedAt, VoidRequested) = (version, told, toldRefunded, sold, revision, updatedAt, voidRequested);
        _captures.AddRange(captures);
        _refunds.AddRange(refunds);
        return this;
    }

    /// <summary>A part of a payment that was stored has as much store credit behind it as its refunds say.</summary>
    public void Restore(PaymentPart part) => part.RestoreCredited(GivenBack(part, credited: true));

    /// <summary>The store kept it as it is now.</summary>
    public void Saved(DateTimeOffset at)
    {
        Revision++;
        UpdatedAt = at;
        foreach (var part in parts)
            part.Saved();
        foreach (var refund in _refunds.Where(r => r.Changed))
            refund.Saved(at);

        foreach (var capture in _captures.Where(c => c.Changed))
        {
            capture.UpdatedAt = at;
            foreach (var piece in capture.Pieces)
                piece.Saved();
        }
    }

    /// <summary>Something differs from what is stored.</summary>
    public bool Changed => parts.Any(p => p.Changed) || _refunds.Any(r => r.Changed) || _captures.Any(c => c.Changed);

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
    public Refund Promise(
        Money back, RefundReason reason, string note, string by, DateTimeOffset now, RefundDestination destination = RefundDestination.OriginalMeans)
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
            Destination = destination,
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
    /// Promises to take an amount of what is held, the first part first: the main means pays what goes out first, and what is
    /// left of a hold in the end is the least.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The amount is not more than zero and at most what is capturable.</exception>
    public Capture PromiseCapture(Money take, string by, DateTimeOffset now)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(take.Minor, nameof(take));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, Capturable, nameof(take));
        var pieces = new List<CapturePiece>();
        var left = take.Minor;
        foreach (var part in Placed)
        {
            var piece = Math.Min(left, CapturableOf(part));
            if (piece == 0)
                continue;
            pieces.Add(new CapturePiece(part.Number, amount with { Minor = piece }));
            left -= piece;
        }

        var capture = new Capture { Number = _captures.Count + 1, Amount = take, By = by, CreatedAt = now, UpdatedAt = now, Pieces = pieces };
        _captures.Add(capture);
        return capture;
    }

    /// <summary>The piece of a capture that is taken of a part; null if there is none.</summary>
    public CapturePiece? CaptureOf(int captureNumber, int partNumber) =>
        _captures.Find(c => c.Number == captureNumber)?.Pieces.FirstOrDefault(p => p.PartNumber == partNumber);

    /// <summary>Takes in that the provider refused a piece of a capture, and what it says of the part: it may have taken it before.</summary>
    public void LearnRefusal(CapturePiece piece, Authorisation seen, string reason)
    {
        var part = parts.Single(p => p.Number == piece.PartNumber);
        part.Learn(seen);
        var others = _captures.SelectMany(c => c.Pieces).Where(p => p != piece && p.PartNumber == piece.PartNumber && p.State == CapturePieceState.Taken).Sum(p => p.Amount.Minor);
        if (seen.Captured >= others + piece.Amount.Minor)
            piece.Take();
        else
            piece.Refuse(reason);
    }

    /// <summary>
    /// What is held and not taken, nor promised to be, is to be let go. False if there is no such thing, or it is taken by itself.
    /// </summary>
    public bool RequestVoid()
    {
        if (!VoidRequested && (Releasing || (TakenByHand ? Placed.All(IsComplete) : !Captured.IsZero)))
            return false;
        VoidRequested = true;
        return true;
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
            var part = PartOf(piece);
            part.GaveBack(GivenBack(part, credited: false) + GivenBack(part, credited: true), GivenBack(part, credited: true));
        }

        return news;
    }

    /// <summary>
    /// What goes back to a part becomes store credit. What was paid with store credit goes there by itself: its provider gives it
    /// back as any other does.
    /// </summary>
    public static bool BecomesCredit(Refund refund, PaymentPart part) =>
        refund.Destination == RefundDestination.StoreCredit && part.Provider != StoreCreditBook.Provider;

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
                PaymentState.Captured => new PaymentCaptured(orderId, storeId, Version, now, Captured),
                PaymentState.Declined => new PaymentDeclined(orderId, storeId, Version, now, DeclineReason!),
                PaymentState.Voided => new PaymentVoided(orderId, storeId, Version, now),
                _ => new PaymentRefunded(orderId, storeId, Version, now, amount with { Minor = KnownRefunded }, Captured, ReductionGiven),
            });
            Sold |= state == PaymentState.Captured;
            if (state is PaymentState.PartlyRefunded or PaymentState.Refunded)
                ToldRefunded = KnownRefunded;
        }

        facts.AddRange(TellCharges(now));
        facts.AddRange(TellFailures(now));
        return facts;
    }

    private IEnumerable<IPaymentFact> TellFailures(DateTimeOffset now)
    {
        foreach (var refund in _refunds.Where(r => r.FailureDue))
        {
            refund.TellFailure();
            Version++;
            yield return new PaymentRefundFailed(
                orderId, storeId, Version, now, refund.Number, refund.Amount - refund.Given, refund.FailureReason is { Length: > 0 } why ? why : "failed");
        }
    }

    private IEnumerable<PaymentState> News()
    {
        var state = State;
        if (Releasing)
        {
            if (parts.All(p => p.Released) && !_refunds.Any(r => r.State == RefundState.Pending) && Told is not (PaymentState.Declined or PaymentState.Refunded) && Told != state)
                yield return state;
            yield break;
        }

        switch (state)
        {
            case PaymentState.Pending or PaymentState.RequiresAction when Waits && Told is null:
                yield return PaymentState.Pending;
                break;
            case PaymentState.Captured or PaymentState.PartlyRefunded or PaymentState.Refunded when Counted.All(IsComplete):
                if (Told is null or PaymentState.Pending or PaymentState.Authorised)
                    yield return PaymentState.Captured;
                if (KnownRefunded > ToldRefunded)
                    yield return state;
                break;
            // What is held is told before what was taken of it; that, and what went back, when no more is to be taken.
            case PaymentState.Authorised or PaymentState.PartlyCaptured or PaymentState.PartlyRefunded or PaymentState.Refunded when Told is null or PaymentState.Pending:
                yield return PaymentState.Authorised;
                break;
        }
    }

    private IEnumerable<PaymentStep> Collect()
    {
        // Nothing is taken before everything is held: a decline then costs nobody anything.
        var asking = Placed.Where(p => p.State is PartState.Pending or PartState.Asking).ToList();
        if (asking.Count > 0)
            return asking.Select(p => new PaymentStep(p, PartAction.Authorise, null));
        return !AllHeld ? []
            : TakenByHand ? Placed.SelectMany(CollectByHand)
            : Placed.Where(p => p.State == PartState.Authorised).Select(p => new PaymentStep(p, PartAction.Capture, null));
    }

    // The order came to cost less than is held, and all that it costs was taken.
    private bool NoMoreDue => !Captured.IsZero && PromisedToBeTaken == 0 && Captured >= Due;

    private long PromisedToBeTaken => _captures.SelectMany(c => c.Pieces).Where(p => p.State == CapturePieceState.Promised).Sum(p => p.Amount.Minor);

    // One capture of a part after the other, so that what the provider took tells which of them it was.
    private IEnumerable<PaymentStep> CollectByHand(PaymentPart part)
    {
        if (_captures.Find(c => c.Pieces.Any(p => p.PartNumber == part.Number && p.State == CapturePieceState.Promised)) is { } capture)
            yield return new PaymentStep(part, PartAction.Capture, null, capture);
        else if ((VoidRequested || NoMoreDue) && part.Held > 0)
            yield return new PaymentStep(part, PartAction.Void, null);
    }

    private IEnumerable<PaymentStep> Undo(PaymentPart part)
    {
        if (part.Taken && part.Held > 0)
            yield return new PaymentStep(part, PartAction.Void, null);
        foreach (var step in UndoWhole(part))
            yield return step;
    }

    private IEnumerable<PaymentStep> UndoWhole(PaymentPart part) => part.State switch
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
    private long RefundableOf(PaymentPart part) => Math.Max(0, part.Kept - OpenOf(part));

    // No more will be taken of it.
    private bool IsComplete(PaymentPart part) => part.State == PartState.Voided || (part.Taken && (part.Held == 0 || !TakenByHand));

    private long CapturableOf(PaymentPart part) => Math.Max(0, part.Held - _captures
        .SelectMany(c => c.Pieces).Where(p => p.PartNumber == part.Number && p.State == CapturePieceState.Promised).Sum(p => p.Amount.Minor));

    // What refunds of ours gave back of a part, by its provider or as store credit.
    private long GivenBack(PaymentPart part, bool credited) => _refunds
        .Where(r => BecomesCredit(r, part) == credited)
        .SelectMany(r => r.Pieces).Where(p => p.PartNumber == part.Number && p.State == RefundPieceState.Succeeded).Sum(p => p.Amount.Minor);

    // What went back and is known what for. A provider's total may have a refund of ours in it before its outcome has come to us:
    // told with that, so that nobody takes what the order costs less for something that was given back beside it.
    private long KnownRefunded => parts.Sum(part => part.Refunded.Minor - Math.Min(
        OpenOf(part), Math.Max(0, part.Refunded.Minor - GivenBack(part, credited: false) - GivenBack(part, credited: true))));

    private long OpenOf(PaymentPart part) => _refunds.SelectMany(r => r.Pieces).Where(p => p.PartNumber == part.Number && p.IsOpen).Sum(p => p.Amount.Minor);

    private PaymentPart PartOf(RefundPiece piece) => parts.Single(p => p.Number == piece.PartNumber);

    private Money Sum(Func<PaymentPart, Money> of) => parts.Aggregate(Money.Zero(amount.Currency), (sum, part) => sum + of(part));
}

/// <summary>
/// One thing to be done at a provider about a part. A refund is that of <paramref name="Refund"/>; null: it is to be promised
/// first. A capture is that of <paramref name="Capture"/>; null: of the whole part.
/// </summary>
public sealed record PaymentStep(PaymentPart Part, PartAction Action, Refund? Refund, Capture? Capture = null);
