using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Notifications.Storage;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;

namespace Commerce.Notifications.Consumers;

/// <summary>Hears parcels: the shopper is told that theirs left, comes today and arrived, and which label brings a return back.</summary>
internal sealed class ShipmentFactsConsumer(TimeProvider time) :
    IConsumeFact<ShipmentCreated>, IConsumeFact<LabelBought>, IConsumeFact<TrackingNumberChanged>, IConsumeFact<ParcelTracked>, IConsumeFact<ShipmentExceptionChanged>,
    IConsumeFact<ShipmentReaddressed>, IConsumeFact<ShipmentCancelled>, IConsumeFact<DeliveryChangeTold>
{
    private static readonly string?[] NoLabel = ["NO_RATE", "LABEL_REFUSED", "CARRIER_UNAVAILABLE"];

    public async Task Consume(ParcelTracked fact, FactContext context)
    {
        var told = await NotificationStore.Told(context.Connection, context.Transaction, fact.OrderId, fact.ShipmentId, context.CancellationToken);
        foreach (var kind in NotificationRules.Of(fact, told))
            context.Decide(Notification.About(fact.StoreId, fact.OrderId, kind, time.GetUtcNow(), fact.ShipmentId, fact.Carrier, fact.TrackingNumber));
    }

    public Task Consume(LabelBought fact, FactContext context) => TellApproval(fact, context, fact.ShipmentId, fact.Carrier, fact.TrackingNumber);

    // Who asked is not kept waiting until somebody has a label.
    public Task Consume(ShipmentExceptionChanged fact, FactContext context) => NoLabel.Contains(fact.Kind) ? TellApproval(fact, context) : Task.CompletedTask;

    // Nothing to tell: heard because facts of one parcel are counted without a gap.
    public Task Consume(ShipmentCreated fact, FactContext context) => Task.CompletedTask;

    public Task Consume(TrackingNumberChanged fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ShipmentReaddressed fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ShipmentCancelled fact, FactContext context) => Task.CompletedTask;

    public Task Consume(DeliveryChangeTold fact, FactContext context) => Task.CompletedTask;

    private Task TellApproval(IShipmentFact fact, FactContext context, string shipmentId = "", string carrier = "", string trackingNumber = "")
    {
        if (fact.ReturnNumber > 0)
        {
            context.Decide(Notification.About(
                fact.StoreId, fact.OrderId, Kind.ReturnApproved, time.GetUtcNow(), shipmentId, carrier, trackingNumber, OrderFactsConsumer.ReturnOf(fact.ReturnNumber)) with
            {
                ReturnNumber = fact.ReturnNumber,
            });
        }

        return Task.CompletedTask;
    }
}

internal static class Decisions
{
    /// <summary>The message and the intent to send it, with the fact that caused it.</summary>
    public static void Decide(this FactContext context, Notification notification)
    {
        context.Batch.BatchCommands.Add(NotificationStore.Insert(notification));
        context.Intend(new RecoveryPoint(SendingMail.SendMail.PointKind, notification.Id.ToString("N")));
    }
}
