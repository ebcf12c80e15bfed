using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Cli.Payments;
using Commerce.Orders.V1;
using Spectre.Console;

namespace Commerce.Cli.Returns;

/// <summary>`./commerce return …`.</summary>
internal static class ReturnCommands
{
    public static Command Create() => new("return", "Take goods back: ask, decide, receive, give the money back.")
    {
        Request(), Get(), List(), Approve(), Reject(), Receive(), Refund(), Cancel(), PolicyCommand.Create(),
    };

    /// <summary>The resource name of what a person says: "ORD-7K3M9QX-T2F8CRW-R1", or the name itself.</summary>
    public static string NameOf(string said)
    {
        var text = said.Trim();
        if (text.StartsWith("orders/", StringComparison.Ordinal))
            return text;
        var at = text.LastIndexOfAny(['R', 'r']);
        return at > 1 && text[at - 1] is '-' or ' ' && int.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? string.Create(CultureInfo.InvariantCulture, $"orders/{text[..(at - 1)]}/returns/{number}")
            : throw new UsageException($"{said}: give a return's number such as ORD-7K3M9QX-T2F8CRW-R1.");
    }

    /// <summary>"1=2:Faulty": of line 1 two pieces, and a word about them.</summary>
    public static (int Line, int Quantity, TWord Word) Pieces<TWord>(string typed, string option)
        where TWord : struct, Enum =>
        typed.Split('=', ':') is [var line, var quantity, var word]
        && int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var lineNumber)
        && int.TryParse(quantity, NumberStyles.None, CultureInfo.InvariantCulture, out var pieces)
        && Enum.TryParse<TWord>(word, ignoreCase: true, out var known) && Enum.IsDefined(known)
            ? (lineNumber, pieces, known)
            : throw new UsageException($"{option} {typed}: give LINE=PIECES:WORD, where the word is one of {string.Join(", ", Enum.GetNames<TWord>().Skip(1))}.");

    private static Command Request()
    {
        var id = new Argument<string>("ORDER") { Description = "The Order ID." };
        var lines = new Option<string[]>("--line") { Description = "What comes back and why: LINE=PIECES:REASON; once for each line.", Required = true };
        var note = new Option<string>("--note") { Description = "In words.", DefaultValueFactory = _ => "" };
        var photos = new Option<string[]>("--photo") { Description = "An https address or an id of a photo; once for each." };
        var late = new Option<bool>("--override-window") { Description = "Take it although its time is over; kept on the timeline." };
        var outcome = new Option<ReturnOutcome>("--outcome") { Description = "What is wanted: Refund, StoreCredit or Exchange.", DefaultValueFactory = _ => ReturnOutcome.Refund };
        var instead = new Option<string[]>("--instead") { Description = "What is sent in exchange: SKU=PIECES; once for each article." };
        var token = new Option<string?>("--pay-token") { Description = "The provider's token of the means that pays what the exchange costs more." };
        var method = new Option<PaymentMethod>("--pay-method") { Description = "That means.", DefaultValueFactory = _ => PaymentMethod.Card };
        var (requestId, json) = (RequestId(), OrderCommands.JsonOption());
        var command = new Command(
            "request",
            "Ask to give delivered goods back.\n\nExample: ./commerce return request ORD-7K3M9QX-T2F8CRW --line 1=2:Faulty --line 3=1:ChangedMind --note \"the lamp flickers\"\n"
            + "Example: ./commerce return request ORD-7K3M9QX-T2F8CRW --line 1=1:WrongSize --outcome Exchange --instead SHIRT-L=1 --pay-token tok_ok")
        {
            id, lines, note, photos, late, outcome, instead, token, method, requestId, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new RequestReturnRequest
                {
                    Parent = "orders/" + parse.GetRequiredValue(id),
                    RequestId = Id(parse, requestId),
                    Note = parse.GetValue(note) ?? "",
                    Photos = { parse.GetValue(photos) ?? [] },
                    OverrideWindow = parse.GetValue(late),
                    Outcome = parse.GetValue(outcome),
                };
                if (parse.GetValue(instead) is { Length: > 0 } articles)
                {
                    request.Replacement = new Replacement { Lines = { articles.Select(Article) } };
                    if (parse.GetValue(token) is { } paidWith)
                        request.Replacement.PaymentPart = new PaymentPart { Method = parse.GetValue(method), Token = paidWith };
                }

                foreach (var typed in parse.GetRequiredValue(lines))
                {
                    var (line, quantity, reason) = Pieces<ReturnReason>(typed, "--line");
                    request.Lines.Add(new ReturnLine { LineNumber = line, Quantity = quantity, Reason = reason });
                }

                return Show(await api.Returns.RequestReturnAsync(request, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
            },
            cancellationToken));
        return command;
    }

    private static ReplacementLine Article(string typed) =>
        typed.LastIndexOf('=') is var at && at > 0 && int.TryParse(typed.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var pieces)
            ? new ReplacementLine { Sku = typed[..at], Quantity = pieces }
            : throw new UsageException($"--instead {typed}: give SKU=PIECES, for example LAMP-7=1.");

    private static Command Get()
    {
        var (number, json) = (Number(), OrderCommands.JsonOption());
        var command = new Command("get", "Show a return.\n\nExample: ./commerce return get ORD-7K3M9QX-T2F8CRW-R1") { number, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api => Show(
                await api.Returns.GetReturnAsync(new GetReturnRequest { Name = NameOf(parse.GetRequiredValue(number)) }, OrderCommands.Options(cancellationToken)), parse.GetValue(json)),
            cancellationToken));
        return command;
    }

    private static Command List()
    {
        var order = new Option<string>("--order") { Description = "Only the returns of this order.", DefaultValueFactory = _ => "" };
        var store = Listing.Store("The store; without --order.");
        var state = new Option<ReturnState>("--state") { Description = "Only returns in this state, for example Requested or Arrived." };
        var limit = Listing.Limit("returns", 50);
        var json = OrderCommands.JsonOption();
        var command = new Command("list", "List the returns of an order, or of a store, newest first.\n\nExample: ./commerce return list --store main --state Requested") { order, store, state, limit, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            api =>
            {
                var request = new ListReturnsRequest { OrderId = parse.GetValue(order) ?? "", State = parse.GetValue(state) };
                if (request.OrderId.Length == 0)
                    request.StoreId = parse.GetValue(store) ?? "";
                return Listing.Show(
                    parse.GetValue(limit),
                    parse.GetValue(json),
                    async (size, token) =>
                    {
                        (request.PageSize, request.PageToken) = (size, token);
                        return await api.Returns.ListReturnsAsync(request, OrderCommands.Options(cancellationToken));
                    },
                    page => (page.Returns, page.NextPageToken),
                    WriteLine);
            },
            cancellationToken));
        return command;
    }

    private static Command Approve()
    {
        var note = new Option<string>("--note") { Description = "In words.", DefaultValueFactory = _ => "" };
        var withoutLabel = new Option<bool>("--without-label") { Description = "Buy no label: the goods are brought, or sent by the shopper." };
        var (number, requestId, json) = (Number(), RequestId(), OrderCommands.JsonOption());
        var command = new Command("approve", "Say that goods may come back; their label is bought by itself.\n\nExample: ./commerce return approve ORD-7K3M9QX-T2F8CRW-R1") { number, note, withoutLabel, requestId, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api => Show(
                await api.Returns.ApproveReturnAsync(
                    new ApproveReturnRequest
                    {
                        Name = NameOf(parse.GetRequiredValue(number)),
                        RequestId = Id(parse, requestId),
                        Note = parse.GetValue(note) ?? "",
                        WithoutLabel = parse.GetValue(withoutLabel),
                    },
                    OrderCommands.Options(cancellationToken)),
                parse.GetValue(json)),
            cancellationToken));
        return command;
    }

    private static Command Reject()
    {
        var reason = new Option<string>("--reason") { Description = "Why, in words; kept on the timeline.", Required = true };
        var (number, requestId, json) = (Number(), RequestId(), OrderCommands.JsonOption());
        var command = new Command("reject", "Say that goods may not come back.\n\nExample: ./commerce return reject ORD-7K3M9QX-T2F8CRW-R1 --reason \"it was used\"") { number, reason, requestId, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api => Show(
                await api.Returns.RejectReturnAsync(
                    new RejectReturnRequest { Name = NameOf(parse.GetRequiredValue(number)), RequestId = Id(parse, requestId), Reason = parse.GetRequiredValue(reason) },
                    OrderCommands.Options(cancellationToken)),
                parse.GetValue(json)),
            cancellationToken));
        return command;
    }

    private static Command Receive()
    {
        var items = new Option<string[]>("--line") { Description = "What came, and how: LINE=PIECES:CONDITION (AsNew, Damaged or Missing); once for each.", Required = true };
        var refund = new Option<bool>("--refund") { Description = "Give back at once what is due." };
        var note = new Option<string>("--note") { Description = "In words; kept on the timeline.", DefaultValueFactory = _ => "" };
        var (number, requestId, json) = (Number(), RequestId(), OrderCommands.JsonOption());
        var command = new Command(
            "receive", "Take in pieces that came, in one call or in several.\n\nExample: ./commerce return receive ORD-7K3M9QX-T2F8CRW-R1 --line 1=1:AsNew --line 1=1:Damaged --refund")
        {
            number, items, refund, note, requestId, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new ReceiveReturnRequest
                {
                    Name = NameOf(parse.GetRequiredValue(number)),
                    RequestId = Id(parse, requestId),
                    Refund = parse.GetValue(refund),
                    Note = parse.GetValue(note) ?? "",
                };
                foreach (var typed in parse.GetRequiredValue(items))
                {
                    var (line, quantity, condition) = Pieces<ReturnCondition>(typed, "--line");
                    request.Items.Add(new ReceivedItem { LineNumber = line, Quantity = quantity, Condition = condition });
                }

                return Show(await api.Returns.ReceiveReturnAsync(request, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
            },
            cancellationToken));
        return command;
    }

    private static Command Refund()
    {
        var (number, requestId, json) = (Number(), RequestId(), OrderCommands.JsonOption());
        var outside = new Option<string>("--outside-reference") { Description = "Of an imported order: what the money was given back under where it was paid. No money is moved.", DefaultValueFactory = _ => "" };
        var command = new Command(
            "refund", "Give back what is due for what came: later, or once more after a refusal.\n\nExample: ./commerce return refund ORD-7K3M9QX-T2F8CRW-R1") { number, outside, requestId, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api => Show(
                await api.Returns.RefundReturnAsync(
                    new RefundReturnRequest
                    {
                        Name = NameOf(parse.GetRequiredValue(number)),
                        RequestId = Id(parse, requestId),
                        OutsideReference = parse.GetValue(outside) ?? "",
                    },
                    OrderCommands.Options(cancellationToken)),
                parse.GetValue(json)),
            cancellationToken));
        return command;
    }

    private static Command Cancel()
    {
        var note = new Option<string>("--note") { Description = "Why, in words.", DefaultValueFactory = _ => "" };
        var (number, requestId, json) = (Number(), RequestId(), OrderCommands.JsonOption());
        var command = new Command("cancel", "Take a return back, as long as nothing is on its way.\n\nExample: ./commerce return cancel ORD-7K3M9QX-T2F8CRW-R1") { number, note, requestId, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api => Show(
                await api.Returns.CancelReturnAsync(
                    new CancelReturnRequest { Name = NameOf(parse.GetRequiredValue(number)), RequestId = Id(parse, requestId), Note = parse.GetValue(note) ?? "" },
                    OrderCommands.Options(cancellationToken)),
                parse.GetValue(json)),
            cancellationToken));
        return command;
    }

    private static int Show(Return one, bool json)
    {
        if (json)
        {
            Print.Json(one);
            return Exit.Done;
        }

        WriteLine(one);
        foreach (var line in one.Lines)
        {
            var came = line.AsNewQuantity + line.DamagedQuantity + line.MissingQuantity == 0
                ? ""
                : $"as new {line.AsNewQuantity}, damaged {line.DamagedQuantity}, missing {line.MissingQuantity}";
            AnsiConsole.MarkupLine($"  {line.LineNumber}  {line.Quantity} × {Print.Escape(line.Title)}  {Print.Amount(line.Amount)}  [dim]{line.Reason} {Print.Escape(line.Note)} {came}[/]");
        }

        AnsiConsole.MarkupLine($"  [dim]goods {Print.Amount(one.Amounts.Goods)}, shipping {Print.Amount(one.Amounts.Shipping)}, kept {Print.Amount(one.Amounts.RestockingFee)}, way back {Print.Amount(one.Amounts.ReturnPostage)}[/]");
        if (one.Replacement is { } replacement)
        {
            foreach (var line in replacement.Lines)
                AnsiConsole.MarkupLine($"  instead  {line.Quantity} × {Print.Escape(line.Title)}  {Print.Amount(line.UnitPrice)}");
            AnsiConsole.MarkupLine($"  [dim]difference {Print.Amount(replacement.Difference)}[/] {Print.Escape(replacement.ReplacementOrder)} [red]{Print.Escape(replacement.FailureReason)}[/]");
        }

        foreach (var parcel in one.Parcels)
            AnsiConsole.MarkupLine($"  parcel [bold]{Print.Escape(parcel.TrackingNumber)}[/] {Print.Escape(parcel.Carrier)}  {parcel.State}");
        foreach (var refund in one.Refunds)
            AnsiConsole.MarkupLine($"  refund {refund.Number}  {Print.Amount(refund.Amount)}{(refund.StoreCredit ? " store credit" : "")}{(refund.OutsideReference.Length > 0 ? " elsewhere, " + Print.Escape(refund.OutsideReference) : "")}  {refund.State}  [dim]{Print.Escape(refund.FailureReason)}[/]");
        return Exit.Done;
    }

    private static void WriteLine(Return one) => AnsiConsole.MarkupLine(
        $"[bold]{Print.Escape(one.ReturnNumber)}[/]  {one.State}  {Print.Amount(one.RefundAmount)}  [dim]money {one.RefundState}, given back {Print.Amount(one.RefundedAmount)} {Print.Escape(one.DecisionNote)}[/]");

    private static Argument<string> Number() => new("RETURN") { Description = "The return's number, for example ORD-7K3M9QX-T2F8CRW-R1." };

    private static Option<string?> RequestId() => new("--request-id") { Description = "Makes the call safe to repeat. Without it, a new one." };

    private static string Id(ParseResult parse, Option<string?> requestId) =>
        parse.GetValue(requestId) is { Length: > 0 } given ? given : Guid.CreateVersion7().ToString();
}
