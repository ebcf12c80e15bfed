using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Replay;
using Commerce.Orders.V1;
using Grpc.Core;
using Spectre.Console;

namespace Commerce.Cli.Orders;

/// <summary>`./commerce order import …`.</summary>
internal static class ImportCommand
{
    private const int PerMessage = 100;

    public static Command Create()
    {
        var folder = new Argument<string>("DIR") { Description = "The folder with olist_orders_dataset.csv and its siblings." };
        var json = OrderCommands.JsonOption();
        var olist = new Command(
            "olist",
            "Import the Olist data set with its original dates; importing it again changes nothing.\n\nExample: ./commerce order import olist ../shared/data/olist") { folder, json };
        olist.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var data = OlistData.Read(parse.GetRequiredValue(folder));
                await api.Stores.CreateStoreAsync(new CreateStoreRequest { RequestId = "olist-store", Store = OlistOrders.StoreMessage() }, OrderCommands.Options(cancellationToken));
                var orders = data.Orders.Select(order => OlistOrders.Imported(order, data)).ToList();
                var start = TimeProvider.System.GetTimestamp();
                var response = await WithProgress(api, orders, parse.GetValue(json), cancellationToken);
                var elapsed = TimeProvider.System.GetElapsedTime(start);
                if (parse.GetValue(json))
                {
                    Print.Json(response);
                }
                else
                {
                    AnsiConsole.MarkupLine($"[bold]{response.Imported}[/] imported, {response.Unchanged} were there already, {response.Refused} refused [dim]in {elapsed.TotalSeconds:F1} s, {orders.Count / elapsed.TotalSeconds:F0} orders/s[/]");
                    foreach (var error in response.Errors.Take(20))
                        AnsiConsole.MarkupLine($"  [red]order {error.Position + 1}[/] {Print.Escape(error.ExternalId)}: {Print.Escape(error.Message)}");
                }

                return response.Refused == 0 ? Exit.Done : Exit.Rejected;
            },
            cancellationToken));
        return new Command("import", "Bring a shop's history.") { olist };
    }

    private static async Task<ImportOrdersResponse> WithProgress(SuiteApi api, List<ImportedOrder> orders, bool quiet, CancellationToken cancellationToken)
    {
        if (quiet || !AnsiConsole.Profile.Capabilities.Interactive)
            return await Send(api, orders, _ => { }, cancellationToken);
        ImportOrdersResponse? response = null;
        await AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var sent = progress.AddTask("sent", maxValue: orders.Count);
                response = await Send(api, orders, count => sent.Value = count, cancellationToken);
            });
        return response!;
    }

    private static async Task<ImportOrdersResponse> Send(SuiteApi api, List<ImportedOrder> orders, Action<int> sent, CancellationToken cancellationToken)
    {
        // No deadline: it takes as long as there are orders. The stream flows no faster than they are stored.
        using var call = api.Orders.ImportOrders(cancellationToken: cancellationToken);
        try
        {
            var count = 0;
            foreach (var chunk in orders.Chunk(PerMessage))
            {
                await call.RequestStream.WriteAsync(new ImportOrdersRequest { StoreId = OlistOrders.Store, Orders = { chunk } }, cancellationToken);
                sent(count += chunk.Length);
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException && !cancellationToken.IsCancellationRequested)
        {
            // The server ended the call; why, its answer says.
        }

        return await call;
    }
}
