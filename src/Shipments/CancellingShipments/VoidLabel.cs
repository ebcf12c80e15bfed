using System.Text.Json;
using Commerce.Messaging;
using Commerce.Shipments.BuyingLabels;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.ReaddressingShipments;
using Commerce.Shipments.RecuttingShipments;
using Commerce.Shipments.Storage;
using Microsoft.Extensions.Options;
using Kind = Commerce.Shipments.V1.ShipmentException.Types.Kind;

namespace Commerce.Shipments.CancellingShipments;

/// <summary>
/// Voids the label of a parcel whose order was cancelled, or that goes to another address and gets another label; one that
/// the carrier has already is shown as an exception.
/// </summary>
internal sealed partial class VoidLabel(ShipmentStore store, CarrierDirectory carriers, IOptions<ShipmentsOptions> options, TimeProvider time, ILogger<VoidLabel> logger) : IRecover
{
    public const string PointKind = "void-label";

    public const string InTransit = "The order was cancelled, but the carrier has the parcel already: ask the carrier to return it, or the recipient to refuse it.";

    public string Kind => PointKind;

    public static RecoveryPoint PointOf(Shipment shipment) => new(PointKind, shipment.PublicId);

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        if (await store.Find(Guid.Parse(point.Key), cancellationToken) is not { LabelId: { } labelId } shipment || shipment.Tracking.Status == V1.TrackingStatus.Cancelled)
            return new RecoveryOutcome.Done();
        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        // Who sold it, though staff may have corrected whose number it is.
        var seller = shipment.BuyingCarrier ?? shipment.Carrier!;
        try
        {
            var carrier = carriers.Find(seller) ?? throw new HttpRequestException($"{seller} is not among the configured carriers.");
            var outcome = await carrier.VoidLabel(labelId, $"{shipment.PublicId}/void/{labelId}", cancellationToken);
            return new RecoveryOutcome.Done(context => Voided(shipment.Id, outcome, attempt, context));
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            LogUnanswered(seller, attempt, exception.GetType().Name);
            return new RecoveryOutcome.Again(
                time.GetUtcNow() + options.Value.RetryAfter(attempt),
                $"{seller} does not answer",
                attempt < options.Value.LabelAttemptsBeforeException ? null : context => Raise(
                    shipment.Id, V1.ShipmentException.Types.Kind.CarrierUnavailable, $"{seller} does not answer, so the label that is not wanted any more is not void yet. Asked again by itself.", attempt, context));
        }
    }

    private async Task Voided(Guid id, VoidOutcome outcome, int attempt, RecoveryContext context)
    {
        if (await ShipmentStore.Lock(context.Connection, context.Transaction, id, context.CancellationToken) is not { LabelId: not null } shipment)
            return;
        if (!shipment.CancelRequested)
        {
            Readdress(shipment, outcome, context);
            return;
        }

        if (outcome == VoidOutcome.HandedOver && shipment.Recut)
        {
            // It goes on as it is: what was taken off the order is in it.
            (shipment.CancelRequested, shipment.Recut, shipment.NextShipTo) = (false, false, null);
            if (shipment.Raise(V1.ShipmentException.Types.Kind.CancelledInTransit, "Pieces of it were taken off the order, but the carrier has the parcel already: ask the recipient to send them back.", attempt, time.GetUtcNow()) is { } raised)
                context.Tell(raised);
            context.Batch.BatchCommands.Add(ShipmentStore.Update(shipment));
            return;
        }

        if (outcome == VoidOutcome.HandedOver)
        {
            await Raise(id, V1.ShipmentException.Types.Kind.CancelledInTransit, InTransit, attempt, context);
            return;
        }

        AwaitRefund(shipment, outcome, context);
        if (shipment.Cancel(time.GetUtcNow()) is not { } fact)
            return;
        context.Tell(fact);
        if (shipment.Recut)
            context.Intend(RecutShipments.PointOf(shipment.OrderId, 0, shipment.PublicId));
        context.Batch.BatchCommands.Add(ShipmentStore.Update(shipment));
    }

    private void Readdress(Shipment shipment, VoidOutcome outcome, RecoveryContext context)
    {
        if (shipment.NextShipTo is not { } to)
            return;
        if (outcome == VoidOutcome.HandedOver)
        {
            ReaddressShipments.TooLate(shipment, context, time.GetUtcNow());
        }
        else
        {
            AwaitRefund(shipment, outcome, context);
            context.Tell(shipment.WasReaddressed(to, time.GetUtcNow()));
            context.Intend(BuyLabel.PointOf(shipment));
        }

        context.Batch.BatchCommands.Add(ShipmentStore.Update(shipment));
    }

    // Before the parcel forgets its label.
    private void AwaitRefund(Shipment shipment, VoidOutcome outcome, RecoveryContext context)
    {
        if (outcome == VoidOutcome.RefundPending)
            context.Intend(FollowRefund.PointOf(shipment, time.GetUtcNow()));
    }

    private async Task Raise(Guid id, Kind kind, string message, int attempt, RecoveryContext context)
    {
        if (await ShipmentStore.Lock(context.Connection, context.Transaction, id, context.CancellationToken) is not { } shipment
            || shipment.Raise(kind, message, attempt, time.GetUtcNow()) is not { } fact)
            return;
        context.Tell(fact);
        context.Batch.BatchCommands.Add(ShipmentStore.Update(shipment));
    }

    [LoggerMessage(LogLevel.Warning, "{Carrier} did not answer attempt {Attempt} to void a label: {Error}.")]
    private partial void LogUnanswered(string carrier, int attempt, string error);
}
