using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Orders.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Commerce.Cli.Orders;

/// <summary>`./commerce order …`.</summary>
internal static class OrderCommands
{
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    public static Command Create()
    {
        var order = new Command("order", "Place, find, show, edit and cancel orders.");
        order.Subcommands.Add(Place());
        order.Subcommands.Add(Get());
        order.Subcommands.Add(SearchCommand.Create());
        order.Subcommands.Add(ExportCommand.Create());
        order.Subcommands.Add(EditCommand.Create());
        order.Subcommands.Add(Cancel());
        order.Subcommands.Add(EndSessionsCommand.Create());
        order.Subcommands.Add(ReorderCommand.Create());
        order.Subcommands.Add(ImportCommand.Create());
        return order;
    }

    private static Command Place()
    {
        var file = new Argument<string>("FILE") { Description = "A commerce.orders.v1.PlaceOrderRequest as JSON, or - for standard input. Example: docs/samples/order.json" };
        var requestId = new Option<string?>("--request-id") { Description = "Makes the call safe to repeat; given here it overrides the file's. Without either, a new one." };
        var json = JsonOption();
        var command = new Command("place", "Place an order.\n\nExample: ./commerce order place docs/samples/order.json") { file, requestId, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = Read<PlaceOrderRequest>(await Files.ReadText(parse.GetRequiredValue(file), cancellationToken));
                if (parse.GetValue(requestId) is { Length: > 0 } given)
                    request.RequestId = given;
                if (request.RequestId.Length == 0)
                    request.RequestId = Guid.CreateVersion7().ToString();
                var placed = await api.Orders.PlaceOrderAsync(request, Options(cancellationToken));
                if (parse.GetValue(json))
                {
                    Print.Json(placed);
                    return Exit.Done;
                }

                OrderView.Write(placed);
                Console.Out.WriteLine();
                Console.Out.WriteLine("Try next:");
                Console.Out.WriteLine($"  ./commerce watch {placed.OrderId}     follow it to the door");
                Console.Out.WriteLine($"  ./commerce lookup {placed.OrderId}    order, payment and parcels at once");
                Console.Out.WriteLine($"  curl -H \"Authorization: Bearer $(./commerce token)\" {api.Gateway}v1/lookup/{placed.OrderId}");
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Get()
    {
        var id = new Argument<string>("ID") { Description = "The Order ID; case, spaces and dashes are forgiven." };
        var json = JsonOption();
        var command = new Command("get", "Show an order.\n\nExample: ./commerce order get ORD-7K3M9QX-T2F8CRW") { id, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var order = await api.Orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + parse.GetRequiredValue(id) }, Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(order);
                else
                    OrderView.Write(order);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Cancel()
    {
        var id = new Argument<string>("ID") { Description = "The Order ID." };
        var reason = new Option<CancelReason>("--reason") { Description = "Why: Shopper, Shop, Unavailable or Fraud.", DefaultValueFactory = _ => CancelReason.Shopper };
        var note = new Option<string>("--note") { Description = "In words; kept on the timeline.", DefaultValueFactory = _ => "" };
        var line = new Option<int?>("--line") { Description = "Only this line." };
        var pieces = new Option<int>("--pieces") { Description = "With --line: how many pieces of it; without, all that are left." };
        var json = JsonOption();
        var command = new Command(
            "cancel",
            "Cancel an order of which nothing was handed over yet, or pieces of one line that no carrier has; stock and money go back.\n\n"
            + "Example: ./commerce order cancel ORD-7K3M9QX-T2F8CRW --reason Shopper\n"
            + "Example: ./commerce order cancel ORD-7K3M9QX-T2F8CRW --line 2 --pieces 1")
        {
            id, reason, note, line, pieces, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new CancelOrderRequest
                {
                    Name = "orders/" + parse.GetRequiredValue(id),
                    RequestId = Guid.CreateVersion7().ToString(),
                    Reason = parse.GetValue(reason),
                    Note = parse.GetValue(note) ?? "",
                };
                if (parse.GetValue(line) is { } number)
                    request.Lines.Add(new LinePieces { LineNumber = number, Pieces = parse.GetValue(pieces) });
                else if (parse.GetValue(pieces) != 0)
                    throw new UsageException("--pieces says how many of a line: give --line too.");
                var order = await api.Orders.CancelOrderAsync(request, Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(order);
                else
                    OrderView.Write(order);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    public static Option<bool> JsonOption() => new("--json") { Description = "Print the API's message as protobuf JSON." };

    public static CallOptions Options(CancellationToken cancellationToken) =>
        new(deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(30), cancellationToken: cancellationToken);

    /// <summary>A message of its JSON.</summary>
    /// <param name="strict">A field that it does not have is an error, and not ignored.</param>
    internal static T Read<T>(string text, bool strict = false)
        where T : IMessage<T>, new()
    {
        try
        {
            return (strict ? JsonParser.Default : Parser).Parse<T>(text);
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidJsonException or FormatException or OverflowException)
        {
            throw new UsageException($"This is not a {new T().Descriptor.FullName} in JSON: {exception.Message}");
        }
    }
}
