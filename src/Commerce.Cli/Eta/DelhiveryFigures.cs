using System.Globalization;
using Commerce.Promising.Backtesting;

namespace Commerce.Cli.Eta;

/// <summary>Legs that started on one day. Minutes.</summary>
internal sealed record DayFigures(string Day, int Legs, double Mae, double MaeTable, double P80);

/// <summary>Everything that the Delhivery backtest says. Minutes.</summary>
/// <param name="MaeRouter">The error of the router's time alone.</param>
/// <param name="MaeTable">The error of the corridors' past ratios alone.</param>
/// <param name="MaeSamePast">The error in hindsight of each corridor's median of these very legs: what remains is what the legs of a corridor differ by.</param>
internal sealed record DelhiveryFigures(
    int Legs, int Corridors, IReadOnlyList<RowProblem> Problems, Figure Mae, Figure MaeRouter, Figure MaeTable, double MaeSamePast, Figure P80, IReadOnlyList<DayFigures> Days, IReadOnlyList<Aim> Aims, int Seed)
{
    public static DelhiveryFigures Of(IReadOnlyList<ScoredLeg> scored, int corridors, IReadOnlyList<RowProblem> problems, int seed)
    {
        var bootstrap = new Bootstrap(scored.Count, seed);
        var errors = scored.Select(one => one.Actual - one.Forecast.Minutes).ToList();
        var table = scored.Select(one => one.Actual - one.TableMinutes).ToList();
        var router = scored.Select(one => one.Actual - one.Leg.RoutedMinutes).ToList();
        var held = scored.Select(Held).ToList();
        var mae = bootstrap.Of(weights => Metrics.MeanAbsoluteError(errors, weights));
        var hindsight = scored.GroupBy(one => (one.Leg.Source, one.Leg.Destination)).SelectMany(corridor =>
        {
            var sorted = corridor.Select(one => one.Actual).Order().ToList();
            return sorted.Select(actual => Math.Abs(actual - sorted[sorted.Count / 2]));
        }).DefaultIfEmpty(double.NaN).Average();
        return new DelhiveryFigures(
            scored.Count, corridors, problems, mae,
            bootstrap.Of(weights => Metrics.MeanAbsoluteError(router, weights)),
            bootstrap.Of(weights => Metrics.MeanAbsoluteError(table, weights)),
            hindsight,
            bootstrap.Of(weights => Metrics.Share(held, weights)),
            [.. scored.GroupBy(one => one.Leg.StartedAt.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)).OrderBy(day => day.Key, StringComparer.Ordinal).Select(day => new DayFigures(
                day.Key, day.Count(), day.Average(one => Math.Abs(one.Actual - one.Forecast.Minutes)), day.Average(one => Math.Abs(one.Actual - one.TableMinutes)), day.Average(one => Held(one) ? 1.0 : 0)))],
            [new Aim("Legs: MAE in minutes", mae.Value, mae.Low, mae.High, "under 33", mae.Value < 33)],
            seed);

        static bool Held(ScoredLeg one) => one.Actual >= one.Forecast.From && one.Actual <= one.Forecast.Until;
    }
}
