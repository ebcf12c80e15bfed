using Commerce.Messaging;

namespace Commerce.Payments.CollectingPayment;

/// <summary>
/// Brings a payment to where it wants to be, whatever the reason. The reasons are kinds of their own, so that one point does not
/// stand for the other while it is being carried out, and each has its own room.
/// </summary>
public sealed class AdvancePayment(PaymentDriver driver, string kind) : IRecover
{
    /// <summary>Collects what an order costs: all parts authorised, then captured; or, when one declines, none kept.</summary>
    public const string Collect = "collect-payment";

    /// <summary>Takes, or lets go of, what is held, as somebody asked for.</summary>
    public const string Capture = "capture-payment";

    /// <summary>Has the provider give back what was promised.</summary>
    public const string Refund = "refund-payment";

    /// <summary>Gives the money of a cancelled order back: what was authorised is voided, what was captured is refunded.</summary>
    public const string Release = "release-payment";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [Collect, Capture, Refund, Release];

    public string Kind => kind;

    public Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken) =>
        driver.Advance(point, attempt, cancellationToken);
}
