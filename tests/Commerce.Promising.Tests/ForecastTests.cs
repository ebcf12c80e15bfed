using Commerce.Promising.Backtesting;
using CsCheck;

namespace Commerce.Promising.Tests;

public class ForecastTests
{
    private static readonly DeliveryModel Learned = Learn();

    private static readonly Gen<Consignment> Consignments = Gen.Select(
        Gen.Double[-30, 300], Gen.Double[0.1, 60], OneOf("SP", "AM", "RJ", ""), OneOf("04000", "69000", "", "?"), Gen.Double[-5, 1e7],
        (start, promise, region, postal, weight) => new Consignment("x", MadeJourneys.Start.AddDays(start))
        {
            PromisedAt = MadeJourneys.Start.AddDays(start + promise),
            From = new Locality("BR", "SP", "01001"),
            To = new Locality("BR", region, postal),
            WeightGrams = weight,
        });

    [Fact]
    public void A_larger_coverage_encloses_a_smaller_one_and_no_window_lies_before_now() =>
        Gen.Select(Consignments, Gen.Double[0, 90]).Sample((consignment, waited) =>
        {
            var now = consignment.StartedAt.AddDays(waited);
            var forecast = Learned.Forecast(consignment, consignment.StartedAt);
            var windows = ((double[])[0.5, 0.8, 0.95]).Select(coverage => forecast.Window(coverage, now)).ToList();
            Assert.All(windows, window => Assert.True(now <= window.From && window.From <= window.Until));
            Assert.True(windows[2].From <= windows[1].From && windows[1].From <= windows[0].From);
            Assert.True(windows[0].Until <= windows[1].Until && windows[1].Until <= windows[2].Until);
            Assert.InRange(forecast.Median(now), windows[0].From, windows[0].Until);
        });

    [Fact]
    public void Whoever_waits_longer_is_told_no_earlier_arrival_and_no_smaller_risk() =>
        Gen.Select(Consignments, Gen.Double[0, 60], Gen.Double[0, 30]).Sample((consignment, waited, more) =>
        {
            var forecast = Learned.Forecast(consignment, consignment.StartedAt);
            var (before, after) = (consignment.StartedAt.AddDays(waited), consignment.StartedAt.AddDays(waited + more));
            Assert.True(forecast.Median(before) <= forecast.Median(after).AddSeconds(1));
            Assert.True(forecast.DelayRisk(before) <= forecast.DelayRisk(after) + 1e-9);
            Assert.InRange(forecast.DelayRisk(after)!.Value, 0, 1);
        });

    [Fact]
    public void A_parcel_that_is_not_there_when_its_promise_passes_is_late_for_certain()
    {
        var consignment = new Consignment("x", MadeJourneys.Start) { PromisedAt = MadeJourneys.Start.AddDays(5) };
        Assert.Equal(1, Learned.Forecast(consignment, consignment.StartedAt).DelayRisk(consignment.PromisedAt!.Value));
        Assert.Null(Learned.Forecast(consignment with { PromisedAt = null }, consignment.StartedAt).DelayRisk(MadeJourneys.Start));
    }

    [Fact]
    public void A_model_that_has_seen_nothing_still_answers()
    {
        var forecast = new DeliveryModel().Forecast(new Consignment("x", MadeJourneys.Start), MadeJourneys.Start);
        var window = forecast.Window(0.8, MadeJourneys.Start);
        Assert.InRange((forecast.Median(MadeJourneys.Start) - MadeJourneys.Start).TotalDays, 3, 20);
        Assert.True(window.Until > window.From);
        Assert.Equal(0, forecast.Evidence);
    }

    [Fact]
    public void The_slow_lane_is_told_to_be_slow_and_named_as_the_cause()
    {
        var now = MadeJourneys.Start.AddDays(90);
        Consignment To(string region, string postal) => new("x", now)
        {
            PromisedAt = now.AddDays(6.6),
            Sender = "s1",
            From = new Locality("BR", "SP", "01001"),
            To = new Locality("BR", region, postal),
        };
        var (near, far) = (Learned.Forecast(To("SP", "04000"), now), Learned.Forecast(To("AM", "69000"), now));
        Assert.InRange((near.Median(now) - now).TotalDays, 3.4, 4.7);
        Assert.InRange((far.Median(now) - now).TotalDays, 6.8, 9.4);
        Assert.True(far.DelayRisk(now) > near.DelayRisk(now) + 0.2, $"{far.DelayRisk(now):F2} and {near.DelayRisk(now):F2}");
        Assert.Contains(far.Causes, cause => cause.Code == DelayCode.SlowLane);
    }

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static DeliveryModel Learn()
    {
        var model = new DeliveryModel();
        DeliveryBacktest.Run(MadeJourneys.Of(1200, seed: 7), model);
        model.Refit(MadeJourneys.Start.AddDays(99));
        return model;
    }
}
