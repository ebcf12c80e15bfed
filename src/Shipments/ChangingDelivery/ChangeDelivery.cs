using System.Globalization;
using System.Text.Json;
using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Shipments.CancellingShipments;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.PrintingLabels;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using Npgsql;
using State = Commerce.Shipments.V1.DeliveryChange.Types.State;

namespace Commerce.Shipments.ChangingDelivery;

/// <summary>
/// Another day, another place, until the parcel is out for delivery. The wish is stored first; a parcel that its carrier does
/// not have yet gets another label for another address, and of everything else the carrier is asked under a key of ours until
/// it has answered.
/// </summary>
internal sealed partial class ChangeDelivery(
    ShipmentStore store, CarrierDirectory carriers, NpgsqlDataSource database, Requests requests, Outbox outbox, RecoveryPoints recoveryPoints,
    ArrivalEstimator estimator, IOptions<ShipmentsOptions> options, TimeProvider time, ILogger<ChangeDelivery> logger) : IRecover
{
    public const string PointKind = "change-delivery";

    private const string Over = "It is out for delivery, or its journey is over.";

    public string Kind => PointKind;

    public Task<V1.Shipment> Reschedule(RescheduleDeliveryRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var wish = DeliveryRequests.Checked(request, time.GetUtcNow());
        return Ask(ShipmentMessage.IdOf(request.Name), key, wish, cancellationToken);
    }

    public Task<V1.Shipment> Redirect(RedirectDeliveryRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var wish = DeliveryRequests.Checked(request);
        return Ask(ShipmentMessage.IdOf(request.Name), key, wish, cancellationToken);
    }

    public static Failure TooLate(Shipment shipment, string why) => new(ErrorReason.DeliveryChangeTooLate, why)
    {
        Metadata = new Dictionary<string, string> { ["status"] = StatusName.Of(shipment.Tracking.Status) },
        Preconditions = [("STATUS", ShipmentMessage.NamePrefix + shipment.PublicId, $"It is {StatusName.Of(shipment.Tracking.Status)}.")],
    };

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var (id, changeId) = point.Key.Split('/') is [var shipmentId, var change]
            ? (Guid.Parse(shipmentId), Guid.Parse(change))
            : throw new InvalidOperationException($"The recovery point {point.Kind} \"{point.Key}\" names no change.");
        if (await store.Find(id, cancellationToken) is not { LabelId: not null, DeliveryChange: { State: State.Requested } wanted } shipment || wanted.Id != changeId)
            return new RecoveryOutcome.Done();
        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        try
        {
            var carrier = carriers.Of(shipment) ?? throw new HttpRequestException($"{shipment.Carrier} is not among the configured carriers.");
            var outcome = await carrier.ChangeDelivery(shipment, wanted.To, wanted.Elsewhere, $"{shipment.PublicId}/delivery/{changeId:N}", cancellationToken);
            return new RecoveryOutcome.Done(context => Answered(id, changeId, outcome, context));
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            LogUnanswered(shipment.Carrier!, attempt, exception.GetType().Name);
            return new RecoveryOutcome.Again(time.GetUtcNow() + options.Value.RetryAfter(attempt), $"{shipment.Carrier} does not answer");
        }
    }

    private async Task Answered(Guid id, Guid changeId, DeliveryChangeOutcome outcome, RecoveryContext context)
    {
        if (await ShipmentStore.Lock(context.Connection, context.Transaction, id, context.CancellationToken) is not { DeliveryChange: { State: State.Requested } wanted } shipment
            || wanted.Id != changeId)
            return;
        var now = time.GetUtcNow();
        context.Tell(outcome.Accepted ? shipment.ChangeWasAccepted(outcome.EstimatedDeliveryAt, now) : shipment.ChangeWasRefused(outcome.Why, now));
        context.Batch.BatchCommands.Add(ShipmentStore.Update(shipment));
    }

    private async Task<V1.Shipment> Ask(Guid id, RequestKey key, DeliveryWish wish, CancellationToken cancellationToken)
    {
        if (await requests.Find(key, cancellationToken) is null)
            await Store(id, key, wish, cancellationToken);
        return await store.Select(ShipmentQuery.ById(id), cancellationToken) is [var found] ? ShipmentMessage.Of(found, estimator) : throw PrintLabels.NotFound(id);
    }

    private async Task Store(Guid id, RequestKey key, DeliveryWish wish, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var shipment = await ShipmentStore.Lock(connection, transaction, id, cancellationToken) ?? throw PrintLabels.NotFound(id);
        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        Require(shipment);
        var now = time.GetUtcNow();
        var to = wish.Of(shipment.ShipTo);
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(requests.Record(key, ShipmentMessage.NamePrefix + shipment.PublicId, shipment.Version + 1));
        Begin(batch, shipment, new DeliveryChangeRecord(Guid.CreateVersion7(now), State.Requested, to, wish.Elsewhere, now, null, ""), now);
        batch.BatchCommands.Add(ShipmentStore.Update(shipment));
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (PostgresException exception) when (Requests.IsRepeated(exception))
        {
            await transaction.RollbackAsync(cancellationToken);
            await requests.Find(key, cancellationToken);
            return;
        }

        outbox.Wake();
        recoveryPoints.Wake();
    }

    private void Begin(NpgsqlBatch batch, Shipment shipment, DeliveryChangeRecord change, DateTimeOffset now)
    {
        if (shipment.BuyingCarrier is null && shipment.LabelId is null)
        {
            // Nobody was asked for anything yet: the label is bought as is wished now.
            shipment.DeliveryChange = change;
            outbox.Add(batch, shipment.WasReaddressed(change.To, now));
            return;
        }

        outbox.Add(batch, shipment.ChangeWasRequested(change, now));
        if (shipment.LabelId is null || (change.Elsewhere && !TrackingStatusRules.WasHandedOver(shipment.Tracking)))
        {
            // A label bears the address: it is voided, and another one bought. One that is being bought is bought to its end first.
            shipment.NextShipTo = change.To;
            if (shipment.LabelId is not null)
                recoveryPoints.Add(batch, VoidLabel.PointOf(shipment));
        }
        else
        {
            recoveryPoints.Add(batch, new RecoveryPoint(PointKind, string.Create(CultureInfo.InvariantCulture, $"{shipment.PublicId}/{change.Id:N}")));
        }
    }

    private static void Require(Shipment shipment)
    {
        if (shipment.IsOver || shipment.CancelRequested || shipment.Tracking.Status is V1.TrackingStatus.OutForDelivery or V1.TrackingStatus.AvailableForPickup)
            throw TooLate(shipment, shipment.Tracking.Status == V1.TrackingStatus.OutForDelivery ? "The parcel is out for delivery; after a failed attempt it can be changed again." : Over);
        if (shipment.IsRegistered)
            throw TooLate(shipment, "Its label was bought elsewhere; ask whoever sold it.");
        if (shipment.ReturnNumber > 0)
            throw TooLate(shipment, "The parcel comes back to the shop; only its sender decides where it goes.");
        if (shipment.NextShipTo is not null || shipment.DeliveryChange is { State: State.Requested })
            throw new Failure(ErrorReason.DeliveryChangePending, "The change asked for before is not decided yet; see delivery_change, and ask again when it is.");
    }

    [LoggerMessage(LogLevel.Warning, "{Carrier} did not answer attempt {Attempt} to change a delivery: {Error}.")]
    private partial void LogUnanswered(string carrier, int attempt, string error);
}
