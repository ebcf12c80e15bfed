using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Eta;
using Commerce.Cli.Orders;
using Commerce.Gateway.V1;
using Commerce.Shipments.V1;
using Spectre.Console;

namespace Commerce.Cli.Lookup;

/// <summary>A view in the terminal: order, payment, and each parcel with its journey.</summary>
internal static class LookupScreen
{
    /// <summary>A line for each code.</summary>
    public static void Write(BatchLookupResponse answers)
    {
        foreach (var answer in answers.Results)
        {
            AnsiConsole.MarkupLine(answer.View is { } view
                ? $"{Print.Escape(answer.Code)}: [bold]{view.OrderId}[/] {(view.Order is { } order ? OrderView.Headline(order) : "")}"
                : $"{Print.Escape(answer.Code)}: [red]{answer.ErrorReason}[/] {Print.Escape(answer.ErrorMessage)}");
        }
    }

    public static void Write(LookupView view)
    {
        if (view.CodeKind is CodeKind.ReturnNumber or CodeKind.DocumentNumber or CodeKind.ExternalId)
            AnsiConsole.MarkupLine($"[dim]That is {Words(view.CodeKind)} of the order {view.OrderId}{(view.Resource.Length > 0 ? ": " : "")}{Print.Escape(view.Resource)}[/]");
        if (view.Order is { } order)
            OrderView.Write(order, withParcels: view.Shipments.Count == 0);
        if (view.Payment is { } payment)
        {
            AnsiConsole.MarkupLine($"  payment {payment.State.ToString().ToLowerInvariant()}: {Print.Amount(payment.CapturedAmount)} of {Print.Amount(payment.Amount)} taken, {Print.Amount(payment.RefundedAmount)} given back");
        }

        foreach (var document in view.Documents)
            AnsiConsole.MarkupLine($"  {document.Kind.ToString().ToLowerInvariant()} {Print.Escape(document.Number)}: {Print.Amount(document.Total)}");
        foreach (var shipment in view.Shipments)
            Write(shipment);
        foreach (var journey in view.Journeys)
            AnsiConsole.MarkupLine($"  journey {Print.Escape(journey.TrackingNumber)}: {Words(journey.Status)}, {journey.Events.Count} events");
        foreach (var one in view.Returns)
            AnsiConsole.MarkupLine($"  return {Print.Escape(one.ReturnNumber)}: {one.State.ToString().ToLowerInvariant()}, refund {one.RefundState.ToString().ToLowerInvariant()}");
        foreach (var message in view.Notifications)
            AnsiConsole.MarkupLine($"  [dim]{(message.SendTime ?? message.CreateTime).ToDateTimeOffset().ToString("u", CultureInfo.InvariantCulture)} {message.Channel} {message.Kind}: {message.State.ToString().ToLowerInvariant()}[/]");
        foreach (var other in view.OtherBearers)
            AnsiConsole.MarkupLine($"  [yellow]another parcel {(other.Former ? "was corrected from" : "bears")} this number: order {other.OrderId}, planned {other.CreateTime.ToDateTimeOffset().ToString("u", CultureInfo.InvariantCulture)}[/]");
        foreach (var part in view.StaleParts)
            AnsiConsole.MarkupLine($"  [yellow]{Print.Escape(part.Part)}: its service does not answer; last read {(part.ReadTime is null ? "never" : part.ReadTime.ToDateTimeOffset().ToString("u", CultureInfo.InvariantCulture))}[/]");
    }

    private static string Words(CodeKind kind) => kind switch
    {
        CodeKind.ReturnNumber => "a return's number,",
        CodeKind.DocumentNumber => "a document's number,",
        _ => "the shop's own number,",
    };

    public static string Words(TrackingStatus status) => status switch
    {
        TrackingStatus.PreTransit => "[yellow]label made, not yet with the carrier[/]",
        TrackingStatus.PickedUp => "[blue]with the carrier[/]",
        TrackingStatus.InTransit => "[blue]in transit[/]",
        TrackingStatus.OutForDelivery => "[blue]out for delivery[/]",
        TrackingStatus.AvailableForPickup => "[blue]waiting to be picked up[/]",
        TrackingStatus.Delivered => "[green]delivered[/]",
        TrackingStatus.DeliveryFailed => "[red]delivery failed[/]",
        TrackingStatus.Delayed => "[yellow]delayed[/]",
        TrackingStatus.OnHold => "[yellow]on hold[/]",
        TrackingStatus.ReturnToSender => "[red]going back to the sender[/]",
        TrackingStatus.Cancelled => "[red]cancelled[/]",
        _ => "unknown",
    };

    public static void Write(Shipment shipment)
    {
        var number = shipment.TrackingNumber.Length > 0 ? $"[bold]{Print.Escape(shipment.TrackingNumber)}[/] by {Print.Escape(shipment.Carrier)} {Print.Escape(shipment.Service)}" : "no label yet";
        AnsiConsole.MarkupLine($"  {(shipment.Return.Length > 0 ? "return " : "")}parcel {number}: {Words(shipment.Status)}");
        if (shipment.Exception is { } exception)
            AnsiConsole.MarkupLine($"    [red]{exception.Kind}[/] {Print.Escape(exception.Message)}");
        foreach (var former in shipment.FormerTracking)
            AnsiConsole.MarkupLine($"    [dim]was {Print.Escape(former.TrackingNumber)} by {Print.Escape(former.Carrier)}, corrected by {Print.Escape(former.ReplacedBy)} on {former.ReplacedTime.ToDateTimeOffset().ToString("u", CultureInfo.InvariantCulture)}{(former.Note.Length > 0 ? ": " : "")}{Print.Escape(former.Note)}[/]");
        if (EtaExplain.Line(shipment) is { } arrival)
            AnsiConsole.MarkupLine("    " + Print.Escape(arrival));
        if (shipment.Scans.Count == 0)
            return;
        var journey = new Grid().AddColumn(new GridColumn().NoWrap().Padding(4, 0, 2, 0)).AddColumn().AddColumn();
        foreach (var scan in shipment.Scans)
        {
            var place = string.Join(", ", new[] { scan.Place?.Locality, scan.Place?.AdministrativeArea, scan.Place?.RegionCode }.Where(text => !string.IsNullOrEmpty(text)));
            journey.AddRow($"[dim]{Print.Escape(LocalTime(scan))}[/]", Print.Escape(scan.Description), $"[dim]{Print.Escape(place)}[/]");
        }

        AnsiConsole.Write(journey);
    }

    /// <summary>The place's own clock, to the second; where that cannot be right, when we learned of it.</summary>
    public static string LocalTime(Scan scan)
    {
        if (scan.TimeBasis == Scan.Types.TimeBasis.Received && scan.ReceivedTime is { } received)
            return received.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + (scan.LocalTime.Length > 0 ? $" received, told as {scan.LocalTime}" : " received");
        return DateTimeOffset.TryParse(scan.LocalTime, CultureInfo.InvariantCulture, out var time) ? time.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture) : scan.LocalTime;
    }
}
