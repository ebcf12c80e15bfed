using Commerce.Facts;

namespace Commerce.Payments;

/// <summary>
/// How a payment follows an order whose lines change. What the order costs less goes back as soon as it was taken. What it costs
/// more is a part of its own, a charge, that stands and falls by itself: declined, or withdrawn, it leaves the rest as it was.
/// </summary>
public sealed partial class Payment
{
    /// <summary>Who promises what the suite itself gives back.</summary>
    public const string Actor = "service/payments";

    /// <summary>What the order was made cheaper by, in minor units.</summary>
    public long Reduced { get; init; }

    /// <summary>The order's version with which its lines changed last, as far as Orders has told; 0: they never did.</summary>
    public long ChangeVersion { get; init; }

    /// <summary>What is to be paid: what the order came to, less what it was made cheaper by, with what was charged to make it dearer.</summary>
    public Money Due => amount with
    {
        Minor = amount.Minor - Reduced + parts.Where(p => p is { IsCharge: true, Withdrawn: false }).Sum(p => p.Captured.Minor),
    };

    // The parts that the order was placed with: they decide whether it is paid.
    private IEnumerable<PaymentPart> Placed => parts.Where(p => !p.IsCharge);

    // A charge counts once it was taken.
    private IEnumerable<PaymentPart> Counted => parts.Where(p => !p.IsCharge || p.Taken);

    // What went back of it because the order costs less; null: nothing.
    private Money? ReductionGiven =>
        _refunds.Where(r => r.IsReduction).Sum(r => r.Given.Minor) is > 0 and var given ? amount with { Minor = given } : null;

    // Taken, no longer due, and not promised yet. What somebody gave back beside that is not counted against it, unless nothing is
    // left to give.
    private long Overpaid => Math.Min(TooMuch, Refundable.Minor);

    private long TooMuch => Releasing || !Placed.All(IsComplete)
        ? 0
        : Math.Max(0, Captured.Minor - Sum(_refunds.Where(r => r.IsReduction), p => p.State != RefundPieceState.Failed) - Due.Minor);

    /// <summary>
    /// A change was charged, and Orders has not told yet whether it is part of the order: it may withdraw it still. Nobody waits
    /// for that of an order that is not to be.
    /// </summary>
    public bool AwaitsChange => !Releasing && parts.Any(p => p is { IsCharge: true, Taken: true, Withdrawn: false, Accepted: 0 });

    /// <summary>
    /// What is kept, in minor units, once all that the suite itself gives back is back: what its documents come to. What somebody
    /// else promised counts when it went back, since it may fail.
    /// </summary>
    public long ToKeep
    {
        get
        {
            var others = _refunds.Where(r => !r.GoesOn);
            if (Releasing)
                return Sum(others, p => p.IsOpen);
            // By our own books alone: the provider's total may have what we have not been told the outcome of.
            var left = Captured.Minor - Sum(_refunds, p => p.State != RefundPieceState.Failed);
            return left + Sum(others, p => p.IsOpen) - Math.Min(TooMuch, left);
        }
    }

    private static long Sum(IEnumerable<Refund> refunds, Func<RefundPiece, bool> which) => refunds.SelectMany(r => r.Pieces).Where(which).Sum(p => p.Amount.Minor);

    /// <summary>Promises what the order costs less than was taken. To be stored before the provider is asked, as any promise.</summary>
    public void PromiseReduction(DateTimeOffset now)
    {
        if (Overpaid is > 0 and var back)
            Promise(amount with { Minor = back }, RefundReason.OrderChanged, "", Actor, now);
    }

    private IEnumerable<PaymentStep> GiveBackReduction() => Overpaid > 0 ? [new PaymentStep(parts[^1], PartAction.Refund, null)] : [];

    private IEnumerable<PaymentStep> CollectCharges()
    {
        foreach (var charge in parts.Where(p => p.IsCharge))
        {
            var unwanted = charge.Withdrawn || charge.DeclineReason is not null;
            PartAction? action = charge.State switch
            {
                PartState.Pending when !unwanted => PartAction.Authorise,
                // Also where it is unwanted: only so is it known what came of having asked.
                PartState.Asking => PartAction.Authorise,
                PartState.Authorised when !unwanted => PartAction.Capture,
                PartState.Waiting or PartState.Authorised when unwanted => PartAction.Void,
                _ => null,
            };
            if (action is { } next)
                yield return new PaymentStep(charge, next, null);
        }
    }

    // Nobody waits for what becomes of a charge that was withdrawn, or of an order that is not to be.
    private IEnumerable<IPaymentFact> TellCharges(DateTimeOffset now)
    {
        if (Releasing)
            yield break;
        foreach (var charge in parts.Where(p => p is { IsCharge: true, ChangeTold: false, Withdrawn: false } && (p.Taken || p.Released)))
        {
            charge.TellChange();
            Version++;
            yield return charge.Taken
                ? new PaymentChargeCaptured(orderId, storeId, Version, now, charge.Change, charge.Captured)
                : new PaymentChargeDeclined(orderId, storeId, Version, now, charge.Change, charge.DeclineReason ?? "authorisation_voided");
        }
    }
}
