namespace Commerce.Promising.Learning;

/// <summary>
/// A distribution in which what was seen counts half as much after each half-life: fixed cells over −4 to 4, so that it costs the
/// same however much was seen. What lies outside counts in the outermost cell.
/// </summary>
internal sealed class DecayedHistogram
{
    private const double Edge = 4;
    private const int Cells = 320;
    private const double Width = 2 * Edge / Cells;

    private readonly double[] _cells = new double[Cells];
    private DateTimeOffset _at;
    private Distribution? _snapshot;

    public double Weight { get; private set; }

    /// <summary>A start that the first few dozen observations outweigh: a normal distribution.</summary>
    public void Seed(double weight, double deviation)
    {
        for (var i = 0; i < Cells; i++)
        {
            var mass = weight * (Normal((Low(i) + Width) / deviation) - Normal(Low(i) / deviation));
            _cells[i] += mass;
            Weight += mass;
        }

        _snapshot = null;
    }

    /// <param name="halfLifeDays">How fast what was seen before fades until now.</param>
    public void Add(DateTimeOffset at, double value, double halfLifeDays)
    {
        if (_at == default)
            _at = at;
        if (at > _at)
        {
            var factor = Math.Pow(0.5, (at - _at).TotalDays / halfLifeDays);
            for (var i = 0; i < Cells; i++)
                _cells[i] *= factor;
            Weight *= factor;
            _at = at;
        }

        _snapshot = null;
        _cells[Math.Clamp((int)((value + Edge) / Width), 0, Cells - 1)]++;
        Weight++;
    }

    /// <summary>The distribution as it is now; what is added later does not change it.</summary>
    public Distribution Snapshot()
    {
        if (_snapshot is not null)
            return _snapshot;
        var cumulative = new double[Cells + 1];
        for (var i = 0; i < Cells; i++)
            cumulative[i + 1] = cumulative[i] + _cells[i];
        return _snapshot = new Distribution(cumulative, -Edge, Width);
    }

    /// <summary>The share of a normal distribution below a value (Abramowitz and Stegun 26.2.17).</summary>
    public static double Normal(double value)
    {
        var t = 1 / (1 + (0.2316419 * Math.Abs(value)));
        var tail = 0.3989422804 * Math.Exp(-value * value / 2) * t
            * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        return value > 0 ? 1 - tail : tail;
    }

    private static double Low(int cell) => (cell * Width) - Edge;
}
