using Commerce.Facts;
using Commerce.Gateway.Watching;
using Commerce.Messaging;

namespace Commerce.Gateway.Views;

/// <summary>
/// Hears every fact and marks what it makes old; it reads nothing, so that a change of an order that nobody looks at costs
/// one call to Redis. Facts may come twice and in any order: a mark only ever says "at least this version exists".
/// </summary>
internal sealed partial class ViewObserver(ViewCache cache, WatchHub watches, TimeProvider time, GatewayTelemetry telemetry, ILogger<ViewObserver> logger)
    : IObserveFacts
{
    public async Task Observe(IFact fact, CancellationToken cancellationToken)
    {
        var (kind, key, orderId) = fact switch
        {
            IOrderFact order => (PartKind.Order, "order", order.OrderId),
            IPaymentFact payment => (PartKind.Payment, "payment", payment.OrderId),
            IShipmentFact shipment => (PartKind.Shipments, shipment.ShipmentId, shipment.OrderId),
            _ => (default, "", ""),
        };
        if (!OrderId.TryParse(orderId, out var id))
        {
            LogUnknown(fact.GetType().Name);
            return;
        }

        string?[] said = fact switch
        {
            LabelBought label => [label.TrackingNumber],
            TrackingNumberChanged changed => [changed.TrackingNumber, changed.FormerTrackingNumber],
            ShipmentReaddressed readdressed => [readdressed.VoidedTrackingNumber],
            _ => [],
        };
        foreach (var number in said.Select(TrackingNumber.Normalise).OfType<string>())
            await cache.ForgetOrder(number);
        if (!await cache.Tell(id, kind, key, fact.Version))
        {
            // The broker need not keep what Redis cannot take: the epoch that begins when Redis is back stands for every lost mark.
            telemetry.MarkLost();
            watches.Changed(id);
        }

        telemetry.Lag(time.GetUtcNow() - fact.OccurredAt);
    }

    [LoggerMessage(LogLevel.Warning, "A {Fact} names no order that can be read; it is passed over.")]
    private partial void LogUnknown(string fact);
}
