using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Shipments.CancellingShipments;
using Commerce.Shipments.PlanningShipments;
using Commerce.Shipments.Storage;

namespace Commerce.Shipments.ReaddressingShipments;

/// <summary>
/// An order goes to another address, or is to be delivered in another way. A parcel without a label is readdressed at once; a label is voided first, and one that is
/// being bought at this moment is bought to its end and then voided, since only so do we learn of it. What the carrier has
/// already is shown as an exception.
/// </summary>
internal sealed class ReaddressShipments(OrderService.OrderServiceClient orders, TimeProvider time) : IRecover
{
    public const string PointKind = "readdress-shipments";

    public string Kind => PointKind;

    /// <summary>One for each edit: a later one must not find its work taken for that of an earlier one.</summary>
    public static RecoveryPoint PointOf(string orderId, long version, string after = "edit") =>
        new(PointKind, $"{orderId}/{version}/{after}", new OrderVersion(version).ToPayload());

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var orderId = point.Key.Split('/', 2)[0];
        ShipmentsTelemetry.TagOrder(orderId);
        var payload = OrderVersion.Of(point);
        var order = await orders.GetOrderAsync(new GetOrderRequest { Name = $"orders/{orderId}", MinVersion = payload.Version }, cancellationToken: cancellationToken);
        var to = ShipmentPlan.AddressOf(order);
        return new RecoveryOutcome.Done(context => Readdress(orderId, to, context));
    }

    private async Task Readdress(string orderId, AddressRecord to, RecoveryContext context)
    {
        foreach (var shipment in await ShipmentStore.LockOrder(context.Connection, context.Transaction, orderId, context.CancellationToken))
        {
            if (shipment.IsOver || shipment.CancelRequested || (shipment.NextShipTo ?? shipment.ShipTo).SameAs(to))
                continue;
            if (TrackingStatusRules.WasHandedOver(shipment.Tracking) || shipment.IsRegistered)
                TooLate(shipment, context, time.GetUtcNow());
            else if (shipment.BuyingCarrier is null)
                context.Tell(shipment.WasReaddressed(to, time.GetUtcNow()));
            else
                Wait(shipment, to, context);
            context.Batch.BatchCommands.Add(ShipmentStore.Update(shipment));
        }
    }

    private static void Wait(Shipment shipment, AddressRecord to, RecoveryContext context)
    {
        shipment.NextShipTo = to;
        if (shipment.LabelId is not null)
            context.Intend(VoidLabel.PointOf(shipment));
    }

    /// <summary>The parcel goes where its label says.</summary>
    public static void TooLate(Shipment shipment, RecoveryContext context, DateTimeOffset now)
    {
        shipment.NextShipTo = null;
        if (shipment.DeliveryChange is { State: V1.DeliveryChange.Types.State.Requested, Elsewhere: true } change)
            shipment.DeliveryChange = change with { State = V1.DeliveryChange.Types.State.Refused, AnsweredAt = now, Refusal = "The carrier had the parcel before its label was void; ask again, and the carrier is asked to redirect it." };
        var message = TrackingStatusRules.WasHandedOver(shipment.Tracking) || !shipment.IsRegistered
            ? "Where or how the order goes was changed, but the carrier has the parcel already: ask the carrier to redirect it."
            : "Where or how the order goes was changed, but its label was bought elsewhere: have it voided there, and register the number of another one.";
        if (shipment.Raise(V1.ShipmentException.Types.Kind.AddressChangedTooLate, message, 1, now) is { } fact)
            context.Tell(fact);
    }
}
