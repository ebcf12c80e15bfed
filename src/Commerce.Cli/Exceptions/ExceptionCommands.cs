using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Cli.Payments;
using Commerce.Cli.Shipments;
using Commerce.Payments.V1;
using Commerce.Shipments.V1;
using Spectre.Console;
using Severity = Commerce.Shipments.V1.ExceptionReport.Types.Severity;

namespace Commerce.Cli.Exceptions;

/// <summary>`./commerce exception …`.</summary>
internal static class ExceptionCommands
{
    public static Command Create() => new("exception", "Parcels that need somebody: what is wrong, and doing something about it.")
    {
        List(),
        Resolve("reship", ResolutionAction.Reship, "Send a parcel's pieces again, at no charge.\n\nExample: ./commerce exception reship 1Z12345E0205271688 --note \"lost in Chicago\"", hasAmount: false),
        Resolve("refund", ResolutionAction.Refund, "Pay back what a parcel's pieces cost.\n\nExample: ./commerce exception refund 1Z12345E0205271688 --amount 12.50", hasAmount: true),
        Resolve("claim", ResolutionAction.Claim, "File a claim with the carrier for a parcel that it lost or damaged.\n\nExample: ./commerce exception claim 1Z12345E0205271688", hasAmount: true),
        Resolve("reschedule", ResolutionAction.Reschedule, "Ask the carrier to try again on another day.\n\nExample: ./commerce exception reschedule 1Z12345E0205271688 --day 2026-12-24", hasAmount: false),
        Resolve("dismiss", ResolutionAction.Dismiss, "Take a parcel off the list: somebody looked, and nothing is to be done.\n\nExample: ./commerce exception dismiss 1Z12345E0205271688 --note \"called the shopper\"", hasAmount: false),
        History(),
    };

    private static Command List()
    {
        var (store, limit, json) = (Listing.Store(), Listing.Limit("parcels", 50), OrderCommands.JsonOption());
        var severity = new Option<Severity>("--min-severity") { Description = "Only what is at least this bad: Low, Medium, High or Critical." };
        var command = new Command("list", "List parcels that need somebody, worst first.\n\nExample: ./commerce exception list --min-severity High") { store, severity, limit, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var table = new Table().Border(TableBorder.Simple).AddColumns("", "parcel", "what", "since", "value", "customer", "what can be done");
                var done = await Listing.Show<ListExceptionsResponse, ExceptionReport>(
                    parse.GetValue(limit),
                    parse.GetValue(json),
                    async (size, token) => await api.Exceptions.ListExceptionsAsync(
                        new ListExceptionsRequest { StoreId = parse.GetValue(store), PageSize = size, PageToken = token, MinSeverity = parse.GetValue(severity) },
                        OrderCommands.Options(cancellationToken)),
                    page => (page.Exceptions, page.NextPageToken),
                    report => table.AddRow(
                        Mark(report.Severity),
                        Print.Escape(report.TrackingNumber.Length > 0 ? $"{report.TrackingNumber} ({report.Carrier})" : report.Shipment) + $"\n[dim]{Print.Escape(report.OrderId)}[/]",
                        $"{report.Exception?.Kind}{(report.StatusReason is { Code.Length: > 0 } reason ? $" {Print.Escape(reason.Code)}" : "")}\n[dim]{Print.Escape(report.Exception?.Message ?? "")}[/]",
                        report.Exception is { Time: { } since } ? Age(TimeProvider.System.GetUtcNow() - since.ToDateTimeOffset()) : "",
                        Print.Amount(report.Value),
                        Print.Escape(report.CustomerName),
                        string.Join(", ", report.ProposedActions.Select(action => action.ToString().ToLowerInvariant())) + Last(report)));
                if (!parse.GetValue(json))
                {
                    if (table.Rows.Count == 0)
                        AnsiConsole.MarkupLine("[green]No parcel needs anybody.[/]");
                    else
                        AnsiConsole.Write(table);
                }

                return done;
            },
            cancellationToken));
        return command;
    }

    private static Command Resolve(string name, ResolutionAction action, string description, bool hasAmount)
    {
        var (parcel, json) = (Parcel(), OrderCommands.JsonOption());
        var note = new Option<string>("--note") { Description = "Why, in words.", DefaultValueFactory = _ => "" };
        var amount = new Option<string?>("--amount") { Description = "How much, in the order's currency, for example 12.50; none given: what its pieces cost." };
        var requestId = new Option<string?>("--request-id") { Description = "Makes it safe to repeat; none given: a new one." };
        var day = new Option<DateOnly?>("--day") { Description = "The day, for example 2026-12-24." };
        var command = new Command(name, description) { parcel, note, requestId, json };
        if (action == ResolutionAction.Reschedule)
            command.Add(day);
        if (hasAmount)
            command.Add(amount);
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var shipment = await ShipmentNames.Find(api, parse.GetRequiredValue(parcel), cancellationToken);
                var request = new ResolveExceptionRequest
                {
                    Name = shipment.Name,
                    RequestId = parse.GetValue(requestId) ?? Guid.CreateVersion7().ToString(),
                    Action = action,
                    Note = parse.GetValue(note),
                };
                if (action == ResolutionAction.Reschedule && parse.GetValue(day) is { } wished)
                    request.PreferredDay = new Google.Type.Date { Year = wished.Year, Month = wished.Month, Day = wished.Day };
                if (hasAmount && parse.GetValue(amount) is { } text)
                {
                    var payment = await api.Payments.GetPaymentAsync(new GetPaymentRequest { Name = "payments/" + shipment.OrderId }, OrderCommands.Options(cancellationToken));
                    request.Amount = PaymentCommands.Amount(text, payment.Amount.CurrencyCode);
                }

                Write(await api.Exceptions.ResolveExceptionAsync(request, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command History()
    {
        var (parcel, json) = (Parcel(), OrderCommands.JsonOption());
        var command = new Command("history", "Show everything that was done about a parcel, and what came of it.\n\nExample: ./commerce exception history 1Z12345E0205271688") { parcel, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var answer = await api.Exceptions.ListResolutionsAsync(
                    new ListResolutionsRequest { Parent = (await ShipmentNames.Find(api, parse.GetRequiredValue(parcel), cancellationToken)).Name }, OrderCommands.Options(cancellationToken));
                foreach (var one in answer.Resolutions)
                    Write(one, parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Argument<string> Parcel() => new("PARCEL") { Description = "Its Tracking ID, or \"shipments/{shipment_id}\"." };

    private static void Write(Resolution one, bool json)
    {
        if (json)
        {
            Print.Json(one);
            return;
        }

        var colour = one.State switch
        {
            Resolution.Types.State.Done => "green",
            Resolution.Types.State.Failed => "red",
            _ => "yellow",
        };
        AnsiConsole.MarkupLine($"{one.Action} [{colour}]{one.State}[/] {Print.Amount(one.Amount)} {Print.Escape(one.Detail)}  [dim]{Print.Escape(one.Name)} {Print.Escape(one.Outcome)} {Print.Escape(one.Note)}[/]");
    }

    private static string Last(ExceptionReport report) =>
        report.Resolutions.LastOrDefault() is { } last ? $"\n[dim]{last.Action} {last.State}: {Print.Escape(last.Detail)}[/]" : "";

    private static string Mark(Severity severity) => severity switch
    {
        Severity.Critical => "[red]critical[/]",
        Severity.High => "[orange1]high[/]",
        Severity.Medium => "[yellow]medium[/]",
        _ => "[dim]low[/]",
    };

    private static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 1 } => FormattableString.Invariant($"{(int)age.TotalDays} d"),
        { TotalHours: >= 1 } => FormattableString.Invariant($"{(int)age.TotalHours} h"),
        _ => FormattableString.Invariant($"{Math.Max(0, (int)age.TotalMinutes)} min"),
    };
}
