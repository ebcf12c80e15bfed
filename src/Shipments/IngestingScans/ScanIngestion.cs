using Commerce.Messaging;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.RecuttingShipments;
using Commerce.Shipments.ResolvingExceptions;
using Commerce.Shipments.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Shipments.IngestingScans;

/// <summary>What became of the events of one delivery.</summary>
internal sealed record IngestionResult(int Kept, int Known, int Unclaimed);

/// <summary>
/// Keeps scans, each once, and derives the status, in one transaction a parcel. Two deliveries for one parcel wait for each
/// other at its row. What brings nothing new writes nothing.
/// </summary>
internal sealed class ScanIngestion(NpgsqlDataSource database, Outbox outbox, RecoveryPoints recoveryPoints, IOptions<ShipmentsOptions> options, TimeProvider time)
{
    public async Task<IngestionResult> Ingest(string carrier, string source, IReadOnlyList<CarrierEvent> events, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var result = new IngestionResult(0, 0, 0);
        foreach (var parcel in events.GroupBy(one => one.TrackingNumber))
        {
            var scans = parcel.Select(one => one.ToScan(carrier, source, now, options.Value.FutureTolerance)).DistinctBy(scan => scan.Id).ToList();
            var one = await Ingest(parcel.Key, carrier, scans, now, cancellationToken);
            result = new IngestionResult(result.Kept + one.Kept, result.Known + one.Known, result.Unclaimed + one.Unclaimed);
        }

        var tags = new KeyValuePair<string, object?>("commerce.carrier", carrier);
        ShipmentsTelemetry.Scans.Add(result.Kept + result.Unclaimed, tags);
        ShipmentsTelemetry.DuplicateScans.Add(result.Known, tags);
        return result;
    }

    private async Task<IngestionResult> Ingest(string number, string carrier, List<Scan> scans, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (shipment, known) = await ShipmentStore.LockNumber(connection, transaction, carrier, number, cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (shipment is null)
        {
            batch.BatchCommands.Add(ScanRows.InsertUnclaimed(number, carrier, scans, now));
            await ExecuteAndCommit(batch, cancellationToken);
            return new IngestionResult(0, 0, scans.Count);
        }

        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        var kept = Apply(batch, outbox, recoveryPoints, shipment, known, scans, now);
        if (kept > 0)
        {
            await ExecuteAndCommit(batch, cancellationToken);
            outbox.Wake();
            recoveryPoints.Wake();
        }

        return new IngestionResult(kept, scans.Count - kept, 0);
    }

    // The commit travels with the writes: a webhook costs two round trips, and the parcel's lock is held for one. After a failed
    // write the server skips the rest of the batch, so it never commits a part.
    private static async Task ExecuteAndCommit(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Adds to the batch what new scans of a locked parcel change; returns how many are new.</summary>
    public static int Apply(NpgsqlBatch batch, Outbox outbox, RecoveryPoints recoveryPoints, Shipment shipment, IReadOnlyList<Scan> known, IReadOnlyList<Scan> scans, DateTimeOffset now)
    {
        var knownIds = known.Select(scan => scan.Id).ToHashSet();
        var fresh = scans.Where(scan => !knownIds.Contains(scan.Id)).ToList();
        if (fresh.Count == 0)
            return 0;
        var state = TrackingStatusRules.Derive(known.Concat(fresh), shipment.CreatedAt);
        // A parcel that we cancelled stays so, unless its carrier has it all the same.
        if (shipment.Tracking.Status == V1.TrackingStatus.Cancelled && !TrackingStatusRules.IsWithCarrier(state.Status))
            state = state with { Status = V1.TrackingStatus.Cancelled };
        // It was given up for lost, and turned up: what was packed instead need not leave.
        if (shipment.Remedy == Remedy.Reshipped && state.Status == V1.TrackingStatus.Delivered && shipment.Tracking.Status != V1.TrackingStatus.Delivered)
            recoveryPoints.Add(batch, RecutShipments.PointOf(shipment.OrderId, 0, $"arrived/{shipment.PublicId}/{shipment.Version}"));
        batch.BatchCommands.Add(ScanRows.Insert(shipment.Id, fresh));
        if (fresh.LastOrDefault(scan => scan.Proof is not null) is { } delivered)
            batch.BatchCommands.Add(ProofRows.Insert(shipment.Id, delivered));
        outbox.Add(batch, shipment.WasTracked(state, fresh.Count, now, now));
        batch.BatchCommands.Add(ShipmentStore.Update(shipment));
        return fresh.Count;
    }
}
