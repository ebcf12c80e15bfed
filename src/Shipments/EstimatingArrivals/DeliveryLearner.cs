using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Shipments.EstimatingArrivals;

/// <summary>
/// Writes what delivered parcels teach into the history, each once, and keeps <see cref="ArrivalEstimator"/> up with it. One replica at a
/// time writes; each reads what it has not read yet, and everything recent when it starts. Taking scans in costs nothing of it.
/// </summary>
internal sealed partial class DeliveryLearner(
    NpgsqlDataSource database, ArrivalEstimator estimator, IOptions<ShipmentsOptions> options, TimeProvider time, ILogger<DeliveryLearner> logger) : BackgroundService
{
    private const int MostAtOnce = 5_000;
    private const int MostAtStart = 100_000;

    private static readonly TimeSpan Remembered = TimeSpan.FromDays(400);

    // A scan of a delivery can come days after it.
    private static readonly TimeSpan LateScans = TimeSpan.FromDays(10);
    private static readonly TimeSpan RefitEvery = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _once = new(1, 1);
    private long _readUntil = -1;
    private DateTimeOffset _refitAt;
    private bool _newSinceRefit;

    /// <summary>Learns what there is to learn now; returns how many deliveries were new to this process.</summary>
    public async Task<int> Learn(CancellationToken cancellationToken)
    {
        await _once.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            var first = _readUntil < 0;
            while (await Write(now - (first ? Remembered : LateScans), cancellationToken) == MostAtOnce)
            {
            }

            var learned = await Read(first ? MostAtStart : int.MaxValue, now - Remembered, cancellationToken);
            estimator.Learn(learned);
            _readUntil = Math.Max(_readUntil, learned.Count > 0 ? learned.Max(one => one.Id) : 0);
            _newSinceRefit |= learned.Count > 0;
            if (_newSinceRefit && now >= _refitAt)
            {
                estimator.Refit();
                (_refitAt, _newSinceRefit) = (now + RefitEvery, false);
            }

            return learned.Count;
        }
        finally
        {
            _once.Release();
        }
    }

    public override void Dispose()
    {
        _once.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.LearnEvery, time);
        do
        {
            try
            {
                var count = await Learn(stoppingToken);
                if (count > 0)
                    LogLearned(count);
            }
            catch (NpgsqlException exception)
            {
                // The next round does it as well; until then estimates rest on what was known.
                LogFailed(exception.GetType().Name);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    // Under a lock that only learners take, so that rows become visible in the order of their ids and none is read past.
    private async Task<int> Write(DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var locking = new NpgsqlCommand("SELECT pg_try_advisory_xact_lock(hashtextextended('delivery_history', 3))", connection, transaction))
        {
            if (await locking.ExecuteScalarAsync(cancellationToken) is not true)
                return 0;
        }

        await using var command = new NpgsqlCommand(
            """
            INSERT INTO delivery_history (shipment_id, store_id, location_id, carrier, service, from_country, from_region, to_country, to_region, to_zone,
              weight_grams, planned_at, handed_over_at, out_at, delivered_at, promised_at)
            SELECT s.id, s.store_id, s.location_id, s.carrier, coalesce(s.service, ''),
              coalesce(s.ship_from ->> 'country', ''), coalesce(s.ship_from ->> 'region', ''), coalesce(s.ship_to ->> 'country', ''), coalesce(s.ship_to ->> 'region', ''),
              left(upper(replace(coalesce(s.ship_to ->> 'postalCode', ''), ' ', '')), 3),
              s.weight_grams, s.created_at, seen.handed_over_at, seen.out_at, s.delivered_at, s.promised_at
            FROM shipments s
            CROSS JOIN LATERAL (
              SELECT min(occurred_at) FILTER (WHERE status NOT IN (0, 1, 11, 12)) AS handed_over_at, max(occurred_at) FILTER (WHERE status = 4) AS out_at
              FROM scans WHERE shipment_id = s.id) AS seen
            WHERE s.delivered_at > $1 AND s.return_number = 0 AND s.status = 6 AND s.carrier IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM delivery_history known WHERE known.shipment_id = s.id)
            ORDER BY s.delivered_at
            LIMIT $2
            ON CONFLICT (shipment_id) DO NOTHING
            """, connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = since });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = MostAtOnce });
        var written = await command.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return written;
    }

    private async Task<IReadOnlyList<LearnedDelivery>> Read(int most, DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT learned_id, shipment_id, store_id, location_id, carrier, service, from_country, from_region, to_country, to_region, to_zone,
              weight_grams, planned_at, handed_over_at, out_at, delivered_at, promised_at
            FROM delivery_history WHERE learned_id > $1 AND delivered_at > $2 ORDER BY learned_id DESC LIMIT $3
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Math.Max(_readUntil, 0) });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = since });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var learned = new List<LearnedDelivery>();
        while (await reader.ReadAsync(cancellationToken))
        {
            learned.Add(new LearnedDelivery(
                reader.GetInt64(0), reader.GetGuid(1), reader.GetString(2), reader.GetString(3), reader.GetString(4), reader.GetString(5), reader.GetString(6), reader.GetString(7),
                reader.GetString(8), reader.GetString(9), reader.GetString(10), reader.GetInt32(11), reader.GetFieldValue<DateTimeOffset>(12), Time(reader, 13), Time(reader, 14),
                reader.GetFieldValue<DateTimeOffset>(15), Time(reader, 16)));
        }

        return learned;
    }

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);

    [LoggerMessage(LogLevel.Debug, "{Count} deliveries were learned from.")]
    private partial void LogLearned(int count);

    [LoggerMessage(LogLevel.Warning, "Deliveries could not be learned from: {Error}.")]
    private partial void LogFailed(string error);
}
