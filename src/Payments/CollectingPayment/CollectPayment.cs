using Commerce.Messaging;

namespace Commerce.Payments.CollectingPayment;

/// <summary>Collects what an order costs: all parts authorised, then all captured; or, when one declines, none kept.</summary>
public sealed class CollectPayment(PaymentDriver driver) : IRecover
{
    public const string PointKind = "collect-payment";

    public string Kind => PointKind;

    public Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken) =>
        driver.Advance(point, attempt, cancellationToken);
}
