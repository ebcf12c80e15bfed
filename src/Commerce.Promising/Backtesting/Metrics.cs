namespace Commerce.Promising.Backtesting;

/// <summary>A figure and the interval that 95 % of bootstrap resamples of the same size fall into.</summary>
public sealed record Figure(double Value, double Low, double High);

/// <summary>Figures of forecasts against what came. Each takes weights: how often a resample drew each case; all 1 for the data itself.</summary>
public static class Metrics
{
    /// <summary>Mean absolute error.</summary>
    public static double MeanAbsoluteError(IReadOnlyList<double> errors, ReadOnlySpan<int> weights)
    {
        var (sum, count) = (0.0, 0L);
        for (var i = 0; i < errors.Count; i++)
        {
            sum += weights[i] * Math.Abs(errors[i]);
            count += weights[i];
        }

        return count == 0 ? double.NaN : sum / count;
    }

    /// <summary>The share of cases that hold.</summary>
    public static double Share(IReadOnlyList<bool> holds, ReadOnlySpan<int> weights)
    {
        var (sum, count) = (0L, 0L);
        for (var i = 0; i < holds.Count; i++)
        {
            sum += holds[i] ? weights[i] : 0;
            count += weights[i];
        }

        return count == 0 ? double.NaN : (double)sum / count;
    }

    /// <summary>Mean squared error of a chance.</summary>
    public static double Brier(IReadOnlyList<double> chances, IReadOnlyList<bool> came, ReadOnlySpan<int> weights)
    {
        var (sum, count) = (0.0, 0L);
        for (var i = 0; i < chances.Count; i++)
        {
            var error = chances[i] - (came[i] ? 1 : 0);
            sum += weights[i] * error * error;
            count += weights[i];
        }

        return count == 0 ? double.NaN : sum / count;
    }

    /// <summary>The chance that a case which came was given more than one which did not; equal chances count half.</summary>
    /// <param name="order">The cases by falling chance, from <see cref="Ranked"/>.</param>
    public static double RocAuc(IReadOnlyList<double> chances, IReadOnlyList<bool> came, ReadOnlySpan<int> order, ReadOnlySpan<int> weights)
    {
        var (above, pairs, negatives) = (0.0, 0.0, 0.0);
        for (var i = 0; i < order.Length;)
        {
            var (yes, no) = (0.0, 0.0);
            var chance = chances[order[i]];
            for (; i < order.Length && chances[order[i]] == chance; i++)
            {
                if (came[order[i]])
                    yes += weights[order[i]];
                else
                    no += weights[order[i]];
            }

            // Each that did not come is beaten by those that came and were given more.
            pairs += (above * no) + (yes * no / 2);
            above += yes;
            negatives += no;
        }

        return above == 0 || negatives == 0 ? double.NaN : pairs / (above * negatives);
    }

    /// <summary>Average precision: the mean, over the cases that came, of the share of hits among those given at least as much.</summary>
    /// <param name="order">The cases by falling chance, from <see cref="Ranked"/>.</param>
    public static double PrAuc(IReadOnlyList<double> chances, IReadOnlyList<bool> came, ReadOnlySpan<int> order, ReadOnlySpan<int> weights)
    {
        var (hits, seen, sum) = (0.0, 0.0, 0.0);
        for (var i = 0; i < order.Length;)
        {
            var before = hits;
            var chance = chances[order[i]];
            for (; i < order.Length && chances[order[i]] == chance; i++)
            {
                seen += weights[order[i]];
                hits += came[order[i]] ? weights[order[i]] : 0;
            }

            sum += hits > before ? (hits - before) * hits / seen : 0;
        }

        return hits == 0 ? double.NaN : sum / hits;
    }

    /// <summary>The cases by falling chance.</summary>
    public static int[] Ranked(IReadOnlyList<double> chances) =>
        [.. Enumerable.Range(0, chances.Count).OrderByDescending(i => chances[i]).ThenBy(i => i)];
}

/// <summary>Resamples with replacement; the same seed draws the same.</summary>
public sealed class Bootstrap(int cases, int seed)
{
    private const int Resamples = 400;

    // Of many cases fewer resamples tell as much, and take as long.
    private readonly int _resamples = cases > 20_000 ? Resamples / 4 : Resamples;

    /// <summary>Takes the weights of each case: how often it was drawn.</summary>
    public delegate double Statistic(ReadOnlySpan<int> weights);

    public Figure Of(Statistic statistic)
    {
        var weights = new int[cases];
        Array.Fill(weights, 1);
        var value = statistic(weights);
        // Statistics of one run see the same resamples, whichever are asked for: each begins with the seed.
        var random = new Random(seed);
        var values = new List<double>(_resamples);
        for (var resample = 0; resample < _resamples && cases > 0; resample++)
        {
            Array.Clear(weights);
            for (var i = 0; i < cases; i++)
                weights[random.Next(cases)]++;
            if (statistic(weights) is var drawn && double.IsFinite(drawn))
                values.Add(drawn);
        }

        values.Sort();
        return values.Count == 0
            ? new Figure(value, double.NaN, double.NaN)
            : new Figure(value, values[(int)(0.025 * (values.Count - 1))], values[(int)Math.Ceiling(0.975 * (values.Count - 1))]);
    }
}
