using Commerce.Promising.Backtesting;

namespace Commerce.Promising.Tests;

public class DeliveryBacktestTests
{
    [Fact]
    public void What_happens_later_changes_nothing_that_was_said_before()
    {
        var journeys = MadeJourneys.Of(900, seed: 3);
        var then = journeys[600].Consignment.StartedAt;
        // The future as it was, another one, and none.
        var altered = journeys.Select(journey => journey with
        {
            HandedOverAt = journey.HandedOverAt > then ? journey.HandedOverAt.Value.AddDays(40) : journey.HandedOverAt,
            DeliveredAt = journey.DeliveredAt > then ? journey.DeliveredAt.Value.AddDays(90) : journey.DeliveredAt,
        }).ToList();
        var removed = altered.Where(journey => journey.Consignment.StartedAt <= then)
            .Select(journey => journey.DeliveredAt > then.AddDays(90) ? journey with { DeliveredAt = then.AddDays(400) } : journey).ToList();

        var told = Told(journeys, then);
        Assert.Equal(601, told.Count);
        Assert.Equal(told, Told(altered, then));
        Assert.Equal(told, Told(removed, then));
    }

    [Fact]
    public void What_happened_before_does_change_it()
    {
        var journeys = MadeJourneys.Of(900, seed: 3);
        var then = journeys[600].Consignment.StartedAt;
        var slower = journeys.Select((journey, i) => i < 300 ? journey with { DeliveredAt = journey.DeliveredAt!.Value.AddDays(3) } : journey).ToList();
        Assert.NotEqual(Told(journeys, then), Told(slower, then));
    }

    [Fact]
    public void Windows_cover_what_they_say()
    {
        var scored = DeliveryBacktest.Run(MadeJourneys.Of(4000, seed: 11), new DeliveryModel()).Skip(1500).ToList();
        foreach (var (coverage, i) in ((double[])[0.5, 0.8, 0.95]).Select((coverage, i) => (coverage, i)))
            Assert.InRange(scored.Average(one => one.Covered[i] ? 1.0 : 0), coverage - 0.03, coverage + 0.03);
    }

    [Fact]
    public void The_error_comes_near_to_that_of_whoever_knows_the_law()
    {
        var scored = DeliveryBacktest.Run(MadeJourneys.Of(4000, seed: 11), new DeliveryModel()).Skip(1500).ToList();
        var error = scored.Average(one => Math.Abs(one.ActualDays - one.ExpectedDays));
        var oracle = scored.Average(one => Math.Abs(one.ActualDays - (one.Consignment.To.Region == "SP" ? 4 : 8)));
        Assert.InRange(error / oracle, 0.97, 1.08);
    }

    [Fact]
    public void A_sudden_slowdown_is_followed_within_weeks()
    {
        var journeys = MadeJourneys.Of(3000, seed: 5);
        var jam = journeys[1500].Consignment.StartedAt;
        var slowed = journeys.Select(journey => journey.Consignment.StartedAt < jam ? journey : journey with
        {
            DeliveredAt = journey.Consignment.StartedAt + ((journey.DeliveredAt!.Value - journey.Consignment.StartedAt) * 2),
        }).ToList();
        var later = DeliveryBacktest.Run(slowed, new DeliveryModel()).Where(one => one.Consignment.StartedAt > jam.AddDays(45)).ToList();
        Assert.InRange(later.Average(one => one.ExpectedDays) / later.Average(one => one.ActualDays), 0.85, 1.1);
    }

    [Fact]
    public void The_same_data_in_another_order_gives_the_same_figures()
    {
        var journeys = MadeJourneys.Of(700, seed: 9);
        var end = DateTimeOffset.MaxValue;
        Assert.Equal(Told(journeys, end), Told([.. journeys.AsEnumerable().Reverse()], end));
    }

    [Fact]
    public void No_journeys_are_no_error() => Assert.Empty(DeliveryBacktest.Run([], new DeliveryModel()));

    private static List<(string, double, double?, double)> Told(List<Journey> journeys, DateTimeOffset until) =>
        [.. DeliveryBacktest.Run(journeys, new DeliveryModel()).Where(one => one.Consignment.StartedAt <= until)
            .Select(one => (one.Consignment.Id, one.ExpectedDays, one.Risk, one.WindowDays[1]))];
}
