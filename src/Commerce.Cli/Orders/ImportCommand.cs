using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Payments;
using Commerce.Cli.Replay;
using Commerce.Orders.V1;
using Google.Protobuf;
using Grpc.Core;
using Spectre.Console;

namespace Commerce.Cli.Orders;

/// <summary>`./commerce order import …`.</summary>
internal static class ImportCommand
{
    private const int PerMessage = 100;
    private const int MostShown = 20;

    public static Command Create() => new("import", "Bring a shop's history.") { File(), Olist() };

    private static Command File()
    {
        var file = new Argument<string>("FILE") { Description = "An order a line as protobuf JSON (commerce.orders.v1.ImportedOrder); - reads standard input." };
        var store = Listing.Store("The store that they belong to.");
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "file",
            "Import orders with their own numbers and dates, a JSON object a line. What is there already stays as it is, so a broken import is simply repeated; a line that is wrong is told and the others count.\n\nExample: ./commerce order import file docs/samples/history.jsonl") { file, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var lines = new OrderLines();
                using var reader = new StreamReader(Files.Open(parse.GetRequiredValue(file)));
                var start = TimeProvider.System.GetTimestamp();
                var response = await Import(api, parse.GetRequiredValue(store), lines.Read(reader), null, parse.GetValue(json), cancellationToken);
                foreach (var error in response.Errors)
                    lines.PutLineNumber(error);
                response.Refused += lines.BrokenCount;
                response.Errors.AddRange(lines.Broken);
                return Report(response, parse.GetValue(json), "line", TimeProvider.System.GetElapsedTime(start));
            },
            cancellationToken));
        return command;
    }

    private static Command Olist()
    {
        var folder = new Argument<string>("DIR") { Description = "The folder with olist_orders_dataset.csv and its siblings." };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "olist",
            "Import the Olist data set with its original dates; importing it again changes nothing.\n\nExample: ./commerce order import olist ../shared/data/olist") { folder, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var data = OlistData.Read(parse.GetRequiredValue(folder));
                await api.Stores.CreateStoreAsync(new CreateStoreRequest { RequestId = "olist-store", Store = OlistOrders.StoreMessage() }, OrderCommands.Options(cancellationToken));
                var orders = data.Orders.Select(order => OlistOrders.Imported(order, data)).ToList();
                var start = TimeProvider.System.GetTimestamp();
                var response = await Import(api, OlistOrders.Store, orders, orders.Count, parse.GetValue(json), cancellationToken);
                return Report(response, parse.GetValue(json), "order", TimeProvider.System.GetElapsedTime(start));
            },
            cancellationToken));
        return command;
    }

    private static int Report(ImportOrdersResponse response, bool json, string position, TimeSpan elapsed)
    {
        if (json)
        {
            Print.Json(response);
        }
        else
        {
            var count = response.Imported + response.Unchanged + response.Refused;
            AnsiConsole.MarkupLine($"[bold]{response.Imported}[/] imported, {response.Unchanged} were there already, {response.Refused} refused [dim]in {elapsed.TotalSeconds:F1} s, {count / elapsed.TotalSeconds:F0} orders/s[/]");
            foreach (var error in response.Errors.OrderBy(error => error.Position).Take(MostShown))
                AnsiConsole.MarkupLine($"  [red]{position} {error.Position + 1}[/] {Print.Escape(error.ExternalId)}: {Print.Escape(error.Message)}");
            if (response.Refused > MostShown)
                AnsiConsole.MarkupLine($"  [dim]… and {response.Refused - MostShown} more; --json shows up to 1,000[/]");
        }

        return response.Refused == 0 ? Exit.Done : Exit.Rejected;
    }

    private static async Task<ImportOrdersResponse> Import(
        SuiteApi api, string store, IEnumerable<ImportedOrder> orders, int? count, bool quiet, CancellationToken cancellationToken)
    {
        if (quiet || !AnsiConsole.Profile.Capabilities.Interactive)
            return await Send(api, store, orders, _ => { }, cancellationToken);
        ImportOrdersResponse? response = null;
        ProgressColumn[] columns = count is null
            ? [new SpinnerColumn(), new TaskDescriptionColumn()]
            : [new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()];
        await AnsiConsole.Progress().Columns(columns).StartAsync(async progress =>
        {
            var sent = progress.AddTask("sent", maxValue: count ?? double.MaxValue);
            response = await Send(
                api, store, orders,
                done =>
                {
                    sent.Value = done;
                    sent.Description = $"{done} sent";
                },
                cancellationToken);
        });
        return response!;
    }

    private static async Task<ImportOrdersResponse> Send(
        SuiteApi api, string store, IEnumerable<ImportedOrder> orders, Action<int> sent, CancellationToken cancellationToken)
    {
        // No deadline: it takes as long as there are orders. The stream flows no faster than they are stored.
        using var call = api.Orders.ImportOrders(cancellationToken: cancellationToken);
        try
        {
            // In the first message alone if there is no order: an unknown store is told even so.
            await call.RequestStream.WriteAsync(new ImportOrdersRequest { StoreId = store }, cancellationToken);
            var count = 0;
            foreach (var chunk in orders.Chunk(PerMessage))
            {
                await call.RequestStream.WriteAsync(new ImportOrdersRequest { Orders = { chunk } }, cancellationToken);
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

    /// <summary>Orders read line by line, and which lines were none.</summary>
    private sealed class OrderLines
    {
        // As many as the service tells of.
        private const int MostErrors = 1_000;
        private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(false));
        private readonly List<int> _lineOfPosition = [];

        /// <summary>The first 1,000 of them.</summary>
        public List<ImportError> Broken { get; } = [];

        public int BrokenCount { get; private set; }

        public IEnumerable<ImportedOrder> Read(TextReader reader)
        {
            for (var line = 0; reader.ReadLine() is { } text; line++)
            {
                if (string.IsNullOrWhiteSpace(text))
                    continue;
                ImportedOrder order;
                try
                {
                    order = Parser.Parse<ImportedOrder>(text);
                }
                catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidJsonException or FormatException or OverflowException)
                {
                    if (BrokenCount++ < MostErrors)
                        Broken.Add(new ImportError { Position = line, Message = $"Is no order: {exception.Message}" });
                    continue;
                }

                _lineOfPosition.Add(line);
                yield return order;
            }
        }

        public void PutLineNumber(ImportError error) => error.Position = _lineOfPosition[(int)error.Position];
    }
}
