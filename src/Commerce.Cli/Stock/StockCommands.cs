using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Cli.Payments;
using Commerce.Orders.V1;
using Spectre.Console;

namespace Commerce.Cli.Stock;

/// <summary>`./commerce stock …`.</summary>
internal static class StockCommands
{
    public static Command Create() => new("stock", "What is on the shelf, and how it came to be.") { Get(), Set(), Adjust(), List(), Low(), Threshold() };

    private static Command Get()
    {
        var (sku, store, json) = (Sku(), Listing.Store(), OrderCommands.JsonOption());
        var movements = new Option<bool>("--movements") { Description = "Show what moved, newest first." };
        var command = new Command("get", "Show what is on the shelf of an article.\n\nExample: ./commerce stock get LAMP-7 --movements") { sku, store, movements, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var product = $"stores/{parse.GetValue(store)}/products/{parse.GetRequiredValue(sku)}";
                Write(await api.Stock.GetStockAsync(new GetStockRequest { Name = product + "/stock" }, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
                if (!parse.GetValue(movements))
                    return Exit.Done;
                var page = await api.Stock.ListStockMovementsAsync(new ListStockMovementsRequest { Parent = product }, OrderCommands.Options(cancellationToken));
                foreach (var movement in page.Movements)
                {
                    if (parse.GetValue(json))
                        Print.JsonLine(movement);
                    else
                        AnsiConsole.MarkupLine($"  {movement.Time.ToDateTimeOffset():yyyy-MM-dd HH:mm:ss}  {movement.Kind,-8} {movement.OnHandChange,6:+#;-#;0} on hand {movement.ReservedChange,6:+#;-#;0} reserved  [dim]{Print.Escape(movement.OrderId)} {Print.Escape(movement.Actor)} {Print.Escape(movement.Note)}[/]");
                }

                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Set()
    {
        var (sku, store, json) = (Sku(), Listing.Store(), OrderCommands.JsonOption());
        var pieces = new Argument<long>("PIECES") { Description = "Pieces on the shelf, reserved ones included." };
        var command = new Command("set", "Set what is on the shelf of an article, after counting it.\n\nExample: ./commerce stock set LAMP-7 120") { sku, pieces, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var set = await api.Stock.BatchSetStockAsync(
                    new BatchSetStockRequest
                    {
                        Parent = $"stores/{parse.GetValue(store)}",
                        RequestId = Guid.CreateVersion7().ToString(),
                        Levels = { new StockLevel { Sku = parse.GetRequiredValue(sku), OnHand = parse.GetValue(pieces) } },
                    },
                    OrderCommands.Options(cancellationToken));
                Write(set.Stock[0], parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Adjust()
    {
        var (sku, store, json) = (Sku(), Listing.Store(), OrderCommands.JsonOption());
        var change = new Option<long>("--by") { Description = "Pieces that came (positive) or went (negative).", Required = true };
        var reason = new Option<StockAdjustmentReason>("--reason") { Description = "Received, Counted, Damaged, Lost, Found or Other.", Required = true };
        var note = new Option<string>("--note") { Description = "In words; kept with the movement.", DefaultValueFactory = _ => "" };
        var command = new Command("adjust", "Add or take away pieces, with a reason.\n\nExample: ./commerce stock adjust LAMP-7 --by -2 --reason Damaged --note \"fell off\"") { sku, change, reason, note, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var adjusted = await api.Stock.AdjustStockAsync(
                    new AdjustStockRequest
                    {
                        Name = $"stores/{parse.GetValue(store)}/products/{parse.GetRequiredValue(sku)}/stock",
                        RequestId = Guid.CreateVersion7().ToString(),
                        Change = parse.GetValue(change),
                        Reason = parse.GetValue(reason),
                        Note = parse.GetValue(note) ?? "",
                    },
                    OrderCommands.Options(cancellationToken));
                Write(adjusted, parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command List()
    {
        var (store, json) = (Listing.Store(), OrderCommands.JsonOption());
        var atMost = new Option<long?>("--at-most") { Description = "Only where so many or fewer can still be ordered; 0: what is sold out." };
        var command = new Command("list", "List what is on the shelf, by SKU.\n\nExample: ./commerce stock list --at-most 5") { atMost, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            api =>
            {
                var request = new ListStockRequest { Parent = $"stores/{parse.GetValue(store)}", PageSize = 500 };
                if (parse.GetValue(atMost) is { } most)
                    request.AvailableAtMost = most;
                return WriteAll(api, request, parse.GetValue(json), cancellationToken);
            },
            cancellationToken));
        return command;
    }

    private static Command Low()
    {
        var (store, json) = (Listing.Store(), OrderCommands.JsonOption());
        var onlyOut = new Option<bool>("--out") { Description = "Only what is sold out." };
        var command = new Command("low", "List what is low or sold out, by SKU.\n\nExample: ./commerce stock low") { onlyOut, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            api => WriteAll(
                api,
                new ListStockRequest { Parent = $"stores/{parse.GetValue(store)}", PageSize = 500, State = parse.GetValue(onlyOut) ? StockState.Out : StockState.Low },
                parse.GetValue(json),
                cancellationToken),
            cancellationToken));
        return command;
    }

    private static Command Threshold()
    {
        var (sku, store, json) = (Sku(), Listing.Store(), OrderCommands.JsonOption());
        var pieces = new Argument<long>("PIECES") { Description = "At how few available pieces it is low; 0: only at none." };
        var command = new Command("threshold", "Set at how few pieces an article is low.\n\nExample: ./commerce stock threshold LAMP-7 5") { sku, pieces, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new SetStockThresholdRequest
                {
                    Name = $"stores/{parse.GetValue(store)}/products/{parse.GetRequiredValue(sku)}/stock",
                    RequestId = Guid.CreateVersion7().ToString(),
                };
                if (parse.GetValue(pieces) != 0)
                    request.LowAt = parse.GetValue(pieces);
                Write(await api.Stock.SetStockThresholdAsync(request, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static async Task<int> WriteAll(SuiteApi api, ListStockRequest request, bool json, CancellationToken cancellationToken)
    {
        do
        {
            var page = await api.Stock.ListStockAsync(request, OrderCommands.Options(cancellationToken));
            foreach (var one in page.Stock)
                Write(one, json);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return Exit.Done;
    }

    private static void Write(Commerce.Orders.V1.Stock stock, bool json)
    {
        if (json)
            Print.JsonLine(stock);
        else
            AnsiConsole.MarkupLine($"[bold]{Print.Escape(stock.Sku)}[/]  {stock.Available} available [dim]({stock.OnHand} on hand, {stock.Reserved} reserved)[/]{State(stock)}");
    }

    private static string State(Commerce.Orders.V1.Stock stock) => stock.State switch
    {
        StockState.Low => $"  [yellow]low (at {stock.LowAt})[/]",
        StockState.Out => "  [red]out[/]",
        _ => "",
    };

    private static Argument<string> Sku() => new("SKU") { Description = "The article." };

}
