using Commerce.Messaging;

namespace Commerce.Payments.CollectingPayment;

/// <summary>Asks the provider about a payment that waits, because its webhook may never come; ever more rarely, until it is decided.</summary>
public sealed class PollPayment(PaymentDriver driver) : IRecover
{
    public const string PointKind = "poll-payment";

    public string Kind => PointKind;

    public Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken) =>
        driver.AskAndAdvance(point, attempt, cancellationToken);
}
