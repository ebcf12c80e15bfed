using System.Diagnostics;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.RecuttingShipments;
using Commerce.Shipments.ResolvingExceptions;
using Commerce.Shipments.Storage;
using Commerce.Shipments.WatchingTracking;
using Commerce.Tracking.Payloads;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Shipments.IngestingScans;

/// <summary>What became of the scans of one delivery.</summary>
internal sealed record IngestionResult(int Kept, int Known, int Unclaimed);

/// <summary>
/// Keeps scans, each once, and derives the status. Two deliveries for one parcel wait for each other at its number. What brings nothing new
/// writes nothing. A delivery of many parcels is kept in several transactions of some; each parcel's scans in one.
/// </summary>
internal sealed class ScanIngestion(NpgsqlDataSource database, Outbox outbox, RecoveryPoints recoveryPoints, TrackingWatch watch, ArrivalEstimator estimator, IOptions<ShipmentsOptions> options, TimeProvider time)
{
    // Long enough that a round trip is shared, short enough that nobody waits long for a parcel.
    private const int ParcelsAtOnce = 100;

    /// <param name="source">How we learned of them, for example "webhook".</param>
    /// <param name="reported">The scans, of any parcels.</param>
    /// <param name="cancellationToken">Stops between two transactions.</param>
    public async Task<IngestionResult> Ingest(string source, IReadOnlyList<ReportedScan> reported, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var result = new IngestionResult(0, 0, 0);
        var parcels = reported.GroupBy(scan => new CarrierNumber(scan.Carrier, scan.TrackingNumber))
            .Select(parcel => (Number: parcel.Key, Scans: parcel.Select(scan => scan.ToScan(source, now, options.Value.FutureTolerance)).DistinctBy(scan => scan.Id).ToList()));
        foreach (var some in parcels.Chunk(ParcelsAtOnce))
        {
            var one = await Ingest(some, now, cancellationToken);
            result = new IngestionResult(result.Kept + one.Kept, result.Known + one.Known, result.Unclaimed + one.Unclaimed);
        }

        foreach (var carrier in reported.GroupBy(scan => scan.Carrier))
            ShipmentsTelemetry.Scans.Add(carrier.Count(), new KeyValuePair<string, object?>("commerce.carrier", CarrierTag(carrier.Key)));
        ShipmentsTelemetry.DuplicateScans.Add(result.Known);
        return result;
    }

    /// <summary>Adds to the batch what new scans of a locked parcel change; returns how many are new.</summary>
    public int Apply(NpgsqlBatch batch, Shipment shipment, IReadOnlyList<Scan> known, IReadOnlyList<Scan> scans, DateTimeOffset now)
    {
        var fresh = Fresh(known, scans);
        if (fresh.Count > 0)
        {
            outbox.Add(batch, Track(shipment, known, fresh, now, point => recoveryPoints.Add(batch, point)));
            batch.BatchCommands.Add(ScanRows.Insert([.. fresh.Select(scan => (shipment.Id, scan))]));
            AddProof(batch, shipment.Id, fresh);
            batch.BatchCommands.Add(ShipmentStore.UpdateTracking([shipment]));
        }

        return fresh.Count;
    }

    private async Task<IngestionResult> Ingest((CarrierNumber Number, List<Scan> Scans)[] parcels, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var found = await ShipmentStore.LockNumbers(connection, transaction, [.. parcels.SelectMany(parcel => Names(parcel.Number, parcel.Scans)).Distinct()], cancellationToken);
        var seen = new HashSet<Guid>();
        var unclaimed = new List<(CarrierNumber, Scan)>();
        var kept = new List<(Guid, Scan)>();
        var changed = new List<Shipment>();
        var facts = new List<(IFact, string?)>();
        var points = new List<RecoveryPoint>();
        foreach (var (number, scans) in parcels)
        {
            var (parcel, isFound) = Names(number, scans).Where(found.ContainsKey).Select(name => (found[name], true)).FirstOrDefault();
            if (!isFound || !seen.Add(parcel.Shipment.Id))
            {
                unclaimed.AddRange(scans.Select(scan => (number, scan)));
                continue;
            }

            if (parcels.Length == 1)
                ShipmentsTelemetry.TagOrder(parcel.Shipment.OrderId);
            var fresh = Fresh(parcel.Scans, scans);
            if (fresh.Count == 0)
                continue;
            facts.Add((Track(parcel.Shipment, parcel.Scans, fresh, now, points.Add), Activity.Current?.Id));
            kept.AddRange(fresh.Select(scan => (parcel.Shipment.Id, scan)));
            changed.Add(parcel.Shipment);
        }

        await using var batch = new NpgsqlBatch(connection, transaction);
        if (unclaimed.Count > 0)
            batch.BatchCommands.Add(ScanRows.InsertUnclaimed(unclaimed, now));
        if (kept.Count > 0)
        {
            batch.BatchCommands.Add(ScanRows.Insert(kept));
            outbox.Add(batch, facts);
            foreach (var parcel in kept.GroupBy(row => row.Item1, row => row.Item2))
                AddProof(batch, parcel.Key, parcel);
            batch.BatchCommands.Add(ShipmentStore.UpdateTracking(changed));
            points.ForEach(point => recoveryPoints.Add(batch, point));
        }

        if (batch.BatchCommands.Count > 0)
        {
            // The commit travels with the writes: a webhook costs two round trips, and the parcels' locks are held for one. After a
            // failed write the server skips the rest of the batch, so it never commits a part.
            batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }

        if (kept.Count > 0)
        {
            outbox.Wake();
            if (points.Count > 0)
                recoveryPoints.Wake();
            watch.Signal(changed.Select(shipment => shipment.Id));
        }

        return new IngestionResult(kept.Count, parcels.Sum(parcel => parcel.Scans.Count) - kept.Count - unclaimed.Count, unclaimed.Count);
    }

    // A label that an aggregator sold bore the aggregator's name, before parcels bore that of their carrier.
    private static IEnumerable<CarrierNumber> Names(CarrierNumber number, List<Scan> scans) =>
        scans.Select(scan => scan.Reporter).Where(reporter => reporter.Length > 0).Prepend(number.Carrier).Distinct().Select(carrier => number with { Carrier = carrier });

    private static void AddProof(NpgsqlBatch batch, Guid shipmentId, IEnumerable<Scan> scans)
    {
        if (scans.LastOrDefault(scan => scan.Proof is not null) is { } delivered)
            batch.BatchCommands.Add(ProofRows.Insert(shipmentId, delivered));
    }

    private static List<Scan> Fresh(IReadOnlyList<Scan> known, IReadOnlyList<Scan> scans)
    {
        var knownIds = known.Select(scan => scan.Id).ToHashSet();
        return [.. scans.Where(scan => !knownIds.Contains(scan.Id))];
    }

    private ParcelTracked Track(Shipment shipment, IReadOnlyList<Scan> known, List<Scan> fresh, DateTimeOffset now, Action<RecoveryPoint> intend)
    {
        var state = TrackingStatusRules.Derive(known.Concat(fresh), shipment.CreatedAt);
        // A parcel that we cancelled stays so, unless its carrier has it all the same.
        if (shipment.Tracking.Status == V1.TrackingStatus.Cancelled && !TrackingStatusRules.IsWithCarrier(state.Status))
            state = state with { Status = V1.TrackingStatus.Cancelled };
        // It was given up for lost, and turned up: what was packed instead need not leave.
        if (shipment.Remedy == Remedy.Reshipped && state.Status == V1.TrackingStatus.Delivered && shipment.Tracking.Status != V1.TrackingStatus.Delivered)
            intend(RecutShipments.PointOf(shipment.OrderId, 0, $"arrived/{shipment.PublicId}/{shipment.Version}"));
        return shipment.WasTracked(state, fresh.Count, now, now) with { Arrival = ArrivalMessage.FactOf(estimator.Of(shipment, [.. known, .. fresh])) };
    }

    // Whoever sends scans names their carrier: a stranger's name must not become a time series of its own.
    private static string CarrierTag(string carrier) => Tracking.Vocabularies.CarrierNames.IsKnown(carrier) ? carrier : "other";
}
