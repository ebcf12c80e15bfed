namespace Commerce.Facts;

/// <summary>
/// A fact about a return. A return is part of its order's life: the key is the Order ID and the version the order's, so that
/// whoever hears an order in its order hears its returns there too.
/// </summary>
public interface IReturnFact : IOrderFact
{
    /// <summary>From 1 within the order: "orders/{OrderId}/returns/{ReturnNumber}".</summary>
    int ReturnNumber { get; }
}

/// <summary>Somebody wants to give delivered goods back.</summary>
public sealed record ReturnRequested(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, int ReturnNumber) : IReturnFact
{
    public string Key => OrderId;
}

/// <summary>The goods may come back.</summary>
/// <param name="LabelWanted">Shipments buys a label for the way back.</param>
public sealed record ReturnApproved(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, int ReturnNumber, bool LabelWanted) : IReturnFact
{
    public string Key => OrderId;
}

/// <summary>The goods may not come back.</summary>
public sealed record ReturnRejected(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, int ReturnNumber) : IReturnFact
{
    public string Key => OrderId;
}

/// <summary>Pieces of it were taken in.</summary>
/// <param name="Complete">Nothing more of it is to come.</param>
public sealed record ReturnReceived(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, int ReturnNumber, bool Complete) : IReturnFact
{
    public string Key => OrderId;
}

/// <summary>The goods stay where they are: whatever was to carry them back is not wanted any more.</summary>
public sealed record ReturnCancelled(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, int ReturnNumber) : IReturnFact
{
    public string Key => OrderId;
}

/// <summary>A parcel of a return or its refund came further, without any of the other facts.</summary>
/// <param name="State">As in <c>commerce.orders.v1.ReturnState</c> without prefix.</param>
/// <param name="RefundState">As in <c>commerce.orders.v1.ReturnRefundState</c> without prefix.</param>
public sealed record ReturnProgressed(
    string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, int ReturnNumber, string State, string RefundState) : IReturnFact
{
    public string Key => OrderId;
}
