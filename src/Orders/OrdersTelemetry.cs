using System.Diagnostics;
using System.Diagnostics.Metrics;
using Commerce.Types.V1;

namespace Commerce.Orders;

/// <summary>The source, the meter and the instruments of Orders; declared in docs/telemetry.md.</summary>
public static class OrdersTelemetry
{
    public const string Name = "Commerce.Orders";

    /// <summary>The Order ID in canonical form, on every span that is about one order.</summary>
    public const string OrderIdAttribute = "commerce.order.id";

    public const string StoreIdAttribute = "commerce.store.id";

    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Placed = Meter.CreateCounter<long>("commerce.orders.placed", "{order}", "Orders accepted.");

    private static readonly Counter<long> Refused = Meter.CreateCounter<long>("commerce.orders.refused", "{order}", "Orders refused, by reason.");

    private static readonly Counter<long> Changed = Meter.CreateCounter<long>("commerce.orders.changes", "{change}", "Changes of orders, by the fact that tells them.");

    private static readonly Counter<long> Cancelled = Meter.CreateCounter<long>("commerce.orders.cancelled", "{order}", "Orders cancelled, by reason.");

    private static readonly Counter<long> Repriced = Meter.CreateCounter<long>("commerce.orders.catalogue.stale", "{order}", "Orders priced again because the catalogue had changed.");

    private static readonly Counter<long> Imported = Meter.CreateCounter<long>("commerce.orders.imported", "{order}", "Orders of a shop's history that were stored.");

    public static void OrdersImported(string storeId, int count) => Imported.Add(count, new KeyValuePair<string, object?>(StoreIdAttribute, storeId));

    public static void OrderPlaced(string storeId) => Placed.Add(1, new KeyValuePair<string, object?>(StoreIdAttribute, storeId));

    public static void OrderRefused(ErrorReason reason) => Refused.Add(1, new KeyValuePair<string, object?>("reason", FactName.Of(reason)));

    public static void OrderRepriced() => Repriced.Add(1);

    /// <summary>Counts a change as it is written; one that is rolled back and tried again counts again.</summary>
    public static void OrderChanged(OrderChange change)
    {
        Changed.Add(1, new KeyValuePair<string, object?>("fact", change.Event));
        if (change.Fact is Facts.OrderCancelled cancelled)
            Cancelled.Add(1, new KeyValuePair<string, object?>("reason", cancelled.Reason));
    }

    /// <summary>Marks the current span as being about this order.</summary>
    public static void About(OrderId id) => Activity.Current?.SetTag(OrderIdAttribute, id.ToString());
}
