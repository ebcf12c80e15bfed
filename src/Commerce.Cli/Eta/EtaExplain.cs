using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Lookup;
using Commerce.Cli.Orders;
using Commerce.Cli.Shipments;
using Commerce.Shipments.V1;
using Google.Type;
using Spectre.Console;

namespace Commerce.Cli.Eta;

/// <summary>`./commerce eta explain`: how an estimate came to be.</summary>
internal static class EtaExplain
{
    public static Command Create()
    {
        var code = new Argument<string>("SHIPMENT|NUMBER") { Description = "A shipment's id (32 hexadecimal digits, or shipments/…), or a carrier's number." };
        var json = OrderCommands.JsonOption();
        var command = new Command("explain", "How a parcel's estimate came to be: what it rests on, its windows, and what may make it late.\n\nExample: ./commerce eta explain 1Z12345E0205271688") { code, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var shipment = await ShipmentNames.Find(api, parse.GetRequiredValue(code), cancellationToken);
                if (parse.GetValue(json))
                    Print.Json(shipment);
                else
                    Write(shipment);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    /// <summary>The estimate in one line, as a lookup shows it; null without one.</summary>
    public static string? Line(Shipment shipment)
    {
        if (shipment.ArrivalEstimate is not { } arrival || arrival.Windows.Count < 2)
            return null;
        var window = arrival.Windows[1];
        var risk = shipment.DelayRisk is { } delay ? string.Create(CultureInfo.InvariantCulture, $"; {delay.Probability:P0} likely to miss the promise") : "";
        return string.Create(CultureInfo.InvariantCulture, $"expected {Day(arrival.ExpectedDay)}, in 8 of 10 cases {Span(window)}{risk}");
    }

    private static void Write(Shipment shipment)
    {
        AnsiConsole.MarkupLine($"Parcel [bold]{Print.Escape(shipment.TrackingNumber.Length > 0 ? shipment.TrackingNumber : shipment.ShipmentId)}[/]: {LookupScreen.Words(shipment.Status)}");
        if (shipment.ArrivalEstimate is not { } arrival)
        {
            AnsiConsole.MarkupLine(shipment.DeliveredTime is null ? "There is no estimate: its journey is over, it is a return, or nothing tells." : "It was delivered.");
            return;
        }

        AnsiConsole.MarkupLine($"As of {At(arrival.AsOfTime)}, days by the recipient's clock ({Print.Escape(arrival.TimeZone)})");
        AnsiConsole.MarkupLine($"Half of such parcels arrive by [bold]{Day(arrival.ExpectedDay)}[/] ({At(arrival.ExpectedTime)})");
        var table = new Table().Border(TableBorder.Rounded);
        table.AddColumns("chance", "days", "from", "until");
        foreach (var window in arrival.Windows)
            table.AddRow(window.Coverage.ToString("P0", CultureInfo.InvariantCulture), Span(window), At(window.FromTime), At(window.UntilTime));
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine(Print.Escape($"It rests on {Basis(shipment, arrival)}. Its clock runs since {Stage(arrival.Stage)}: {At(arrival.StageStartTime)}."));
        if (shipment.DelayRisk is not { } risk)
        {
            AnsiConsole.MarkupLine("Nothing was promised, so nothing can be late.");
            return;
        }

        AnsiConsole.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"Promised by {At(shipment.PromisedDeliveryTime)}: [bold]{risk.Probability:P1}[/] likely to be later."));
        foreach (var cause in risk.Causes)
        {
            var factor = cause.LogOdds > 0 ? string.Create(CultureInfo.InvariantCulture, $" (odds × {Math.Exp(cause.LogOdds):F1})") : "";
            AnsiConsole.MarkupLine("  " + Print.Escape(cause.Message + factor));
        }
    }

    private static string Basis(Shipment shipment, ArrivalEstimate arrival)
    {
        var by = shipment.Carrier.Length > 0 ? $" by {shipment.Carrier} {shipment.Service}" : "";
        var count = string.Create(CultureInfo.InvariantCulture, $"{arrival.Evidence:F0} recent deliveries{by}");
        return arrival.Basis switch
        {
            ArrivalEstimate.Types.Basis.Lane => $"{count} on the same lane, {shipment.ShipFrom.AdministrativeArea} {shipment.ShipFrom.RegionCode} to {shipment.ShipTo.AdministrativeArea} {shipment.ShipTo.RegionCode}",
            ArrivalEstimate.Types.Basis.Region => $"{count} to {shipment.ShipTo.AdministrativeArea} {shipment.ShipTo.RegionCode}: of its lane too few are known",
            ArrivalEstimate.Types.Basis.Country => $"{count} to {shipment.ShipTo.RegionCode}: of its region too few are known",
            ArrivalEstimate.Types.Basis.Carrier => $"{count}: of its country too few are known",
            ArrivalEstimate.Types.Basis.CarrierStatement => "what the carrier said when the label was bought: nothing else is known yet",
            _ => "the shop's promise: nothing else is known yet",
        };
    }

    private static string Stage(ArrivalEstimate.Types.Stage stage) => stage switch
    {
        ArrivalEstimate.Types.Stage.WithCarrier => "the carrier has it",
        ArrivalEstimate.Types.Stage.OutForDelivery => "it is out for delivery",
        _ => "it was planned",
    };

    private static string Span(ArrivalWindow window) =>
        window.FromDay.Equals(window.UntilDay) ? Day(window.FromDay) : $"{Day(window.FromDay)} to {Day(window.UntilDay)}";

    private static string Day(Date day) => string.Create(CultureInfo.InvariantCulture, $"{day.Year:D4}-{day.Month:D2}-{day.Day:D2}");

    private static string At(Google.Protobuf.WellKnownTypes.Timestamp time) => time.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
