using Commerce.Types.V1;

namespace Commerce.ServiceDefaults;

/// <summary>
/// What each service may do at the others, for itself and for callers that it passes on: just what its code asks for. It is held
/// by those who are called, so a service, or whoever has its secrets, cannot give itself more.
/// </summary>
public static class ServiceScopes
{
    /// <summary>By the name of the service that calls.</summary>
    public static IReadOnlyDictionary<string, ScopeSet> All { get; } = new Dictionary<string, ScopeSet>(StringComparer.Ordinal)
    {
        // Reads the parts of the combined view, and finds the orders of whoever wants to know what is known of them. What it passes on has the scopes of the caller, whom it has authenticated.
        ["gateway"] = ScopeSet.Of(
            Scope.OrdersRead, Scope.ReturnsRead, Scope.PaymentsRead, Scope.DocumentsRead, Scope.ShipmentsRead, Scope.TrackingRead, Scope.ExceptionsRead, Scope.NotificationsRead, Scope.PrivacyAdmin),
        // Has returned goods paid back, and holds its parcels against those of Shipments.
        ["orders"] = ScopeSet.Of(Scope.PaymentsRead, Scope.PaymentsRefund, Scope.ShipmentsRead),
        ["payments"] = ScopeSet.Of(Scope.OrdersRead, Scope.StoresRead),
        // Has lost parcels paid back or replaced.
        ["shipments"] = ScopeSet.Of(Scope.OrdersRead, Scope.OrdersWrite, Scope.StoresRead, Scope.ReturnsRead, Scope.PaymentsRead, Scope.PaymentsRefund),
        ["notifications"] = ScopeSet.Of(Scope.OrdersRead, Scope.StoresRead, Scope.ReturnsRead, Scope.PaymentsRead),
    };

    internal static ScopeSet Of(string service) => All.TryGetValue(service, out var scopes) ? scopes : default;
}
