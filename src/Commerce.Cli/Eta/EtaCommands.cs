using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Commerce.Cli.Api;
using Commerce.Promising;
using Commerce.Promising.Backtesting;

namespace Commerce.Cli.Eta;

/// <summary>`./commerce eta`.</summary>
internal static class EtaCommands
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static Command Create() => new("eta", "When parcels arrive, and whether they will be late.") { Backtest() };

    private static Command Backtest()
    {
        var olist = Of("olist", "the Olist folder: olist_orders_dataset.csv and its siblings",
            "Replay real orders: at each purchase say when it will arrive and whether late, knowing only what had happened by then.\n\nExample: ./commerce eta backtest olist ../shared/data/olist --plot eta.svg", Olist);
        var delhivery = Of("delhivery", "the Delhivery folder: legs.csv and corridors.csv",
            "Replay real hub-to-hub legs: at each start say how long it will take.\n\nExample: ./commerce eta backtest delhivery ../shared/data/delhivery --json", Delhivery);
        return new Command("backtest", "Measure the forecasts on data alone.") { olist, delhivery };
    }

    private static Command Of(string name, string folderIs, string description, Func<Request, CancellationToken, int> run)
    {
        var folder = new Argument<string>("DIR") { Description = $"Here: {folderIs}." };
        var json = new Option<bool>("--json") { Description = "Print every figure as JSON." };
        var plot = new Option<string?>("--plot") { Description = "Write calibration and error over time to this file (SVG)." };
        var limits = new Option<bool>("--limits") { Description = "Olist: run with parts of the orders too, to show what more data would bring." };
        var seed = new Option<int>("--seed") { Description = "For the bootstrap intervals: the same seed gives the same figures.", DefaultValueFactory = _ => 1 };
        var command = new Command(name, description) { folder, plot, limits, seed, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            () => Task.FromResult(run(
                new Request(parse.GetRequiredValue(folder), parse.GetValue(plot), parse.GetValue(limits), parse.GetValue(seed), parse.GetValue(json)), cancellationToken)),
            cancellationToken));
        return command;
    }

    private static int Olist(Request request, CancellationToken cancellationToken)
    {
        Check(request);
        var problems = new RowProblems();
        var journeys = OlistJourneys.Read(request.Folder, problems);
        var scored = DeliveryBacktest.Run(journeys, new DeliveryModel(), new BacktestProgress($"{journeys.Count} orders"), cancellationToken);
        var figures = OlistFigures.Of(journeys, scored, problems.Found, request.Seed);
        if (request.Limits)
            figures = figures with { LearningCurve = LearningCurve(journeys, figures, request.Seed, cancellationToken) };
        if (request.Plot is { } path)
            EtaPlot.Olist(path, figures, scored);
        if (request.Json)
            Console.Out.WriteLine(JsonSerializer.Serialize(figures, Json));
        else
            EtaReport.Write(figures);
        return scored.Count > 0 ? Exit.Done : Exit.Rejected;
    }

    private static int Delhivery(Request request, CancellationToken cancellationToken)
    {
        Check(request);
        var problems = new RowProblems();
        var history = DelhiveryLegs.Corridors(request.Folder, problems);
        var legs = DelhiveryLegs.Legs(request.Folder, problems);
        var scored = LegBacktest.Run(legs, history, new BacktestProgress($"{legs.Count} legs"), cancellationToken);
        var figures = DelhiveryFigures.Of(scored, history.Count, problems.Found, request.Seed);
        if (request.Plot is { } path)
            EtaPlot.Delhivery(path, figures, scored);
        if (request.Json)
            Console.Out.WriteLine(JsonSerializer.Serialize(figures, Json));
        else
            EtaReport.Write(figures);
        return scored.Count > 0 ? Exit.Done : Exit.Rejected;
    }

    private static void Check(Request request)
    {
        if (!Directory.Exists(request.Folder))
            throw new UsageException($"{request.Folder} is not a folder.");
        if (request.Plot is not { } plot)
            return;
        if (!plot.EndsWith(".svg", StringComparison.OrdinalIgnoreCase))
            throw new UsageException("--plot writes SVG: give it a file that ends in .svg.");
        if (Path.GetDirectoryName(Path.GetFullPath(plot)) is not { } parent || !Directory.Exists(parent))
            throw new UsageException($"{plot}: there is no such folder to write to.");
    }

    // Every fourth, every second of the orders, as their ids fall; scored on the same days as the whole.
    private static List<LearningPoint> LearningCurve(IReadOnlyList<Journey> journeys, OlistFigures whole, int seed, CancellationToken cancellationToken)
    {
        var curve = new List<LearningPoint>();
        foreach (var parts in (int[])[8, 4, 2, 1])
        {
            // Averaged over as many disjoint parts as two runs' time allows.
            var runs = Enumerable.Range(0, Math.Min(parts, 4)).Select(part => DeliveryBacktest.Run(
                [.. journeys.Where((_, i) => i % parts == part)], new DeliveryModel(), new BacktestProgress($"one {parts}th, part {part + 1}"), cancellationToken)
                .Where(one => one.Consignment.StartedAt >= whole.EtaLastFifth.From).ToList()).SelectMany(run => run).ToList();
            if (runs.Count == 0)
                continue;
            var late = LateFigures.Of(runs, seed);
            curve.Add(new LearningPoint(1.0 / parts, journeys.Count / parts, runs.Average(one => Math.Abs(one.ActualDays - one.ExpectedDays)), late.RocAuc.Value, late.PrAuc.Value, late.Brier.Value));
        }

        return curve;
    }

    private sealed record Request(string Folder, string? Plot, bool Limits, int Seed, bool Json);
}

/// <summary>How far a backtest is, on standard error: ten lines, whatever it is run from.</summary>
internal sealed class BacktestProgress(string what) : IProgress<double>
{
    private int _tenths = -1;

    public void Report(double value)
    {
        var tenths = (int)(value * 10);
        if (tenths <= _tenths)
            return;
        _tenths = tenths;
        Console.Error.WriteLine($"{what}: {tenths * 10} %");
    }
}
