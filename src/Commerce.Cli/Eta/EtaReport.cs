using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Promising.Backtesting;
using Spectre.Console;

namespace Commerce.Cli.Eta;

/// <summary>A backtest's figures in the terminal.</summary>
internal static class EtaReport
{
    public static void Write(OlistFigures figures)
    {
        Problems(figures.Problems);
        Line($"{figures.Orders} orders, {figures.Delivered} of them delivered; each told at its purchase from what had happened by then, corrections fitted at the first of each month.");
        if (figures.Delivered == 0)
        {
            AnsiConsole.MarkupLine("[yellow]No order was delivered: there is nothing to measure.[/]");
            return;
        }

        var eta = new Table().Border(TableBorder.Rounded).Title("ETA, days (95 % bootstrap intervals)");
        eta.AddColumns("", "orders", "MAE", "45-day median", "promise", "p50 covers", "p80 covers", "p95 covers", "p80 width");
        Row(eta, $"last fifth, from {figures.EtaLastFifth.From:yyyy-MM-dd}", figures.EtaLastFifth);
        Row(eta, $"origins from {figures.FirstOrigin}", figures.EtaAllOrigins);
        AnsiConsole.Write(eta);

        var late = new Table().Border(TableBorder.Rounded).Title("Late or not (95 % bootstrap intervals)");
        late.AddColumns("", "orders", "late", "ROC-AUC", "PR-AUC", "Brier", "one rate in hindsight", "each month's in hindsight");
        Row(late, "last fifth", figures.LateLastFifth);
        Row(late, $"origins from {figures.FirstOrigin}", figures.LateAllOrigins);
        AnsiConsole.Write(late);

        var months = new Table().Border(TableBorder.Rounded).Title("By month of purchase");
        months.AddColumns("", "orders", "MAE", "45-day median", "p50", "p80", "p95", "late", "chance given", "ROC-AUC", "Brier");
        foreach (var month in figures.Months)
        {
            months.AddRow(month.Month, Whole(month.Orders), F(month.Mae, 2), F(month.MaeTrailing, 2), Percent(month.P50), Percent(month.P80), Percent(month.P95),
                Percent(month.LateShare), Percent(month.MeanRisk), F(month.RocAuc, 2), F(month.Brier, 3));
        }

        AnsiConsole.Write(months);
        if (figures.LearningCurve.Count > 0)
        {
            var curve = new Table().Border(TableBorder.Rounded).Title("With fewer orders, on the same days");
            curve.AddColumns("orders", "MAE", "ROC-AUC", "PR-AUC", "Brier");
            foreach (var point in figures.LearningCurve)
                curve.AddRow(Whole(point.Orders), F(point.Mae, 2), F(point.RocAuc, 3), F(point.PrAuc, 3), F(point.Brier, 4));
            AnsiConsole.Write(curve);
        }

        Aims(figures.Aims);
        if (figures.Aims.Any(aim => !aim.Met))
            Line($"What limits it: a Brier score depends on how many are late. One rate for all, known in hindsight, would score {F(figures.LateLastFifth.BrierOfShare, 4)} in the last fifth and {F(figures.LateAllOrigins.BrierOfShare, 4)} over all origins, each month's own rate {F(figures.LateAllOrigins.BrierOfMonths, 4)}. --limits shows what more orders bring.");
    }

    public static void Write(DelhiveryFigures figures)
    {
        Problems(figures.Problems);
        Line($"{figures.Legs} legs, {figures.Corridors} corridors with a history; each leg told at its start from that and from legs that had ended.");
        if (figures.Legs == 0)
        {
            AnsiConsole.MarkupLine("[yellow]There is no leg to measure.[/]");
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).Title("Legs, minutes (95 % bootstrap intervals)");
        table.AddColumns("", "MAE");
        table.AddRow("forecast", Interval(figures.Mae, 1));
        table.AddRow("corridors' past ratios", Interval(figures.MaeTable, 1));
        table.AddRow("router alone", Interval(figures.MaeRouter, 1));
        table.AddRow("each corridor's median of these legs, in hindsight", F(figures.MaeSamePast, 1));
        table.AddRow("p80 window covers", Interval(figures.P80, 3));
        AnsiConsole.Write(table);
        var days = new Table().Border(TableBorder.Rounded).Title("By day of start");
        days.AddColumns("", "legs", "MAE", "corridors' past ratios", "p80");
        foreach (var day in figures.Days)
            days.AddRow(day.Day, Whole(day.Legs), F(day.Mae, 1), F(day.MaeTable, 1), Percent(day.P80));
        AnsiConsole.Write(days);
        Aims(figures.Aims);
    }

    private static void Row(Table table, string name, EtaFigures figures) => table.AddRow(
        Print.Escape(name), Whole(figures.Orders), Interval(figures.Mae, 2), Interval(figures.MaeTrailing, 2), figures.MaePromise is { } promise ? Interval(promise, 2) : "",
        Interval(figures.P50, 3), Interval(figures.P80, 3), Interval(figures.P95, 3), F(figures.WindowDays[1], 1));

    private static void Row(Table table, string name, LateFigures figures) => table.AddRow(
        Print.Escape(name), Whole(figures.Orders), $"{figures.Late} ({Percent(figures.LateShare)})", Interval(figures.RocAuc, 3), Interval(figures.PrAuc, 3), Interval(figures.Brier, 4),
        F(figures.BrierOfShare, 4), F(figures.BrierOfMonths, 4));

    private static void Problems(IReadOnlyList<RowProblem> problems)
    {
        foreach (var problem in problems)
        {
            var where = problem.FirstLine > 0 ? $", {problem.Rows} rows, the first in line {problem.FirstLine}" : "";
            AnsiConsole.MarkupLine($"[yellow]{Print.Escape(problem.File)}: {Print.Escape(problem.Problem)}{where}[/]");
        }
    }

    private static void Aims(IReadOnlyList<Aim> aims)
    {
        foreach (var aim in aims)
            AnsiConsole.MarkupLine($"{(aim.Met ? "[green]met[/]    " : "[yellow]not met[/]")} {Print.Escape(aim.What)}: {F(aim.Value, 4)} ({F(aim.Low, 4)} to {F(aim.High, 4)}), wanted {aim.Wanted}");
    }

    private static void Line(string text) => AnsiConsole.MarkupLine(Print.Escape(text));

    private static string Interval(Figure figure, int digits) => $"{F(figure.Value, digits)} ({F(figure.Low, digits)}–{F(figure.High, digits)})";

    private static string F(double value, int digits) => double.IsNaN(value) ? "–" : value.ToString("F" + digits, CultureInfo.InvariantCulture);

    private static string Percent(double value) => double.IsNaN(value) ? "–" : value.ToString("P1", CultureInfo.InvariantCulture);

    private static string Whole(int value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
