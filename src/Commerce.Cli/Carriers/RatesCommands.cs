using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Spectre.Console;

namespace Commerce.Cli.Carriers;

/// <summary>`./commerce rates …`.</summary>
internal static class RatesCommands
{
    public static Command Create() => new("rates", "What carriers want for a parcel.") { Quote() };

    private static Command Quote()
    {
        var from = new Option<string>("--from") { Description = "Where it leaves from: a country and a postal code, for example BR:01310-100; a region may follow: BR:01310-100:SP.", Required = true };
        var to = new Option<string>("--to") { Description = "Where it goes, likewise.", Required = true };
        var weight = new Option<string>("--weight") { Description = "For example 750g or 1.2kg.", Required = true };
        var size = new Option<string?>("--size") { Description = "Length, width and height in centimetres, for example 30x20x10." };
        var collect = new Option<string?>("--cash-on-delivery") { Description = "What is to be collected, for example 199.90BRL." };
        var value = new Option<string?>("--value") { Description = "What it is worth, for example 250BRL." };
        var by = new Option<string?>("--by") { Description = "Until when it is promised, for example 2026-12-24." };
        var (signature, residential) = (new Option<bool>("--signature") { Description = "Somebody is to sign." }, new Option<bool>("--residential") { Description = "It goes to where people live." });
        var carriers = new Option<string[]>("--carrier") { Description = "Only of these carriers.", AllowMultipleArgumentsPerToken = true };
        var store = new Option<string>("--store") { Description = "The store whose rules rank the offers.", DefaultValueFactory = _ => "" };
        var (lines, json) = (new Option<bool>("--explain") { Description = "Show what each price is made of, and why others make no offer." }, OrderCommands.JsonOption());
        var command = new Command(
            "quote",
            "Ask all carriers what they want for a parcel, the best first. Nothing is bought.\n\n"
            + "Example: ./commerce rates quote --from BR:01310-100 --to BR:20040-002 --weight 1.2kg --size 30x20x10 --explain") { from, to, weight, size, collect, value, by, signature, residential, carriers, store, lines, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new QuoteRatesRequest
                {
                    StoreId = parse.GetValue(store) ?? "",
                    ShipFrom = PlaceOf("--from", parse.GetRequiredValue(from)),
                    ShipTo = PlaceOf("--to", parse.GetRequiredValue(to)),
                    Dimensions = SizeOf(parse.GetRequiredValue(weight), parse.GetValue(size)),
                    CashOnDelivery = AmountOf("--cash-on-delivery", parse.GetValue(collect)),
                    Value = AmountOf("--value", parse.GetValue(value)),
                    PromisedDeliveryTime = TimeOf(parse.GetValue(by)),
                    Signature = parse.GetValue(signature),
                    Residential = parse.GetValue(residential),
                    Carriers = { parse.GetValue(carriers) ?? [] },
                };
                var answer = await api.Shipments.QuoteRatesAsync(request, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.JsonFigures(answer);
                else
                    Write(answer, parse.GetValue(lines));
                return answer.Quotes.Count > 0 ? Exit.Done : Exit.NotFound;
            },
            cancellationToken));
        return command;
    }

    private static void Write(QuoteRatesResponse answer, bool explain)
    {
        if (answer.Quotes.Count > 0)
        {
            var table = new Table().Border(TableBorder.Rounded).AddColumn("service").AddColumn(new TableColumn("price").RightAligned()).AddColumn("arrives").AddColumn(new TableColumn("in time").RightAligned())
                .AddColumn(new TableColumn("each in time").RightAligned()).AddColumn("why");
            foreach (var quote in answer.Quotes)
            {
                var days = quote.SameDay ? "today" : quote.TransitDaysMin == quote.TransitDaysMax ? $"{quote.TransitDaysMax} days" : $"{quote.TransitDaysMin} to {quote.TransitDaysMax} days";
                table.AddRow(
                    Print.Escape($"{quote.Carrier}/{quote.Service}"), Print.Amount(quote.Price), quote.InTime ? days : $"[red]{days}[/]",
                    string.Create(CultureInfo.InvariantCulture, $"{quote.Reliability.InTimeShare:P0} [dim]{Print.Escape(quote.Reliability.Basis)} {quote.Reliability.Delivered}[/]"), Print.Amount(quote.PriceInTime), Print.Escape(quote.Reason));
            }

            AnsiConsole.Write(table);
        }
        else
        {
            AnsiConsole.MarkupLine("[yellow]No carrier makes an offer.[/]");
        }

        foreach (var carrier in answer.UnansweredCarriers)
            AnsiConsole.MarkupLine($"[yellow]{Print.Escape(carrier)} did not answer[/]");
        if (explain)
        {
            foreach (var quote in answer.Quotes)
            {
                AnsiConsole.MarkupLine($"[bold]{Print.Escape($"{quote.Carrier}/{quote.Service}")}[/] [dim]{(quote.RateCard.Length > 0 ? Print.Escape($"{quote.RateCard} version {quote.RateCardVersion}, zone {quote.Zone}, {quote.BillableGrams} g count") : "the carrier's own answer")}[/]");
                foreach (var line in quote.Lines)
                    AnsiConsole.MarkupLine($"  {Print.Amount(line.Amount),14}  {Print.Escape(line.Title)} [dim]{Print.Escape(line.Explanation)}[/]");
            }
        }

        if (explain || answer.Quotes.Count == 0)
        {
            foreach (var exclusion in answer.Exclusions)
                AnsiConsole.MarkupLine($"[dim]{Print.Escape(exclusion.Carrier)}: {Print.Escape(exclusion.Reason)}[/]");
        }
    }

    private static Place PlaceOf(string option, string text) => text.Split(':') switch
    {
        [var country, var code] => new Place { RegionCode = country, PostalCode = code },
        [var country, var code, var region] => new Place { RegionCode = country, PostalCode = code, AdministrativeArea = region },
        _ => throw new UsageException($"{option} {text}: give a country and a postal code, for example BR:01310-100."),
    };

    private static Dimensions SizeOf(string weight, string? size)
    {
        var (number, factor) = weight.EndsWith("kg", StringComparison.OrdinalIgnoreCase) ? (weight[..^2], 1000m) : weight.EndsWith('g') ? (weight[..^1], 1m) : ("", 0m);
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) || amount is <= 0 or > 1_000_000)
            throw new UsageException($"--weight {weight}: give grams or kilograms, for example 750g or 1.2kg.");
        var dimensions = new Dimensions { WeightGrams = (int)Math.Min(Math.Ceiling(amount * factor), int.MaxValue) };
        if (size is null)
            return dimensions;
        var sides = size.Split('x').Select(side => decimal.TryParse(side, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var centimetres) && centimetres is > 0 and <= 1000 ? (int)Math.Ceiling(centimetres * 10) : 0).ToArray();
        if (sides.Length != 3 || sides.Contains(0))
            throw new UsageException($"--size {size}: give centimetres, for example 30x20x10.");
        (dimensions.LengthMm, dimensions.WidthMm, dimensions.HeightMm) = (sides[0], sides[1], sides[2]);
        return dimensions;
    }

    private static Google.Type.Money? AmountOf(string option, string? text)
    {
        if (text is null)
            return null;
        var currency = text.Length > 3 ? text[^3..].ToUpperInvariant() : "";
        if (Currencies.MinorUnits(currency) is not { } digits || !decimal.TryParse(text[..^3].Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var units) || units > 1_000_000_000_000)
            throw new UsageException($"{option} {text}: give an amount and its currency, for example 199.90BRL.");
        for (var i = 0; i < digits; i++)
            units *= 10;
        return units == decimal.Truncate(units) ? new Money((long)units, currency).ToProto() : throw new UsageException($"{option} {text}: {currency} has {digits} decimals.");
    }

    private static Timestamp? TimeOf(string? text) => text is null
        ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? Timestamp.FromDateTimeOffset(time)
            : throw new UsageException($"--by {text}: give a time such as 2026-12-24 or 2026-12-24T18:00:00Z.");
}
