using System.Globalization;
using System.Xml.Linq;
using Commerce.Promising.Backtesting;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace Commerce.Cli.Eta;

/// <summary>A backtest as one SVG of four panels: error over time, coverage over time, calibration of the windows and of the chances.</summary>
internal static class EtaPlot
{
    private const int Width = 620;
    private const int Height = 400;
    // The exporter thinks that text is smaller than it is drawn.
    private static readonly OxyThickness Room = new(16, 24, 24, 28);

    private const int RiskGroups = 10;
    private const int PitCells = 20;

    public static void Olist(string path, OlistFigures figures, IReadOnlyList<ScoredDelivery> scored)
    {
        var months = figures.Months.Select(month => month.Month).ToList();
        Write(path,
            Lines("Mean absolute error of the ETA (days), by month of purchase", months, null,
                ("forecast", figures.Months.Select(month => month.Mae)), ("45-day median", figures.Months.Select(month => month.MaeTrailing))),
            Lines("Share of arrivals within the windows, by month of purchase", months, [0.5, 0.8, 0.95],
                ("p50", figures.Months.Select(month => month.P50)), ("p80", figures.Months.Select(month => month.P80)), ("p95", figures.Months.Select(month => month.P95))),
            Risk(scored),
            Lines("Late: share that was, and mean chance that was given", months, null,
                ("late", figures.Months.Select(month => month.LateShare)), ("chance given", figures.Months.Select(month => month.MeanRisk))),
            Pit("Where arrivals fell in the forecast's distribution", [.. scored.Select(one => one.Pit)]));
    }

    public static void Delhivery(string path, DelhiveryFigures figures, IReadOnlyList<ScoredLeg> scored)
    {
        var days = figures.Days.Select(day => day.Day).ToList();
        Write(path,
            Lines("Mean absolute error of legs (minutes), by day of start", days, null, ("forecast", figures.Days.Select(day => day.Mae)), ("corridor table", figures.Days.Select(day => day.MaeTable))),
            Lines("Share of legs within the p80 window, by day of start", days, [0.8], ("p80", figures.Days.Select(day => day.P80))),
            Scatter(scored));
    }

    private static PlotModel Lines(string title, List<string> names, double[]? nominal, params (string Name, IEnumerable<double> Values)[] lines)
    {
        var model = new PlotModel { Title = title, TitleFontSize = 13, Padding = Room };
        var axis = new CategoryAxis { Position = AxisPosition.Bottom, Angle = -60, GapWidth = 0, IsTickCentered = true };
        axis.Labels.AddRange(names);
        model.Axes.Add(axis);
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Left, Minimum = 0, MajorGridlineStyle = LineStyle.Dot });
        model.Legends.Add(new Legend { LegendPosition = LegendPosition.BottomLeft, LegendPlacement = LegendPlacement.Inside, LegendBackground = OxyColor.FromAColor(160, OxyColors.White), LegendPadding = 16 });
        foreach (var (name, values) in lines)
        {
            var series = new LineSeries { Title = name, MarkerType = MarkerType.Circle, MarkerSize = 3 };
            series.Points.AddRange(values.Select((value, i) => new DataPoint(i, value)));
            model.Series.Add(series);
        }

        foreach (var level in nominal ?? [])
        {
            var series = new LineSeries { LineStyle = LineStyle.Dash, Color = OxyColors.Gray, StrokeThickness = 1 };
            series.Points.AddRange([new DataPoint(0, level), new DataPoint(Math.Max(0, names.Count - 1), level)]);
            model.Series.Add(series);
        }

        return model;
    }

    private static PlotModel Risk(IReadOnlyList<ScoredDelivery> scored)
    {
        var cases = scored.Where(one => one is { Risk: not null, Late: not null }).OrderBy(one => one.Risk).ToList();
        var model = new PlotModel { Title = "Chance to be late: given and come (tenths of the orders, 95 % intervals)", TitleFontSize = 13, Padding = Room };
        var bars = new ErrorSeries();
        var most = 0.1;
        for (var group = 0; group < RiskGroups && cases.Count >= RiskGroups; group++)
        {
            var own = cases[(cases.Count * group / RiskGroups)..(cases.Count * (group + 1) / RiskGroups)];
            var (given, came) = (own.Average(one => one.Risk!.Value), own.Average(one => one.Late!.Value ? 1.0 : 0));
            var margin = 1.96 * Math.Sqrt(Math.Max(came * (1 - came), 0.0001) / own.Count);
            bars.Points.Add(new DataPoint(given, came));
            bars.Margins.Add(margin);
            most = Math.Max(most, Math.Max(given, came + margin));
        }

        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Title = "given", Minimum = 0, Maximum = most, MajorGridlineStyle = LineStyle.Dot });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Left, Title = "came", Minimum = 0, Maximum = most, MajorGridlineStyle = LineStyle.Dot });
        model.Series.Add(Diagonal(most));
        bars.AddTo(model);
        return model;
    }

    private static PlotModel Pit(string title, IReadOnlyList<double> shares)
    {
        var model = new PlotModel { Title = title, TitleFontSize = 13, Padding = Room };
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Title = "share of the distribution below what came (even if right)", Minimum = 0, Maximum = 1 });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Left, Minimum = 0, MajorGridlineStyle = LineStyle.Dot });
        var bars = new RectangleBarSeries { FillColor = OxyColors.SteelBlue, StrokeThickness = 0.5 };
        foreach (var cell in shares.GroupBy(share => Math.Clamp((int)(share * PitCells), 0, PitCells - 1)))
            bars.Items.Add(new RectangleBarItem((double)cell.Key / PitCells, 0, (cell.Key + 1.0) / PitCells, (double)cell.Count() * PitCells / shares.Count));
        model.Series.Add(bars);
        return model;
    }

    private static PlotModel Scatter(IReadOnlyList<ScoredLeg> scored)
    {
        const int MostPoints = 3000;
        var model = new PlotModel { Title = "Legs: minutes expected and taken", TitleFontSize = 13, Padding = Room };
        model.Axes.Add(new LogarithmicAxis { Position = AxisPosition.Bottom, Title = "expected", MajorGridlineStyle = LineStyle.Dot });
        model.Axes.Add(new LogarithmicAxis { Position = AxisPosition.Left, Title = "taken", MajorGridlineStyle = LineStyle.Dot });
        var points = new ScatterSeries { MarkerType = MarkerType.Circle, MarkerSize = 1.5, MarkerFill = OxyColors.SteelBlue };
        var every = Math.Max(1, scored.Count / MostPoints);
        points.Points.AddRange(scored.Where((_, i) => i % every == 0).Select(one => new ScatterPoint(one.Forecast.Minutes, one.Actual)));
        model.Series.Add(points);
        var line = new LineSeries { LineStyle = LineStyle.Dash, Color = OxyColors.Gray, StrokeThickness = 1 };
        if (scored.Count > 0)
            line.Points.AddRange([new DataPoint(scored.Min(one => one.Actual), scored.Min(one => one.Actual)), new DataPoint(scored.Max(one => one.Actual), scored.Max(one => one.Actual))]);
        model.Series.Add(line);
        return model;
    }

    private static LineSeries Diagonal(double most)
    {
        var line = new LineSeries { LineStyle = LineStyle.Dash, Color = OxyColors.Gray, StrokeThickness = 1 };
        line.Points.AddRange([new DataPoint(0, 0), new DataPoint(most, most)]);
        return line;
    }

    private static void Write(string path, params PlotModel[] panels)
    {
        const int Columns = 2;
        XNamespace svg = "http://www.w3.org/2000/svg";
        var rows = (panels.Length + Columns - 1) / Columns;
        var root = new XElement(svg + "svg", new XAttribute("width", Width * Columns), new XAttribute("height", Height * rows), new XAttribute("version", "1.1"),
            new XElement(svg + "rect", new XAttribute("width", "100%"), new XAttribute("height", "100%"), new XAttribute("fill", "white")));
        foreach (var (i, panel) in panels.Index())
        {
            using var stream = new MemoryStream();
            new SvgExporter { Width = Width, Height = Height, UseVerticalTextAlignmentWorkaround = true }.Export(panel, stream);
            stream.Position = 0;
            var own = XDocument.Load(stream).Root!;
            own.SetAttributeValue("x", (Width * (i % Columns)).ToString(CultureInfo.InvariantCulture));
            own.SetAttributeValue("y", (Height * (i / Columns)).ToString(CultureInfo.InvariantCulture));
            root.Add(own);
        }

        new XDocument(root).Save(path);
    }

    // Points with intervals; the library's own series of that kind wants bars.
    private sealed class ErrorSeries
    {
        public List<DataPoint> Points { get; } = [];

        public List<double> Margins { get; } = [];

        public void AddTo(PlotModel model)
        {
            foreach (var (point, margin) in Points.Zip(Margins))
            {
                var bar = new LineSeries { Color = OxyColors.SteelBlue, StrokeThickness = 1 };
                bar.Points.AddRange([new DataPoint(point.X, Math.Max(0, point.Y - margin)), new DataPoint(point.X, point.Y + margin)]);
                model.Series.Add(bar);
            }

            var line = new LineSeries { Color = OxyColors.SteelBlue, MarkerType = MarkerType.Circle, MarkerSize = 3 };
            line.Points.AddRange(Points);
            model.Series.Add(line);
        }
    }
}
