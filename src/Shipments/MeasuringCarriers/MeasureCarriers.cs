using System.Text.Json;
using Npgsql;

namespace Commerce.Shipments.MeasuringCarriers;

/// <summary>
/// Counts parcels that ended: claimed by their state, so that none is missed and none counts twice, however often what is known of one
/// changes. One replica at a time; ingestion is not touched by it.
/// </summary>
internal sealed class MeasureCarriers(NpgsqlDataSource database, TimeProvider time, ILogger<MeasureCarriers> logger) : BacklogWorker(Batch, TimeSpan.FromSeconds(2), time, logger)
{
    private const int Batch = 500;

    /// <summary>Counts some; returns how many.</summary>
    public override async Task<int> Sweep(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await Ended(connection, transaction, cancellationToken) is not { Count: > 0 } parcels)
            return 0;
        var ids = parcels.Select(parcel => parcel.Id).ToArray();
        var outcomes = parcels.Select(ParcelOutcome.Of).ToList();
        var sums = new Dictionary<PerformanceKey, long[]>();
        foreach (var before in await Counted(connection, transaction, ids, cancellationToken))
            Add(sums, before, -1);
        foreach (var outcome in outcomes)
            Add(sums, outcome, 1);

        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(Store(sums.Where(pair => pair.Value.Any(sum => sum != 0)).ToList()));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            "INSERT INTO parcel_outcomes (shipment_id, outcome) SELECT * FROM unnest($1, $2::jsonb[]) ON CONFLICT (shipment_id) DO UPDATE SET outcome = EXCLUDED.outcome")
        {
            Parameters =
            {
                new NpgsqlParameter<Guid[]> { TypedValue = ids },
                new NpgsqlParameter<string[]> { TypedValue = [.. outcomes.Select(outcome => JsonSerializer.Serialize(outcome, JsonSerializerOptions.Web))] },
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE shipments SET measured_version = version WHERE id = ANY ($1)") { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = ids } } });
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return parcels.Count;
    }

    private static void Add(Dictionary<PerformanceKey, long[]> sums, ParcelOutcome outcome, long times)
    {
        if (!sums.TryGetValue(outcome.Key, out var sum))
            sums[outcome.Key] = sum = new long[10];
        foreach (var (i, counts) in new[] { true, outcome.Delivered, outcome.Returned, outcome.Measured, outcome.InTime, outcome.Promised, outcome.Kept, outcome.FirstAttempt, outcome.Exception }.Index())
            sum[i] += counts ? times : 0;
        sum[9] += outcome.CostMinor * times;
    }

    private static NpgsqlBatchCommand Store(List<KeyValuePair<PerformanceKey, long[]>> sums)
    {
        var command = new NpgsqlBatchCommand(
            """
            INSERT INTO carrier_weeks AS w (lane_from, lane_to, week, carrier, service, zone, currency, calendar_days, business_days,
              parcels, delivered, returned, measured, in_time, promised, kept, first_attempt, exceptions, cost_minor)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
            ON CONFLICT (lane_from, lane_to, week, carrier, service, zone, currency, calendar_days, business_days) DO UPDATE SET
              parcels = w.parcels + EXCLUDED.parcels, delivered = w.delivered + EXCLUDED.delivered, returned = w.returned + EXCLUDED.returned,
              measured = w.measured + EXCLUDED.measured, in_time = w.in_time + EXCLUDED.in_time, promised = w.promised + EXCLUDED.promised,
              kept = w.kept + EXCLUDED.kept, first_attempt = w.first_attempt + EXCLUDED.first_attempt, exceptions = w.exceptions + EXCLUDED.exceptions,
              cost_minor = w.cost_minor + EXCLUDED.cost_minor
            """);
        Texts(key => key.LaneFrom);
        Texts(key => key.LaneTo);
        command.Parameters.Add(new NpgsqlParameter<DateOnly[]> { TypedValue = [.. sums.Select(pair => pair.Key.Week)] });
        Texts(key => key.Carrier);
        Texts(key => key.Service);
        Texts(key => key.Zone);
        Texts(key => key.Currency);
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. sums.Select(pair => pair.Key.CalendarDays)] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. sums.Select(pair => pair.Key.BusinessDays)] });
        for (var i = 0; i < 10; i++)
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. sums.Select(pair => pair.Value[i])] });
        return command;

        void Texts(Func<PerformanceKey, string> of) => command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. sums.Select(pair => of(pair.Key))] });
    }

    private static async Task<List<EndedParcel>> Ended(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        // Two replicas that counted at once would lock the same sums in two orders.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT pg_try_advisory_xact_lock(hashtextextended('measure-carriers', 0))"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $"""
            SELECT s.id, s.carrier, s.service, s.ship_from ->> 'country', s.ship_from ->> 'region', s.ship_to ->> 'country', s.ship_to ->> 'region', s.promised_at, s.estimated_at,
              s.label_price_minor, s.label_currency, s.status_at, s.delivered_at, s.reached, s.created_at, handed.occurred_at, handed.local_time, delivered.local_time
            FROM shipments s
            LEFT JOIN LATERAL (SELECT occurred_at, local_time FROM scans WHERE shipment_id = s.id AND status IN (2, 3, 4) ORDER BY occurred_at LIMIT 1) handed ON true
            LEFT JOIN LATERAL (SELECT local_time FROM scans WHERE shipment_id = s.id AND status = 6 ORDER BY occurred_at LIMIT 1) delivered ON true
            WHERE s.status IN (6, 10) AND s.measured_version <> s.version AND s.carrier IS NOT NULL ORDER BY s.id LIMIT {Batch} FOR UPDATE OF s SKIP LOCKED
            """));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        if (!reader.GetBoolean(0))
            return [];
        await reader.NextResultAsync(cancellationToken);
        var parcels = new List<EndedParcel>();
        while (await reader.ReadAsync(cancellationToken))
        {
            parcels.Add(new EndedParcel(
                reader.GetGuid(0), reader.GetString(1), Text(2), ParcelOutcome.LaneEnd(Text(3), Text(4)), ParcelOutcome.LaneEnd(Text(5), Text(6)), Time(7), Time(8),
                reader.IsDBNull(9) ? 0 : reader.GetInt64(9), Text(10), reader.GetFieldValue<DateTimeOffset>(11), Time(12), [.. reader.GetFieldValue<short[]>(13).Select(status => (V1.TrackingStatus)status)],
                reader.GetFieldValue<DateTimeOffset>(14), Time(15), Text(16), Text(17)));
        }

        return parcels;

        string Text(int column) => reader.IsDBNull(column) ? "" : reader.GetString(column);

        DateTimeOffset? Time(int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
    }

    private static async Task<List<ParcelOutcome>> Counted(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid[] ids, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT outcome FROM parcel_outcomes WHERE shipment_id = ANY ($1)", connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = ids });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var outcomes = new List<ParcelOutcome>();
        while (await reader.ReadAsync(cancellationToken))
            outcomes.Add(JsonSerializer.Deserialize<ParcelOutcome>(reader.GetString(0), JsonSerializerOptions.Web)!);
        return outcomes;
    }
}
