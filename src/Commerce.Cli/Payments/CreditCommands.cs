using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Payments.V1;
using Spectre.Console;

namespace Commerce.Cli.Payments;

/// <summary>`./commerce credit …`.</summary>
internal static class CreditCommands
{
    public static Command Create() => new("credit", "Show customers' store credit, and give some.") { Get(), Entries(), Grant() };

    private static Command Get()
    {
        var customer = CustomerArgument();
        var store = Listing.Store();
        var json = OrderCommands.JsonOption();
        var command = new Command("get", "Show what a customer has, by currency.\n\nExample: ./commerce credit get customer-17") { customer, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new GetStoreCreditRequest { StoreId = parse.GetValue(store) ?? "", CustomerId = parse.GetRequiredValue(customer) };
                var credit = await api.StoreCredit.GetStoreCreditAsync(request, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                {
                    Print.Json(credit);
                    return Exit.Done;
                }

                if (credit.Balances.Count == 0)
                    AnsiConsole.MarkupLine($"Customer {Print.Escape(credit.CustomerId)} never had any credit.");
                foreach (var balance in credit.Balances)
                    AnsiConsole.MarkupLine($"[bold]{Print.Amount(balance.Available)}[/]  [dim]of {Print.Amount(balance.Balance_)}; {Print.Amount(balance.Held)} is held for orders[/]");
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Entries()
    {
        var customer = CustomerArgument();
        var store = Listing.Store();
        var limit = new Option<int>("--limit") { Description = "Most entries to show.", DefaultValueFactory = _ => 50 };
        var json = OrderCommands.JsonOption();
        var command = new Command("entries", "List how a customer's credit came about, newest first.\n\nExample: ./commerce credit entries customer-17") { customer, store, limit, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new ListStoreCreditEntriesRequest { StoreId = parse.GetValue(store) ?? "", CustomerId = parse.GetRequiredValue(customer), PageSize = parse.GetValue(limit) };
                var page = await api.StoreCredit.ListStoreCreditEntriesAsync(request, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                {
                    Print.Json(page);
                    return Exit.Done;
                }

                foreach (var entry in page.Entries)
                    Write(entry);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Grant()
    {
        var customer = CustomerArgument();
        var store = Listing.Store();
        var amount = new Option<string>("--amount") { Description = "How much, for example 12.34; below zero: taken back.", Required = true };
        var currency = new Option<string>("--currency") { Description = "Its currency, for example EUR.", Required = true };
        var note = new Option<string>("--note") { Description = "Why, in words; kept with the entry.", Required = true };
        var requestId = new Option<string?>("--request-id") { Description = "Makes the call safe to repeat. Without it, a new one." };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "grant",
            "Give a customer credit without a payment behind it, or take back what was given by mistake.\n\n"
            + "Example: ./commerce credit grant customer-17 --amount 10 --currency EUR --note \"sorry for the delay\"")
        {
            customer, store, amount, currency, note, requestId, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new GrantStoreCreditRequest
                {
                    StoreId = parse.GetValue(store) ?? "",
                    CustomerId = parse.GetRequiredValue(customer),
                    RequestId = parse.GetValue(requestId) is { Length: > 0 } given ? given : Guid.CreateVersion7().ToString(),
                    Amount = PaymentCommands.Amount(parse.GetRequiredValue(amount), parse.GetRequiredValue(currency), negative: true),
                    Note = parse.GetRequiredValue(note),
                };
                var entry = await api.StoreCredit.GrantStoreCreditAsync(request, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(entry);
                else
                    Write(entry);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Argument<string> CustomerArgument() => new("CUSTOMER") { Description = "The shop's own id of the customer, as orders have it in customer_id." };

    private static void Write(StoreCreditEntry entry) => AnsiConsole.MarkupLine(
        $"[dim]{entry.CreateTime.ToDateTimeOffset():u}[/]  {entry.Kind}  {Print.Amount(entry.Amount)}  [dim]then {Print.Amount(entry.Balance)}  {Print.Escape(entry.OrderId)} {Print.Escape(entry.Note)}  {Print.Escape(entry.Actor)}[/]");
}
