using Commerce.Types.V1;

namespace Commerce.ServiceDefaults;

/// <summary>The roles of staff, and the scopes that each has: the one table of it. docs/access.md shows it.</summary>
public static class Roles
{
    /// <summary>By the name that a token says.</summary>
    public static IReadOnlyDictionary<string, ScopeSet> All { get; } = new Dictionary<string, ScopeSet>(StringComparer.Ordinal)
    {
        // Answers shoppers: everything about orders, returns and parcels, and no money by itself.
        ["support"] = ScopeSet.Of(
            Scope.OrdersRead, Scope.OrdersWrite, Scope.ReturnsRead, Scope.ReturnsWrite, Scope.StoresRead, Scope.CatalogRead, Scope.StockRead,
            Scope.PaymentsRead, Scope.CreditsRead, Scope.DocumentsRead, Scope.ShipmentsRead, Scope.ShipmentsWrite, Scope.TrackingRead,
            Scope.CarriersRead, Scope.ExceptionsRead, Scope.ExceptionsWrite, Scope.NotificationsRead),
        // Money and the books.
        ["finance"] = ScopeSet.Of(
            Scope.OrdersRead, Scope.ReturnsRead, Scope.StoresRead, Scope.CatalogRead, Scope.PaymentsRead, Scope.PaymentsWrite,
            Scope.PaymentsRefund, Scope.CreditsRead, Scope.CreditsWrite, Scope.DocumentsRead, Scope.LedgerRead, Scope.LedgerWrite,
            Scope.ShipmentsRead, Scope.TrackingRead, Scope.CarriersRead, Scope.ExceptionsRead),
        // Goods and parcels, in and out.
        ["warehouse"] = ScopeSet.Of(
            Scope.OrdersRead, Scope.ReturnsRead, Scope.ReturnsWrite, Scope.StoresRead, Scope.CatalogRead, Scope.StockRead, Scope.StockWrite,
            Scope.ShipmentsRead, Scope.ShipmentsWrite, Scope.TrackingRead, Scope.TrackingWrite, Scope.CarriersRead, Scope.ExceptionsRead,
            Scope.ExceptionsWrite),
        ["admin"] = ScopeSet.All,
    };
}
