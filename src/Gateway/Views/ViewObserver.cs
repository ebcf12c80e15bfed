using Commerce.Facts;
using Commerce.Gateway.Lookup;
using Commerce.Gateway.Shoppers;
using Commerce.Messaging;

namespace Commerce.Gateway.Views;

/// <summary>
/// Hears every fact and marks what it makes old; it reads nothing, so that a change of an order that nobody looks at costs
/// one call to Redis; what ends shoppers' sessions is stored. Facts may come twice and in any order: a mark only ever says "at least this version exists".
/// </summary>
internal sealed partial class ViewObserver(ViewCache cache, CodeBook codes, ChangeFeed feed, EndedSessions sessions, TimeProvider time, GatewayTelemetry telemetry, ILogger<ViewObserver> logger)
    : IObserveFacts
{
    public async Task Observe(IFact fact, CancellationToken cancellationToken)
    {
        (string OrderId, (PartKind, string, long)[] Told) heard = fact switch
        {
            IReturnFact returned => (returned.OrderId, [(PartKind.Order, PartKeys.Order, fact.Version), (PartKind.Returns, PartKeys.Order, fact.Version)]),
            IOrderFact order => (order.OrderId, [(PartKind.Order, PartKeys.Order, fact.Version)]),
            IPaymentFact payment => (payment.OrderId, [(PartKind.Payment, PartKeys.Payment, fact.Version)]),
            DocumentIssued document => (document.OrderId, [(PartKind.Documents, PartKeys.Documents, fact.Version)]),
            IShipmentFact shipment => (shipment.OrderId, [(PartKind.Shipments, shipment.ShipmentId, fact.Version)]),
            NotificationSettled notification => (notification.OrderId, [(PartKind.Notifications, notification.NotificationId, fact.Version)]),
            PersonalDataErased erased => (erased.OrderId, []),
            _ => ("", []),
        };
        if (!OrderId.TryParse(heard.OrderId, out var id))
        {
            LogUnknown(fact.GetType().Name);
            return;
        }

        // First, for the rest is only about how soon something is seen.
        await sessions.Observe(fact, cancellationToken);

        // What these codes lead to is for their owners to say.
        string?[] said = fact switch
        {
            LabelBought label => [label.TrackingNumber],
            TrackingNumberChanged changed => [changed.TrackingNumber, changed.FormerTrackingNumber],
            ShipmentReaddressed readdressed => [readdressed.VoidedTrackingNumber],
            OrderPlaced placed => [placed.ExternalId],
            OrderImported imported => [imported.ExternalId],
            DocumentIssued document => [document.Number, $"{document.StoreId}.{document.Number}"],
            _ => [],
        };
        foreach (var code in said)
        {
            if (!string.IsNullOrEmpty(code))
                await codes.Forget(code);
        }

        // A copy that is old and marked would still be there.
        if (fact is OrderErased or PersonalDataErased)
            await cache.Forget(id);

        // The broker need not keep what Redis cannot take: the epoch that begins when Redis is back stands for every lost mark.
        if (!await cache.Tell(id, heard.Told))
            telemetry.MarkLost();
        feed.Changed(id, fact.OccurredAt);
        telemetry.Lag(time.GetUtcNow() - fact.OccurredAt);
    }

    [LoggerMessage(LogLevel.Warning, "A {Fact} names no order that can be read; it is passed over.")]
    private partial void LogUnknown(string fact);
}
