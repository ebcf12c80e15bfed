using Commerce.Facts;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;

namespace Commerce.Notifications;

/// <summary>What a shopper is told when. Pure: the fact, and what was told about the parcel before.</summary>
internal static class NotificationRules
{
    private static readonly string[] NotYetWithCarrier = ["PRE_TRANSIT", "CANCELLED", "UNKNOWN"];

    /// <summary>
    /// Stages that a carrier skipped are still told where the shopper needs them: a parcel that is first heard of when it is
    /// delivered gets its shipping confirmation too. That it will come today is told only before it came.
    /// </summary>
    public static IEnumerable<Kind> Of(ParcelTracked fact, IReadOnlySet<Kind> told)
    {
        // What comes back was not shipped to anybody.
        if (fact.ReturnNumber > 0)
            yield break;
        // Whoever was told that the order is cancelled hears nothing more of its parcels.
        if (told.Contains(Kind.OrderCancelled))
            yield break;
        var delivered = fact.Reached.Contains("DELIVERED");
        if (fact.Reached.Any(status => !NotYetWithCarrier.Contains(status)) && !told.Contains(Kind.Shipped))
            yield return Kind.Shipped;
        if (fact.Status == "OUT_FOR_DELIVERY" && !delivered && !told.Contains(Kind.OutForDelivery) && !told.Contains(Kind.Delivered))
            yield return Kind.OutForDelivery;
        if (fact.Status == "DELIVERED" && !told.Contains(Kind.Delivered))
            yield return Kind.Delivered;
    }
}
