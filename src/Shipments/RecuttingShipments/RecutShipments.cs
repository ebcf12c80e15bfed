using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Shipments.CancellingShipments;
using Commerce.Shipments.PlanningShipments;
using Commerce.Shipments.ResolvingExceptions;
using Commerce.Shipments.Storage;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.RecuttingShipments;

/// <summary>
/// An order's lines changed. A parcel that holds pieces that are no longer wanted is cancelled, and what is wanted and in no parcel
/// is packed into further ones. A parcel with a label counts as holding its pieces until the carrier has confirmed that the label
/// is void, and one whose label is being bought at this moment until that was bought and voided: nothing is packed twice. What the
/// carrier has already is shown as an exception.
/// </summary>
internal sealed class RecutShipments(
    OrderService.OrderServiceClient orders, StoreService.StoreServiceClient stores, IOptions<ShipmentsOptions> options, TimeProvider time) : IRecover
{
    public const string PointKind = "recut-shipments";

    public string Kind => PointKind;

    /// <summary>One for each change and each parcel that is cancelled for it: a later one must not find its work taken for that of an earlier one.</summary>
    public static RecoveryPoint PointOf(string orderId, long version, string after = "change") =>
        new(PointKind, $"{orderId}/{version}/{after}", new OrderVersion(version).ToPayload());

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var orderId = point.Key.Split('/', 2)[0];
        ShipmentsTelemetry.TagOrder(orderId);
        var payload = OrderVersion.Of(point);
        var order = await orders.GetOrderAsync(new GetOrderRequest { Name = $"orders/{orderId}", MinVersion = payload.Version }, cancellationToken: cancellationToken);
        if (order.State == OrderState.Cancelled)
            return new RecoveryOutcome.Done();
        var ownPlace = await PlanShipments.OwnPlace(order, stores, cancellationToken);
        return new RecoveryOutcome.Done(context => Recut(order, ownPlace, context));
    }

    private async Task Recut(Order order, Place ownPlace, RecoveryContext context)
    {
        var now = time.GetUtcNow();
        var (cancelled, editedTo) = await PlanShipments.Heard(order.OrderId, context);
        if (cancelled)
            return;
        if (editedTo > order.Version)
        {
            // It changed again after it was read here; whoever heard of that may have been here before.
            context.Intend(PointOf(order.OrderId, editedTo, $"read-{order.Version}"));
            return;
        }

        var parcels = await ShipmentStore.LockOrder(context.Connection, context.Transaction, order.OrderId, context.CancellationToken);
        // Not planned yet: planning reads the lines as they are.
        if (parcels.Count == 0)
            return;

        var held = new Dictionary<int, long>();
        foreach (var parcel in parcels.Where(Holds))
            Count(held, parcel, 1);
        foreach (var parcel in parcels.OrderByDescending(parcel => parcel.Position).Where(parcel => Holds(parcel) && !parcel.CancelRequested && !parcel.IsOver))
        {
            if (TrackingStatusRules.WasHandedOver(parcel.Tracking) || parcel.IsRegistered || !parcel.Lines.Any(line => held[line.LineNumber] > Wanted(order, line.LineNumber)))
                continue;
            Cancel(parcel, context, now);
            if (!Holds(parcel))
                Count(held, parcel, -1);
            context.Batch.BatchCommands.Add(ShipmentStore.Update(parcel));
        }

        Pack(order, ownPlace, parcels.Count, held, context, now);
    }

    private static void Cancel(Shipment parcel, RecoveryContext context, DateTimeOffset now)
    {
        (parcel.CancelRequested, parcel.Recut) = (true, true);
        if (parcel.LabelId is not null)
            context.Intend(VoidLabel.PointOf(parcel));
        else if (parcel.BuyingCarrier is null && parcel.Cancel(now) is { } fact)
            context.Tell(fact);
    }

    private void Pack(Order order, Place ownPlace, int position, Dictionary<int, long> held, RecoveryContext context, DateTimeOffset now)
    {
        var missing = order.Clone();
        foreach (var line in missing.Lines)
            line.Quantity = (int)Math.Max(0, line.Quantity - held.GetValueOrDefault(line.LineNumber));
        foreach (var gone in missing.Lines.Where(line => line.Quantity == 0).ToList())
            missing.Lines.Remove(gone);
        foreach (var parcel in ShipmentPlan.Of(missing, ownPlace, options.Value, now, position))
            PlanShipments.Add(parcel, context);
    }

    // One that will not be sent holds nothing, nor one whose pieces are sent again unless it turned up; one that came back is another
    // matter than one that was never sent.
    private static bool Holds(Shipment parcel) =>
        parcel.Tracking.Status != V1.TrackingStatus.Cancelled && (parcel.Remedy != Remedy.Reshipped || parcel.Tracking.Status == V1.TrackingStatus.Delivered);

    private static long Wanted(Order order, int lineNumber) => order.Lines.FirstOrDefault(line => line.LineNumber == lineNumber)?.Quantity ?? 0;

    private static void Count(Dictionary<int, long> held, Shipment parcel, int sign)
    {
        foreach (var line in parcel.Lines)
            held[line.LineNumber] = held.GetValueOrDefault(line.LineNumber) + (sign * line.Quantity);
    }
}
