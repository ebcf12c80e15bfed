using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Orders.V1;
using Spectre.Console;

namespace Commerce.Cli.Orders;

/// <summary>`./commerce order reorder`.</summary>
internal static class ReorderCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("ID") { Description = "The old order's ID." };
        var place = new Option<bool>("--place") { Description = "Place what can be had, at the prices shown." };
        var token = new Option<string>("--token") { Description = "The provider's token of the card that pays.", DefaultValueFactory = _ => "tok_ok" };
        var requestId = new Option<string?>("--request-id") { Description = "Makes the call safe to repeat; a new one if not given." };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "reorder",
            "What an old basket costs today, and what of it is no longer to be had.\n\nExample: ./commerce order reorder ORD-7K3M9QX-T2F8CRW --place") { id, place, token, requestId, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new ReorderRequest { Name = "orders/" + parse.GetRequiredValue(id) };
                var quote = await api.Orders.ReorderAsync(request, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(place))
                {
                    request.Place = true;
                    request.RequestId = parse.GetValue(requestId) ?? Guid.CreateVersion7().ToString();
                    if (quote.TotalNow.Units > 0 || quote.TotalNow.Nanos > 0)
                        request.PaymentParts.Add(new PaymentPart { Method = PaymentMethod.Card, Token = parse.GetValue(token) ?? "", Amount = quote.TotalNow });
                    quote = await api.Orders.ReorderAsync(request, OrderCommands.Options(cancellationToken));
                }

                if (parse.GetValue(json))
                    Print.Json(quote);
                else
                    Write(quote);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static void Write(ReorderResponse quote)
    {
        foreach (var line in quote.Lines)
        {
            var state = line.Availability switch
            {
                ReorderAvailability.Available => $"[green]{Print.Amount(line.AmountNow)}[/]",
                ReorderAvailability.FewerLeft => $"[yellow]only {line.QuantityNow} left[/] {Print.Amount(line.AmountNow)}",
                ReorderAvailability.OutOfStock => "[red]out of stock[/]",
                _ => "[red]no longer sold[/]",
            };
            AnsiConsole.MarkupLine($"  {line.QuantityThen,4} × {Print.Escape(line.Title)} [dim]{Print.Escape(line.Sku)}[/]  {state}  [dim]{Print.Amount(line.UnitPriceThen)} each then{(line.UnitPriceNow is null ? "" : $", {Print.Amount(line.UnitPriceNow)} now")}[/]");
        }

        AnsiConsole.MarkupLine($"then {Print.Amount(quote.TotalThen)}, now [bold]{Print.Amount(quote.TotalNow)}[/] [dim](shipping {Print.Amount(quote.ShippingChargeNow)})[/]");
        if (quote.Order is not null)
            OrderView.Write(quote.Order);
    }
}
