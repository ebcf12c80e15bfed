namespace Commerce.Facts;

/// <summary>A fact about the payment of an order; its key is the Order ID, since an order has one payment.</summary>
public interface IPaymentFact : IFact
{
    string OrderId { get; }
    string StoreId { get; }
}

/// <summary>The provider was asked, and some part waits for the shopper or the provider.</summary>
public sealed record PaymentPending(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, Money Amount) : IPaymentFact
{
    public string Key => OrderId;
}

/// <summary>The provider holds the whole amount.</summary>
public sealed record PaymentAuthorised(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, Money Amount) : IPaymentFact
{
    public string Key => OrderId;
}

/// <summary>Everything that will be taken was: the whole amount, or what was captured of it before the rest was let go of.</summary>
public sealed record PaymentCaptured(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, Money Amount) : IPaymentFact
{
    public string Key => OrderId;
}

/// <summary>A part was declined; every other part was given back or released.</summary>
/// <param name="Reason">The provider's, for example "insufficient_funds".</param>
public sealed record PaymentDeclined(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, string Reason) : IPaymentFact
{
    public string Key => OrderId;
}

/// <summary>Nothing was taken, and every hold was released, because the order was cancelled.</summary>
public sealed record PaymentVoided(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt) : IPaymentFact
{
    public string Key => OrderId;
}

/// <summary>Money was given back.</summary>
/// <param name="Refunded">Everything that was given back so far.</param>
/// <param name="Captured">Everything that was ever taken.</param>
/// <param name="Reduced">What of it went back because the order was made smaller: its total is that much less. Null: nothing.</param>
public sealed record PaymentRefunded(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, Money Refunded, Money Captured, Money? Reduced = null) : IPaymentFact
{
    public string Key => OrderId;
}

/// <summary>
/// Money that somebody promised to give back did not go back, and will not unless it is promised anew. What the suite itself gives
/// back, of a cancelled order or of one that was made smaller, it promises anew until it went back: of that nothing is told.
/// </summary>
/// <param name="RefundNumber">From 1 within the payment.</param>
/// <param name="Amount">What of it did not go back; what did is in <see cref="PaymentRefunded"/>.</param>
/// <param name="Reason">The provider's, for example "bank_says_no".</param>
public sealed record PaymentRefundFailed(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, int RefundNumber, Money Amount, string Reason) : IPaymentFact
{
    public string Key => OrderId;
}

/// <summary>The money for a change of the order was taken.</summary>
/// <param name="Change">As in <see cref="OrderChangeProposed"/>.</param>
public sealed record PaymentChargeCaptured(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, int Change, Money Amount) : IPaymentFact
{
    public string Key => OrderId;
}

/// <summary>The money for a change of the order cannot be had; nothing of it is held or kept.</summary>
/// <param name="Change">As in <see cref="OrderChangeProposed"/>.</param>
/// <param name="Reason">The provider's, for example "insufficient_funds".</param>
public sealed record PaymentChargeDeclined(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, int Change, string Reason) : IPaymentFact
{
    public string Key => OrderId;
}

/// <summary>
/// An invoice, a receipt or a credit note was issued. Documents are counted by themselves: the version is how many the order has.
/// </summary>
public sealed record DocumentIssued(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, string Number) : IFact
{
    public string Key => $"{OrderId}/documents";
}
