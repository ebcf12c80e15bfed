using System.Collections.Frozen;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.ErasingCustomers;
using Commerce.Orders.V1;

namespace Commerce.Orders.Consumers;

/// <summary>Hears how far the parcels are.</summary>
public sealed class ShipmentFacts(OrderChanges orders, ReturnParcels returns)
    : IConsumeFact<ShipmentCreated>, IConsumeFact<LabelBought>, IConsumeFact<TrackingNumberChanged>, IConsumeFact<ParcelTracked>,
      IConsumeFact<ShipmentExceptionChanged>, IConsumeFact<ShipmentReaddressed>, IConsumeFact<ShipmentCancelled>, IConsumeFact<DeliveryChangeTold>, IConsumeFact<PersonalDataErased>
{
    private const string Actor = "service/shipments";

    private const string Delivered = "DELIVERED";
    private const string Returning = "RETURN_TO_SENDER";

    // Statuses that only a parcel has which was handed over. Held up or delayed, it may still be with the shop.
    private static readonly FrozenSet<string> HandedOver =
        new[] { "PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "AVAILABLE_FOR_PICKUP", Delivered, "DELIVERY_FAILED", Returning }.ToFrozenSet(StringComparer.Ordinal);

    public Task Consume(ShipmentCreated fact, FactContext context) => fact.ReturnNumber > 0
        ? returns.Planned(fact, context)
        : orders.Apply(fact.OrderId, Actor, context, (order, moment) => order.PlanParcel(fact.ShipmentId, fact.Lines, moment));

    public Task Consume(LabelBought fact, FactContext context) => fact.ReturnNumber > 0
        ? returns.Labelled(fact, context)
        : orders.Apply(fact.OrderId, Actor, context, (order, moment) => order.LabelParcel(fact.ShipmentId, fact.Carrier, fact.TrackingNumber, moment));

    public Task Consume(TrackingNumberChanged fact, FactContext context) => fact.ReturnNumber > 0
        ? returns.Renumbered(fact, context)
        : orders.Apply(fact.OrderId, Actor, context, (order, moment) => order.LabelParcel(fact.ShipmentId, fact.Carrier, fact.TrackingNumber, moment));

    public Task Consume(ParcelTracked fact, FactContext context) => StateOf(fact) is not { } state ? Task.CompletedTask
        : fact.ReturnNumber > 0 ? returns.Moved(fact, state, context)
        : orders.Apply(fact.OrderId, Actor, context, (order, moment) => order.MoveParcel(fact.ShipmentId, state, moment, fact.StatusAt));

    public Task Consume(ShipmentReaddressed fact, FactContext context) => fact.ReturnNumber > 0
        ? returns.Unlabelled(fact, context)
        : orders.Apply(fact.OrderId, Actor, context, (order, moment) => order.UnlabelParcel(fact.ShipmentId, moment));

    // What keeps a parcel from going on is for Shipments and whoever watches it; the order is where it was.
    public Task Consume(ShipmentExceptionChanged fact, FactContext context) => Task.CompletedTask;

    // Where and how a parcel is handed over is between its recipient and its carrier.
    public Task Consume(DeliveryChangeTold fact, FactContext context) => Task.CompletedTask;

    public Task Consume(ShipmentCancelled fact, FactContext context) => fact.ReturnNumber > 0
        ? returns.Cancelled(fact, context)
        : orders.Apply(fact.OrderId, Actor, context, (order, moment) => order.MoveParcel(fact.ShipmentId, ParcelState.Cancelled, moment));

    public Task Consume(PersonalDataErased fact, FactContext context)
    {
        ErasureStore.Heard(fact, context);
        return Task.CompletedTask;
    }

    /// <summary>What a parcel's status is to the order; null: nothing new, the carrier does not have it yet.</summary>
    public static ParcelState? StateOf(ParcelTracked fact) => StateOf(fact.Status, fact.Reached);

    /// <summary>As above.</summary>
    /// <param name="status">As in commerce.shipments.v1.TrackingStatus without prefix.</param>
    /// <param name="reached">Every status that a scan of it has ever had.</param>
    public static ParcelState? StateOf(string status, IEnumerable<string> reached) => status switch
    {
        Delivered => ParcelState.Delivered,
        Returning => ParcelState.Returned,
        _ when HandedOver.Contains(status) || reached.Any(HandedOver.Contains) => ParcelState.Shipped,
        _ => null,
    };
}
