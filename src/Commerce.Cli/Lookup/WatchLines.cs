using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Gateway.V1;
using Commerce.Shipments.V1;
using Spectre.Console;

namespace Commerce.Cli.Lookup;

/// <summary>Writes one line for each thing that changed between two views.</summary>
internal sealed class WatchLines
{
    private readonly Dictionary<string, TrackingStatus> _parcels = [];
    private Commerce.Orders.V1.Headline _headline;

    public void Write(LookupView view)
    {
        if (view.Order is { } order && order.Headline != _headline)
        {
            _headline = order.Headline;
            Line($"[bold]{order.OrderId}[/] {OrderView.Headline(order)}");
        }

        foreach (var shipment in view.Shipments)
        {
            if (shipment.TrackingNumber.Length == 0 || _parcels.TryGetValue(shipment.ShipmentId, out var before) && before == shipment.Status)
                continue;
            _parcels[shipment.ShipmentId] = shipment.Status;
            var place = shipment.Scans.FirstOrDefault()?.Place?.Locality ?? "";
            Line($"  {(shipment.Return.Length > 0 ? "return " : "")}parcel [bold]{Print.Escape(shipment.TrackingNumber)}[/] ({Print.Escape(shipment.Carrier)}) {LookupScreen.Words(shipment.Status)} [dim]{Print.Escape(place)}[/]");
        }
    }

    private static void Line(string markup) =>
        AnsiConsole.MarkupLine($"[dim]{TimeProvider.System.GetLocalNow():HH:mm:ss}[/]  {markup}");
}
