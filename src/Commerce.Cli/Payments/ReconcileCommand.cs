using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Payments.V1;
using Google.Protobuf.WellKnownTypes;
using Spectre.Console;

namespace Commerce.Cli.Payments;

/// <summary>`./commerce reconcile FILE`.</summary>
internal static class ReconcileCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The provider's settlement as CSV, or - for standard input." };
        var store = Listing.Store();
        var provider = new Option<string>("--provider") { Description = "The provider.", DefaultValueFactory = _ => "sandbox" };
        var from = new Option<string?>("--from") { Description = "Compare from this time on, for example 2026-01-01; without it, from the file's first line on." };
        var until = new Option<string?>("--until") { Description = "Compare what is before this time; without it, until now." };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "reconcile",
            "Import a provider's settlement and compare it with the ledger; exit code 4 if lines are broken or the books differ.\n\n"
            + "Example: curl -s 'http://localhost:5190/payments/v1/settlement?account=main' > settlement.csv && ./commerce reconcile settlement.csv --store main") { file, store, provider, from, until, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var (start, end) = (Time("--from", parse.GetValue(from)), Time("--until", parse.GetValue(until)));
                var imported = await Import(api, parse.GetRequiredValue(file), parse.GetValue(store) ?? "", parse.GetValue(provider) ?? "", cancellationToken);
                var request = new GetReconciliationRequest
                {
                    StoreId = parse.GetValue(store) ?? "",
                    Provider = parse.GetValue(provider) ?? "",
                    StartTime = start ?? imported.FirstTime,
                    EndTime = end,
                    MaxDifferences = 1000,
                };
                var books = await api.Ledger.GetReconciliationAsync(request, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                {
                    Print.JsonLineFigures(imported);
                    Print.JsonLineFigures(books);
                }
                else
                {
                    Write(imported);
                    Write(books);
                }

                var agree = books.Differences.All(d => d.Kind == Reconciliation.Types.Difference.Types.Kind.InTransit);
                return imported.Refused == 0 && agree ? Exit.Done : Exit.Rejected;
            },
            cancellationToken));
        return command;
    }

    private static async Task<ImportSettlementResponse> Import(SuiteApi api, string file, string store, string provider, CancellationToken cancellationToken)
    {
        // No deadline: it takes as long as there are lines. The stream flows no faster than they are stored.
        using var call = api.Ledger.ImportSettlement(cancellationToken: cancellationToken);
        return await Files.Send(file, call, bytes => new ImportSettlementRequest { StoreId = store, Provider = provider, Csv = bytes }, cancellationToken);
    }

    private static Timestamp? Time(string option, string? text) => text is null
        ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? Timestamp.FromDateTimeOffset(time)
            : throw new UsageException($"{option} {text}: give a time such as 2026-01-31 or 2026-01-31T12:00:00Z.");

    private static void Write(ImportSettlementResponse imported)
    {
        AnsiConsole.MarkupLine($"[bold]{imported.Imported}[/] lines imported, {imported.Unchanged} were there already, {imported.Refused} refused{(imported.OfOtherStores > 0 ? $", {imported.OfOtherStores} of other stores left out" : "")}");
        foreach (var error in imported.Errors.Take(20))
            AnsiConsole.MarkupLine($"  [red]line {error.LineNumber}[/] {Print.Escape(error.LineId)}: {Print.Escape(error.Message)}");
    }

    private static void Write(Reconciliation books)
    {
        foreach (var currency in books.Currencies)
        {
            var table = new Table().Border(TableBorder.Rounded).AddColumn("");
            foreach (var column in new[] { "ours", "theirs" })
                table.AddColumn(new TableColumn(column).RightAligned());
            table.AddRow("taken", Print.Amount(currency.CapturedHere), Print.Amount(currency.CapturedThere));
            table.AddRow("given back", Print.Amount(currency.RefundedHere), Print.Amount(currency.RefundedThere));
            table.AddRow("fees", "", Print.Amount(currency.Fees));
            table.AddRow("taxes on them", "", Print.Amount(currency.Taxes));
            table.AddRow("chargebacks", "", Print.Amount(currency.Chargebacks));
            table.AddRow("paid out", "", Print.Amount(currency.Payouts));
            table.AddRow("the provider should have", Print.Amount(currency.ClearingBalance), "");
            AnsiConsole.Write(table);
            AnsiConsole.MarkupLine($"{currency.MatchedCount} agree, {(currency.DifferenceCount == 0 ? "[green]none differs[/]" : $"[red]{currency.DifferenceCount} differ[/]")}");
        }

        if (books.Differences.Count == 0)
            return;
        var differences = new Table().Border(TableBorder.Rounded).AddColumn("difference").AddColumn("of").AddColumn("about");
        foreach (var column in new[] { "ours", "theirs" })
            differences.AddColumn(new TableColumn(column).RightAligned());
        foreach (var one in books.Differences)
            differences.AddRow(Words(one.Kind), one.Type.ToString(), Print.Escape(one.Reference), Print.Amount(one.AmountHere), Print.Amount(one.AmountThere));
        AnsiConsole.Write(differences);
    }

    private static string Words(Reconciliation.Types.Difference.Types.Kind kind) => kind switch
    {
        Reconciliation.Types.Difference.Types.Kind.MissingHere => "[red]missing here[/]",
        Reconciliation.Types.Difference.Types.Kind.MissingThere => "[red]missing there[/]",
        Reconciliation.Types.Difference.Types.Kind.AmountDiffers => "[red]amount differs[/]",
        Reconciliation.Types.Difference.Types.Kind.Doubled => "[red]doubled[/]",
        _ => "[dim]in transit[/]",
    };
}
