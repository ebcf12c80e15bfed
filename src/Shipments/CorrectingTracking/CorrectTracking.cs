using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Shipments.DetectingCarriers;
using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.IngestingScans;
using Commerce.Shipments.Storage;
using Commerce.Shipments.WatchingSilence;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Shipments.CorrectingTracking;

/// <summary>What is right of a parcel's number.</summary>
/// <param name="TrackingNumber">In its form; null: as it is.</param>
/// <param name="Carrier">Empty: as it is, or as the number tells.</param>
/// <param name="Etag">Empty: not checked.</param>
internal sealed record Correction(Guid ShipmentId, string? TrackingNumber, string Carrier, string Note, string Etag);

/// <summary>
/// Puts right a parcel's number or carrier. Scans belong to the number that they were learned of: those of the old number go into the
/// parcel's history, and to the parcel that bears that number if there is one; those of the new number, wherever they waited, join.
/// </summary>
internal sealed class CorrectTracking(
    NpgsqlDataSource database, ShipmentStore store, CarrierChoice choice, Requests requests, RecoveryPoints points, Outbox outbox, ScanIngestion ingestion, IOptions<ShipmentsOptions> options, TimeProvider time)
{
    /// <exception cref="Failure">
    /// TRACKING_AMBIGUOUS, TRACKING_NOT_RECOGNISED, CARRIER_NOT_FOUND, SHIPMENT_NOT_FOUND, SHIPMENT_STATE, ETAG_MISMATCH, REQUEST_ID_REUSED.
    /// </exception>
    public async Task Correct(Correction correction, RequestKey key, CancellationToken cancellationToken)
    {
        while (await requests.Find(key, cancellationToken) is null)
        {
            var seen = await store.Find(correction.ShipmentId, cancellationToken) ?? throw new Failure(ErrorReason.ShipmentNotFound, $"There is no shipment {correction.ShipmentId:N}.");
            ShipmentsTelemetry.TagOrder(seen.OrderId);
            Check(seen, correction);
            var number = correction.TrackingNumber ?? seen.TrackingNumber!;
            var carrier = correction.TrackingNumber is null && correction.Carrier.Length == 0 ? seen.Carrier! : choice.Of(number, correction.Carrier, seen.Carrier);
            if ((carrier, number) == (seen.Carrier, seen.TrackingNumber))
                return;
            try
            {
                if (await Attempt(seen, carrier, number, correction, key, cancellationToken))
                    return;
            }
            catch (PostgresException exception) when (Requests.IsRepeated(exception))
            {
                // The first call with this key did it.
            }
        }
    }

    // False: the parcel changed meanwhile; look again.
    private async Task<bool> Attempt(Shipment seen, string carrier, string number, Correction correction, RequestKey key, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var (oldCarrier, oldNumber) = (seen.Carrier!, seen.TrackingNumber!);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Numbers before parcels, as whoever keeps scans does, and two numbers in one order: two that change places wait for each other.
        await using (var locks = new NpgsqlBatch(connection, transaction))
        {
            foreach (var one in new[] { oldNumber, number }.Distinct().Order(StringComparer.Ordinal))
                locks.BatchCommands.Add(ShipmentStore.NumberLock(one));
            // And what is changed here in the order of ids, as whoever locks the parcels of an order.
            locks.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1 FROM shipments WHERE id = $1 OR (tracking_number = $2 AND carrier = $3) ORDER BY id FOR UPDATE")
            {
                Parameters =
                {
                    new NpgsqlParameter<Guid> { TypedValue = seen.Id },
                    new NpgsqlParameter<string> { TypedValue = oldNumber },
                    new NpgsqlParameter<string> { TypedValue = oldCarrier },
                },
            });
            await locks.ExecuteNonQueryAsync(cancellationToken);
        }

        if (await ShipmentStore.Lock(connection, transaction, seen.Id, cancellationToken) is not { } shipment || shipment.Version != seen.Version)
            return false;

        var scans = await FormerNumberRows.Claim(connection, transaction, carrier, number, now - options.Value.UnclaimedScansKept, cancellationToken);
        await using (var batch = new NpgsqlBatch(connection, transaction))
        {
            FormerNumberRows.Replace(batch, shipment.Id, oldCarrier, oldNumber, key.Caller, correction.Note, now);
            outbox.Add(batch, shipment.WasCorrected(carrier, number, now));
            batch.BatchCommands.Add(ShipmentStore.Update(shipment));
            // One that was over is watched again.
            points.Add(batch, WatchSilence.PointOf(shipment, now + options.Value.FirstAskAfter(shipment)));
            ingestion.Apply(batch, shipment, [], scans, now);
            batch.BatchCommands.Add(requests.Record(key, ShipmentMessage.NamePrefix + shipment.PublicId, shipment.Version));
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }

        await HandOver(connection, transaction, oldCarrier, oldNumber, now, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.Wake();
        points.Wake();
        return true;
    }

    // Another parcel bears the old number, and by right: what was learned of it was wrongly kept here.
    private async Task HandOver(NpgsqlConnection connection, NpgsqlTransaction transaction, string carrier, string number, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await ShipmentStore.LockNumber(connection, transaction, carrier, number, cancellationToken) is not { } bearer)
            return;
        var scans = await FormerNumberRows.Claim(connection, transaction, carrier, number, now - options.Value.UnclaimedScansKept, cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (ingestion.Apply(batch, bearer.Parcel, bearer.Known, scans, now) > 0)
            await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Check(Shipment shipment, Correction correction)
    {
        if (correction.Etag.Length > 0 && correction.Etag != ShipmentMessage.EtagOf(shipment))
        {
            throw new Failure(
                ErrorReason.EtagMismatch, $"Shipment {shipment.PublicId} changed since its etag {correction.Etag} was read; read it again.",
                new FieldError("etag", "Not the shipment's etag any more."));
        }

        var (state, why) = shipment switch
        {
            { TrackingNumber: null } => ("UNLABELLED", "It bears no number yet: register one."),
            { Tracking.Status: V1.TrackingStatus.Cancelled } => ("CANCELLED", "It is cancelled: its number is of no use."),
            _ => ("", ""),
        };
        if (why.Length > 0)
            throw new Failure(ErrorReason.ShipmentState, why) { Preconditions = [("SHIPMENT_STATE", ShipmentMessage.NamePrefix + shipment.PublicId, state)] };
    }
}
