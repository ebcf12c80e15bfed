using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Cli.Payments;
using Commerce.Orders.V1;
using Grpc.Core;
using Spectre.Console;

namespace Commerce.Cli.Stock;

/// <summary>`./commerce stock …`.</summary>
internal static class StockCommands
{
    public static Command Create() => new("stock", "What is on the shelf, and how it came to be.") { Get(), Set(), Adjust(), List(), Watch(), Threshold() };

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
        var atMost = new Option<long?>("--at-most") { Description = "Only where so many or fewer can still be ordered." };
        var (low, onlyOut) = (OnlyLow(), new Option<bool>("--out") { Description = "Only what is sold out." });
        var command = new Command("list", "List what is on the shelf, by SKU.\n\nExample: ./commerce stock list --low") { atMost, low, onlyOut, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new ListStockRequest
                {
                    Parent = $"stores/{parse.GetValue(store)}",
                    PageSize = 500,
                    State = parse.GetValue(onlyOut) ? StockState.Out : parse.GetValue(low) ? StockState.Low : StockState.Unspecified,
                };
                if (parse.GetValue(atMost) is { } most)
                    request.AvailableAtMost = most;
                do
                {
                    var page = await api.Stock.ListStockAsync(request, OrderCommands.Options(cancellationToken));
                    foreach (var one in page.Stock)
                        Write(one, parse.GetValue(json));
                    request.PageToken = page.NextPageToken;
                }
                while (request.PageToken.Length > 0);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Watch()
    {
        var (store, json) = (Listing.Store(), OrderCommands.JsonOption());
        var skus = new Argument<string[]>("SKU") { Description = "The articles; none: all of the store.", Arity = ArgumentArity.ZeroOrMore };
        var low = OnlyLow();
        var onlyNew = new Option<bool>("--changes") { Description = "Leave out what there is to begin with." };
        var command = new Command("watch", "Show what is on the shelf as it changes, until you stop it.\n\nExample: ./commerce stock watch --low") { skus, low, onlyNew, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new WatchStockRequest { Parent = $"stores/{parse.GetValue(store)}", Skus = { parse.GetValue(skus) ?? [] } };
                var shown = new HashSet<string>(StringComparer.Ordinal);
                var first = true;
                await foreach (var answer in Watch(api, request, cancellationToken))
                {
                    foreach (var stock in answer.Stock.Where(_ => !first || !parse.GetValue(onlyNew)))
                    {
                        // What was shown as low is also shown when it is so no longer.
                        var isLow = stock.State is StockState.Low or StockState.Out;
                        if (parse.GetValue(low) && !(isLow ? shown.Add(stock.Sku) || shown.Contains(stock.Sku) : shown.Remove(stock.Sku)))
                            continue;
                        Write(stock, parse.GetValue(json));
                    }

                    first &= answer.Version == 0;
                }

                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    /// <summary>The stock as it changes; a broken stream is taken up again after the last version seen.</summary>
    private static async IAsyncEnumerable<WatchStockResponse> Watch(
        SuiteApi api, WatchStockRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            using var call = api.Stock.WatchStock(request, cancellationToken: cancellationToken);
            while (true)
            {
                try
                {
                    if (!await call.ResponseStream.MoveNext(cancellationToken))
                        break;
                }
                catch (RpcException exception) when (exception.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded && ++failures <= 30 && !cancellationToken.IsCancellationRequested)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken);
                    break;
                }

                failures = 0;
                if (call.ResponseStream.Current.Version > 0)
                    request.AfterVersion = call.ResponseStream.Current.Version;
                yield return call.ResponseStream.Current;
            }
        }
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

    private static Option<bool> OnlyLow() => new("--low") { Description = "Only what is low or sold out." };
}
