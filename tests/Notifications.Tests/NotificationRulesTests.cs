using Commerce.Facts;
using CsCheck;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;

namespace Commerce.Notifications.Tests;

public sealed class NotificationRulesTests
{
    private static readonly string[] Journey = ["PRE_TRANSIT", "PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"];

    [Fact]
    public void A_parcel_first_heard_of_at_the_door_is_told_as_shipped_and_as_delivered() =>
        Assert.Equal([Kind.Shipped, Kind.Delivered], NotificationRules.Of(Tracked("DELIVERED", ["DELIVERED"]), new HashSet<Kind>()));

    [Fact]
    public void A_label_alone_is_no_news() =>
        Assert.Empty(NotificationRules.Of(Tracked("PRE_TRANSIT", ["PRE_TRANSIT"]), new HashSet<Kind>()));

    [Fact]
    public void That_it_comes_today_is_no_news_once_it_came() =>
        Assert.DoesNotContain(Kind.OutForDelivery, NotificationRules.Of(Tracked("DELIVERED", ["OUT_FOR_DELIVERY", "DELIVERED"]), new HashSet<Kind> { Kind.Shipped }));

    [Fact]
    public void Parcels_of_a_cancelled_order_are_not_told_of() =>
        Assert.Empty(NotificationRules.Of(Tracked("DELIVERED", ["DELIVERED"]), new HashSet<Kind> { Kind.OrderCancelled }));

    [Fact]
    public void What_a_shopper_sends_back_was_not_shipped_to_them() =>
        Assert.Empty(NotificationRules.Of(Tracked("DELIVERED", ["IN_TRANSIT", "DELIVERED"]) with { ReturnNumber = 1 }, new HashSet<Kind>()));

    [Fact]
    public void Whatever_stages_a_carrier_skips_or_repeats_each_is_told_once_and_in_order() =>
        Gen.Int[0, Journey.Length - 1].List[1, 12].Sample(stages =>
        {
            var told = new List<Kind>();
            var reached = new HashSet<string>();
            var furthest = 0;
            foreach (var stage in stages)
            {
                reached.Add(Journey[stage]);
                furthest = Math.Max(furthest, stage);
                told.AddRange(NotificationRules.Of(Tracked(Journey[furthest], [.. reached]), told.ToHashSet()));
            }

            Assert.Equal(told.Distinct(), told);
            Assert.Equal(told.Order(), told);
            Assert.Equal(furthest == Journey.Length - 1, told.Contains(Kind.Delivered));
            Assert.Equal(furthest > 0, told.Contains(Kind.Shipped));
        });

    private static ParcelTracked Tracked(string status, string[] reached) => new(
        "s1", "ORD-1", "main", 3, DateTimeOffset.UnixEpoch, "ups", "1Z12345E0205271688", status, "PRE_TRANSIT", reached, DateTimeOffset.UnixEpoch, 1);
}
