using System.Globalization;
using Commerce.Promising.Waiting;
using Commerce.Testing;
using CsCheck;

namespace Commerce.Promising.Tests;

/// <summary>How long waits usually are.</summary>
public sealed class UsualWaitTests
{
    private static readonly DateTime Wednesday = new(2026, 3, 4, 12, 0, 0);

    [Fact]
    public void Working_time_adds_up_and_is_found_again_from_its_end() =>
        Gen.Select(Gen.Int[0, 400_000], Gen.Int[0, 40_000], Gen.Int[0, 40_000], Gen.Bool.Select(brazil => brazil ? "BR" : "DE")).Sample((start, one, other, country) =>
        {
            var from = Wednesday.AddMinutes(start);
            var (middle, until) = (from.AddMinutes(one), from.AddMinutes(one + other));
            var working = WorkingTime.Between(from, until, country);
            Assert.Equal(working, WorkingTime.Between(from, middle, country) + WorkingTime.Between(middle, until, country));
            Assert.InRange(working, TimeSpan.Zero, until - from);
            // The earliest moment at which so much has passed.
            var end = WorkingTime.After(from, working, country);
            Assert.True(end <= until);
            Assert.Equal(working, WorkingTime.Between(from, end, country));
        });

    [Fact]
    public void A_weekend_and_a_holiday_are_no_working_time()
    {
        var saturday = new DateTime(2026, 5, 9, 2, 6, 0);
        Assert.Equal(TimeSpan.Zero, WorkingTime.Between(saturday, saturday.AddHours(41), "DE"));
        Assert.Equal(saturday, WorkingTime.After(saturday, TimeSpan.Zero, "DE"));
        Assert.Equal(TimeSpan.FromHours(24), WorkingTime.Between(new DateTime(2026, 9, 4, 12, 0, 0), new DateTime(2026, 9, 8, 12, 0, 0), "BR"));
        Assert.Equal(TimeSpan.FromHours(48), WorkingTime.Between(new DateTime(2026, 9, 4, 12, 0, 0), new DateTime(2026, 9, 8, 12, 0, 0), "DE"));
    }

    [Fact]
    public void A_duration_lies_in_its_cell() => Gen.Double[0, 2_000_000].Sample(seconds =>
    {
        var (duration, cell) = (TimeSpan.FromSeconds(seconds), Durations.CellOf(TimeSpan.FromSeconds(seconds)));
        Assert.True(duration <= Durations.LongestOf(cell) || cell == Durations.Last);
        Assert.True(cell == 0 || duration > Durations.LongestOf(cell - 1));
    });

    [Fact]
    public void The_finest_level_that_knows_enough_tells_and_old_weeks_fade()
    {
        var today = new DateOnly(2026, 3, 4);
        WaitWeek Week(int ago, int cell, int count) => new(today.AddDays(-7 * ago), [.. Enumerable.Repeat(0, cell), count]);

        Assert.Null(UsualWait.Of([[Week(0, 10, 49)], [Week(30, 10, 5_000)], [Week(-1, 10, 5_000)]], today));
        Assert.Equal((1, Durations.LongestOf(20)), Of([[Week(0, 10, 49)], [Week(1, 20, 60)]]));
        Assert.Equal((0, Durations.LongestOf(10)), Of([[Week(0, 10, 60)], [Week(1, 20, 60)]]));
        // Fifty slow ones of 24 weeks ago weigh three: of 1,000 that is no hundredth.
        Assert.Equal((0, Durations.LongestOf(10)), Of([[Week(0, 10, 950), Week(24, 40, 50)]]));
        Assert.Equal((0, Durations.LongestOf(40)), Of([[Week(0, 10, 950), Week(0, 40, 50)]]));

        (int, TimeSpan) Of(IReadOnlyList<IReadOnlyCollection<WaitWeek>> levels) => UsualWait.Of(levels, today) is { } usual ? (usual.Level, usual.Within) : (-1, default);
    }

    /// <summary>Brazilian parcels of 2016 to 2018: of each wait only what had ended before it began is known.</summary>
    [Fact]
    public void On_real_waits_what_is_learned_raises_far_fewer_false_alarms_than_a_fixed_time()
    {
        var states = Rows("olist_customers_dataset.csv").ToDictionary(row => row[0], row => row[^1]);
        var sellers = Rows("olist_sellers_dataset.csv").ToDictionary(row => row[0], row => row[^1]);
        var items = Rows("olist_order_items_dataset.csv").DistinctBy(row => row[0]).ToDictionary(row => row[0], row => sellers[row[3]]);
        var waits = new List<(string Stage, string Lane, DateTime From, DateTime Until)>();
        foreach (var row in Rows("olist_orders_dataset.csv").Where(row => items.ContainsKey(row[0])))
        {
            var lane = $"{items[row[0]]}>{states[row[1]]}";
            var (approved, carrier, delivered) = (Time(row[4]), Time(row[5]), Time(row[6]));
            if (carrier > approved)
                waits.Add(("label", lane, approved.Value, carrier.Value));
            if (delivered > carrier)
                waits.Add(("transit", lane, carrier.Value, delivered.Value));
        }

        foreach (var (stage, most) in new[] { ("label", 0.015), ("transit", 0.025) })
        {
            var starts = waits.Where(wait => wait.Stage == stage).OrderBy(wait => wait.From).ToList();
            var ends = starts.OrderBy(wait => wait.Until).ToList();
            var known = new Dictionary<string, Dictionary<DateOnly, int[]>>();
            var (next, asked, alarms, fixedAlarms) = (0, 0, 0, 0);
            foreach (var wait in starts)
            {
                for (; next < ends.Count && ends[next].Until <= wait.From; next++)
                {
                    foreach (var level in (string[])[ends[next].Lane, ""])
                    {
                        var weeks = known.TryGetValue(level, out var found) ? found : known[level] = [];
                        var day = DateOnly.FromDateTime(ends[next].Until);
                        var monday = day.AddDays(-(((int)day.DayOfWeek + 6) % 7));
                        var counts = weeks.TryGetValue(monday, out var cells) ? cells : weeks[monday] = new int[Durations.Last + 1];
                        counts[Durations.CellOf(WorkingTime.Between(ends[next].From, ends[next].Until, "BR"))]++;
                    }
                }

                var levels = ((string[])[wait.Lane, ""]).Select(level => (IReadOnlyCollection<WaitWeek>)[.. known.GetValueOrDefault(level, []).Select(pair => new WaitWeek(pair.Key, pair.Value))]).ToList();
                if (UsualWait.Of(levels, DateOnly.FromDateTime(wait.From)) is not { } usual)
                    continue;
                asked++;
                alarms += WorkingTime.Between(wait.From, wait.Until, "BR") > usual.Within ? 1 : 0;
                fixedAlarms += wait.Until - wait.From > TimeSpan.FromDays(2) ? 1 : 0;
            }

            TestContext.Current.TestOutputHelper?.WriteLine($"{stage}: {asked} waits, false alarms {(double)alarms / asked:P2}; a fixed two days: {(double)fixedAlarms / asked:P2}");
            Assert.True(asked > 4_000, $"Only {asked} waits could be judged.");
            Assert.InRange((double)alarms / asked, 0.002, most);
            Assert.True(fixedAlarms > 20 * alarms);
        }
    }

    private static DateTime? Time(string text) => text.Length == 0 ? null : DateTime.Parse(text, CultureInfo.InvariantCulture);

    private static IEnumerable<string[]> Rows(string file)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "Commerce.sln")))
                continue;
            var path = Path.Combine(Environment.GetEnvironmentVariable("COMMERCE_DATA") ?? Path.Combine(folder.FullName, "..", "shared", "data"), "olist", file);
            return File.Exists(path) ? File.ReadLines(path).Skip(1).Select(line => line.Split(',')) : throw TestServers.Missing($"The real data is not at {path}; set COMMERCE_DATA to its folder.");
        }

        throw TestServers.Missing("The real data is not here; set COMMERCE_DATA to its folder.");
    }
}
