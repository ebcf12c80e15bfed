using System.Globalization;
using Commerce.Cli.Api;
using Spectre.Console;

namespace Commerce.Cli.Replay;

/// <summary>The reconciliation as a table, and where the time went.</summary>
internal static class ReplayReport
{
    public static void Write(ReplayResult result, Reconciliation reconciliation)
    {
        var table = new Table().Border(TableBorder.Rounded).Title("Data and suite, order by order and cent by cent");
        table.AddColumn("");
        table.AddColumn(new TableColumn("data").RightAligned());
        table.AddColumn(new TableColumn(OlistOrders.Currency).RightAligned());
        table.AddColumn(new TableColumn("suite").RightAligned());
        table.AddColumn(new TableColumn(OlistOrders.Currency).RightAligned());
        table.AddColumn("");
        foreach (var row in reconciliation.Rows)
        {
            table.AddRow(
                Print.Escape(row.What),
                Whole(row.DataOrders),
                Reais(row.DataMinor),
                Whole(row.SuiteOrders),
                Reais(row.SuiteMinor),
                row.Agrees ? "[green]agrees[/]" : "[red]differs[/]");
        }

        table.AddRow("lost", "0", "", Whole(reconciliation.Lost), "", reconciliation.Lost == 0 ? "[green]none[/]" : "[red]lost[/]");
        table.AddRow("charged twice", "0", "", Whole(reconciliation.ChargedTwice), "", reconciliation.ChargedTwice == 0 ? "[green]none[/]" : "[red]twice[/]");
        AnsiConsole.Write(table);

        var durations = result.Orders.Where(order => order.Duration > TimeSpan.Zero).Select(order => order.Duration.TotalSeconds).Order().ToList();
        var latencies = result.Orders.Select(order => order.PlaceLatency.TotalMilliseconds).Order().ToList();
        AnsiConsole.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"{result.Orders.Count} orders in {result.Elapsed.TotalSeconds:F0} s: [bold]{reconciliation.OrdersPerSecond:F1} orders/s[/] from PlaceOrder to their end"));
        AnsiConsole.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"PlaceOrder: median {At(latencies, 0.5):F0} ms, p99 {At(latencies, 0.99):F0} ms; to the end: median {At(durations, 0.5):F1} s, p99 {At(durations, 0.99):F1} s"));

        if (result.Cpu.Count > 0)
        {
            var chart = new BarChart().Width(72).Label("Where the time goes: hundredths of a core, of " + Environment.ProcessorCount + " cores").LeftAlignLabel();
            foreach (var (name, cores) in result.Cpu.Take(12))
                chart.AddItem(Print.Escape(name), Math.Round(cores * 100), Color.Blue);
            AnsiConsole.Write(chart);
        }

        foreach (var problem in reconciliation.Problems.Take(20))
            AnsiConsole.MarkupLine("[red]" + Print.Escape(problem) + "[/]");
        if (reconciliation.Problems.Count > 20)
            AnsiConsole.MarkupLine($"[red]… and {reconciliation.Problems.Count - 20} more[/]");
    }

    private static double At(List<double> sorted, double quantile) => sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * quantile))];

    private static string Whole(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Reais(long centavos) => (centavos / 100m).ToString("N2", CultureInfo.InvariantCulture);
}
