using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Payments.V1;
using Spectre.Console;

namespace Commerce.Cli.Payments;

/// <summary>`./commerce ledger …`.</summary>
internal static class LedgerCommands
{
    public static Command Create()
    {
        var ledger = new Command("ledger", "Read the double-entry books of the payments, and correct them by further entries.");
        ledger.Subcommands.Add(Balance());
        ledger.Subcommands.Add(Entries());
        ledger.Subcommands.Add(Correct());
        return ledger;
    }

    private static Command Balance()
    {
        var store = Listing.Store();
        var json = OrderCommands.JsonOption();
        var command = new Command("balance", "Show what every account of a store comes to; exit code 1 if the books do not balance.\n\nExample: ./commerce ledger balance --store main") { store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var balance = await api.Ledger.GetTrialBalanceAsync(new GetTrialBalanceRequest { StoreId = parse.GetValue(store) ?? "" }, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(balance);
                else
                    Write(balance);
                return balance.Sums.All(s => s.Difference is { Units: 0, Nanos: 0 }) ? Exit.Done : Exit.Fault;
            },
            cancellationToken));
        return command;
    }

    private static Command Entries()
    {
        var store = Listing.Store();
        var order = new Option<string>("--order") { Description = "Only of this order.", DefaultValueFactory = _ => "" };
        var account = new Option<string>("--account") { Description = "Only of this account, for example main/EUR/SALES.", DefaultValueFactory = _ => "" };
        var limit = Listing.Limit("entries", 100);
        var json = OrderCommands.JsonOption();
        var command = new Command("entries", "List entries, first posted first.\n\nExample: ./commerce ledger entries --order ORD-7K3M9QX-T2F8CRW") { store, order, account, limit, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            api => Listing.Show(
                parse.GetValue(limit),
                parse.GetValue(json),
                async (size, token) => await api.Ledger.ListEntriesAsync(
                    new ListEntriesRequest
                    {
                        StoreId = parse.GetValue(store) ?? "",
                        OrderId = parse.GetValue(order) ?? "",
                        Account = parse.GetValue(account) ?? "",
                        PageSize = size,
                        PageToken = token,
                    },
                    OrderCommands.Options(cancellationToken)),
                page => (page.Entries, page.NextPageToken),
                Write),
            cancellationToken));
        return command;
    }

    private static Command Correct()
    {
        var movement = new Argument<string>("MOVEMENT") { Description = "The movement that was wrong, as entries name it." };
        var note = new Option<string>("--note") { Description = "Why, in words; kept with the correction.", Required = true };
        var entries = new Option<string[]>("--entry") { Description = "What should have been posted: ACCOUNT=AMOUNT, a debit positive, a credit negative; once for each." };
        var currency = new Option<string>("--currency") { Description = "The movement's currency.", DefaultValueFactory = _ => "EUR" };
        var requestId = new Option<string?>("--request-id") { Description = "Makes the call safe to repeat. Without it, a new one." };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "correct",
            "Post a fee, a chargeback, a payout or a correction that was wrong once more, the other way round, and with it what it should have been.\n\nExample: ./commerce ledger correct settlement/sandbox/fee_17 --note \"2.00 and not 20.00\" --entry main/EUR/PROVIDER_FEES/sandbox=2 --entry main/EUR/PROVIDER_CLEARING/sandbox=-2")
        {
            movement, note, entries, currency, requestId, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new CorrectEntryRequest
                {
                    RequestId = parse.GetValue(requestId) is { Length: > 0 } given ? given : Guid.CreateVersion7().ToString(),
                    Movement = parse.GetRequiredValue(movement),
                    Note = parse.GetRequiredValue(note),
                };
                foreach (var entry in parse.GetValue(entries) ?? [])
                {
                    var at = entry.LastIndexOf('=');
                    request.Entries.Add(new CorrectedEntry
                    {
                        Account = at > 0 ? entry[..at] : throw new UsageException($"--entry {entry}: write ACCOUNT=AMOUNT, for example main/EUR/BANK=12.50."),
                        Amount = PaymentCommands.Amount(entry[(at + 1)..], parse.GetRequiredValue(currency), negative: true),
                    });
                }

                var correction = await api.Ledger.CorrectEntryAsync(request, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(correction);
                else
                    correction.Entries.ToList().ForEach(Write);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static void Write(LedgerEntry entry) => AnsiConsole.MarkupLine(
        $"[dim]{entry.PostTime.ToDateTimeOffset():u}[/]  {Print.Escape(entry.Account)}  {Print.Amount(entry.Amount)}  [dim]{Print.Escape(entry.Movement)} {Print.Escape(entry.Note)} {Print.Escape(entry.Actor)}[/]");

    private static void Write(TrialBalance balance)
    {
        var table = new Table().Border(TableBorder.Rounded);
        table.AddColumn("account");
        foreach (var column in new[] { "debit", "credit", "balance" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var account in balance.Accounts)
            table.AddRow(Print.Escape(account.Account), Print.Amount(account.Debit), Print.Amount(account.Credit), Print.Amount(account.Balance));
        table.AddEmptyRow();
        foreach (var sum in balance.Sums)
        {
            var balances = sum.Difference is { Units: 0, Nanos: 0 };
            table.AddRow("[bold]sum[/]", Print.Amount(sum.Debit), Print.Amount(sum.Credit), balances ? "[green]balances[/]" : $"[red]{Print.Amount(sum.Difference)}[/]");
        }

        AnsiConsole.Write(table);
    }
}
