using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Shipments.V1;
using Spectre.Console;
using Kind = Commerce.Shipments.V1.Bottleneck.Types.Kind;

namespace Commerce.Cli.Carriers;

/// <summary>`./commerce carrier bottlenecks`.</summary>
internal static class BottlenecksCommand
{
    private const string Levels = "▁▂▃▄▅▆▇█";
    private const int DaysShown = 28;

    public static Command Create()
    {
        var (carrier, place) = (Text("--carrier", "Only of this carrier."), Text("--place", "Only at, from or to places whose name contains this."));
        var (since, until) = (Text("--since", "\"Now\" begins on this day; without it three days ago. The eight weeks before are the past."), Text("--until", "\"Now\" ends before this day; without it now."));
        var all = new Option<bool>("--all") { Description = "Also what is as usual." };
        var rows = new Option<int>("--rows") { Description = "At most so many.", DefaultValueFactory = _ => 20 };
        var parcels = new Option<int>("--parcels") { Description = "Name so many of the parcels that are overdue at each place.", DefaultValueFactory = _ => 5 };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "bottlenecks",
            "Show where parcels stay or take longer than they used to, against each place's own past, and the parcels that wait there.\n\n"
            + "Example: ./commerce carrier bottlenecks --carrier ups\n"
            + "Example: ./commerce carrier bottlenecks --since 2026-11-20 --place cajamar --parcels 100") { carrier, place, since, until, all, rows, parcels, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var answer = await api.Carriers.GetBottlenecksAsync(
                    new GetBottlenecksRequest
                    {
                        Carrier = parse.GetValue(carrier) ?? "",
                        Place = parse.GetValue(place) ?? "",
                        StartTime = PerformanceCommand.Day("--since", parse.GetValue(since)),
                        EndTime = PerformanceCommand.Day("--until", parse.GetValue(until)),
                        IncludeUsual = parse.GetValue(all),
                        MaxRows = parse.GetValue(rows),
                        MaxParcels = parse.GetValue(parcels),
                    },
                    OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.JsonFigures(answer);
                else
                    Write(answer, TimeProvider.System.GetUtcNow());
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static void Write(Bottlenecks answer, DateTimeOffset now)
    {
        if (answer.Bottlenecks_.Count == 0)
        {
            AnsiConsole.MarkupLine("[green]Nowhere do parcels take longer than they used to.[/] With --all also what is as usual.");
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumn("").AddColumn("where");
        foreach (var column in new[] { "usually", "now", "parcels", "overdue" })
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn("four weeks, a day each");
        foreach (var one in answer.Bottlenecks_)
        {
            var colour = one.Unusual ? "red" : "default";
            table.AddRow(
                Print.Escape(one.Carrier),
                one.Kind == Kind.Leg ? Print.Escape($"{one.PlaceName} to {one.NextPlaceName}") : $"[bold]{Print.Escape(one.PlaceName)}[/]",
                one.HasUsualHours ? Hours(one.UsualHours) : "",
                one.HasMedianHours ? $"[{colour}]{Hours(one.MedianHours)}[/]" : "",
                one.Parcels.ToString(CultureInfo.InvariantCulture),
                one.Waiting > 0 ? string.Create(CultureInfo.InvariantCulture, $"{one.Overdue} of {one.Waiting}") : "",
                Print.Escape(Sparkline(one, now)));
        }

        AnsiConsole.Write(table);
        foreach (var one in answer.Bottlenecks_.Where(one => one.OverdueParcels.Count > 0))
        {
            AnsiConsole.MarkupLine($"[bold]{Print.Escape(one.PlaceName)}[/]: usually gone within {Hours(one.UsuallyGoneHours)}; overdue, the longest first:");
            foreach (var parcel in one.OverdueParcels)
                AnsiConsole.MarkupLine($"  {Print.Escape(parcel.TrackingNumber)}  for {Hours((now - parcel.SinceTime.ToDateTimeOffset()).TotalHours)}");
            if (one.Overdue > one.OverdueParcels.Count)
                AnsiConsole.MarkupLine($"  and {(one.Overdue - one.OverdueParcels.Count).ToString(CultureInfo.InvariantCulture)} more: --parcels {one.Overdue.ToString(CultureInfo.InvariantCulture)}");
        }

        if (answer.Truncated)
            AnsiConsole.MarkupLine("[yellow]There are more: --rows.[/]");
    }

    /// <summary>A bar for each of the last days up to the last one known, on one scale from nothing; a dot where there were no parcels.</summary>
    internal static string Sparkline(Bottleneck one, DateTimeOffset now)
    {
        if (one.Days.Count == 0)
            return "";
        var byDay = one.Days.ToDictionary(day => DateOnly.FromDateTime(day.Day_.ToDateTime()), day => day.MedianHours);
        var last = byDay.Keys.Max();
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var end = today.DayNumber - last.DayNumber < DaysShown ? today : last;
        var most = byDay.Values.Max();
        return string.Concat(Enumerable.Range(0, DaysShown).Select(i => byDay.TryGetValue(end.AddDays(i + 1 - DaysShown), out var hours) && most > 0
            ? Levels[Math.Clamp((int)Math.Ceiling(hours / most * Levels.Length) - 1, 0, Levels.Length - 1)]
            : '·'));
    }

    private static string Hours(double hours) => hours switch
    {
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{hours * 60:0} min"),
        < 72 => string.Create(CultureInfo.InvariantCulture, $"{hours:0.#} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{hours / 24:0.#} days"),
    };

    private static Option<string> Text(string name, string description) => new(name) { Description = description, DefaultValueFactory = _ => "" };
}
