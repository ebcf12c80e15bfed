using Commerce.Promising.Waiting;
using Commerce.ServiceDefaults;
using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.FollowingPaths;
using Commerce.Shipments.V1;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace Commerce.Shipments.FindingBottlenecks;

/// <summary>
/// Finds where parcels stay or take longer than they used to, from the sums by day that <see cref="FollowPaths"/> keeps. Each place and way
/// is compared with its own past: the median of now with the medians of the days before, their spread told by the quartiles, so that one
/// bad day neither hides the next nor makes it usual.
/// </summary>
internal sealed class FindBottlenecks(NpgsqlDataSource database, TimeProvider time)
{
    private const int DaysOfNow = 3;
    private const int DaysOfPast = 56;
    private const int DaysShown = 28;
    private const int LongestNow = 28;
    private const int MostRows = 200;
    private const int DefaultRows = 20;
    private const int MostParcels = 1_000;
    private const int DefaultParcels = 5;
    private const int MostKeys = 200_000;
    private const int LongestText = 100;

    // Less past than this is an anecdote; fewer parcels now are too.
    private const int FewestDays = 3;
    private const int FewestParcels = 10;
    private const int FewestNow = 3;

    private const double Unusual = 3;
    // The width of a normal distribution's quartiles.
    private const double QuartilesOfDeviation = 1.349;
    // In cells of a tenth: what varies less than by some 15 % from day to day does not become unusual by a little more.
    private const double LeastDeviation = 1.5;

    // One in twenty is overdue by definition; so many more are no chance.
    private const int ManyOverdue = 3;
    private const double UsualOverdue = 0.1;
    private static readonly TimeSpan LostAfter = TimeSpan.FromDays(30);

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public async Task<Bottlenecks> Find(GetBottlenecksRequest request, IReadOnlySet<string>? stores, CancellationToken cancellationToken)
    {
        var (start, end) = Check(request);
        // Sums are by whole days: an end at midnight ends the day before.
        var span = new Span(start, DateOnly.FromDateTime(end.UtcDateTime.AddTicks(-1)), end);
        var found = await Compare(request, span, cancellationToken);
        await CountWaiting(found, span, cancellationToken);
        if (stores is not null)
            found = await OfStores(found, span, stores, cancellationToken);
        var most = request.MaxRows == 0 ? DefaultRows : request.MaxRows;
        var worst = found.Values.Where(one => one.Kind != PassageKind.Passing && (request.IncludeUsual || one.IsUnusual))
            .OrderByDescending(one => one.IsUnusual).ThenByDescending(one => one.LostHours())
            .ThenBy(one => (one.Carrier, one.Place, one.Next)).Take(most + 1).ToList();
        var shown = worst.Take(most).ToList();
        await Describe(shown, span, request.MaxParcels == 0 ? DefaultParcels : request.MaxParcels, stores, cancellationToken);
        return new Bottlenecks { Bottlenecks_ = { shown.Select(one => one.ToMessage()) }, Truncated = worst.Count > most };
    }

    // What went through now, and the past of each; a place at which everything stands has no now, and is there by its past.
    private async Task<Dictionary<(string, PassageKind, string, string), Passage>> Compare(GetBottlenecksRequest request, Span span, CancellationToken cancellationToken)
    {
        const string Meant =
            """
            ($3 = '' OR carrier = $3) AND ($4 = '' OR strpos(place, lower($4)) > 0 OR strpos(next_place, lower($4)) > 0 OR place IN (SELECT place FROM place_names WHERE strpos(lower(name), lower($4)) > 0)
              OR next_place IN (SELECT place FROM place_names WHERE strpos(lower(name), lower($4)) > 0))
            """;
        await using var batch = database.CreateBatch();
        Add($"SELECT carrier, kind, place, next_place, counts FROM place_days WHERE day >= $1 AND day <= $2 AND parcels > 0 AND {Meant} LIMIT {MostKeys}", span.Start, span.End);
        Add(
            $"""
            SELECT carrier, kind, place, next_place, count(*), sum(parcels)::bigint, percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY median::float8), percentile_cont(0.5) WITHIN GROUP (ORDER BY high::float8)
            FROM place_days WHERE day >= $1 AND day < $2 AND parcels > 0 AND {Meant} GROUP BY 1, 2, 3, 4 LIMIT {MostKeys}
            """, span.Start.AddDays(-DaysOfPast), span.Start);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var found = new Dictionary<(string, PassageKind, string, string), Passage>();
        while (await reader.ReadAsync(cancellationToken))
            Of().Add(reader.GetFieldValue<int[]>(4));
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.GetInt64(4) < FewestDays || reader.GetInt64(5) < FewestParcels)
                continue;
            var passage = Of();
            (passage.Quartiles, passage.High) = (reader.GetFieldValue<double[]>(6), reader.GetDouble(7));
        }

        return found;

        Passage Of()
        {
            var key = (reader.GetString(0), (PassageKind)reader.GetInt16(1), reader.GetString(2), reader.GetString(3));
            return found.TryGetValue(key, out var passage) ? passage : found[key] = new Passage(key.Item1, key.Item2, key.Item3, key.Item4);
        }

        void Add(string sql, DateOnly from, DateOnly until) => batch.BatchCommands.Add(new NpgsqlBatchCommand(sql)
        {
            Parameters =
            {
                new NpgsqlParameter<DateOnly> { TypedValue = from },
                new NpgsqlParameter<DateOnly> { TypedValue = until },
                new NpgsqlParameter<string> { TypedValue = request.Carrier },
                new NpgsqlParameter<string> { TypedValue = request.Place },
            },
        });
    }

    // By the place's own index: only those that are overdue are read, however many wait elsewhere.
    private async Task CountWaiting(Dictionary<(string, PassageKind, string, string), Passage> found, Span span, CancellationToken cancellationToken)
    {
        var places = found.Values.Where(one => one is { Kind: PassageKind.Passing, High: not null }).ToList();
        await using var command = database.CreateCommand(
            """
            SELECT place.i::integer - 1, waits.waiting, waits.overdue FROM unnest($1, $2, $3) WITH ORDINALITY AS place (carrier, key, before, i)
            CROSS JOIN LATERAL (
              SELECT count(*) AS waiting, count(*) FILTER (WHERE since < place.before) AS overdue FROM parcel_paths
              WHERE carrier = place.carrier AND parcel_paths.place = place.key AND since > $4 AND since <= $5) AS waits
            WHERE waits.waiting > 0
            """);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. places.Select(one => one.Carrier)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. places.Select(one => one.Place)] });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. places.Select(one => span.Now - one.UsuallyGone!.Value)] });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = span.Now - LostAfter });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = span.Now });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var passing = places[reader.GetInt32(0)];
            var key = (passing.Carrier, PassageKind.Stay, passing.Place, "");
            // A carrier that scans once a place has no stays there, and parcels that wait all the same.
            var stay = found.TryGetValue(key, out var known) ? known : found[key] = new Passage(passing.Carrier, PassageKind.Stay, passing.Place, "");
            (stay.Waiting, stay.Overdue, stay.UsuallyGone, stay.PassedNow) = (reader.GetInt64(1), reader.GetInt64(2), passing.UsuallyGone, passing.Parcels);
        }
    }

    // Where others' parcels are, and how many there are of them, is their business; that a place is slow is the carrier's.
    private async Task<Dictionary<(string, PassageKind, string, string), Passage>> OfStores(
        Dictionary<(string, PassageKind, string, string), Passage> found, Span span, IReadOnlySet<string> stores, CancellationToken cancellationToken)
    {
        var places = found.Values.Select(one => (one.Carrier, one.Place)).Distinct().ToList();
        await using var command = database.CreateCommand(
            """
            SELECT place.carrier, place.key, waits.since FROM unnest($1, $2) AS place (carrier, key)
            CROSS JOIN LATERAL (
              SELECT array_agg(p.since) AS since FROM parcel_paths p JOIN shipments s ON s.id = p.shipment_id
              WHERE p.carrier = place.carrier AND p.place = place.key AND p.since > $3 AND p.since <= $4 AND s.store_id = ANY ($5)) AS waits
            WHERE waits.since IS NOT NULL
            """);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. places.Select(one => one.Carrier)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. places.Select(one => one.Place)] });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = span.Now - LostAfter });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = span.Now });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. stores] });
        var own = new Dictionary<(string, string), DateTime[]>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            own[(reader.GetString(0), reader.GetString(1))] = reader.GetFieldValue<DateTime[]>(2);
        foreach (var passage in found.Values)
        {
            if (own.TryGetValue((passage.Carrier, passage.Place), out var since))
                passage.Own = passage.Kind != PassageKind.Stay ? (0, 0) : (since.Length, passage.UsuallyGone is { } gone ? since.Count(at => at < (span.Now - gone).UtcDateTime) : 0);
        }

        return found.Where(one => one.Value.Own is not null).ToDictionary();
    }

    private async Task Describe(List<Passage> shown, Span span, int mostParcels, IReadOnlySet<string>? stores, CancellationToken cancellationToken)
    {
        if (shown.Count == 0)
            return;
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT place, name FROM place_names WHERE place = ANY ($1)")
        {
            Parameters = { new NpgsqlParameter<string[]> { TypedValue = [.. shown.SelectMany(one => new[] { one.Place, one.Next }).Distinct()] } },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            SELECT one.i::integer - 1, days.day, days.parcels, days.median FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS one (carrier, kind, place, next_place, i)
            CROSS JOIN LATERAL (
              SELECT day, parcels, median FROM place_days d
              WHERE d.carrier = one.carrier AND d.kind = one.kind AND d.place = one.place AND d.next_place = one.next_place AND day > $5 AND day <= $6 AND parcels > 0 OFFSET 0) AS days
            ORDER BY 1, 2
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]> { TypedValue = [.. shown.Select(one => one.Carrier)] },
                new NpgsqlParameter<short[]> { TypedValue = [.. shown.Select(one => (short)one.Kind)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. shown.Select(one => one.Place)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. shown.Select(one => one.Next)] },
                new NpgsqlParameter<DateOnly> { TypedValue = span.End.AddDays(-DaysShown) },
                new NpgsqlParameter<DateOnly> { TypedValue = span.End },
            },
        });
        var overdue = shown.Where(one => one.Overdue > 0).ToList();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            SELECT one.i::integer - 1, waits.shipment_id, waits.tracking_number, waits.since FROM unnest($1, $2, $3) WITH ORDINALITY AS one (carrier, key, before, i)
            CROSS JOIN LATERAL (
              SELECT p.shipment_id, p.since, s.tracking_number FROM parcel_paths p JOIN shipments s ON s.id = p.shipment_id
              WHERE p.carrier = one.carrier AND p.place = one.key AND p.since > $4 AND p.since < one.before AND ($6::text[] IS NULL OR s.store_id = ANY ($6)) ORDER BY p.since LIMIT $5) AS waits
            ORDER BY 1, waits.since, waits.shipment_id
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]> { TypedValue = [.. overdue.Select(one => one.Carrier)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. overdue.Select(one => one.Place)] },
                new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. overdue.Select(one => span.Now - one.UsuallyGone!.Value)] },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = span.Now - LostAfter },
                new NpgsqlParameter<int> { TypedValue = mostParcels },
                new NpgsqlParameter { Value = stores?.ToArray() ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text },
            },
        });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
            names[reader.GetString(0)] = reader.GetString(1);
        foreach (var one in shown)
            (one.Name, one.NextName) = (names.GetValueOrDefault(one.Place, one.Place), names.GetValueOrDefault(one.Next, one.Next));
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            shown[reader.GetInt32(0)].Days.Add(new Bottleneck.Types.Day
            {
                Day_ = Timestamp.FromDateTime(reader.GetFieldValue<DateOnly>(1).ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc)),
                Parcels = stores is null ? reader.GetInt32(2) : 0,
                MedianHours = Durations.MiddleOf(reader.GetInt16(3)).TotalHours,
            });
        }

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            overdue[reader.GetInt32(0)].Named.Add(new Bottleneck.Types.WaitingParcel
            {
                Shipment = ShipmentMessage.NamePrefix + reader.GetGuid(1).ToString("N"),
                TrackingNumber = reader.IsDBNull(2) ? "" : reader.GetString(2),
                SinceTime = Timestamp.FromDateTimeOffset(reader.GetFieldValue<DateTimeOffset>(3)),
            });
        }
    }

    private (DateOnly Start, DateTimeOffset End) Check(GetBottlenecksRequest request)
    {
        var errors = new List<FieldError>();
        foreach (var (field, text) in new[] { ("carrier", request.Carrier), ("place", request.Place) })
        {
            if (text.Length > LongestText || text.Any(char.IsControl))
                errors.Add(new FieldError(field, $"Has at most {LongestText} characters."));
        }

        if (request.MaxRows is < 0 or > MostRows)
            errors.Add(new FieldError("max_rows", $"Give 1 to {MostRows}, or 0 for {DefaultRows}."));
        if (request.MaxParcels is < 0 or > MostParcels)
            errors.Add(new FieldError("max_parcels", $"Give 1 to {MostParcels}, or 0 for {DefaultParcels}."));
        var end = At("end_time", request.EndTime) ?? time.GetUtcNow();
        var start = At("start_time", request.StartTime) ?? end.AddDays(-DaysOfNow);
        if (errors.Count == 0 && end <= start)
            errors.Add(new FieldError("end_time", "Is not after start_time."));
        if (errors.Count == 0 && (end - start).TotalDays > LongestNow)
            errors.Add(new FieldError("start_time", $"Is at most {LongestNow} days before end_time: what is older is the past."));
        return errors.Count > 0 ? throw Failure.Invalid(errors) : (DateOnly.FromDateTime(start.UtcDateTime), end);

        DateTimeOffset? At(string field, Timestamp? given)
        {
            if (given is null)
                return null;
            if (given.Seconds is >= 0 and < 4_102_444_800)
                return DateTimeOffset.FromUnixTimeSeconds(given.Seconds);
            errors.Add(new FieldError(field, "Give a time between 1970 and 2099."));
            return null;
        }
    }

    private sealed record Span(DateOnly Start, DateOnly End, DateTimeOffset Now);

    private sealed class Passage(string carrier, PassageKind kind, string place, string next)
    {
        private readonly double[] _counts = new double[Durations.Last + 1];
        private TimeSpan? _usuallyGone;

        public string Carrier => carrier;

        public PassageKind Kind => kind;

        public string Place => place;

        public string Next => next;

        public string Name { get; set; } = "";

        public string NextName { get; set; } = "";

        /// <summary>Of the medians of the days of the past, in cells; null: too little is known.</summary>
        public double[]? Quartiles { get; set; }

        /// <summary>The cell within which 95 of 100 were through on a usual day.</summary>
        public double? High { get; set; }

        public TimeSpan? UsuallyGone
        {
            get => _usuallyGone ?? (High is { } cell ? Durations.LongestOf((int)Math.Ceiling(cell)) : null);
            set => _usuallyGone = value;
        }

        public long Waiting { get; set; }

        public long Overdue { get; set; }

        /// <summary>Of these, those that wait and those that are overdue of the stores that are asked for; null: it is not asked for some, or none of theirs is there.</summary>
        public (long Waiting, long Overdue)? Own { get; set; }

        /// <summary>Parcels that were seen elsewhere now.</summary>
        public long PassedNow { get; set; }

        public List<Bottleneck.Types.Day> Days { get; } = [];

        public List<Bottleneck.Types.WaitingParcel> Named { get; } = [];

        public long Parcels => (long)_counts.Sum();

        public double? Deviation => Quartiles is { } q && Median is { } now ? (now - q[1]) / Math.Max(LeastDeviation, (q[2] - q[0]) / QuartilesOfDeviation) : null;

        public bool IsUnusual => (Deviation >= Unusual && Parcels >= FewestNow) || (Overdue >= ManyOverdue && Overdue > UsualOverdue * (PassedNow + Waiting));

        private int? Median => Durations.Quantile(_counts, 0.5);

        public void Add(int[] counts)
        {
            for (var cell = 0; cell < counts.Length && cell < _counts.Length; cell++)
                _counts[cell] += counts[cell];
        }

        /// <summary>What it costs: the hours beyond the usual of those that came through, and of each that is overdue a usual time at least.</summary>
        public double LostHours()
        {
            var through = Quartiles is { } q && Median is { } median ? Math.Max(0, (Durations.MiddleOf(median) - Durations.MiddleOf(q[1])).TotalHours) * Parcels : 0;
            return through + (Overdue * (UsuallyGone?.TotalHours ?? 0));
        }

        public Bottleneck ToMessage()
        {
            var message = new Bottleneck
            {
                Kind = kind == PassageKind.Leg ? Bottleneck.Types.Kind.Leg : Bottleneck.Types.Kind.Hub,
                Carrier = carrier,
                Place = place,
                PlaceName = Name,
                NextPlace = next,
                NextPlaceName = NextName,
                Parcels = Own is null ? Parcels : 0,
                Waiting = Own?.Waiting ?? Waiting,
                Overdue = Own?.Overdue ?? Overdue,
                Unusual = IsUnusual,
                OverdueParcels = { Named },
                Days = { Days },
            };
            if (Median is { } median)
                message.MedianHours = Durations.MiddleOf(median).TotalHours;
            if (Quartiles is { } q)
                (message.UsualLowHours, message.UsualHours, message.UsualHighHours) = (Durations.MiddleOf(q[0]).TotalHours, Durations.MiddleOf(q[1]).TotalHours, Durations.MiddleOf(q[2]).TotalHours);
            if (Deviation is { } deviation)
                message.Deviation = deviation;
            if (kind == PassageKind.Stay && _usuallyGone is { } gone)
                message.UsuallyGoneHours = gone.TotalHours;
            return message;
        }
    }
}
