using Commerce.Cli.Api;
using Commerce.Orders.V1;
using Spectre.Console;

namespace Commerce.Cli.Orders;

/// <summary>An order in the terminal.</summary>
internal static class OrderView
{
    /// <param name="order">The order.</param>
    /// <param name="withParcels">False where somebody else shows the parcels.</param>
    public static void Write(Order order, bool withParcels = true)
    {
        AnsiConsole.MarkupLine($"[bold]{order.OrderId}[/]  {Headline(order)}  [dim]{order.Lines.Sum(line => line.Quantity)} pieces, {Print.Amount(order.Total)}[/]");
        if (order.Cancellation is { } cancellation)
            AnsiConsole.MarkupLine($"  [dim]cancelled: {cancellation.Reason}[/] {Print.Escape(cancellation.Note)}");
        foreach (var line in order.Lines)
        {
            var cancelled = line.CancelledQuantity > 0 ? $"  [dim]{line.CancelledQuantity} cancelled[/]" : "";
            var returned = line.ReturnedQuantity > 0 ? $"  [dim]{line.ReturnedQuantity} came back[/]" : "";
            AnsiConsole.MarkupLine($"  {line.Quantity,4} × {Print.Escape(line.Title)} [dim]{Print.Escape(line.Sku)}[/]  {Print.Amount(line.Amount)}{cancelled}{returned}");
        }

        if (order.PendingChange is { } change)
            AnsiConsole.MarkupLine($"  [yellow]waits for {Print.Amount(change.Difference)}:[/] {string.Join(", ", change.Lines.Select(line => $"{line.Pieces:+#;-#} {Print.Escape(line.Sku)}"))}");
        foreach (var parcel in order.Parcels.Where(parcel => withParcels && parcel.TrackingNumber.Length > 0))
            AnsiConsole.MarkupLine($"  parcel [bold]{Print.Escape(parcel.TrackingNumber)}[/] by {Print.Escape(parcel.Carrier)}: {parcel.State}");
    }

    public static string Headline(Order order) => order.Headline switch
    {
        Commerce.Orders.V1.Headline.AwaitingPayment => "[yellow]awaiting payment[/]",
        Commerce.Orders.V1.Headline.Preparing => "[yellow]being prepared[/]",
        Commerce.Orders.V1.Headline.PartlyShipped => "[blue]partly on its way[/]",
        Commerce.Orders.V1.Headline.Shipped => "[blue]on its way[/]",
        Commerce.Orders.V1.Headline.PartlyDelivered => "[blue]partly delivered[/]",
        Commerce.Orders.V1.Headline.Delivered => "[green]delivered[/]",
        Commerce.Orders.V1.Headline.Cancelled => "[red]cancelled[/]",
        Commerce.Orders.V1.Headline.PaymentDeclined => "[red]payment declined[/]",
        Commerce.Orders.V1.Headline.Returned => "[red]returned[/]",
        Commerce.Orders.V1.Headline.PartlyReturned => "[red]partly returned[/]",
        _ => "unknown",
    };
}
