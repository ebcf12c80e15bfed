using System.Text.Json;
using Commerce.Promising.Waiting;
using Commerce.Shipments.MeasuringCarriers;
using Commerce.Shipments.Storage;
using Npgsql;

namespace Commerce.Shipments.FollowingPaths;

/// <summary>
/// Counts how long parcels wait for their next scan, stay at places and take between them. Whoever keeps scans leaves a row for each parcel
/// that changed; here each is read anew, what was counted of it before is taken back, and what it says now is added. So neither the order
/// of scans nor their number of times matters. One replica at a time.
/// </summary>
internal sealed class FollowPaths(NpgsqlDataSource database, TimeProvider time, ILogger<FollowPaths> logger) : BacklogWorker(Batch, TimeSpan.FromSeconds(2), time, logger)
{
    /// <summary>Days of places that are kept.</summary>
    public const int DaysKept = 70;

    private const int Batch = 500;
    private static readonly TimeSpan TidyEvery = TimeSpan.FromHours(1);

    private DateTimeOffset _tidied;

    /// <summary>Reads some; returns how many.</summary>
    public override async Task<int> Sweep(CancellationToken cancellationToken)
    {
        var now = Time.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await Claim(connection, transaction, cancellationToken) is not { Length: > 0 } ids)
            return 0;
        var (parcels, scans, counted) = await Read(connection, transaction, ids, cancellationToken);
        var paths = new List<ReadPath>(parcels.Count);
        foreach (var parcel in parcels)
        {
            var (path, whereNow, names) = ParcelPath.Of(parcel, scans[parcel.Id]);
            paths.Add(new ReadPath(parcel.Id, path, whereNow?.Place, whereNow?.Since.ToUniversalTime(), names));
        }

        var gaps = new Dictionary<(string Carrier, WaitStage Stage, string From, string To, DateOnly Week), int[]>();
        var passages = new Dictionary<(string Carrier, PassageKind Kind, string Place, string Next, DateOnly Day), int[]>();
        foreach (var before in counted)
            Add(before, -1);
        foreach (var read in paths)
            Add(read.Path, 1);

        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(StoreGaps([.. gaps.Where(pair => pair.Value.Any(count => count != 0))]));
        batch.BatchCommands.Add(StorePassages([.. passages.Where(pair => pair.Value.Any(count => count != 0))]));
        batch.BatchCommands.Add(StoreNames([.. paths.SelectMany(path => path.Names)]));
        batch.BatchCommands.Add(StorePaths(paths, now));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        ShipmentsTelemetry.PathsRead.Add(parcels.Count);
        return ids.Length;

        void Add(ParcelPath path, int times)
        {
            var today = DateOnly.FromDateTime(now.UtcDateTime);
            foreach (var gap in path.Gaps.Where(gap => gap.Week <= today && gap.Week > today.AddDays(-7 * UsualWait.Weeks)))
            {
                foreach (var (from, to) in LevelsOf(path.LaneFrom, path.LaneTo))
                    CountsOf(gaps, (path.Carrier, gap.Stage, from, to, gap.Week))[gap.Cell] += times;
            }

            // A carrier's clock may be a day ahead.
            foreach (var one in path.Passages.Where(one => one.Day <= today.AddDays(1) && one.Day > today.AddDays(-DaysKept)))
                CountsOf(passages, (path.Carrier, one.Kind, one.Place, one.Next, one.Day))[one.Cell] += times;
        }
    }

    /// <summary>The lane, its countries, and everywhere: what a wait counts for, the finest first.</summary>
    public static IReadOnlyList<(string From, string To)> LevelsOf(string laneFrom, string laneTo)
    {
        var countries = (Country(laneFrom), Country(laneTo));
        // Where no region is known the lane is its countries.
        return countries == (laneFrom, laneTo) ? [countries, ("", "")] : [(laneFrom, laneTo), countries, ("", "")];

        static string Country(string end) => end.Split('-')[0];
    }

    /// <summary>Forgets what is too old to be learned from.</summary>
    public async Task Tidy(CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        var today = DateOnly.FromDateTime(Time.GetUtcNow().UtcDateTime);
        Delete("DELETE FROM scan_gaps WHERE week < $1", today.AddDays(-7 * (UsualWait.Weeks + 1)));
        Delete("DELETE FROM place_days WHERE day < $1", today.AddDays(-DaysKept - 7));
        // What is counted of these is older still: nothing will be taken back.
        Delete("DELETE FROM parcel_paths WHERE read_at < $1", today.AddDays(-7 * (UsualWait.Weeks + 2)));
        await batch.ExecuteNonQueryAsync(cancellationToken);

        void Delete(string sql, DateOnly before) => batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new NpgsqlParameter<DateOnly> { TypedValue = before } } });
    }

    protected override async Task WhenDone(CancellationToken cancellationToken)
    {
        if (Time.GetUtcNow() - _tidied < TidyEvery)
            return;
        await Tidy(cancellationToken);
        _tidied = Time.GetUtcNow();
    }

    private static int[] CountsOf<TKey>(Dictionary<TKey, int[]> all, TKey key)
        where TKey : notnull => all.TryGetValue(key, out var counts) ? counts : all[key] = new int[Durations.Last + 1];

    private static async Task<Guid[]> Claim(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        // Two that counted at once would lock the same sums in two orders, and each would miss what the other takes back.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT pg_try_advisory_xact_lock(hashtextextended('follow-paths', 0))"));
        // By their places, of rows that never change: whatever is believed of the table's size, nothing is joined and the rows are sought once.
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $"""
            DELETE FROM parcels_to_read WHERE ctid = ANY (ARRAY(SELECT ctid FROM parcels_to_read ORDER BY shipment_id, version LIMIT {Batch} FOR UPDATE SKIP LOCKED)) RETURNING shipment_id
            """));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        // Whoever has the lock reads them; what was claimed here returns with the transaction.
        if (!reader.GetBoolean(0))
            return [];
        await reader.NextResultAsync(cancellationToken);
        var ids = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken))
            ids.Add(reader.GetGuid(0));
        return [.. ids];
    }

    private static async Task<(List<FollowedParcel> Parcels, ILookup<Guid, Scan> Scans, List<ParcelPath> Counted)> Read(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid[] ids, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        Add(
            """
            SELECT id, coalesce(carrier, ''), ship_from ->> 'country', ship_from ->> 'region', ship_to ->> 'country', ship_to ->> 'region', created_at, return_number > 0, status IN (6, 10, 11) OR remedy <> 0
            FROM shipments WHERE id = ANY ($1) AND NOT erased
            """);
        // One by one, whatever the planner thinks of arrays.
        Add($"SELECT seen.* FROM (SELECT DISTINCT id FROM unnest($1) AS given (id)) AS due CROSS JOIN LATERAL (SELECT {ScanRows.Columns} FROM scans WHERE shipment_id = due.id OFFSET 0) AS seen");
        Add("SELECT counted FROM parcel_paths WHERE shipment_id = ANY ($1)");
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var parcels = new List<FollowedParcel>();
        while (await reader.ReadAsync(cancellationToken))
        {
            parcels.Add(new FollowedParcel(
                reader.GetGuid(0), reader.GetString(1), ParcelOutcome.LaneEnd(Text(2), Text(3)), ParcelOutcome.LaneEnd(Text(4), Text(5)), Text(4), Text(5),
                reader.GetFieldValue<DateTimeOffset>(6), reader.GetBoolean(7), reader.GetBoolean(8)));
        }

        await reader.NextResultAsync(cancellationToken);
        var scans = new List<(Guid ShipmentId, Scan Scan)>();
        while (await reader.ReadAsync(cancellationToken))
            scans.Add(ScanRows.Read(reader));
        await reader.NextResultAsync(cancellationToken);
        var counted = new List<ParcelPath>();
        while (await reader.ReadAsync(cancellationToken))
            counted.Add(JsonSerializer.Deserialize<ParcelPath>(reader.GetString(0), JsonSerializerOptions.Web)!);
        return (parcels, scans.ToLookup(row => row.ShipmentId, row => row.Scan), counted);

        void Add(string sql) => batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = ids } } });

        string Text(int column) => reader.IsDBNull(column) ? "" : reader.GetString(column);
    }

    private static NpgsqlBatchCommand StoreGaps(List<KeyValuePair<(string Carrier, WaitStage Stage, string From, string To, DateOnly Week), int[]>> gaps) => new(
        """
        INSERT INTO scan_gaps AS g (carrier, stage, lane_from, lane_to, week, counts)
        SELECT carrier, stage, lane_from, lane_to, week, counts::integer[] FROM unnest($1, $2, $3, $4, $5, $6) AS new (carrier, stage, lane_from, lane_to, week, counts)
        ON CONFLICT (carrier, stage, lane_from, lane_to, week) DO UPDATE SET counts = duration_add(g.counts, EXCLUDED.counts)
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<string[]> { TypedValue = [.. gaps.Select(pair => pair.Key.Carrier)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. gaps.Select(pair => (short)pair.Key.Stage)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. gaps.Select(pair => pair.Key.From)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. gaps.Select(pair => pair.Key.To)] },
            new NpgsqlParameter<DateOnly[]> { TypedValue = [.. gaps.Select(pair => pair.Key.Week)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. gaps.Select(pair => Text(pair.Value))] },
        },
    };

    private static NpgsqlBatchCommand StorePassages(List<KeyValuePair<(string Carrier, PassageKind Kind, string Place, string Next, DateOnly Day), int[]>> passages) => new(
        """
        INSERT INTO place_days AS d (carrier, kind, place, next_place, day, counts)
        SELECT carrier, kind, place, next_place, day, counts::integer[] FROM unnest($1, $2, $3, $4, $5, $6) AS new (carrier, kind, place, next_place, day, counts)
        ON CONFLICT (carrier, kind, place, next_place, day) DO UPDATE SET counts = duration_add(d.counts, EXCLUDED.counts)
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<string[]> { TypedValue = [.. passages.Select(pair => pair.Key.Carrier)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. passages.Select(pair => (short)pair.Key.Kind)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. passages.Select(pair => pair.Key.Place)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. passages.Select(pair => pair.Key.Next)] },
            new NpgsqlParameter<DateOnly[]> { TypedValue = [.. passages.Select(pair => pair.Key.Day)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. passages.Select(pair => Text(pair.Value))] },
        },
    };

    // The smallest of the spellings: whichever came first must not matter.
    private static NpgsqlBatchCommand StoreNames(List<KeyValuePair<string, string>> names) => new(
        """
        INSERT INTO place_names AS p (place, name) SELECT place, min(name COLLATE "C") FROM unnest($1, $2) AS new (place, name) GROUP BY place
        ON CONFLICT (place) DO UPDATE SET name = EXCLUDED.name WHERE EXCLUDED.name COLLATE "C" < p.name COLLATE "C"
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<string[]> { TypedValue = [.. names.Select(pair => pair.Key)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. names.Select(pair => pair.Value)] },
        },
    };

    private static NpgsqlBatchCommand StorePaths(List<ReadPath> paths, DateTimeOffset now) => new(
        """
        INSERT INTO parcel_paths (shipment_id, counted, carrier, place, since, read_at)
        SELECT id, counted::jsonb, carrier, place, since, $6 FROM unnest($1, $2, $3, $4, $5) AS new (id, counted, carrier, place, since)
        ON CONFLICT (shipment_id) DO UPDATE SET counted = EXCLUDED.counted, carrier = EXCLUDED.carrier, place = EXCLUDED.place, since = EXCLUDED.since, read_at = EXCLUDED.read_at
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid[]> { TypedValue = [.. paths.Select(path => path.Id)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. paths.Select(path => JsonSerializer.Serialize(path.Path, JsonSerializerOptions.Web))] },
            new NpgsqlParameter<string[]> { TypedValue = [.. paths.Select(path => path.Path.Carrier)] },
            new NpgsqlParameter<string?[]> { TypedValue = [.. paths.Select(path => path.Place)] },
            new NpgsqlParameter<DateTimeOffset?[]> { TypedValue = [.. paths.Select(path => path.Since)] },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
        },
    };

    // Arrays of arrays are no rows of SQL: each travels as its text, without the zeros behind.
    private static string Text(int[] counts) => $"{{{string.Join(',', counts.Take(Array.FindLastIndex(counts, count => count != 0) + 1))}}}";

    private sealed record ReadPath(Guid Id, ParcelPath Path, string? Place, DateTimeOffset? Since, IReadOnlyDictionary<string, string> Names);
}
