namespace Commerce.Promising.Waiting;

/// <summary>Waits that ended in a week, as counts of <see cref="Durations"/>.</summary>
public sealed record WaitWeek(DateOnly Week, IReadOnlyList<int> Counts);

/// <summary>How long waits usually are.</summary>
/// <param name="Level">Which of the levels told, from 0.</param>
/// <param name="Within">99 of 100 waits were at most so long.</param>
/// <param name="Weight">How many waits tell it, older ones counting less.</param>
public sealed record UsualWait(int Level, TimeSpan Within, double Weight)
{
    /// <summary>The share of waits that are within it.</summary>
    public const double Share = 0.99;

    /// <summary>Weeks from which on nothing is learned any more.</summary>
    public const int Weeks = 26;

    // So many waits, the older ones counting less, and a level is believed: with fewer, the longest of them would be the rule.
    private const double Enough = 50;
    private const double HalfLifeWeeks = 6;

    /// <summary>What the finest level that knows enough says; null if none does.</summary>
    /// <param name="levels">The finest first.</param>
    /// <param name="today">Weeks later than this do not count.</param>
    public static UsualWait? Of(IReadOnlyList<IReadOnlyCollection<WaitWeek>> levels, DateOnly today)
    {
        for (var level = 0; level < levels.Count; level++)
        {
            var counts = new double[Durations.Last + 1];
            foreach (var week in levels[level])
            {
                var age = (today.DayNumber - week.Week.DayNumber) / 7;
                if (week.Week > today || age > Weeks)
                    continue;
                var weight = Math.Pow(0.5, age / HalfLifeWeeks);
                for (var cell = 0; cell < week.Counts.Count && cell < counts.Length; cell++)
                    counts[cell] += Math.Max(0, week.Counts[cell]) * weight;
            }

            if (counts.Sum() is >= Enough and var all && Durations.Quantile(counts, Share) is { } last)
                return new UsualWait(level, Durations.LongestOf(last), all);
        }

        return null;
    }
}
