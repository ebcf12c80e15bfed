namespace Commerce.Facts;

/// <summary>
/// A fact about the stock of a SKU in a store, told once each time that it crosses a line; its key is the stock's resource name.
/// Written by the database, with the change that crossed it.
/// </summary>
public interface IStockFact : IFact
{
    string StoreId { get; }
    string Sku { get; }

    /// <summary>Pieces that can still be ordered; less than zero where it is on backorder.</summary>
    long Available { get; }

    /// <summary>At how many the stock is low; null: only at none.</summary>
    long? LowAt { get; }
}

/// <summary>Few are left.</summary>
public sealed record StockLow(string StoreId, string Sku, long Version, DateTimeOffset OccurredAt, long Available, long? LowAt) : IStockFact
{
    public string Key => $"stores/{StoreId}/products/{Sku}/stock";
}

/// <summary>None is left.</summary>
public sealed record StockOut(string StoreId, string Sku, long Version, DateTimeOffset OccurredAt, long Available, long? LowAt) : IStockFact
{
    public string Key => $"stores/{StoreId}/products/{Sku}/stock";
}

/// <summary>It can be ordered again, or is low no longer.</summary>
public sealed record StockReplenished(string StoreId, string Sku, long Version, DateTimeOffset OccurredAt, long Available, long? LowAt) : IStockFact
{
    public string Key => $"stores/{StoreId}/products/{Sku}/stock";
}
