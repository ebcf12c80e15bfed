using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Shipments.V1;
using Google.Type;
using Spectre.Console;

namespace Commerce.Cli.Shipments;

/// <summary>`./commerce delivery …`.</summary>
internal static class DeliveryCommands
{
    public static Command Create() => new("delivery", "Another day, another place, and the proof that it was delivered.") { Reschedule(), Redirect(), Proof() };

    private static Command Reschedule()
    {
        var parcel = Parcel();
        var day = new Option<string>("--day") { Description = "The day, for example 2026-12-24.", Required = true };
        var from = new Option<string?>("--from") { Description = "From when, for example 09:00." };
        var until = new Option<string?>("--until") { Description = "Until when, for example 12:00." };
        var json = OrderCommands.JsonOption();
        var command = new Command("reschedule", "Ask for another day, until the parcel is out for delivery.\n\nExample: ./commerce delivery reschedule 1Z879E930346834440 --day 2026-12-24 --from 09:00 --until 12:00") { parcel, day, from, until, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api => Show(
                await api.Shipments.RescheduleDeliveryAsync(
                    new RescheduleDeliveryRequest
                    {
                        Name = await ShipmentNames.Of(api, parse.GetRequiredValue(parcel), cancellationToken),
                        RequestId = Guid.CreateVersion7().ToString(),
                        PreferredDay = DayOf(parse.GetRequiredValue(day)),
                        WindowFrom = TimeOf("--from", parse.GetValue(from)),
                        WindowUntil = TimeOf("--until", parse.GetValue(until)),
                    },
                    OrderCommands.Options(cancellationToken)),
                parse.GetValue(json)),
            cancellationToken));
        return command;
    }

    private static Command Redirect()
    {
        var parcel = Parcel();
        var leaveAt = new Option<string>("--leave-at") { Description = "A safe place at the address.", DefaultValueFactory = _ => "" };
        var neighbour = new Option<string>("--neighbour") { Description = "A neighbour who takes it.", DefaultValueFactory = _ => "" };
        var pickup = new Option<string>("--pickup-point") { Description = "The carrier's code of a shop or a locker.", DefaultValueFactory = _ => "" };
        var lines = new Option<string[]>("--address") { Description = "A line of another address; once for each." };
        var name = new Option<string>("--name") { Description = "Who receives it there; otherwise as before.", DefaultValueFactory = _ => "" };
        var city = new Option<string>("--city") { Description = "Its town.", DefaultValueFactory = _ => "" };
        var region = new Option<string>("--region") { Description = "Its state or province.", DefaultValueFactory = _ => "" };
        var postal = new Option<string>("--postal-code") { Description = "Its postal code.", DefaultValueFactory = _ => "" };
        var country = new Option<string>("--country") { Description = "Its country, which must be the same as before.", DefaultValueFactory = _ => "" };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "redirect", "Ask for another place, until the parcel is out for delivery.\n\nExample: ./commerce delivery redirect 1Z879E930346834440 --neighbour \"Silva, no. 12\"\n"
            + "Example: ./commerce delivery redirect 1Z879E930346834440 --address \"Rua Augusta 900\" --city \"São Paulo\" --region SP --postal-code 01304-001 --country BR")
        {
            parcel, leaveAt, neighbour, pickup, lines, name, city, region, postal, country, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new RedirectDeliveryRequest
                {
                    Name = await ShipmentNames.Of(api, parse.GetRequiredValue(parcel), cancellationToken),
                    RequestId = Guid.CreateVersion7().ToString(),
                    LeaveAt = parse.GetValue(leaveAt) ?? "",
                    Neighbour = parse.GetValue(neighbour) ?? "",
                    PickupPoint = parse.GetValue(pickup) ?? "",
                };
                if (parse.GetValue(lines) is { Length: > 0 } address)
                {
                    request.ShipTo = new PostalAddress
                    {
                        AddressLines = { address },
                        Locality = parse.GetValue(city) ?? "",
                        AdministrativeArea = parse.GetValue(region) ?? "",
                        PostalCode = parse.GetValue(postal) ?? "",
                        RegionCode = parse.GetValue(country) ?? "",
                    };
                    if (parse.GetValue(name) is { Length: > 0 } who)
                        request.ShipTo.Recipients.Add(who);
                }

                return Show(await api.Shipments.RedirectDeliveryAsync(request, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
            },
            cancellationToken));
        return command;
    }

    private static Command Proof()
    {
        var number = new Argument<string>("NUMBER") { Description = "The tracking number." };
        var json = OrderCommands.JsonOption();
        var command = new Command("proof", "Who signed, and where it was left. Personal data.\n\nExample: ./commerce delivery proof 1Z879E930346834440") { number, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var proof = await api.Tracking.GetProofOfDeliveryAsync(new GetProofOfDeliveryRequest { TrackingNumber = parse.GetRequiredValue(number) }, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                {
                    Print.Json(proof);
                    return Exit.Done;
                }

                AnsiConsole.MarkupLine($"[bold]{Print.Escape(proof.TrackingNumber)}[/] delivered {proof.DeliveredTime.ToDateTimeOffset():yyyy-MM-dd HH:mm} UTC");
                foreach (var (what, said) in new[] { ("signed by", proof.SignedBy), ("left at", proof.LeftAt), ("photo", proof.PhotoReference), ("position", PositionOf(proof)) })
                {
                    if (said.Length > 0)
                        AnsiConsole.MarkupLine($"  {what}  {Print.Escape(said)}");
                }

                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static string PositionOf(ProofOfDelivery proof) =>
        proof.Position is { } at ? string.Create(CultureInfo.InvariantCulture, $"{at.Latitude:F5}, {at.Longitude:F5}") : "";

    private static int Show(Shipment shipment, bool json)
    {
        if (json)
            Print.Json(shipment);
        else
            AnsiConsole.MarkupLine($"[bold]{Print.Escape(shipment.TrackingNumber)}[/] change of delivery: {shipment.DeliveryChange?.State} [dim]{Print.Escape(shipment.DeliveryChange?.Refusal ?? "")}[/]");
        return Exit.Done;
    }

    private static Argument<string> Parcel() => new("PARCEL") { Description = "A shipment's id or a tracking number." };

    private static Date DayOf(string typed) => DateOnly.TryParseExact(typed, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
        ? new Date { Year = day.Year, Month = day.Month, Day = day.Day }
        : throw new UsageException($"--day {typed}: give a date such as 2026-12-24.");

    private static TimeOfDay? TimeOf(string option, string? typed)
    {
        if (typed is null)
            return null;
        return TimeOnly.TryParseExact(typed, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? new TimeOfDay { Hours = time.Hour, Minutes = time.Minute }
            : throw new UsageException($"{option} {typed}: give a time such as 09:00.");
    }
}
