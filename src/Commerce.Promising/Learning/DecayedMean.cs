namespace Commerce.Promising.Learning;

/// <summary>A mean in which what was seen counts half as much after each half-life: it follows what drifts.</summary>
internal sealed class DecayedMean(double halfLifeDays)
{
    private double _sum;
    private DateTimeOffset _at;

    /// <summary>How many recent observations it rests on, as of the last one.</summary>
    public double Weight { get; private set; }

    public void Add(DateTimeOffset at, double value, double weight = 1)
    {
        // What comes late counts as of now: history never runs back.
        if (Weight > 0 && at > _at)
        {
            var factor = Factor(at);
            _sum *= factor;
            Weight *= factor;
        }

        if (Weight == 0 || at > _at)
            _at = at;
        _sum += value * weight;
        Weight += weight;
    }

    public double WeightAt(DateTimeOffset at) => Weight == 0 ? 0 : Weight * Factor(at);

    public double SumAt(DateTimeOffset at) => Weight == 0 ? 0 : _sum * Factor(at);

    /// <summary>The mean as of a time, pulled towards <paramref name="prior"/> as if that had been seen <paramref name="strength"/> times.</summary>
    public double Shrunk(DateTimeOffset at, double prior, double strength)
    {
        if (Weight == 0)
            return prior;
        var factor = Factor(at);
        return ((_sum * factor) + (strength * prior)) / ((Weight * factor) + strength);
    }

    private double Factor(DateTimeOffset at) => at > _at ? Math.Pow(0.5, (at - _at).TotalDays / halfLifeDays) : 1;
}

/// <summary>A decayed mean for each of many keys; one never seen is only its prior.</summary>
internal sealed class DecayedMeans(double halfLifeDays)
{
    private readonly Dictionary<string, DecayedMean> _means = new(StringComparer.Ordinal);

    public void Add(string key, DateTimeOffset at, double value, double weight = 1)
    {
        if (key.Length == 0)
            return;
        if (!_means.TryGetValue(key, out var mean))
            _means[key] = mean = new DecayedMean(halfLifeDays);
        mean.Add(at, value, weight);
    }

    public double Shrunk(string key, DateTimeOffset at, double prior, double strength) =>
        _means.TryGetValue(key, out var mean) ? mean.Shrunk(at, prior, strength) : prior;

    public double WeightAt(string key, DateTimeOffset at) => _means.TryGetValue(key, out var mean) ? mean.WeightAt(at) : 0;

    public double SumAt(string key, DateTimeOffset at) => _means.TryGetValue(key, out var mean) ? mean.SumAt(at) : 0;
}
