using Commerce.Promising.Backtesting;
using CsCheck;

namespace Commerce.Promising.Tests;

public class MetricsTests
{
    [Fact]
    public void Roc_auc_is_the_share_of_pairs_in_the_right_order() =>
        Gen.Select(Gen.Int[0, 8], Gen.Bool).List[2, 40].Sample(cases =>
        {
            var (chances, came) = (cases.Select(one => one.Item1 / 8.0).ToArray(), cases.Select(one => one.Item2).ToArray());
            var pairs = from i in Enumerable.Range(0, came.Length) from j in Enumerable.Range(0, came.Length) where came[i] && !came[j] select chances[i].CompareTo(chances[j]);
            var expected = pairs.Select(order => order > 0 ? 1 : order == 0 ? 0.5 : 0).DefaultIfEmpty(double.NaN).Average();
            Assert.Equal(expected, Metrics.RocAuc(chances, came, Metrics.Ranked(chances), Ones(came.Length)), 9);
        });

    [Fact]
    public void Pr_auc_of_a_known_case() =>
        // Hits at ranks 1 and 3: (1/1 + 2/3) / 2.
        Assert.Equal((1 + (2.0 / 3)) / 2, Metrics.PrAuc([0.9, 0.8, 0.7, 0.1], [true, false, true, false], Metrics.Ranked([0.9, 0.8, 0.7, 0.1]), Ones(4)), 9);

    [Fact]
    public void Equal_chances_have_the_share_that_came_as_precision() =>
        Assert.Equal(0.25, Metrics.PrAuc([0.5, 0.5, 0.5, 0.5], [true, false, false, false], Metrics.Ranked([0.5, 0.5, 0.5, 0.5]), Ones(4)), 9);

    [Fact]
    public void The_same_seed_draws_the_same_interval_and_it_holds_the_figure()
    {
        var errors = Enumerable.Range(0, 200).Select(i => (double)(i % 17)).ToList();
        var (one, other) = (new Bootstrap(200, 5).Of(weights => Metrics.MeanAbsoluteError(errors, weights)), new Bootstrap(200, 5).Of(weights => Metrics.MeanAbsoluteError(errors, weights)));
        Assert.Equal(one, other);
        Assert.InRange(one.Value, one.Low, one.High);
    }

    private static int[] Ones(int count) => [.. Enumerable.Repeat(1, count)];
}
