using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Notifications.Storage;

namespace Commerce.Notifications.Consumers;

/// <summary>Hears parcels: the shopper is told that theirs left, comes today and arrived.</summary>
internal sealed class ShipmentFactsConsumer(TimeProvider time) :
    IConsumeFact<ShipmentCreated>, IConsumeFact<LabelBought>, IConsumeFact<ParcelTracked>, IConsumeFact<ShipmentExceptionChanged>,
    IConsumeFact<ShipmentReaddressed>, IConsumeFact<ShipmentCancelled>, IConsumeFact<DeliveryChangeTold>
{
    public async Task Consume(ParcelTracked fact, FactContext context)
    {
        var told = await NotificationStore.Told(context.Connection, context.Transaction, fact.OrderId, fact.ShipmentId, context.CancellationToken);
        foreach (var kind in NotificationRules.Of(fact, told))
            context.Decide(Notification.About(fact.StoreId, fact.OrderId, kind, time.GetUtcNow(), fact.ShipmentId, fact.Carrier, fact.TrackingNumber));
    }

    // Nothing to tell: heard because facts of one parcel are counted without a gap.
    public Task Consume(ShipmentCreated fact, FactContext context) => Task.CompletedTask;

    public Task Consume(LabelBought fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ShipmentExceptionChanged fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ShipmentReaddressed fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ShipmentCancelled fact, FactContext context) => Task.CompletedTask;

    public Task Consume(DeliveryChangeTold fact, FactContext context) => Task.CompletedTask;
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
