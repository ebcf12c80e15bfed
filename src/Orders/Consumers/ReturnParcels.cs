using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.ReturningItems;
using Commerce.Orders.Storage;
using State = Commerce.Orders.V1.ReturnParcel.Types.State;

namespace Commerce.Orders.Consumers;

/// <summary>Hears how far the parcels are that bring goods back: they are the return's and not the order's.</summary>
public sealed class ReturnParcels(ReturnChanges returns)
{
    private const string Actor = "service/shipments";

    public Task Planned(ShipmentCreated fact, FactContext context) =>
        Apply(fact, context, (one, now) => one.PlanParcel(fact.ShipmentId, now) ? $"shipments/{fact.ShipmentId} PLANNED" : null);

    public Task Labelled(LabelBought fact, FactContext context) => Apply(fact, context, (one, now) =>
        one.LabelParcel(fact.ShipmentId, fact.Carrier, fact.TrackingNumber, fact.Price, now) ? $"shipments/{fact.ShipmentId} labelled by {fact.Carrier}" : null);

    public Task Renumbered(TrackingNumberChanged fact, FactContext context) => Apply(fact, context, (one, now) =>
        one.RenumberParcel(fact.ShipmentId, fact.Carrier, fact.TrackingNumber, now) ? $"shipments/{fact.ShipmentId} is {fact.Carrier}'s, with another number" : null);

    public Task Unlabelled(ShipmentReaddressed fact, FactContext context) => Apply(fact, context, (one, now) =>
        one.LabelParcel(fact.ShipmentId, "", "", null, now) ? $"shipments/{fact.ShipmentId} goes to another address" : null);

    public Task Moved(ParcelTracked fact, V1.ParcelState to, FactContext context) => Move(fact, to switch
    {
        V1.ParcelState.Shipped => State.Shipped,
        V1.ParcelState.Delivered => State.Delivered,
        // Its sender is the shopper.
        _ => State.Cancelled,
    }, context);

    public Task Cancelled(ShipmentCancelled fact, FactContext context) => Move(fact, State.Cancelled, context);

    private Task Move(IShipmentFact fact, State state, FactContext context) => Apply(fact, context, (one, now) =>
        one.MoveParcel(fact.ShipmentId, state, now) ? $"shipments/{fact.ShipmentId} {FactName.Of(state)}" : null);

    private async Task Apply(IShipmentFact fact, FactContext context, Func<Return, DateTimeOffset, string?> change)
    {
        if (!OrderId.TryParse(fact.OrderId, out var id))
            throw new InvalidOperationException($"\"{fact.OrderId}\" is not an Order ID.");
        OrdersTelemetry.About(id);
        var order = await OrderStore.Lock(context.Connection, context.Transaction, id, context.CancellationToken)
            ?? throw new InvalidOperationException($"There is no order {id}, yet {Actor} told a fact about it.");
        await returns.Progress(order, fact.ReturnNumber, Actor, context.Batch, change, context.CancellationToken);
    }
}
