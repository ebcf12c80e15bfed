namespace Commerce.Promising.Learning;

/// <summary>An empirical distribution over equal cells; within a cell it is even.</summary>
internal sealed class Distribution(double[] cumulative, double low, double width)
{
    private readonly double _total = cumulative[^1];

    /// <summary>The share at or below a value, between 0 and 1.</summary>
    public double Share(double value)
    {
        if (_total <= 0 || double.IsNaN(value))
            return 0;
        var position = Math.Clamp((value - low) / width, 0, cumulative.Length - 1);
        var cell = Math.Min((int)position, cumulative.Length - 2);
        return Math.Clamp((cumulative[cell] + ((cumulative[cell + 1] - cumulative[cell]) * (position - cell))) / _total, 0, 1);
    }

    /// <summary>The value that a share lies below; the larger the share, the larger the value.</summary>
    public double Quantile(double share)
    {
        var target = Math.Clamp(share, 0, 1) * _total;
        var found = Array.BinarySearch(cumulative, target);
        var upper = found >= 0 ? found : ~found;
        // Of several cells with the same sum the first: the others hold nothing.
        while (upper > 1 && cumulative[upper - 1] >= target)
            upper--;
        upper = Math.Clamp(upper, 1, cumulative.Length - 1);
        var mass = cumulative[upper] - cumulative[upper - 1];
        var within = mass > 0 ? Math.Clamp((target - cumulative[upper - 1]) / mass, 0, 1) : 1;
        return low + (width * (upper - 1 + within));
    }
}
