using System.Diagnostics;
using System.Runtime.InteropServices;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.RecuttingShipments;
using Commerce.Shipments.ResolvingExceptions;
using Commerce.Shipments.Storage;
using Commerce.Shipments.WatchingSilence;
using Commerce.Shipments.WatchingTracking;
using Commerce.Tracking.Payloads;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Shipments.IngestingScans;

/// <summary>What became of the scans of one delivery.</summary>
/// <param name="Refused">Numbers, by carrier, of which nothing was kept: no parcel that the caller may see bears them.</param>
internal sealed record IngestionResult(int Kept, int Known, int Unclaimed, IReadOnlySet<CarrierNumber> Refused);

/// <summary>
/// Keeps scans, each once, and derives the status. Two deliveries for one parcel wait for each other at its number. What brings nothing new
/// writes nothing. A delivery of many parcels is kept in several transactions of some, deliveries that come together in one; each parcel's
/// scans in one.
/// </summary>
internal sealed class ScanIngestion
{
    // Long enough that a round trip is shared, short enough that nobody waits long for a parcel.
    private const int ParcelsAtOnce = 100;

    private readonly NpgsqlDataSource _database;
    private readonly Outbox _outbox;
    private readonly RecoveryPoints _recoveryPoints;
    private readonly TrackingWatch _watch;
    private readonly ArrivalEstimator _estimator;
    private readonly ShipmentsOptions _options;
    private readonly TimeProvider _time;
    private readonly SharedTransactions<Delivery> _transactions;

    public ScanIngestion(
        NpgsqlDataSource database, Outbox outbox, RecoveryPoints recoveryPoints, TrackingWatch watch, ArrivalEstimator estimator, IOptions<ShipmentsOptions> options, TimeProvider time)
    {
        (_database, _outbox, _recoveryPoints, _watch, _estimator, _options, _time) = (database, outbox, recoveryPoints, watch, estimator, options.Value, time);
        _transactions = new SharedTransactions<Delivery>(_options.IngestingTransactions, ParcelsAtOnce, delivery => delivery.Parcels.Count, Keep);
    }

    /// <param name="source">How we learned of them, for example "webhook".</param>
    /// <param name="reported">The scans, of any parcels.</param>
    /// <param name="cancellationToken">Stops between two transactions.</param>
    /// <param name="caller">Who brings them; one that is limited to stores brings scans of their parcels alone. Null: the carrier, or this service.</param>
    public async Task<IngestionResult> Ingest(string source, IReadOnlyList<ReportedScan> reported, CancellationToken cancellationToken, Principal? caller = null)
    {
        var now = _time.GetUtcNow();
        var refused = new HashSet<CarrierNumber>();
        var result = new IngestionResult(0, 0, 0, refused);
        var parcels = reported.GroupBy(scan => new CarrierNumber(scan.Carrier, scan.TrackingNumber))
            .Select(parcel => new ParcelScans(parcel.Key, [.. parcel.Select(scan => scan.ToScan(source, now, _options.FutureTolerance)).DistinctBy(scan => scan.Id)]));
        foreach (var some in parcels.Chunk(ParcelsAtOnce))
        {
            var delivery = new Delivery(some, Activity.Current, caller);
            await _transactions.Write(delivery, cancellationToken);
            result = result with { Kept = result.Kept + delivery.Kept, Known = result.Known + delivery.Known, Unclaimed = result.Unclaimed + delivery.Unclaimed };
            refused.UnionWith(delivery.Refused);
        }

        foreach (var carrier in reported.GroupBy(scan => scan.Carrier))
            ShipmentsTelemetry.Scans.Add(carrier.Count(), new KeyValuePair<string, object?>("commerce.carrier", CarrierTag(carrier.Key)));
        ShipmentsTelemetry.DuplicateScans.Add(result.Known);
        return result;
    }

    /// <summary>Adds to the batch what new scans of a locked parcel change; returns how many are new.</summary>
    public int Apply(NpgsqlBatch batch, TrackedParcel parcel, IReadOnlyList<Sighting> known, IReadOnlyList<Scan> scans, DateTimeOffset now)
    {
        var knownIds = known.Select(sighting => sighting.Id).ToHashSet();
        List<Scan> fresh = [.. scans.Where(scan => knownIds.Add(scan.Id))];
        if (fresh.Count > 0)
            Add(batch, [Track(parcel, known, fresh, now, Activity.Current)]);
        return fresh.Count;
    }

    private async Task Keep(IReadOnlyList<Delivery> deliveries)
    {
        var now = _time.GetUtcNow();
        await using var connection = await _database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var brought = deliveries.SelectMany(delivery => delivery.Parcels.Select(parcel => (Delivery: delivery, Parcel: parcel))).ToList();
        var found = await ShipmentStore.LockNumbers(connection, transaction, [.. brought.SelectMany(one => one.Parcel.Names).Distinct()], CancellationToken.None);
        var counts = deliveries.ToDictionary(delivery => delivery, _ => (Kept: 0, Known: 0, Unclaimed: 0));
        var unclaimed = new List<(CarrierNumber, Scan)>();
        var kept = new List<KeptScans>();
        // A parcel may be meant by several: by who came together, and by two names of its carrier.
        foreach (var meant in brought.GroupBy(one => one.Parcel.Names.Select(found.GetValueOrDefault).FirstOrDefault(locked => locked is not null)))
        {
            if (meant.Key is not { } locked)
            {
                foreach (var (delivery, parcel) in meant)
                {
                    // It would wait for whoever ships under the number next.
                    if (delivery.IsLimited)
                    {
                        delivery.Refused.Add(parcel.Number);
                        continue;
                    }

                    unclaimed.AddRange(parcel.Scans.Select(scan => (parcel.Number, scan)));
                    CollectionsMarshal.GetValueRefOrNullRef(counts, delivery).Unclaimed += parcel.Scans.Count;
                }

                continue;
            }

            // Several that bring the same: the first brought it.
            var knownIds = locked.Known.Select(sighting => sighting.Id).ToHashSet();
            var fresh = new List<Scan>();
            Activity? bringer = null;
            foreach (var (delivery, parcel) in meant)
            {
                if (!delivery.MayBring(locked.Parcel.StoreId))
                {
                    delivery.Refused.Add(parcel.Number);
                    continue;
                }

                var before = fresh.Count;
                fresh.AddRange(parcel.Scans.Where(scan => knownIds.Add(scan.Id)));
                ref var count = ref CollectionsMarshal.GetValueRefOrNullRef(counts, delivery);
                count.Kept += fresh.Count - before;
                count.Known += parcel.Scans.Count - (fresh.Count - before);
                if (fresh.Count > before)
                    bringer ??= delivery.Activity;
                if (delivery.Parcels.Count == 1)
                    ShipmentsTelemetry.TagOrder(delivery.Activity, locked.Parcel.OrderId);
            }

            if (fresh.Count > 0)
                kept.Add(Track(locked.Parcel, locked.Known, fresh, now, bringer));
        }

        await using var batch = new NpgsqlBatch(connection, transaction);
        if (unclaimed.Count > 0)
            batch.BatchCommands.Add(ScanRows.InsertUnclaimed(unclaimed, now));
        if (kept.Count > 0)
            Add(batch, kept);
        if (batch.BatchCommands.Count > 0)
        {
            // The commit travels with the writes: a webhook costs two round trips, and the parcels' locks are held for one. After a
            // failed write the server skips the rest of the batch, so it never commits a part.
            batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
            await batch.ExecuteNonQueryAsync();
        }

        foreach (var (delivery, count) in counts)
            (delivery.Kept, delivery.Known, delivery.Unclaimed) = count;
        if (kept.Count > 0)
        {
            _outbox.Wake();
            if (kept.Any(one => one.Points.Count > 0))
                _recoveryPoints.Wake();
            _watch.Signal(kept.Select(one => one.Parcel.Id));
        }
    }

    private void Add(NpgsqlBatch batch, IReadOnlyList<KeptScans> kept)
    {
        batch.BatchCommands.Add(ScanRows.Insert([.. kept.SelectMany(one => one.Scans, (one, scan) => (one.Parcel.Id, scan))]));
        _outbox.Add(batch, [.. kept.Select(one => ((IFact)one.Fact, one.TraceParent))]);
        foreach (var one in kept)
        {
            if (one.Scans.LastOrDefault(scan => scan.Proof is not null) is { } delivered)
                batch.BatchCommands.Add(ProofRows.Insert(one.Parcel.Id, delivered));
        }

        batch.BatchCommands.Add(ShipmentStore.UpdateTracking([.. kept.Select(one => one.Parcel)]));
        foreach (var point in kept.SelectMany(one => one.Points))
            _recoveryPoints.Add(batch, point);
    }

    private KeptScans Track(TrackedParcel parcel, IReadOnlyList<Sighting> known, List<Scan> fresh, DateTimeOffset now, Activity? bringer)
    {
        // What is told of somebody who was erased is kept without what could name them.
        if (parcel.IsErased)
            fresh = [.. fresh.Select(scan => scan with { Description = "", Place = scan.Place with { Locality = "", PostalCode = "" }, Proof = null })];
        var points = new List<RecoveryPoint>();
        List<Sighting> all = [.. known, .. fresh.Select(scan => scan.Sighting)];
        var state = TrackingStatusRules.Derive(all, parcel.CreatedAt);
        // A parcel that we cancelled stays so, unless its carrier has it all the same.
        if (parcel.Tracking.Status == V1.TrackingStatus.Cancelled && !TrackingStatusRules.IsWithCarrier(state.Status))
            state = state with { Status = V1.TrackingStatus.Cancelled };
        // It was given up for lost, and turned up: what was packed instead need not leave.
        if (parcel.Remedy == Remedy.Reshipped && state.Status == V1.TrackingStatus.Delivered && parcel.Tracking.Status != V1.TrackingStatus.Delivered)
            points.Add(RecutShipments.PointOf(parcel.OrderId, 0, $"arrived/{parcel.PublicId}/{parcel.Version}"));
        var wasOver = parcel.IsOver;
        var fact = parcel.WasTracked(state, fresh.Count, now, now) with { Arrival = ArrivalMessage.FactOf(_estimator.Of(parcel, all)) };
        // Its watch ended with its journey, which goes on.
        if (wasOver && !parcel.IsOver)
            points.Add(WatchSilence.PointOf(parcel, now + _options.SilenceAtLeast));
        return new KeptScans(parcel, fresh, fact, bringer?.Id, points);
    }

    // Whoever sends scans names their carrier: a stranger's name must not become a time series of its own.
    private static string CarrierTag(string carrier) => Tracking.Vocabularies.CarrierNames.IsKnown(carrier) ? carrier : "other";

    private sealed record ParcelScans(CarrierNumber Number, IReadOnlyList<Scan> Scans)
    {
        /// <summary>A label that an aggregator sold bore the aggregator's name, before parcels bore that of their carrier.</summary>
        public IReadOnlyList<CarrierNumber> Names { get; } =
            [.. Scans.Select(scan => scan.Reporter).Where(reporter => reporter.Length > 0).Prepend(Number.Carrier).Distinct().Select(carrier => Number with { Carrier = carrier })];
    }

    // What is new of a parcel, and what follows from it.
    private sealed record KeptScans(TrackedParcel Parcel, IReadOnlyList<Scan> Scans, ParcelTracked Fact, string? TraceParent, IReadOnlyList<RecoveryPoint> Points);

    // What one caller brings, and what became of it.
    private sealed class Delivery(IReadOnlyList<ParcelScans> parcels, Activity? activity, Principal? caller)
    {
        public bool IsLimited => caller?.Stores is not null;

        /// <summary>The numbers of which the caller may bring nothing.</summary>
        public List<CarrierNumber> Refused { get; } = [];

        public bool MayBring(string storeId) => caller?.MaySee(storeId) ?? true;

        public IReadOnlyList<ParcelScans> Parcels { get; } = parcels;

        public Activity? Activity { get; } = activity;

        public int Kept { get; set; }

        public int Known { get; set; }

        public int Unclaimed { get; set; }
    }
}
