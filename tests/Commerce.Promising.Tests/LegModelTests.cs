using Commerce.Promising.Backtesting;
using Commerce.Promising.Legs;

namespace Commerce.Promising.Tests;

public class LegModelTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 0, 0, 0, TimeSpan.FromHours(5.5));

    private static readonly CorridorHistory[] History =
    [
        new("A", "B", "FTL", 40, 200, 100, 2), new("B", "C", "FTL", 1, 90, 30, 3), new("C", "D", "Carting", 20, 60, 40, 1.5),
    ];

    [Fact]
    public void A_corridor_with_a_past_takes_what_it_took()
    {
        var told = new LegModel(History).Started(new Leg("1", "A", "B", "FTL", Start, 100));
        Assert.InRange(told.Minutes, 190, 210);
        Assert.True(told.From < told.Minutes && told.Minutes < told.Until);
    }

    [Fact]
    public void A_corridor_without_a_past_takes_the_router_s_time_and_what_its_hubs_add() =>
        Assert.InRange(new LegModel(History).Started(new Leg("1", "A", "D", "Carting", Start, 50)).Minutes, 60, 130);

    [Fact]
    public void Without_any_history_it_still_answers() =>
        Assert.InRange(new LegModel([]).Started(new Leg("1", "A", "D", "", Start, 50)).Minutes, 50, 200);

    [Fact]
    public void What_ends_later_changes_nothing_that_was_said_before()
    {
        var random = new Random(4);
        var legs = Enumerable.Range(0, 500).Select(i => (Leg: new Leg($"{i:D4}", "A", "B", "FTL", Start.AddMinutes(i * 10), 100), Actual: 150 + (100 * random.NextDouble()))).ToList();
        var then = legs[300].Leg.StartedAt;
        var altered = legs.Select(one => one.Leg.StartedAt.AddMinutes(one.Actual) > then ? (one.Leg, one.Actual + 500) : one).ToList();
        Assert.Equal(Told(legs), Told(altered));

        List<(string, double)> Told(List<(Leg, double)> given) =>
            [.. LegBacktest.Run(given, History).Where(one => one.Leg.StartedAt <= then).Select(one => (one.Leg.Id, one.Forecast.Minutes))];
    }
}
