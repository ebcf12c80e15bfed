using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Shipments.V1;
using Google.Protobuf.WellKnownTypes;
using Spectre.Console;
using GroupBy = Commerce.Shipments.V1.GetCarrierPerformanceRequest.Types.GroupBy;

namespace Commerce.Cli.Carriers;

/// <summary>`./commerce carrier performance`.</summary>
internal static class PerformanceCommand
{
    public static Command Create()
    {
        var by = new Option<string[]>("--by") { Description = "A row for each carrier, service, lane, zone, week; several may be given.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["carrier"] };
        by.AcceptOnlyFromAmong("carrier", "service", "lane", "zone", "week");
        var (carrier, service) = (Text("--carrier", "Only this carrier."), Text("--service", "Only this service."));
        var (from, to, zone) = (Text("--from", "Only parcels from here: BR or BR-SP."), Text("--to", "Only parcels to there."), Text("--zone", "Only same_region, domestic or cross_border."));
        var (since, until) = (Text("--since", "From the week of this day on; without it 13 weeks ago."), Text("--until", "Only weeks that began before this day."));
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "performance", "Show how carriers do: in time, days on the way, first attempts, exceptions, cost, claims.\n\nExample: ./commerce carrier performance --by service zone --since 2026-01-01") { by, carrier, service, from, to, zone, since, until, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var answer = await api.Carriers.GetCarrierPerformanceAsync(
                    new GetCarrierPerformanceRequest
                    {
                        Carrier = parse.GetValue(carrier) ?? "",
                        Service = parse.GetValue(service) ?? "",
                        LaneFrom = parse.GetValue(from) ?? "",
                        LaneTo = parse.GetValue(to) ?? "",
                        Zone = parse.GetValue(zone) ?? "",
                        StartTime = Day("--since", parse.GetValue(since)),
                        EndTime = Day("--until", parse.GetValue(until)),
                        GroupBy = { (parse.GetValue(by) ?? []).Select(one => System.Enum.Parse<GroupBy>(one, ignoreCase: true)) },
                    },
                    OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.JsonFigures(answer);
                else
                    Write(answer);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static void Write(CarrierPerformance answer)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("");
        foreach (var column in new[] { "parcels", "in time", "promise kept", "first attempt", "exceptions", "days p50/p80/p95", "working days", "a label", "claims", "paid" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var row in answer.Rows)
        {
            var what = new[] { row.Service.Length > 0 ? $"{row.Carrier}/{row.Service}" : row.Carrier, row.LaneFrom.Length > 0 ? $"{row.LaneFrom} to {row.LaneTo}" : "", row.Zone, row.Week is null ? "" : row.Week.ToDateTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) };
            table.AddRow(
                Print.Escape(string.Join("  ", what.Where(text => text.Length > 0))), row.Parcels.ToString(CultureInfo.InvariantCulture),
                Share(row.HasInTimeShare, row.InTimeShare), Share(row.HasPromiseKeptShare, row.PromiseKeptShare), Share(row.HasFirstAttemptShare, row.FirstAttemptShare), Share(row.HasExceptionShare, row.ExceptionShare),
                Days(row.CalendarDays), Days(row.BusinessDays), string.Join(", ", row.AverageCosts.Select(Print.Amount)),
                row.Claims == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{row.Claims}: {row.ClaimsGranted} granted, {row.ClaimsRejected} rejected"), string.Join(", ", row.PaidAmounts.Select(Print.Amount)));
        }

        AnsiConsole.Write(table);
        if (answer.Truncated)
            AnsiConsole.MarkupLine("[yellow]There are more rows: ask for less at once.[/]");
    }

    private static string Share(bool known, double share) => known ? share.ToString("P1", CultureInfo.InvariantCulture) : "";

    private static string Days(CarrierPerformance.Types.TransitDays? days) => days is null ? "" : $"{days.P50}/{days.P80}/{days.P95}";

    private static Option<string> Text(string name, string description) => new(name) { Description = description, DefaultValueFactory = _ => "" };

    internal static Timestamp? Day(string option, string? text) => string.IsNullOrEmpty(text)
        ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? Timestamp.FromDateTimeOffset(time)
            : throw new UsageException($"{option} {text}: give a day such as 2026-01-31.");
}
