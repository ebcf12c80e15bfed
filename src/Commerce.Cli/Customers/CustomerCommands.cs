using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Orders.V1;
using Spectre.Console;

namespace Commerce.Cli.Customers;

/// <summary>`./commerce customer …`.</summary>
internal static class CustomerCommands
{
    public static Command Create() => new("customer", "What a customer ordered and spent.") { Spend() };

    private static Command Spend()
    {
        var email = new Argument<string>("EMAIL") { Description = "The customer's e-mail address, in any case." };
        var store = new Option<string>("--store") { Description = "Only in this store.", DefaultValueFactory = _ => "" };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "spend",
            "What a customer spent: per month, category, store and currency. Cancelled orders and refunded money do not count.\n\n"
            + "Example: ./commerce customer spend ada@example.com") { email, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var summary = await api.Orders.GetSpendSummaryAsync(
                    new GetSpendSummaryRequest { Email = parse.GetRequiredValue(email), StoreId = parse.GetValue(store) ?? "" }, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                {
                    Print.Json(summary);
                    return Exit.Done;
                }

                AnsiConsole.MarkupLine($"[bold]{summary.OrderCount}[/] orders, {Amounts(summary.Spent)}");
                Write("month", summary.ByMonth);
                Write("category", summary.ByCategory);
                Write("store", summary.ByStore);
                Write("currency", summary.ByCurrency);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static void Write(string what, Google.Protobuf.Collections.RepeatedField<SpendGroup> groups)
    {
        if (groups.Count == 0)
            return;
        var table = new Table().Border(TableBorder.Rounded).AddColumn(what).AddColumn(new TableColumn("orders").RightAligned()).AddColumn(new TableColumn("spent").RightAligned());
        foreach (var group in groups)
            table.AddRow(group.Key.Length == 0 ? "[dim]none[/]" : Print.Escape(group.Key), $"{group.OrderCount}", Amounts(group.Spent));
        AnsiConsole.Write(table);
    }

    private static string Amounts(Google.Protobuf.Collections.RepeatedField<Google.Type.Money> amounts) => amounts.Count == 0 ? "nothing spent" : string.Join(", ", amounts.Select(Print.Amount));
}
