using Commerce.Messaging;
using Commerce.Payments.CollectingPayment;

namespace Commerce.Payments.RefundingPayment;

/// <summary>Has the provider give back what was promised.</summary>
public sealed class CarryOutRefund(PaymentDriver driver) : IRecover
{
    public const string PointKind = "refund-payment";

    public string Kind => PointKind;

    public Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken) =>
        driver.Advance(point, attempt, cancellationToken);
}
