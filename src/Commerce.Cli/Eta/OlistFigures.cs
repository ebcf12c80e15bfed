using System.Globalization;
using Commerce.Promising;
using Commerce.Promising.Backtesting;

namespace Commerce.Cli.Eta;

/// <summary>How well arrivals were told. Days.</summary>
/// <param name="From">The first purchase that counts.</param>
/// <param name="MaePromise">The error of the shop's own promise.</param>
/// <param name="MaeTrailing">The error of the median of the last 45 days' orders.</param>
/// <param name="WindowDays">How wide the p50, p80 and p95 windows are on average.</param>
internal sealed record EtaFigures(
    int Orders, DateTimeOffset? From, DateTimeOffset? Until, Figure Mae, Figure? MaePromise, Figure MaeTrailing, Figure P50, Figure P80, Figure P95, IReadOnlyList<double> WindowDays)
{
    public static EtaFigures Of(IReadOnlyList<ScoredDelivery> scored, int seed)
    {
        var bootstrap = new Bootstrap(scored.Count, seed);
        var errors = scored.Select(one => one.ActualDays - one.ExpectedDays).ToList();
        var trailing = scored.Select(one => one.ActualDays - one.TrailingDays).ToList();
        var promises = scored.Where(one => one.PromisedDays is not null).Select(one => one.ActualDays - one.PromisedDays!.Value).ToList();
        return new EtaFigures(
            scored.Count,
            scored.Count > 0 ? scored[0].Consignment.StartedAt : null,
            scored.Count > 0 ? scored[^1].Consignment.StartedAt : null,
            bootstrap.Of(weights => Metrics.MeanAbsoluteError(errors, weights)),
            promises.Count > 0 ? new Bootstrap(promises.Count, seed).Of(weights => Metrics.MeanAbsoluteError(promises, weights)) : null,
            bootstrap.Of(weights => Metrics.MeanAbsoluteError(trailing, weights)),
            Coverage(0), Coverage(1), Coverage(2),
            [.. Forecasts.Coverages.Select((_, i) => scored.Count > 0 ? scored.Average(one => one.WindowDays[i]) : double.NaN)]);

        Figure Coverage(int window)
        {
            var held = scored.Select(one => one.Covered[window]).ToList();
            return bootstrap.Of(weights => Metrics.Share(held, weights));
        }
    }
}

/// <summary>How well late deliveries were told, and what limits it.</summary>
/// <param name="LateShare">How many were late.</param>
/// <param name="BrierOfShare">The Brier score of one chance for all, the one that came, known in hindsight.</param>
/// <param name="BrierOfMonths">The same with one chance for each month.</param>
internal sealed record LateFigures(int Orders, int Late, double LateShare, double MeanRisk, Figure RocAuc, Figure PrAuc, Figure Brier, double BrierOfShare, double BrierOfMonths)
{
    public static LateFigures Of(IEnumerable<ScoredDelivery> all, int seed)
    {
        var scored = all.Where(one => one.Late is not null && one.Risk is not null).ToList();
        var (chances, came) = (scored.Select(one => one.Risk!.Value).ToArray(), scored.Select(one => one.Late!.Value).ToArray());
        var order = Metrics.Ranked(chances);
        var bootstrap = new Bootstrap(scored.Count, seed);
        var late = came.Count(one => one);
        var months = scored.GroupBy(one => Month.Of(one.Consignment.StartedAt)).Select(month => (Share: month.Average(one => one.Late!.Value ? 1.0 : 0), Count: month.Count())).ToList();
        var share = scored.Count > 0 ? (double)late / scored.Count : double.NaN;
        return new LateFigures(
            scored.Count, late, share, scored.Count > 0 ? chances.Average() : double.NaN,
            bootstrap.Of(weights => Metrics.RocAuc(chances, came, order, weights)),
            bootstrap.Of(weights => Metrics.PrAuc(chances, came, order, weights)),
            bootstrap.Of(weights => Metrics.Brier(chances, came, weights)),
            share * (1 - share),
            scored.Count > 0 ? months.Sum(month => month.Count * month.Share * (1 - month.Share)) / scored.Count : double.NaN);
    }
}

/// <summary>One origin: the orders bought in a month.</summary>
internal sealed record MonthFigures(string Month, int Orders, double Mae, double MaeTrailing, double P50, double P80, double P95, double LateShare, double MeanRisk, double RocAuc, double Brier)
{
    public static MonthFigures Of(string month, IReadOnlyList<ScoredDelivery> scored)
    {
        var late = scored.Where(one => one.Late is not null && one.Risk is not null).ToList();
        var (chances, came) = (late.Select(one => one.Risk!.Value).ToArray(), late.Select(one => one.Late!.Value).ToArray());
        var weights = Enumerable.Repeat(1, late.Count).ToArray();
        return new MonthFigures(
            month, scored.Count, scored.Average(one => Math.Abs(one.ActualDays - one.ExpectedDays)), scored.Average(one => Math.Abs(one.ActualDays - one.TrailingDays)),
            Held(0), Held(1), Held(2), late.Count > 0 ? came.Average(one => one ? 1.0 : 0) : double.NaN, late.Count > 0 ? chances.Average() : double.NaN,
            Metrics.RocAuc(chances, came, Metrics.Ranked(chances), weights), Metrics.Brier(chances, came, weights));

        double Held(int window) => scored.Average(one => one.Covered[window] ? 1.0 : 0);
    }
}

/// <summary>The same figures with a part of the orders alone: what more data would bring.</summary>
internal sealed record LearningPoint(double Share, int Orders, double Mae, double RocAuc, double PrAuc, double Brier);

/// <summary>A figure beside what was aimed at.</summary>
internal sealed record Aim(string What, double Value, double Low, double High, string Wanted, bool Met);

/// <summary>Everything that the Olist backtest says.</summary>
internal sealed record OlistFigures(
    int Orders, int Delivered, IReadOnlyList<RowProblem> Problems, EtaFigures EtaLastFifth, EtaFigures EtaAllOrigins, LateFigures LateLastFifth, LateFigures LateAllOrigins,
    string FirstOrigin, IReadOnlyList<MonthFigures> Months, IReadOnlyList<Aim> Aims, IReadOnlyList<LearningPoint> LearningCurve, int Seed)
{
    // An origin counts once a model could have been learned at it.
    private const int DeliveriesBeforeFirstOrigin = 500;
    private const int FewestOrdersOfMonth = 20;

    public static OlistFigures Of(IReadOnlyList<Journey> journeys, IReadOnlyList<ScoredDelivery> scored, IReadOnlyList<RowProblem> problems, int seed)
    {
        var lastFifth = scored.Skip((int)(scored.Count * 0.8)).ToList();
        var arrivals = journeys.Where(journey => journey.DeliveredAt is not null).Select(journey => journey.DeliveredAt!.Value).Order().Take(DeliveriesBeforeFirstOrigin).ToList();
        var first = arrivals.Count < DeliveriesBeforeFirstOrigin ? "9999-12" : Month.After(arrivals[^1]);
        var origins = scored.Where(one => string.CompareOrdinal(Month.Of(one.Consignment.StartedAt), first) >= 0).ToList();
        var months = scored.GroupBy(one => Month.Of(one.Consignment.StartedAt)).Where(month => month.Count() >= FewestOrdersOfMonth)
            .OrderBy(month => month.Key, StringComparer.Ordinal).Select(month => MonthFigures.Of(month.Key, [.. month])).ToList();
        var (eta, lateLast, lateAll) = (EtaFigures.Of(lastFifth, seed), LateFigures.Of(lastFifth, seed), LateFigures.Of(origins, seed));
        return new OlistFigures(
            journeys.Count, scored.Count, problems, eta, EtaFigures.Of(origins, seed), lateLast, lateAll, first, months,
            [
                Below("ETA, last fifth: MAE in days", eta.Mae, 3.7),
                new Aim("ETA, last fifth: p80 window covers", eta.P80.Value, eta.P80.Low, eta.P80.High, "0.78 to 0.82", eta.P80.Value is >= 0.78 and <= 0.82),
                Above("Late, last fifth: ROC-AUC", lateLast.RocAuc, 0.75),
                Above("Late, last fifth: PR-AUC", lateLast.PrAuc, 0.27),
                Below("Late, last fifth: Brier", lateLast.Brier, 0.056),
                Above("Late, all origins: ROC-AUC", lateAll.RocAuc, 0.75),
                Above("Late, all origins: PR-AUC", lateAll.PrAuc, 0.27),
                Below("Late, all origins: Brier", lateAll.Brier, 0.056),
            ],
            [], seed);

        static Aim Below(string what, Figure figure, double limit) => new(what, figure.Value, figure.Low, figure.High, string.Create(CultureInfo.InvariantCulture, $"under {limit}"), figure.Value < limit);

        static Aim Above(string what, Figure figure, double limit) => new(what, figure.Value, figure.Low, figure.High, string.Create(CultureInfo.InvariantCulture, $"above {limit}"), figure.Value > limit);
    }
}

internal static class Month
{
    public static string Of(DateTimeOffset at) => at.ToString("yyyy-MM", CultureInfo.InvariantCulture);

    public static string After(DateTimeOffset at) => Of(new DateTimeOffset(at.Year, at.Month, 1, 0, 0, 0, at.Offset).AddMonths(1));
}
