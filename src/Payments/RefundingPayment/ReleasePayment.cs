using Commerce.Messaging;
using Commerce.Payments.CollectingPayment;

namespace Commerce.Payments.RefundingPayment;

/// <summary>Gives the money of a cancelled order back: what was authorised is voided, what was captured is refunded.</summary>
public sealed class ReleasePayment(PaymentDriver driver) : IRecover
{
    public const string PointKind = "release-payment";

    public string Kind => PointKind;

    public Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken) =>
        driver.Advance(point, attempt, cancellationToken);
}
