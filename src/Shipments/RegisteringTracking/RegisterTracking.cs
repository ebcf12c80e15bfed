using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.DetectingCarriers;
using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.IngestingScans;
using Commerce.Shipments.PlanningShipments;
using Commerce.Shipments.Storage;
using Commerce.Shipments.WatchingSilence;
using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Shipments.RegisteringTracking;

/// <summary>A number that was bought elsewhere, in its form, for a parcel of an order.</summary>
/// <param name="Carrier">Empty: as the number tells.</param>
/// <param name="Service">Empty: not known.</param>
/// <param name="ShipmentId">Null: the first parcel of the order that has no label, or else a further one.</param>
internal sealed record BoughtElsewhere(string OrderId, string TrackingNumber, string Carrier, string Service, Guid? ShipmentId);

/// <summary>
/// Makes known the number of a label that was bought elsewhere. Two calls for one order wait for each other, so that a number makes
/// one parcel however often it is told, also under another request_id.
/// </summary>
internal sealed class RegisterTracking(
    NpgsqlDataSource database, ShipmentStore store, CarrierChoice choice, Requests requests, RecoveryPoints points, Outbox outbox, ScanIngestion ingestion,
    OrderService.OrderServiceClient orders, StoreService.StoreServiceClient stores, IOptions<ShipmentsOptions> options, TimeProvider time)
{
    /// <exception cref="Failure">
    /// TRACKING_AMBIGUOUS, TRACKING_NOT_RECOGNISED, CARRIER_NOT_FOUND, ORDER_NOT_FOUND, ORDER_STATE, SHIPMENT_NOT_FOUND, SHIPMENT_STATE,
    /// REQUEST_ID_REUSED.
    /// </exception>
    public async Task<Guid> Register(BoughtElsewhere bought, RequestKey key, CancellationToken cancellationToken)
    {
        ShipmentsTelemetry.TagOrder(bought.OrderId);
        while (true)
        {
            if (await requests.Find(key, cancellationToken) is { } earlier)
                return Guid.ParseExact(earlier.Resource.AsSpan(ShipmentMessage.NamePrefix.Length), "N");
            var parcels = await store.Select(ShipmentQuery.OfOrder(bought.OrderId, onlyExceptions: false, afterPosition: -1, int.MaxValue), cancellationToken);
            if (parcels.FirstOrDefault(one => Bears(one, bought)) is { } same)
                return same.Shipment.Id;
            if (parcels.FirstOrDefault(one => one.Shipment.TrackingNumber == bought.TrackingNumber)?.Shipment is { } other)
            {
                throw new Failure(ErrorReason.ShipmentState, $"Shipment {other.PublicId} of this order bears this number, as {other.Carrier}'s: correct its carrier.")
                {
                    Preconditions = [("SHIPMENT_STATE", ShipmentMessage.NamePrefix + other.PublicId, "LABELLED")],
                };
            }

            var known = parcels.Select(one => one.Shipment.Carrier).OfType<string>().Distinct().ToList();
            var carrier = choice.Of(bought.TrackingNumber, bought.Carrier, known is [var only] ? only : null);
            // Asked before anything is locked; null: a parcel that is planned already is to bear it.
            var order = bought.ShipmentId is null && !parcels.Any(one => Waits(one.Shipment)) ? await Read(bought.OrderId, cancellationToken) : null;
            try
            {
                if (await Attempt(bought with { Carrier = carrier }, order, key, cancellationToken) is { } id)
                    return id;
            }
            catch (PostgresException exception) when (Requests.IsRepeated(exception))
            {
                // The first call with this key has its answer by now.
            }
        }
    }

    // Null: another call changed the order's parcels meanwhile; look again.
    private async Task<Guid?> Attempt(BoughtElsewhere bought, PlannableOrder? order, RequestKey key, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var cancelled = await LockOrder(connection, transaction, bought.OrderId, cancellationToken);
        var outgoing = await ShipmentStore.LockOrder(connection, transaction, bought.OrderId, cancellationToken);
        if (outgoing.Any(one => one.TrackingNumber == bought.TrackingNumber))
            return null;

        await using var batch = new NpgsqlBatch(connection, transaction);
        Shipment shipment;
        if (bought.ShipmentId is { } id)
        {
            shipment = outgoing.FirstOrDefault(one => one.Id == id) ?? await ShipmentStore.Lock(connection, transaction, id, cancellationToken) ?? throw NotFound(id);
            Check(shipment, bought);
        }
        else if (outgoing.OrderBy(one => one.Position).FirstOrDefault(Waits) is { } waiting)
        {
            shipment = waiting;
        }
        else if (order is null)
        {
            return null;
        }
        else
        {
            if (cancelled)
                throw new Failure(ErrorReason.OrderState, $"Order {bought.OrderId} is cancelled: nothing of it is sent.") { Preconditions = [("ORDER_STATE", $"orders/{bought.OrderId}", "CANCELLED")] };
            shipment = order.FurtherParcel(outgoing, await NextPosition(connection, transaction, bought.OrderId, cancellationToken), options.Value.DefaultPieceGrams, now);
            batch.BatchCommands.Add(ShipmentStore.Insert(shipment));
            outbox.Add(batch, shipment.Created());
            ShipmentsTelemetry.Planned.Add(1);
        }

        var scans = await FormerNumberRows.Claim(connection, transaction, bought.Carrier, bought.TrackingNumber, now - options.Value.UnclaimedScansKept, cancellationToken);
        outbox.Add(batch, shipment.WasRegistered(bought.Carrier, bought.Service, bought.TrackingNumber, now));
        batch.BatchCommands.Add(ShipmentStore.Update(shipment));
        points.Add(batch, WatchSilence.PointOf(shipment, now + options.Value.FirstAskAfter(shipment)));
        ingestion.Apply(batch, shipment, [], scans, now);
        batch.BatchCommands.Add(requests.Record(key, ShipmentMessage.NamePrefix + shipment.PublicId, shipment.Version));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.Wake();
        points.Wake();
        return shipment.Id;
    }

    /// <summary>It has no label, and nobody is buying one at this moment.</summary>
    private static bool Waits(Shipment shipment) =>
        shipment is { ReturnNumber: 0, TrackingNumber: null, BuyingCarrier: null, CancelRequested: false, IsOver: false };

    // Also the one that was corrected from it since: whoever tells the wrong number again does not know that yet.
    private static bool Bears(FoundShipment found, BoughtElsewhere bought) =>
        (found.Shipment.TrackingNumber == bought.TrackingNumber && (bought.Carrier.Length == 0 || found.Shipment.Carrier == bought.Carrier))
        || found.FormerNumbers.Any(former => former.TrackingNumber == bought.TrackingNumber && (bought.Carrier.Length == 0 || former.Carrier == bought.Carrier));

    private static void Check(Shipment shipment, BoughtElsewhere bought)
    {
        if (shipment.OrderId != bought.OrderId)
            throw NotFound(shipment.Id);
        var (state, why) = shipment switch
        {
            { TrackingNumber: not null } => ("LABELLED", "It bears a number already: correct that one, or leave shipment empty for a further parcel."),
            { IsOver: true } or { CancelRequested: true } => (StatusName.Of(shipment.Tracking.Status), "It is cancelled or at its end."),
            { BuyingCarrier: not null } => ("BUYING_LABEL", "Its label is being bought at this moment: wait for it, or leave shipment empty for a further parcel."),
            _ => ("", ""),
        };
        if (why.Length > 0)
            throw new Failure(ErrorReason.ShipmentState, why) { Preconditions = [("SHIPMENT_STATE", ShipmentMessage.NamePrefix + shipment.PublicId, state)] };
    }

    private static Failure NotFound(Guid id) => new(ErrorReason.ShipmentNotFound, $"The order has no shipment {id:N}.");

    private static async Task<bool> LockOrder(NpgsqlConnection connection, NpgsqlTransaction transaction, string orderId, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(ShipmentStore.OrderLock(orderId));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1 FROM cancelled_orders WHERE order_id = $1") { Parameters = { new NpgsqlParameter<string> { TypedValue = orderId } } });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken);
    }

    // Parcels that come back are counted with those that go.
    private static async Task<int> NextPosition(NpgsqlConnection connection, NpgsqlTransaction transaction, string orderId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce(max(position), -1) + 1 FROM shipments WHERE order_id = $1", connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = orderId });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<PlannableOrder> Read(string orderId, CancellationToken cancellationToken)
    {
        try
        {
            var order = await orders.GetOrderAsync(new GetOrderRequest { Name = $"orders/{orderId}" }, cancellationToken: cancellationToken);
            if (order.State == OrderState.Cancelled)
                throw new Failure(ErrorReason.OrderState, $"Order {orderId} is cancelled: nothing of it is sent.") { Preconditions = [("ORDER_STATE", $"orders/{orderId}", "CANCELLED")] };
            return new PlannableOrder(order, await PlanShipments.OwnPlace(order, stores, cancellationToken));
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            throw new Failure(ErrorReason.OrderNotFound, $"There is no order {orderId}.");
        }
    }
}
