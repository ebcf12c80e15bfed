using System.Threading.Channels;
using Commerce.ServiceDefaults;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.Storage;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Shipments.WatchingTracking;

/// <summary>
/// Tells watchers of parcels that these changed. Whoever changes a parcel in this process says so; what another replica changed is found
/// by one question for all that are watched, some times a second. A watcher learns that there is something new, and reads it: changes that come faster
/// than it reads are one.
/// </summary>
internal sealed partial class TrackingWatch(NpgsqlDataSource database, ShipmentStore store, ArrivalEstimator estimator, TimeProvider time, ILogger<TrackingWatch> logger) : BackgroundService
{
    private const int MostWatchers = 10_000;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, List<Watcher>> _watchers = [];
    private int _count;

    /// <summary>The parcel as it changes, each time later than <paramref name="afterVersion"/> and than before.</summary>
    /// <exception cref="Failure">TRACKING_NOT_FOUND, LIMIT_REACHED.</exception>
    public async IAsyncEnumerable<V1.Shipment> Watch(string trackingNumber, long afterVersion, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Guid? watched = null;
        Watcher? watcher = null;
        try
        {
            while (true)
            {
                var found = await store.Select(ShipmentQuery.ByNumber(trackingNumber), cancellationToken) is [var one]
                    ? one
                    : throw new Failure(ErrorReason.TrackingNotFound, "No parcel bears this tracking number; compare it with the original. A new label can take a moment.");
                // The number may have come to another parcel.
                if (watched != found.Shipment.Id)
                {
                    Remove(watched, watcher);
                    if (watched is not null)
                        afterVersion = 0;
                    (watched, watcher) = (found.Shipment.Id, Add(found.Shipment.Id));
                    // What changed between reading and watching is not missed.
                    continue;
                }

                if (found.Shipment.Version > afterVersion)
                {
                    afterVersion = found.Shipment.Version;
                    yield return ShipmentMessage.Of(found, estimator);
                }

                watcher!.Seen = found.Shipment.Version;
                await watcher.Changed.Reader.ReadAsync(cancellationToken);
            }
        }
        finally
        {
            Remove(watched, watcher);
        }
    }

    /// <summary>These parcels changed, and the change is committed.</summary>
    public void Signal(IEnumerable<Guid> shipments)
    {
        lock (_lock)
        {
            if (_count == 0)
                return;
            foreach (var watcher in shipments.SelectMany(id => _watchers.GetValueOrDefault(id) ?? []))
                watcher.Changed.Writer.TryWrite(true);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Sweep(stoppingToken);
            }
            catch (NpgsqlException exception)
            {
                // The next round does it as well.
                LogFailed(exception.GetType().Name);
            }
        }
    }

    private async Task Sweep(CancellationToken cancellationToken)
    {
        Guid[] ids;
        lock (_lock)
            ids = [.. _watchers.Keys];
        if (ids.Length == 0)
            return;
        await using var command = database.CreateCommand("SELECT id, version FROM shipments WHERE id = ANY ($1)");
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = ids });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (id, version) = (reader.GetGuid(0), reader.GetInt64(1));
            lock (_lock)
            {
                foreach (var watcher in (_watchers.GetValueOrDefault(id) ?? []).Where(watcher => watcher.Seen < version))
                    watcher.Changed.Writer.TryWrite(true);
            }
        }
    }

    private Watcher Add(Guid id)
    {
        lock (_lock)
        {
            if (_count == MostWatchers)
                throw new Failure(ErrorReason.LimitReached, $"{MostWatchers} parcels are watched here already; try again.") { RetryAfter = TimeSpan.FromSeconds(5) };
            _count++;
            var watcher = new Watcher();
            if (!_watchers.TryGetValue(id, out var others))
                _watchers[id] = others = [];
            others.Add(watcher);
            return watcher;
        }
    }

    private void Remove(Guid? id, Watcher? watcher)
    {
        if (id is not { } watched || watcher is null)
            return;
        lock (_lock)
        {
            if (!_watchers.TryGetValue(watched, out var others) || !others.Remove(watcher))
                return;
            _count--;
            if (others.Count == 0)
                _watchers.Remove(watched);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Changes of watched parcels could not be looked for: {Error}.")]
    private partial void LogFailed(string error);

    private sealed class Watcher
    {
        public Channel<bool> Changed { get; } = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public long Seen;
    }
}
