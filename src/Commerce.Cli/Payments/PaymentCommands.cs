using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Payments.V1;
using Spectre.Console;

namespace Commerce.Cli.Payments;

/// <summary>`./commerce payment …`.</summary>
internal static class PaymentCommands
{
    public static Command Create()
    {
        var payment = new Command("payment", "Show payments, take what is held, and give money back.");
        payment.Subcommands.Add(Get());
        payment.Subcommands.Add(List());
        payment.Subcommands.Add(Capture());
        payment.Subcommands.Add(Void());
        payment.Subcommands.Add(Refund());
        return payment;
    }

    private static Command Get()
    {
        var id = new Argument<string>("ID") { Description = "The Order ID; case, spaces and dashes are forgiven." };
        var json = OrderCommands.JsonOption();
        var command = new Command("get", "Show the payment of an order, its parts and its refunds.\n\nExample: ./commerce payment get ORD-7K3M9QX-T2F8CRW") { id, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var name = "payments/" + parse.GetRequiredValue(id);
                var payment = await api.Payments.GetPaymentAsync(new GetPaymentRequest { Name = name }, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                {
                    Print.Json(payment);
                    return Exit.Done;
                }

                Write(payment);
                foreach (var part in payment.Parts)
                    AnsiConsole.MarkupLine($"  {part.PartNumber}  {Print.Escape(part.Method)} {Print.Amount(part.Amount)}  {State(part.State)}  [dim]{Print.Escape(part.Provider)} {Print.Escape(part.ProviderReference)} {Print.Escape(part.DeclineReason)}[/]");
                WriteCaptures(payment);
                var refunds = await api.Payments.ListRefundsAsync(new ListRefundsRequest { Parent = payment.Name, PageSize = 500 }, OrderCommands.Options(cancellationToken));
                foreach (var refund in refunds.Refunds)
                    Write(refund);
                if (payment.CapturedAmount.Units > 0 || payment.CapturedAmount.Nanos > 0)
                    AnsiConsole.MarkupLine($"  [dim]left to refund:[/] {Print.Amount(refunds.RefundableAmount)}");
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command List()
    {
        var store = Listing.Store();
        var state = new Option<Payment.Types.State>("--state") { Description = "Only payments in this state, for example Captured or PartlyRefunded." };
        var limit = Listing.Limit("payments", 50);
        var json = OrderCommands.JsonOption();
        var command = new Command("list", "List the payments of a store, newest first.\n\nExample: ./commerce payment list --store main --state PartlyRefunded") { store, state, limit, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            api => Listing.Show(
                parse.GetValue(limit),
                parse.GetValue(json),
                async (size, token) => await api.Payments.ListPaymentsAsync(
                    new ListPaymentsRequest { StoreId = parse.GetValue(store) ?? "", State = parse.GetValue(state), PageSize = size, PageToken = token },
                    OrderCommands.Options(cancellationToken)),
                page => (page.Payments, page.NextPageToken),
                Write),
            cancellationToken));
        return command;
    }

    private static Command Capture()
    {
        var id = new Argument<string>("ID") { Description = "The Order ID." };
        var amount = new Option<string?>("--amount") { Description = "How much, in the payment's currency, for example 12.34; without it, all that is held." };
        var requestId = new Option<string?>("--request-id") { Description = "Makes the call safe to repeat. Without it, a new one." };
        var json = OrderCommands.JsonOption();
        var command = new Command("capture", "Take what is held, where the store does not take it by itself: all of it or an amount, any number of times.\n\nExample: ./commerce payment capture ORD-7K3M9QX-T2F8CRW --amount 12.34")
        {
            id, amount, requestId, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new CapturePaymentRequest { Name = "payments/" + parse.GetRequiredValue(id), RequestId = RequestId(parse.GetValue(requestId)) };
                if (parse.GetValue(amount) is { } typed)
                {
                    var payment = await api.Payments.GetPaymentAsync(new GetPaymentRequest { Name = request.Name }, OrderCommands.Options(cancellationToken));
                    request.Amount = Amount(typed, payment.Amount.CurrencyCode);
                }

                Show(await api.Payments.CapturePaymentAsync(request, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Void()
    {
        var id = new Argument<string>("ID") { Description = "The Order ID." };
        var requestId = new Option<string?>("--request-id") { Description = "Makes the call safe to repeat. Without it, a new one." };
        var json = OrderCommands.JsonOption();
        var command = new Command("void", "Let go of what is held and was not taken.\n\nExample: ./commerce payment void ORD-7K3M9QX-T2F8CRW") { id, requestId, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new VoidPaymentRequest { Name = "payments/" + parse.GetRequiredValue(id), RequestId = RequestId(parse.GetValue(requestId)) };
                Show(await api.Payments.VoidPaymentAsync(request, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Refund()
    {
        var id = new Argument<string>("ID") { Description = "The Order ID." };
        var amount = new Option<string?>("--amount") { Description = "How much, in the payment's currency, for example 12.34; without it, all that is left." };
        var reason = new Option<RefundReason>("--reason") { Description = "Why: Return, Damaged, NotDelivered, OrderChanged, Goodwill, Fraud or Other.", DefaultValueFactory = _ => RefundReason.Other };
        var to = new Option<RefundDestination>("--to") { Description = "Where it goes: OriginalMeans or StoreCredit.", DefaultValueFactory = _ => RefundDestination.OriginalMeans };
        var note = new Option<string>("--note") { Description = "In words; kept with the refund.", DefaultValueFactory = _ => "" };
        var requestId = new Option<string?>("--request-id") { Description = "Makes the call safe to repeat. Without it, a new one." };
        var json = OrderCommands.JsonOption();
        var command = new Command("refund", "Give money back: any amount, any number of times, up to what is left.\n\nExample: ./commerce payment refund ORD-7K3M9QX-T2F8CRW --amount 12.34 --reason Damaged")
        {
            id, amount, reason, to, note, requestId, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var name = "payments/" + parse.GetRequiredValue(id);
                var request = new RefundPaymentRequest
                {
                    Name = name,
                    RequestId = RequestId(parse.GetValue(requestId)),
                    Reason = parse.GetValue(reason),
                    Destination = parse.GetValue(to),
                    Note = parse.GetValue(note) ?? "",
                };
                if (parse.GetValue(amount) is { } typed)
                {
                    var payment = await api.Payments.GetPaymentAsync(new GetPaymentRequest { Name = name }, OrderCommands.Options(cancellationToken));
                    request.Amount = Amount(typed, payment.Amount.CurrencyCode);
                }

                var refund = await api.Payments.RefundPaymentAsync(request, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(refund);
                else
                    Write(refund);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    /// <exception cref="UsageException">It is not an amount of the currency.</exception>
    internal static Google.Type.Money Amount(string typed, string currency, bool negative = false)
    {
        var digits = Currencies.MinorUnits(currency) ?? throw new UsageException($"{currency} is not an active ISO 4217 currency; use a code such as EUR.");
        var style = NumberStyles.AllowDecimalPoint | (negative ? NumberStyles.AllowLeadingSign : 0);
        if (!decimal.TryParse(typed, style, CultureInfo.InvariantCulture, out var value) || value.Scale > digits || Math.Abs(value) > long.MaxValue / 10_000m)
            throw new UsageException($"--amount {typed}: give an amount of {currency} with at most {digits} decimals, such as 12.34.");
        for (var i = 0; i < digits; i++)
            value *= 10;
        return new Money((long)value, currency).ToProto();
    }

    private static string RequestId(string? given) => given is { Length: > 0 } ? given : Guid.CreateVersion7().ToString();

    private static void Show(Payment payment, bool json)
    {
        if (json)
        {
            Print.Json(payment);
            return;
        }

        Write(payment);
        WriteCaptures(payment);
    }

    private static void WriteCaptures(Payment payment)
    {
        foreach (var capture in payment.Captures)
        {
            var state = capture.State switch
            {
                Payment.Types.Capture.Types.State.Succeeded => "[green]taken[/]",
                Payment.Types.Capture.Types.State.Failed => "[red]failed[/]",
                _ => "[yellow]on its way[/]",
            };
            AnsiConsole.MarkupLine($"  capture {capture.CaptureNumber}  {Print.Amount(capture.Amount)}  {state}  [dim]{Print.Escape(capture.Actor)} {Print.Escape(capture.FailureReason)}[/]");
        }

        if (payment.CapturableAmount is { } left && (left.Units > 0 || left.Nanos > 0))
            AnsiConsole.MarkupLine($"  [dim]held and not taken:[/] {Print.Amount(left)}");
    }

    private static void Write(Payment payment) => AnsiConsole.MarkupLine(
        $"[bold]{payment.OrderId}[/]  {State(payment.State)}  {Print.Amount(payment.Amount)}  [dim]captured {Print.Amount(payment.CapturedAmount)}, given back {Print.Amount(payment.RefundedAmount)}[/]");

    private static void Write(Refund refund)
    {
        var state = refund.State switch
        {
            Commerce.Payments.V1.Refund.Types.State.Succeeded => "[green]given back[/]",
            Commerce.Payments.V1.Refund.Types.State.Failed => "[red]failed[/]",
            _ => "[yellow]on its way[/]",
        };
        var failure = string.Join(", ", refund.Parts.Select(p => p.FailureReason).Where(r => r.Length > 0).Distinct());
        var credit = refund.Destination == RefundDestination.StoreCredit ? " as store credit" : "";
        AnsiConsole.MarkupLine($"  refund {refund.Name.Split('/')[^1]}  {Print.Amount(refund.Amount)}{credit}  {state}  [dim]{refund.Reason} {Print.Escape(refund.Note)} {Print.Escape(failure)}[/]");
    }

    private static string State(Payment.Types.State state) => state switch
    {
        Payment.Types.State.Captured => "[green]captured[/]",
        Payment.Types.State.Declined => "[red]declined[/]",
        Payment.Types.State.Voided => "[dim]voided[/]",
        Payment.Types.State.PartlyRefunded => "[blue]partly refunded[/]",
        Payment.Types.State.Refunded => "[blue]refunded[/]",
        Payment.Types.State.PartlyCaptured => "[green]partly captured[/]",
        Payment.Types.State.Authorised => "[yellow]authorised[/]",
        _ => "[yellow]pending[/]",
    };
}
