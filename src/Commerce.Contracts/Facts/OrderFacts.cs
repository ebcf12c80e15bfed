namespace Commerce.Facts;

/// <summary>A fact about an order; its key is the Order ID in canonical form.</summary>
public interface IOrderFact : IFact
{
    string OrderId { get; }
    string StoreId { get; }
}

/// <summary>An order was accepted and its stock reserved. Payments begins to collect what it says.</summary>
/// <param name="CustomerId">The shop's own id of the customer; null if the shop gave none.</param>
/// <param name="CaptureMode">As in <c>commerce.type.v1.CaptureMode</c> without prefix; null: automatic.</param>
public sealed record OrderPlaced(
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string? ExternalId,
    Money Total,
    IReadOnlyList<PaymentPartFact> PaymentParts,
    string? CustomerId = null,
    string? CaptureMode = null) : IOrderFact
{
    public string Key => OrderId;
}

/// <summary>How one part is to be paid: the method as in <c>commerce.orders.v1.PaymentMethod</c> without prefix, and the provider's token.</summary>
public sealed record PaymentPartFact(int PartNumber, string Method, string Token, Money Amount, int Instalments);

/// <summary>The order is paid for and goes to be shipped.</summary>
public sealed record OrderConfirmed(
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string? ExternalId,
    DateTimeOffset? PromisedDeliveryAt) : IOrderFact
{
    public string Key => OrderId;
}

/// <summary>The order will not be delivered: stock is back, Payments gives the money back, Shipments voids labels.</summary>
/// <param name="Reason">As in <c>commerce.orders.v1.CancelReason</c> without prefix, for example "SHOPPER".</param>
public sealed record OrderCancelled(
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string Reason) : IOrderFact
{
    public string Key => OrderId;
}

/// <summary>The order's payment or fulfilment axis moved, or a parcel of it became known, without any of the other facts.</summary>
/// <param name="PaymentState">As in <c>commerce.orders.v1.PaymentState</c> without prefix.</param>
/// <param name="FulfilmentState">As in <c>commerce.orders.v1.FulfilmentState</c> without prefix.</param>
public sealed record OrderProgressed(
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string PaymentState,
    string FulfilmentState) : IOrderFact
{
    public string Key => OrderId;
}

/// <summary>Whom to reach about the order, or where it goes, was changed; the new values are in Orders.</summary>
/// <param name="Fields">What was changed, as in an update mask: "customer.phone", "shipping_address".</param>
public sealed record OrderEdited(
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    IReadOnlyList<string> Fields) : IOrderFact
{
    public string Key => OrderId;
}

/// <summary>A parcel will not arrive; its pieces are reserved again, and Shipments packs what is in no other parcel anew.</summary>
public sealed record ParcelReplaced(
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string ShipmentId) : IOrderFact
{
    public string Key => OrderId;
}

/// <summary>
/// Pieces were taken off the order, or added to it. Shipments packs anew what is not with a carrier; Payments gives back what the
/// order now costs less. What it costs more was paid before: see <see cref="OrderChangeProposed"/>.
/// </summary>
/// <param name="Change">The change whose charge paid for it; 0: it needed none.</param>
/// <param name="TotalBefore">What the order came to.</param>
/// <param name="Total">What it comes to now.</param>
public sealed record OrderLinesChanged(
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    int Change,
    Money TotalBefore,
    Money Total,
    IReadOnlyList<LineChangeFact> Lines) : IOrderFact
{
    public string Key => OrderId;
}

/// <summary>Pieces of one line that came (positive) or went (negative), and the price of one.</summary>
public sealed record LineChangeFact(int LineNumber, string Sku, int Pieces, Money UnitPrice);

/// <summary>
/// A change that makes the order dearer waits for its money: Payments charges the difference, and tells what came of it. Nothing
/// is part of the order before that.
/// </summary>
/// <param name="Change">Numbered from 1 within the order.</param>
public sealed record OrderChangeProposed(
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    int Change,
    PaymentPartFact Payment) : IOrderFact
{
    public string Key => OrderId;
}

/// <summary>A proposed change will not be: Payments lets go of, or gives back, what it charged for it.</summary>
/// <param name="Reason">DECLINED, EXPIRED or TOO_LATE: what it would take away had left already.</param>
public sealed record OrderChangeWithdrawn(
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    int Change,
    string Reason) : IOrderFact
{
    public string Key => OrderId;
}

/// <summary>Paid, and everything was delivered.</summary>
public sealed record OrderCompleted(
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt) : IOrderFact
{
    public string Key => OrderId;
}

/// <summary>
/// An order of a shop's history was brought here as it had ended. Nothing is to be done about it: it is not charged, shipped or
/// written about. Its money and goods move no more, unless somebody changes the order here.
/// </summary>
/// <param name="PlacedAt">When it was placed, long before.</param>
/// <param name="State">As in <c>commerce.orders.v1.OrderState</c> without prefix.</param>
public sealed record OrderImported(
    string OrderId,
    string StoreId,
    long Version,
    DateTimeOffset OccurredAt,
    string ExternalId,
    DateTimeOffset PlacedAt,
    Money Total,
    string State) : IOrderFact
{
    public string Key => OrderId;
}
