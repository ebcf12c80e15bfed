using System.Collections.Concurrent;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.Gateway.Lookup;

/// <summary>Whom an answer is for.</summary>
/// <param name="Class">Which copy of each part may be seen.</param>
/// <param name="Parts">Which parts may be seen at all.</param>
/// <param name="Stores">The ids of the stores whose orders exist for it; null: all.</param>
internal sealed record Audience(Visibility Class, Selection Parts, IReadOnlySet<string>? Stores)
{
    /// <summary>Whether orders of a store exist for it.</summary>
    public bool MaySee(string storeId) => Stores is null || Stores.Contains(storeId);
}

/// <summary>Decides what a caller sees: the one place that does.</summary>
internal static class Audiences
{
    // Which part needs which scope. The order itself is what the method asks for.
    private static readonly (PartKind Kind, Scope Scope)[] Needed =
    [
        (PartKind.Order, Scope.OrdersRead),
        (PartKind.Returns, Scope.ReturnsRead),
        (PartKind.Payment, Scope.PaymentsRead),
        (PartKind.Documents, Scope.DocumentsRead),
        (PartKind.Shipments, Scope.ShipmentsRead),
        (PartKind.Notifications, Scope.NotificationsRead),
    ];

    // Few sets of scopes are in use.
    private static readonly ConcurrentDictionary<ScopeSet, Selection> Known = new();

    public static Audience Of(ServerCallContext call) => Of(Principal.Of(call));

    public static Audience Of(Principal principal) =>
        new(Visibility.Staff, Known.GetOrAdd(principal.Scopes, static scopes => PartsOf(scopes)), principal.Stores);

    private static Selection PartsOf(ScopeSet scopes)
    {
        var parts = default(Selection);
        foreach (var (kind, scope) in Needed)
        {
            if (!scopes.Has(scope))
                continue;
            parts = parts.With(kind, Visibility.Staff);
            if (kind == PartKind.Shipments)
                parts = parts.With(kind, Visibility.Public);
        }

        return parts;
    }
}
