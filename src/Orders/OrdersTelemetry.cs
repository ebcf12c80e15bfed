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

    private static long _goodsDifferences;
    private static long _goodsCheckedAt = TimeProvider.System.GetUtcNow().UtcTicks;

    static OrdersTelemetry()
    {
        Meter.CreateObservableGauge("commerce.orders.goods_differences", () => GoodsDifferences, "{difference}", "Orders, parcels and stock that differ, as the last pass of the standing check found them.");
        Meter.CreateObservableGauge("commerce.orders.goods_checked.age", () => Math.Max(0, (TimeProvider.System.GetUtcNow() - GoodsCheckedAt).TotalSeconds), "s", "How long ago the standing check last went through all orders and stock.");
    }

    /// <summary>What the standing check found.</summary>
    public static long GoodsDifferences
    {
        get => Interlocked.Read(ref _goodsDifferences);
        set => Interlocked.Exchange(ref _goodsDifferences, value);
    }

    /// <summary>When it last went through all of it; at first, when it began.</summary>
    public static DateTimeOffset GoodsCheckedAt
    {
        get => new(Interlocked.Read(ref _goodsCheckedAt), TimeSpan.Zero);
        set => Interlocked.Exchange(ref _goodsCheckedAt, value.UtcTicks);
    }

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
