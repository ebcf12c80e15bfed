using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Eta;
using Commerce.Gateway.V1;
using Commerce.Shipments.V1;
using Grpc.Core;
using Spectre.Console;

namespace Commerce.Cli.Lookup;

/// <summary>`./commerce track`: what a stranger and a shopper see. It calls without the developer's token.</summary>
internal static class TrackCommand
{
    public static Command Create()
    {
        var code = new Argument<string?>("CODE") { Arity = ArgumentArity.ZeroOrOne, Description = "A Tracking ID, or with something that the shopper knows either code." };
        var email = new Option<string?>("--email") { Description = "The e-mail address of the order." };
        var phone = new Option<string?>("--phone") { Description = "The telephone number of the order." };
        var postalCode = new Option<string?>("--postal-code") { Description = "The postal code that the order goes to." };
        var link = new Option<string?>("--link") { Description = "The link in a message about the order, instead of a code." };
        var json = new Option<bool>("--json") { Description = "Print what is answered as protobuf JSON." };
        var command = new Command(
            "track",
            "Follow a parcel as anybody can who has its number, or open an order as whoever bought it.\n\n"
            + "Example: ./commerce track 1Z12345E0205271688\nExample: ./commerce track ORD-7K3M9QX-T2F8CRW --email ada@example.com")
        {
            code, email, phone, postalCode, link, json,
        };
        command.Validators.Add(result =>
        {
            var factors = new[] { email, phone, postalCode }.Count(option => result.GetValue(option) is not null);
            if (result.GetValue(link) is not null ? result.GetValue(code) is not null || factors > 0 : result.GetValue(code) is null || factors > 1)
                result.AddError("Give a CODE, and at most one of --email, --phone and --postal-code; or --link alone.");
        });
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                if (parse.GetValue(link) is { } followed)
                    return await Show(api, await api.Shoppers.OpenLinkAsync(new OpenLinkRequest { Link = TokenOf(followed) }, cancellationToken: cancellationToken), parse.GetValue(json), cancellationToken);
                var request = new OpenOrderRequest { Code = parse.GetValue(code) };
                if (parse.GetValue(email) is { } address)
                    request.Email = address;
                if (parse.GetValue(phone) is { } number)
                    request.Phone = number;
                if (parse.GetValue(postalCode) is { } post)
                    request.PostalCode = post;
                if (request.SecondFactorCase != OpenOrderRequest.SecondFactorOneofCase.None)
                    return await Show(api, await api.Shoppers.OpenOrderAsync(request, cancellationToken: cancellationToken), parse.GetValue(json), cancellationToken);
                return Show(await api.Shoppers.GetJourneyAsync(new GetJourneyRequest { Code = request.Code }, cancellationToken: cancellationToken), parse.GetValue(json));
            },
            cancellationToken));
        return command;
    }

    // Behind the last "/" or "#", whatever page it leads to.
    private static string TokenOf(string link) => link[(link.LastIndexOfAny(['/', '#']) + 1)..];

    private static async Task<int> Show(SuiteApi api, OrderSession session, bool json, CancellationToken cancellationToken)
    {
        var view = await api.ShoppersLookup.LookupAsync(new LookupRequest { Code = session.OrderId }, new Metadata { { "authorization", "Bearer " + session.Token } }, cancellationToken: cancellationToken);
        if (json)
            Print.Json(view);
        else
            LookupScreen.Write(view);
        return Exit.Done;
    }

    private static int Show(GetJourneyResponse answer, bool json)
    {
        if (json)
        {
            Print.Json(answer);
            return Exit.Done;
        }

        foreach (var journey in answer.Journeys)
            Write(journey);
        if (answer.StaleSinceTime is { } since)
            AnsiConsole.MarkupLine($"  [yellow]as of {since.ToDateTimeOffset().ToString("u", CultureInfo.InvariantCulture)}: what keeps parcels does not answer[/]");
        return Exit.Done;
    }

    private static void Write(Journey journey)
    {
        AnsiConsole.MarkupLine($"  parcel [bold]{Print.Escape(journey.TrackingNumber)}[/] by {Print.Escape(journey.Carrier)}: {LookupScreen.Words(journey.Status)}");
        if (EtaExplain.Line(new Shipment { ArrivalEstimate = journey.ArrivalEstimate }) is { } arrival)
            AnsiConsole.MarkupLine("    " + Print.Escape(arrival));
        foreach (var seen in journey.Events)
        {
            var place = string.Join(", ", new[] { seen.Place?.Locality, seen.Place?.AdministrativeArea, seen.Place?.RegionCode }.Where(text => !string.IsNullOrEmpty(text)));
            var time = seen.LocalTime.Length > 0 ? seen.LocalTime : seen.Time?.ToDateTimeOffset().ToString("u", CultureInfo.InvariantCulture) ?? "";
            AnsiConsole.MarkupLine($"    [dim]{Print.Escape(time)}[/]  {LookupScreen.Words(seen.Status)}  [dim]{Print.Escape(place)}[/]");
        }
    }
}
