namespace Commerce.Promising.Waiting;

/// <summary>
/// Durations as counts in cells that are each a tenth longer than the one before: a distribution in a hundred small numbers, that can be
/// added to and taken from, in any order, with one result.
/// </summary>
public static class Durations
{
    /// <summary>The last cell: everything from 70 days on.</summary>
    public const int Last = 104;

    /// <summary>Each cell is so many times as long as the one before.</summary>
    public const double Step = 1.1;

    private static readonly TimeSpan First = TimeSpan.FromMinutes(5);

    /// <summary>The cell of a duration, from 0: five minutes and less.</summary>
    public static int CellOf(TimeSpan duration) =>
        duration <= First ? 0 : Math.Min(Last, (int)Math.Ceiling((Math.Log(duration / First) / Math.Log(Step)) - 1e-9));

    /// <summary>The longest duration of a cell.</summary>
    public static TimeSpan LongestOf(int cell) => First * Math.Pow(Step, cell);

    /// <summary>The middle of a cell, on the scale on which cells are of one width.</summary>
    public static TimeSpan MiddleOf(double cell) => First * Math.Pow(Step, cell - 0.5);

    /// <summary>The cell in which the given share, 0 to 1, is reached; null of nothing.</summary>
    public static int? Quantile(IReadOnlyList<double> counts, double share)
    {
        var (all, seen) = (counts.Sum(), 0.0);
        for (var cell = 0; cell < counts.Count && all > 0; cell++)
        {
            seen += counts[cell];
            if (seen > 0 && seen >= all * share - 1e-9)
                return cell;
        }

        return null;
    }
}
