using System.Net;
using System.Text.Json;
using Commerce.Messaging;
using Commerce.Shipments.FollowingPaths;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.IngestingScans;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Shipments.WatchingSilence;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Commerce.Shipments.Tests;

/// <summary>When a carrier that sends no webhooks is asked: sooner when something is due, never as if by a timetable, and with patience for one that is ill.</summary>
public sealed class PollingTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private static readonly DateTimeOffset Now = new(2026, 3, 3, 12, 0, 0, TimeSpan.Zero);
    private static readonly ShipmentsOptions Rules = new() { PolledCarriers = ["ups"] };

    private static readonly Patience Borne = new(SilenceBasis.Fixed, Rules.SilenceAfter, Working: false, WaitStage.InTransit, "US", "");

    private static readonly Gen<Shipment> Parcels = Gen.Select(
        Gen.Int[0, 7].Select(which => ((TrackingStatus[])[TrackingStatus.PreTransit, TrackingStatus.PickedUp, TrackingStatus.InTransit, TrackingStatus.OutForDelivery, TrackingStatus.Delayed, TrackingStatus.OnHold, TrackingStatus.DeliveryFailed, TrackingStatus.Unknown])[which]),
        Gen.Double[0, 40 * 24],
        Gen.Double[-10 * 24, 20 * 24],
        Gen.Bool,
        (status, silentHours, expectedInHours, expected) => Parcel(status, silentHours, expected ? expectedInHours : null));

    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public void A_polled_parcel_is_asked_for_within_a_day_and_not_more_often_than_when_it_is_due() => Parcels.Sample(parcel =>
        Assert.InRange(Pause(parcel), Rules.PollWhenDue, Rules.PollAtLeast));

    [Fact]
    public void Out_for_delivery_is_asked_for_no_later_than_the_same_parcel_on_its_way() => Parcels.Sample(parcel =>
    {
        var onTheWay = Pause(parcel);
        parcel.Tracking = Tracked(TrackingStatus.OutForDelivery);
        Assert.True(Pause(parcel) <= onTheWay);
    });

    [Fact]
    public void Nobody_sleeps_through_the_beginning_of_its_day() => Parcels.Sample(parcel =>
    {
        var begins = parcel.EstimatedAt - TimeSpan.FromHours(18);
        if (begins <= Now || begins is null || parcel.Tracking.Status == TrackingStatus.PreTransit || begins - parcel.LastScanAt >= Rules.SilenceAfter)
            return;
        var next = Now + Pause(parcel);
        Assert.True(next <= begins || next <= Now + Rules.PollWhenDue, $"It is asked for at {next}, and its day begins at {begins}.");
    });

    [Fact]
    public void What_is_silent_for_longer_is_not_asked_for_sooner() => Gen.Select(Gen.Double[0, 900], Gen.Double[0, 900]).Sample((one, other) => Assert.True(
        Pause(Parcel(TrackingStatus.InTransit, Math.Min(one, other), null))
        <= Pause(Parcel(TrackingStatus.InTransit, Math.Max(one, other), null))));

    [Fact]
    public void Carriers_are_not_polled_every_two_hours() => Assert.True(
        ((double[])[0, 30, 60, 100, 200]).Select(hours => Pause(Parcel(TrackingStatus.InTransit, hours, null))).Distinct().Count() >= 4);

    [Fact]
    public void A_clock_of_a_carrier_that_is_ahead_keeps_nobody_from_asking() =>
        Assert.InRange(Pause(Parcel(TrackingStatus.InTransit, -500, 3)), Rules.PollWhenDue, Rules.PollAtLeast);

    [Fact]
    public void A_carrier_with_webhooks_is_asked_only_when_they_fail_to_come() => Parcels.Sample(parcel =>
    {
        parcel.Carrier = "dhl";
        Assert.Equal(Borne.Within, Pause(parcel));
    });

    [Fact]
    public async Task News_of_out_for_delivery_brings_the_next_question_within_minutes()
    {
        var (watch, carrier, parcel, time) = await Watched();
        carrier.Events[parcel.TrackingNumber] = ShipmentsApp.Event(parcel.TrackingNumber, "O", 1);

        var outcome = Assert.IsType<RecoveryOutcome.Again>(await Ask(watch, parcel));

        Assert.Equal(Rules.PollWhenDue, outcome.At - time.GetUtcNow());
    }

    [Theory]
    [InlineData("500")]
    [InlineData("html")]
    [InlineData("timeout")]
    [InlineData("refused")]
    public async Task A_carrier_that_answers_with_a_fault_is_left_alone_by_all_then_asked_by_one_and_forgiven(string fault)
    {
        var (watch, carrier, first, time) = await Watched();
        var second = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        carrier.TrackFails = () => fault switch
        {
            "500" => new CarrierFaultException("answered 500 with text/html", HttpStatusCode.InternalServerError),
            "html" => new JsonException("'<' is no beginning of a value."),
            "timeout" => new TaskCanceledException("timed out", new TimeoutException()),
            _ => new HttpRequestException("connection refused"),
        };
        Assert.IsType<RecoveryOutcome.Again>(await Ask(watch, first));
        Assert.Equal(1, carrier.Polls);

        // While it rests, others do not ask it, however many they are, and come back soon.
        for (var n = 0; n < 20; n++)
        {
            var waits = Assert.IsType<RecoveryOutcome.Again>(await Ask(watch, second));
            Assert.InRange(waits.At - time.GetUtcNow(), TimeSpan.FromTicks(1), Rules.LongestRetryAfter * 2);
        }

        Assert.Equal(1, carrier.Polls);

        // It stays ill for an hour: the rests grow, up to their bound.
        for (var minute = 0; minute < 60; minute++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Ask(watch, second);
        }

        Assert.InRange(carrier.Polls, 20, 61);
        carrier.TrackFails = null;
        time.Advance(Rules.LongestRetryAfter);
        carrier.Events[second.TrackingNumber] = ShipmentsApp.Event(second.TrackingNumber, "P", 1);
        await Ask(watch, second);
        Assert.Equal(TrackingStatus.PickedUp, (await _app.Parcel(second)).Status);
        var polls = carrier.Polls;
        await Ask(watch, first);
        await Ask(watch, first);
        Assert.Equal(polls + 2, carrier.Polls);
    }

    [Fact]
    public async Task A_carrier_that_says_nothing_is_asked_at_the_usual_times()
    {
        var (watch, carrier, parcel, time) = await Watched();
        var outcome = Assert.IsType<RecoveryOutcome.Again>(await Ask(watch, parcel));
        Assert.Equal(1, carrier.Polls);
        Assert.InRange(outcome.At - time.GetUtcNow(), Rules.PollWhenDue, Rules.PollAtLeast);
    }

    private static Task<RecoveryOutcome> Ask(WatchSilence watch, V1.Shipment parcel) =>
        watch.Recover(new RecoveryPoint(WatchSilence.PointKind, parcel.ShipmentId), 1, TestContext.Current.CancellationToken);

    // A watch beside that of the service, with a clock and a carrier of its own.
    private async Task<(WatchSilence Watch, FakeCarrier Carrier, V1.Shipment Parcel, FakeTimeProvider Time)> Watched()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var carrier = new FakeCarrier("ups");
        var options = Options.Create(Rules);
        var watch = new WatchSilence(
            _app.Service<ShipmentStore>(), new CarrierDirectory([carrier]), _app.Service<ScanIngestion>(), new UsualSilence(_app.Service<NpgsqlDataSource>(), options, time), new CarrierRest(options, time), options, time,
            NullLogger<WatchSilence>.Instance);
        return (watch, carrier, parcel, time);
    }

    private static TimeSpan Pause(Shipment parcel) => Expectation.AskAgainAfter(parcel, Rules, Borne, Now);

    private static TrackingState Tracked(TrackingStatus status) =>
        TrackingState.Planned(Now) with { Status = status, Reached = status == TrackingStatus.PreTransit ? [] : [TrackingStatus.PickedUp, status] };

    private static Shipment Parcel(TrackingStatus status, double silentHours, double? expectedInHours) => new()
    {
        Id = Guid.NewGuid(),
        StoreId = "main",
        OrderId = "ORD-1",
        OrderReference = "",
        LocationId = "",
        Position = 0,
        ShipFrom = new PlaceRecord("", "", "", "", "US"),
        ShipTo = new AddressRecord("", [], "", "", "", "US"),
        Lines = [],
        Size = new ParcelSize(1, 1, 1, 1),
        Value = new Money(1, "USD"),
        Carrier = "ups",
        TrackingNumber = "1Z5R89390357567127",
        CreatedAt = Now - TimeSpan.FromHours(Math.Max(0, silentHours) + 1),
        LastScanAt = Now - TimeSpan.FromHours(silentHours),
        EstimatedAt = expectedInHours is { } hours ? Now + TimeSpan.FromHours(hours) : null,
        Tracking = Tracked(status),
    };
}
