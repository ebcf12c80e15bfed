namespace Commerce.Facts;

/// <summary>
/// What is personal is gone from the order in Orders, and is to go everywhere else. Nothing of the order was under way. Each service
/// that keeps personal data of orders tells when it has done it: <see cref="PersonalDataErased"/>.
/// </summary>
/// <param name="ErasureId">As in "erasures/{erasure}".</param>
public sealed record OrderErased(string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, string ErasureId) : IOrderFact
{
    public string Key => OrderId;
}

/// <summary>A service has taken what is personal from all that it keeps of an order.</summary>
/// <param name="Service">Which, for example "shipments".</param>
public sealed record PersonalDataErased(
    string ErasureId, string OrderId, string StoreId, DateTimeOffset OccurredAt, string Service, IReadOnlyList<ErasedItem> Items) : IFact
{
    public string Key => $"erasures/{ErasureId}/{OrderId}/{Service}";

    // It happens once.
    public long Version => 1;
}

/// <summary>What became of one kind of data.</summary>
/// <param name="Kind">What it is, for example "proofs of delivery".</param>
/// <param name="Removed">From how many records it is gone.</param>
/// <param name="Kept">How many records are kept.</param>
/// <param name="Reason">Why; empty where none is.</param>
/// <param name="KeepUntil">The last day on which they are kept; null where none is, or there is no end to it.</param>
public sealed record ErasedItem(string Kind, long Removed, long Kept = 0, string Reason = "", DateOnly? KeepUntil = null);
