using CsCheck;
using static Commerce.Shipments.V1.TrackingStatus;

namespace Commerce.Tracking.Tests.Scans;

public sealed class TrackingStatusRulesTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private static readonly string[] Reasons = ["", "REFUSED", "WEATHER"];

    private static readonly Gen<Scan> AnyScan = Gen.Select(
        Gen.Enum<V1.TrackingStatus>().Where(status => status != Unspecified),
        // Few minutes, so that many scans fall into the same one.
        Gen.Int[0, 12],
        Gen.Int[0, 2].Select(reason => Reasons[reason]),
        Gen.Guid,
        (status, minute, reason, id) => ScanAt(status, minute, reason) with { Id = id });

    private static readonly Gen<Scan[]> AnyHistory = AnyScan.Array[0, 12];

    [Fact]
    public void The_order_and_the_number_of_times_in_which_scans_come_change_nothing() =>
        Gen.Select(AnyHistory, Gen.Int).Sample((scans, seed) =>
        {
            var random = new Random(seed);
            var again = scans.Concat(scans.Where(_ => random.Next(2) == 0)).ToArray();
            random.Shuffle(again);

            Same(TrackingStatusRules.Derive(scans, Start), TrackingStatusRules.Derive(again, Start));
        });

    [Fact]
    public void A_scan_that_comes_late_never_sets_a_delivered_parcel_back_to_the_road() =>
        Gen.Select(AnyHistory, AnyScan).Sample((scans, late) =>
        {
            var before = TrackingStatusRules.Derive(scans, Start);
            if (before.Status != V1.TrackingStatus.Delivered || late.OccurredAt >= before.StatusAt || late.Status == ReturnToSender)
                return;

            Assert.Equal(V1.TrackingStatus.Delivered, TrackingStatusRules.Derive([.. scans, late], Start).Status);
        });

    [Fact]
    public void Every_status_ever_scanned_is_reached_and_no_other() =>
        AnyHistory.Sample(scans => Assert.Equal(
            scans.Select(scan => scan.Status).Distinct().Order(),
            TrackingStatusRules.Derive(scans, Start).Reached));

    [Fact]
    public void A_time_of_delivery_is_shown_exactly_while_delivered() =>
        AnyHistory.Sample(scans =>
        {
            var state = TrackingStatusRules.Derive(scans, Start);
            Assert.Equal(state.Status == V1.TrackingStatus.Delivered, state.DeliveredAt is not null);
        });

    [Fact]
    public void Before_the_first_scan_the_carrier_does_not_have_it() =>
        Assert.Equal(PreTransit, TrackingStatusRules.Derive(Array.Empty<Scan>(), Start).Status);

    [Theory]
    [InlineData(V1.TrackingStatus.Delivered, PreTransit, PickedUp, InTransit, OutForDelivery, V1.TrackingStatus.Delivered)]
    [InlineData(V1.TrackingStatus.Delivered, InTransit, V1.TrackingStatus.Delivered, InTransit)]
    [InlineData(V1.TrackingStatus.Delivered, OutForDelivery, DeliveryFailed, OutForDelivery, V1.TrackingStatus.Delivered)]
    [InlineData(ReturnToSender, V1.TrackingStatus.Delivered, ReturnToSender)]
    [InlineData(ReturnToSender, DeliveryFailed, ReturnToSender, InTransit, V1.TrackingStatus.Delivered)]
    [InlineData(DeliveryFailed, V1.TrackingStatus.Delivered, DeliveryFailed)]
    [InlineData(InTransit, InTransit, Unknown)]
    [InlineData(InTransit, InTransit, PreTransit)]
    [InlineData(InTransit, Delayed, InTransit)]
    [InlineData(Unknown, Unknown)]
    public void A_history_reads_as_a_person_would_read_it(V1.TrackingStatus expected, params V1.TrackingStatus[] history) =>
        Assert.Equal(expected, TrackingStatusRules.Derive(history.Select((status, minute) => ScanAt(status, minute)), Start).Status);

    [Fact]
    public void Within_one_minute_the_further_stage_came_later() =>
        Assert.Equal(V1.TrackingStatus.Delivered, TrackingStatusRules.Derive([ScanAt(V1.TrackingStatus.Delivered, 1), ScanAt(OutForDelivery, 1)], Start).Status);

    private static void Same(TrackingState expected, TrackingState actual)
    {
        Assert.Equal(expected.Reached, actual.Reached);
        Assert.Equal(expected with { Reached = [] }, actual with { Reached = [] });
    }

    private static Scan ScanAt(V1.TrackingStatus status, int minute, string reason = "") => new(
        Guid.NewGuid(), status, V1.StatusReason.Types.Party.Unspecified, reason, false, "C", "", Start.AddMinutes(minute), "",
        new PlaceRecord("", "", "", "", ""), "webhook", Start);
}
