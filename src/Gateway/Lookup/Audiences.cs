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
/// <param name="Order">The only order that exists for it; null: it is not limited to one.</param>
internal sealed record Audience(Visibility Class, Selection Parts, IReadOnlySet<string>? Stores, OrderId? Order = null)
{
    /// <summary>What leads to others than those it may see is not told.</summary>
    public bool IsLimited => Stores is not null || Order is not null;

    /// <summary>Whether an order of a store exists for it.</summary>
    public bool MaySee(OrderId order, string storeId) => MaySee(order) && (Stores is null || Stores.Contains(storeId));

    /// <summary>Whether an order can exist for it at all, whatever its store.</summary>
    public bool MaySee(OrderId order) => Order is not { } only || only == order;
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
    private static readonly ConcurrentDictionary<(ScopeSet, Visibility), Selection> Known = new();

    /// <summary>Whoever has a parcel's number and nothing else.</summary>
    public static Audience Anybody { get; } = new(Visibility.Public, Selection.All(Visibility.Public), null);

    public static Audience Of(ServerCallContext call) => Of(Principal.Of(call));

    public static Audience Of(Principal principal)
    {
        if (principal.OrderId is not { } order)
            return new Audience(Visibility.Staff, Known.GetOrAdd((principal.Scopes, Visibility.Staff), static key => PartsOf(key.Item1, key.Item2)), principal.Stores);
        var parts = Known.GetOrAdd((principal.Scopes, Visibility.Shopper), static key => PartsOf(key.Item1, key.Item2));
        // A name that is no order's leads to none.
        return new Audience(Visibility.Shopper, parts, principal.Stores, OrderId.TryParse(order, out var id) ? id : default(OrderId));
    }

    private static Selection PartsOf(ScopeSet scopes, Visibility visibility)
    {
        var parts = default(Selection);
        foreach (var (kind, scope) in Needed)
        {
            if (!scopes.Has(scope))
                continue;
            parts = parts.With(kind, visibility);
            if (kind == PartKind.Shipments)
                parts = parts.With(kind, Visibility.Public);
        }

        return parts;
    }
}
