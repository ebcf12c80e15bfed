using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Cli.Payments;
using Commerce.Shipments.V1;
using Spectre.Console;
using Basis = Commerce.Shipments.V1.CarrierServiceability.Types.Basis;
using Goal = Commerce.Shipments.V1.ShippingRules.Types.Goal;
using Match = Commerce.Shipments.V1.Serviceability.Types.Match;

namespace Commerce.Cli.Carriers;

/// <summary>`./commerce carrier …`.</summary>
internal static class CarrierCommands
{
    private const int MostShown = 20;

    public static Command Create() => new("carrier", "Carriers: where they go, what they want, and what a store wants of them.") { List(), Serviceability(), Rates(), Rules(), PerformanceCommand.Create(), BottlenecksCommand.Create() };

    private static Command List()
    {
        var json = OrderCommands.JsonOption();
        var command = new Command("list", "List the carriers.\n\nExample: ./commerce carrier list") { json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new ListCarriersRequest { PageSize = 500 };
                do
                {
                    var page = await api.Carriers.ListCarriersAsync(request, OrderCommands.Options(cancellationToken));
                    foreach (var carrier in page.Carriers)
                    {
                        if (parse.GetValue(json))
                            Print.JsonLine(carrier);
                        else
                            AnsiConsole.MarkupLine($"[bold]{Print.Escape(carrier.Carrier_)}[/]  {carrier.RateCards} rate cards, {(carrier.ServiceabilityVersion == 0 ? "no list of postal codes" : $"list {carrier.ServiceabilityVersion} of {carrier.ServiceabilityLines} lines")}");
                    }

                    request.PageToken = page.NextPageToken;
                }
                while (request.PageToken.Length > 0);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Serviceability()
    {
        var code = new Argument<string?>("CODE") { Description = "A postal code, as people write it.", Arity = ArgumentArity.ZeroOrOne };
        var country = new Option<string>("--country") { Description = "Its country, ISO 3166.", DefaultValueFactory = _ => "IN" };
        var carrier = new Option<string>("--carrier") { Description = "Only of this carrier.", DefaultValueFactory = _ => "" };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "serviceability",
            "Show what is at a postal code and which carriers serve it.\n\n"
            + "Example: ./commerce carrier serviceability 110001\n"
            + "Example: ./commerce carrier serviceability \"M9 8AB\" --country GB --carrier dhl") { code, country, carrier, json, Upload() };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                if (parse.GetValue(code) is not { Length: > 0 } asked)
                    throw new UsageException("Give a postal code, for example: ./commerce carrier serviceability 110001 --country IN");
                var found = await api.Carriers.GetServiceabilityAsync(
                    new GetServiceabilityRequest { RegionCode = parse.GetValue(country) ?? "", PostalCode = asked, Carrier = parse.GetValue(carrier) ?? "" }, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.JsonFigures(found);
                else
                    Write(found);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static void Write(Serviceability found)
    {
        AnsiConsole.MarkupLine($"[bold]{Print.Escape(found.RegionCode)} {Print.Escape(found.PostalCode)}[/]  {Print.Escape(string.Join(", ", new[] { found.District, found.AdministrativeArea }.Where(text => text.Length > 0)))}  [dim]{Words(found.Match)}[/]");
        if (found.Places.Count > 0)
            AnsiConsole.MarkupLine($"  {Print.Escape(string.Join(", ", found.Places.Take(5)))}{(found.PlaceCount > 5 ? $" and {found.PlaceCount - 5} more" : "")}");
        if (found.Position is { } position)
            AnsiConsole.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"  {position.Latitude:F4}, {position.Longitude:F4}"));
        if (found.HasPostDelivers)
            AnsiConsole.MarkupLine(found.PostDelivers ? "  a post office delivers" : "  [yellow]no post office delivers[/]");
        foreach (var one in found.Carriers)
        {
            var says = one.Basis switch
            {
                Basis.List when one.Delivery || one.Pickup => "[green]" + string.Join(", ", new[] { (one.Delivery, "delivery"), (one.Pickup, "pick-up"), (one.CashOnDelivery, "cash on delivery"), (one.SameDay, "same day") }.Where(pair => pair.Item1).Select(pair => pair.Item2)) + $"[/] [dim]list {one.ListVersion}[/]",
                Basis.List => $"[red]not served[/] [dim]list {one.ListVersion}[/]",
                Basis.RateCard => "[green]delivery[/] [dim]by a rate card[/]",
                _ => "[dim]not known: gave no list, ask for a rate[/]",
            };
            AnsiConsole.MarkupLine($"  [bold]{Print.Escape(one.Carrier)}[/]  {says}");
        }
    }

    private static string Words(Match match) => match switch
    {
        Match.Exact => "",
        Match.Part => "found by the part that names a district",
        Match.Area => "found by its town's code",
        Match.CarrierOnly => "known to a carrier alone",
        _ => "no list of the country is loaded",
    };

    private static Command Upload()
    {
        var carrier = new Argument<string>("CARRIER") { Description = "Whose list it is." };
        var file = new Argument<string>("FILE") { Description = "CSV, plain or gzip, or - for standard input." };
        var country = new Option<string>("--country") { Description = "The country of lines that name none.", DefaultValueFactory = _ => "" };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "upload",
            "Upload the postal codes that a carrier serves; exit code 4, and nothing changes, if anything is wrong.\n\n"
            + "Columns: country_code, postal_code (a code, 56*, or *), postal_code_to, delivery, pickup, cash_on_delivery, same_day (yes or no).\n\n"
            + "Example: ./commerce carrier serviceability upload dhl list.csv") { carrier, file, country, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                using var call = api.Carriers.UploadServiceability(cancellationToken: cancellationToken);
                var result = await Files.Send(
                    parse.GetRequiredValue(file), call,
                    bytes => new UploadServiceabilityRequest { Carrier = parse.GetRequiredValue(carrier), RegionCode = parse.GetValue(country) ?? "", Csv = bytes }, cancellationToken);
                if (parse.GetValue(json))
                {
                    Print.JsonFigures(result);
                }
                else
                {
                    AnsiConsole.MarkupLine(
                        result.Version == 0 ? $"[red]nothing was stored[/]: {result.ProblemCount} things are wrong in {result.Lines} lines"
                        : result.Unchanged ? $"list {result.Version} was this one already"
                        : $"[bold]list {result.Version}[/] of {result.Lines} lines counts from now on");
                    foreach (var problem in result.Problems.Take(MostShown))
                        AnsiConsole.MarkupLine($"  [red]line {problem.Line}[/] {Print.Escape(problem.Column)} \"{Print.Escape(problem.Value)}\": {Print.Escape(problem.Message)}");
                    if (result.OddityCount > 0)
                        AnsiConsole.MarkupLine($"[yellow]{result.OddityCount} things are odd[/]");
                    foreach (var oddity in result.Oddities.Take(5))
                        AnsiConsole.MarkupLine($"  [yellow]line {oddity.Line}[/] {Print.Escape(oddity.Column)} \"{Print.Escape(oddity.Value)}\": {Print.Escape(oddity.Message)}");
                }

                return result.Version == 0 ? Exit.Rejected : Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Rates() => new("rates", "Rate cards.") { UploadCard(), GetCard(), ListCards() };

    private static Command UploadCard()
    {
        var (carrier, id) = (new Argument<string>("CARRIER") { Description = "Whose card it is." }, new Argument<string>("CARD") { Description = "Its id, for example domestic-2026." });
        var file = new Argument<string>("FILE") { Description = "The card as JSON (docs/rate-cards.md), or - for standard input." };
        var check = new Option<bool>("--check") { Description = "Only look whether it is right; nothing is stored." };
        var json = OrderCommands.JsonOption();
        var command = new Command("upload", "Upload a rate card, or its next version; exit code 4 with everything that is wrong in it.\n\nExample: ./commerce carrier rates upload ups brazil-2025 docs/samples/rate-card.json") { carrier, id, file, check, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var card = OrderCommands.Read<RateCard>(await Files.ReadText(parse.GetRequiredValue(file), cancellationToken), strict: true);
                card.Name = $"carriers/{parse.GetRequiredValue(carrier)}/rateCards/{parse.GetRequiredValue(id)}";
                var stored = await api.Carriers.UploadRateCardAsync(
                    new UploadRateCardRequest { RateCard = card, RequestId = Guid.CreateVersion7().ToString(), ValidateOnly = parse.GetValue(check) }, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(stored);
                else if (parse.GetValue(check))
                    AnsiConsole.MarkupLine($"[green]right[/]: {stored.Zones.Count} zones, {stored.Services.Count} services, {stored.Surcharges.Count} surcharges");
                else
                    Write(stored);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command GetCard()
    {
        var (carrier, id) = (new Argument<string>("CARRIER") { Description = "Whose card it is." }, new Argument<string>("CARD") { Description = "Its id." });
        var version = new Option<long>("--card-version") { Description = "That version; without it the newest." };
        var command = new Command("get", "Show a rate card as JSON, as it can be uploaded again.\n\nExample: ./commerce carrier rates get ups brazil-2025") { carrier, id, version };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                Print.Json(await api.Carriers.GetRateCardAsync(
                    new GetRateCardRequest { Name = $"carriers/{parse.GetRequiredValue(carrier)}/rateCards/{parse.GetRequiredValue(id)}", Version = parse.GetValue(version) }, OrderCommands.Options(cancellationToken)));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command ListCards()
    {
        var carrier = new Argument<string>("CARRIER") { Description = "Of this carrier; without it of all.", Arity = ArgumentArity.ZeroOrOne };
        var json = OrderCommands.JsonOption();
        var command = new Command("list", "List rate cards.\n\nExample: ./commerce carrier rates list ups") { carrier, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new ListRateCardsRequest { Parent = $"carriers/{(parse.GetValue(carrier) is { Length: > 0 } one ? one : "-")}", PageSize = 500 };
                do
                {
                    var page = await api.Carriers.ListRateCardsAsync(request, OrderCommands.Options(cancellationToken));
                    foreach (var card in page.RateCards)
                    {
                        if (parse.GetValue(json))
                            Print.JsonLine(card);
                        else
                            Write(card);
                    }

                    request.PageToken = page.NextPageToken;
                }
                while (request.PageToken.Length > 0);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static void Write(RateCard card) => AnsiConsole.MarkupLine(
        $"[bold]{Print.Escape(card.Name["carriers/".Length..].Replace("/rateCards/", " ", StringComparison.Ordinal))}[/]  version {card.Version}, {Print.Escape(card.CurrencyCode)}, from {Print.Escape(card.ValidFrom)}{(card.ValidUntil.Length > 0 ? $" until {Print.Escape(card.ValidUntil)}" : "")}  [dim]{Print.Escape(card.Title)}[/]");

    private static Command Rules()
    {
        var store = Listing.Store();
        var goal = new Option<string>("--goal") { Description = "What counts: cheapest-in-time, fastest or cheapest." };
        goal.AcceptOnlyFromAmong("cheapest-in-time", "fastest", "cheapest");
        var prefer = new Option<string[]>("--prefer") { Description = "Carriers and services that go before others, most wanted first; none: --prefer \"\".", AllowMultipleArgumentsPerToken = true };
        var never = new Option<string[]>("--never") { Description = "Carriers and services that are never used; none: --never \"\".", AllowMultipleArgumentsPerToken = true };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "rules", "Show what a store wants of its carriers, or change it.\n\nExample: ./commerce carrier rules --goal fastest --never usps ups/ground") { goal, prefer, never, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var rules = await api.Carriers.GetShippingRulesAsync(new GetShippingRulesRequest { Name = $"shippingRules/{parse.GetValue(store)}" }, OrderCommands.Options(cancellationToken));
                var (to, preferred, forbidden) = (parse.GetValue(goal), parse.GetResult(prefer) is null ? null : parse.GetValue(prefer), parse.GetResult(never) is null ? null : parse.GetValue(never));
                if (to is not null || preferred is not null || forbidden is not null)
                {
                    rules.Goal = to switch { "fastest" => Goal.Fastest, "cheapest" => Goal.Cheapest, "cheapest-in-time" => Goal.CheapestInTime, _ => rules.Goal };
                    Replace(rules.Preferred, preferred);
                    Replace(rules.Never, forbidden);
                    rules = await api.Carriers.UpdateShippingRulesAsync(new UpdateShippingRulesRequest { ShippingRules = rules, RequestId = Guid.CreateVersion7().ToString() }, OrderCommands.Options(cancellationToken));
                }

                if (parse.GetValue(json))
                    Print.Json(rules);
                else
                    AnsiConsole.MarkupLine($"[bold]{Print.Escape(rules.Name["shippingRules/".Length..])}[/]  {rules.Goal switch { Goal.Fastest => "fastest", Goal.Cheapest => "cheapest", _ => "cheapest in time" }}; preferred: {Names(rules.Preferred)}; never: {Names(rules.Never)}");
                return Exit.Done;
            },
            cancellationToken));
        return command;

        static void Replace(ICollection<string> names, string[]? by)
        {
            if (by is null)
                return;
            names.Clear();
            foreach (var name in by.Where(name => name.Length > 0))
                names.Add(name);
        }

        static string Names(ICollection<string> names) => names.Count == 0 ? "[dim]none[/]" : Print.Escape(string.Join(", ", names));
    }
}
