namespace Commerce.Promising.Learning;

/// <summary>One example: what was known, the prior that the model corrects, what came, and how much it counts.</summary>
internal readonly record struct Example(double[] Features, double Offset, double Target, double Weight);

/// <summary>
/// A linear correction of a prior, pulled towards "no correction" by a ridge penalty: with little data it is the prior. Each feature's
/// share in an answer can be named. Least squares, or logistic for chances.
/// </summary>
internal sealed class LinearModel
{
    // A feature far outside of what was learned from says no more than one at the edge.
    private const double MostDeviations = 4;
    private const double InterceptPenalty = 3;
    private const int MostSteps = 8;

    private readonly bool _logistic;
    private readonly double[] _means;
    private readonly double[] _scales;
    private readonly double[] _coefficients;

    private LinearModel(bool logistic, double[] means, double[] scales, double[] coefficients) =>
        (_logistic, _means, _scales, _coefficients) = (logistic, means, scales, coefficients);

    /// <summary>Least squares, one model for each penalty.</summary>
    public static LinearModel[] LeastSquares(IReadOnlyList<Example> examples, IReadOnlyList<double> penalties)
    {
        var (means, scales) = Moments(examples);
        var rows = Standardise(examples, means, scales);
        var size = means.Length + 1;
        var gram = new double[size * size];
        var right = new double[size];
        for (var i = 0; i < rows.Length; i++)
            Accumulate(gram, right, rows[i], examples[i].Weight, (examples[i].Target - examples[i].Offset) * examples[i].Weight);
        return [.. penalties.Select(penalty => new LinearModel(false, means, scales, Solve(gram, right, new double[size], penalty)))];
    }

    /// <summary>Logistic regression by Newton's steps. Targets are 0 or 1, offsets in log odds.</summary>
    public static LinearModel Logistic(IReadOnlyList<Example> examples, double penalty)
    {
        var (means, scales) = Moments(examples);
        var rows = Standardise(examples, means, scales);
        var size = means.Length + 1;
        var coefficients = new double[size];
        for (var step = 0; step < MostSteps; step++)
        {
            var gram = new double[size * size];
            var right = new double[size];
            for (var i = 0; i < rows.Length; i++)
            {
                var chance = Chance(examples[i].Offset + Dot(coefficients, rows[i]));
                var curvature = Math.Max(1e-6, chance * (1 - chance)) * examples[i].Weight;
                Accumulate(gram, right, rows[i], curvature, (examples[i].Target - chance) * examples[i].Weight);
            }

            var move = Solve(gram, right, coefficients, penalty);
            var largest = 0.0;
            for (var j = 0; j < size; j++)
            {
                // A step is bounded: far from the top, Newton's overshoots.
                var bounded = Math.Clamp(move[j], -2, 2);
                coefficients[j] += bounded;
                largest = Math.Max(largest, Math.Abs(bounded));
            }

            if (largest < 1e-4)
                break;
        }

        return new LinearModel(true, means, scales, coefficients);
    }

    /// <summary>A value, or with logistic a chance.</summary>
    public double Answer(ReadOnlySpan<double> features, double offset)
    {
        var sum = offset + _coefficients[^1];
        for (var j = 0; j < features.Length; j++)
            sum += Share(j, features[j]);
        return _logistic ? Chance(sum) : sum;
    }

    /// <summary>What a feature adds, compared with its usual value.</summary>
    public double Share(int feature, double value) =>
        _coefficients[feature] * Math.Clamp((value - _means[feature]) / _scales[feature], -MostDeviations, MostDeviations);

    public static double Chance(double logOdds) => 1 / (1 + Math.Exp(-logOdds));

    private static (double[] Means, double[] Scales) Moments(IReadOnlyList<Example> examples)
    {
        var count = examples[0].Features.Length;
        var means = new double[count];
        var squares = new double[count];
        var total = 0.0;
        foreach (var example in examples)
        {
            total += example.Weight;
            for (var j = 0; j < count; j++)
                means[j] += example.Weight * example.Features[j];
        }

        for (var j = 0; j < count; j++)
            means[j] /= total;
        foreach (var example in examples)
        {
            for (var j = 0; j < count; j++)
            {
                var deviation = example.Features[j] - means[j];
                squares[j] += example.Weight * deviation * deviation;
            }
        }

        // What never varied tells nothing: a scale of 1 leaves it at its usual value.
        return (means, [.. squares.Select(square => Math.Sqrt(square / total) is > 1e-9 and var scale ? scale : 1)]);
    }

    // The last column is the intercept.
    private static double[][] Standardise(IReadOnlyList<Example> examples, double[] means, double[] scales)
    {
        var rows = new double[examples.Count][];
        for (var i = 0; i < rows.Length; i++)
        {
            var row = rows[i] = new double[means.Length + 1];
            for (var j = 0; j < means.Length; j++)
                row[j] = Math.Clamp((examples[i].Features[j] - means[j]) / scales[j], -MostDeviations, MostDeviations);
            row[^1] = 1;
        }

        return rows;
    }

    // The lower triangle only.
    private static void Accumulate(double[] gram, double[] right, double[] row, double curvature, double slope)
    {
        var size = row.Length;
        for (var j = 0; j < size; j++)
        {
            right[j] += slope * row[j];
            var scaled = curvature * row[j];
            if (scaled == 0)
                continue;
            var line = gram.AsSpan(j * size, j + 1);
            for (var k = 0; k < line.Length; k++)
                line[k] += scaled * row[k];
        }
    }

    // (gram + penalty) x = right − penalty · current, by Cholesky: the penalty keeps it positive definite.
    private static double[] Solve(double[] gram, double[] right, double[] current, double penalty)
    {
        var size = right.Length;
        var lower = new double[size * size];
        var x = new double[size];
        for (var j = 0; j < size; j++)
        {
            var own = j == size - 1 ? InterceptPenalty : penalty;
            for (var k = 0; k <= j; k++)
            {
                var sum = gram[(j * size) + k] + (j == k ? own : 0);
                for (var m = 0; m < k; m++)
                    sum -= lower[(j * size) + m] * lower[(k * size) + m];
                lower[(j * size) + k] = j == k ? Math.Sqrt(Math.Max(sum, 1e-9)) : sum / lower[(k * size) + k];
            }

            x[j] = right[j] - (own * current[j]);
        }

        for (var j = 0; j < size; j++)
        {
            for (var k = 0; k < j; k++)
                x[j] -= lower[(j * size) + k] * x[k];
            x[j] /= lower[(j * size) + j];
        }

        for (var j = size - 1; j >= 0; j--)
        {
            for (var k = j + 1; k < size; k++)
                x[j] -= lower[(k * size) + j] * x[k];
            x[j] /= lower[(j * size) + j];
        }

        return x;
    }

    private static double Dot(double[] left, double[] right)
    {
        var sum = 0.0;
        for (var j = 0; j < left.Length; j++)
            sum += left[j] * right[j];
        return sum;
    }
}
