using System.Diagnostics;
using Commerce.Messaging;

namespace Commerce.Orders.PlacingOrder;

/// <summary>An order on its way into the database, with all that is written of it.</summary>
/// <param name="Draft">What was ordered, at which prices.</param>
/// <param name="Order">Its identity and states.</param>
/// <param name="Placed">How it was placed.</param>
/// <param name="Confirmed">That it was confirmed at once; null: it waits for its payment.</param>
/// <param name="Request">The call that places it.</param>
/// <param name="ExpiresAt">When it is cancelled, should it still be unpaid.</param>
/// <param name="ExchangeOf">The name of the return whose goods it replaces; null: it replaces nothing.</param>
public sealed record NewOrder(
    OrderDraft Draft, Order Order, OrderChange Placed, OrderChange? Confirmed, RequestKey Request, DateTimeOffset ExpiresAt, string? ExchangeOf)
{
    /// <summary>The trace that it belongs to, whoever writes it.</summary>
    public string? TraceParent { get; } = Activity.Current?.Id;
}
