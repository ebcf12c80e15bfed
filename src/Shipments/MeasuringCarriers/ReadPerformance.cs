using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Google.Protobuf.WellKnownTypes;
using Npgsql;
using GroupBy = Commerce.Shipments.V1.GetCarrierPerformanceRequest.Types.GroupBy;

namespace Commerce.Shipments.MeasuringCarriers;

/// <summary>Says how carriers do, from the sums by week.</summary>
internal sealed class ReadPerformance(NpgsqlDataSource database, TimeProvider time)
{
    private const int MostRows = 1_000;
    // A row of the answer is made of one for each pair of days and each currency.
    private const int MostSums = 200_000;
    private const int DefaultWeeks = 13;
    private const int LongestText = 60;

    private static readonly string[] Zones = ["same_region", "domestic", "cross_border"];

    // The same of some stores alone. What ended in a week was last heard of in it, or later.
    private const string OfStores =
        """
        (SELECT k.lane_from, k.lane_to, k.week, k.carrier, k.service, k.zone, k.currency, k.calendar_days, k.business_days, 1 AS parcels, o.delivered::integer, o.returned::integer, o.measured::integer,
           o.in_time::integer, o.promised::integer, o.kept::integer, o.first_attempt::integer, o.exceptions::integer, o.cost_minor
         FROM shipments s JOIN parcel_outcomes p ON p.shipment_id = s.id
         CROSS JOIN LATERAL (SELECT (p.outcome ->> 'delivered')::boolean AS delivered, (p.outcome ->> 'returned')::boolean AS returned, (p.outcome ->> 'measured')::boolean AS measured,
           (p.outcome ->> 'inTime')::boolean AS in_time, (p.outcome ->> 'promised')::boolean AS promised, (p.outcome ->> 'kept')::boolean AS kept, (p.outcome ->> 'firstAttempt')::boolean AS first_attempt,
           (p.outcome ->> 'exception')::boolean AS exceptions, (p.outcome ->> 'costMinor')::numeric AS cost_minor) o
         CROSS JOIN LATERAL (SELECT p.outcome -> 'key' ->> 'laneFrom' AS lane_from, p.outcome -> 'key' ->> 'laneTo' AS lane_to, (p.outcome -> 'key' ->> 'week')::date AS week,
           p.outcome -> 'key' ->> 'carrier' AS carrier, p.outcome -> 'key' ->> 'service' AS service, p.outcome -> 'key' ->> 'zone' AS zone, p.outcome -> 'key' ->> 'currency' AS currency,
           (p.outcome -> 'key' ->> 'calendarDays')::integer AS calendar_days, (p.outcome -> 'key' ->> 'businessDays')::integer AS business_days) k
         WHERE s.store_id = ANY ($8) AND s.status IN (6, 10) AND s.status_at >= $1) AS of_stores
        """;

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public async Task<CarrierPerformance> Read(GetCarrierPerformanceRequest request, IReadOnlySet<string>? stores, CancellationToken cancellationToken)
    {
        var (start, end) = Check(request);
        var by = request.GroupBy.Count == 0 ? [GroupBy.Carrier] : request.GroupBy.ToHashSet();
        string Column(string name, params GroupBy[] wanted) => wanted.Any(by.Contains) ? name : "''";
        var week = by.Contains(GroupBy.Week) ? "week" : "date '0001-01-01'";
        await using var command = database.CreateCommand(
            $"""
            SELECT {Column("carrier", GroupBy.Carrier, GroupBy.Service)}, {Column("service", GroupBy.Service)}, {Column("lane_from", GroupBy.Lane)}, {Column("lane_to", GroupBy.Lane)}, {Column("zone", GroupBy.Zone)}, {week},
              currency, calendar_days, business_days, sum(parcels)::bigint, sum(delivered)::bigint, sum(returned)::bigint, sum(measured)::bigint, sum(in_time)::bigint, sum(promised)::bigint, sum(kept)::bigint,
              sum(first_attempt)::bigint, sum(exceptions)::bigint, sum(cost_minor)
            FROM {(stores is null ? "carrier_weeks" : OfStores)}
            WHERE week >= $1 AND week < $2 AND ($3 = '' OR carrier = $3) AND ($4 = '' OR service = $4) AND ($5 = '' OR lane_from = $5 OR starts_with(lane_from, $5 || '-'))
              AND ($6 = '' OR lane_to = $6 OR starts_with(lane_to, $6 || '-')) AND ($7 = '' OR zone = $7)
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 4, 5, 6 LIMIT {MostSums + 1}
            """);
        command.Parameters.Add(new NpgsqlParameter<DateOnly> { TypedValue = start });
        command.Parameters.Add(new NpgsqlParameter<DateOnly> { TypedValue = end });
        foreach (var text in (string[])[request.Carrier, request.Service, request.LaneFrom, request.LaneTo, request.Zone])
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = text });
        if (stores is not null)
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. stores] });
        var answer = new CarrierPerformance();
        await AddEnded(answer, command, cancellationToken);
        await AddClaims(answer, request, stores, by, start, end, cancellationToken);
        return answer;
    }

    private static async Task AddEnded(CarrierPerformance answer, NpgsqlCommand command, CancellationToken cancellationToken)
    {
        Sums? sums = null;
        var read = 0;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = (reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetString(4), reader.GetFieldValue<DateOnly>(5));
            if (sums is not null && sums.Key != key)
            {
                answer.Rows.Add(sums.Row());
                sums = null;
            }

            // Of a row of which a part is cut off nothing is said.
            if (answer.Truncated = answer.Rows.Count == MostRows || ++read > MostSums)
                return;
            (sums ??= new Sums(key)).Add(reader);
        }

        if (sums is not null)
            answer.Rows.Add(sums.Row());
    }

    // Few of a thousand parcels are claimed, and those that are lost never end: claims are counted as they are, by their own index.
    private async Task AddClaims(
        CarrierPerformance answer, GetCarrierPerformanceRequest request, IReadOnlySet<string>? stores, HashSet<GroupBy> by, DateOnly start, DateOnly end, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"""
            SELECT s.carrier, coalesce(s.service, ''), coalesce(s.ship_from ->> 'country', ''), coalesce(s.ship_from ->> 'region', ''), coalesce(s.ship_to ->> 'country', ''), coalesce(s.ship_to ->> 'region', ''),
              r.created_at, r.state, r.amount_minor, r.currency, r.paid_minor, r.paid_currency
            FROM resolutions r JOIN shipments s ON s.id = r.shipment_id
            WHERE r.action = 1 AND r.outcome <> '' AND r.created_at >= $1 AND r.created_at < $2 AND s.carrier IS NOT NULL AND ($3 = '' OR s.carrier = $3) AND ($4 = '' OR s.service = $4)
              AND ($5::text[] IS NULL OR s.store_id = ANY ($5))
            ORDER BY r.created_at LIMIT {MostSums}
            """);
        // By weeks, as parcels that ended: one that began before the end counts as a whole.
        var until = end.AddDays(6 - (((int)end.AddDays(-1).DayOfWeek + 6) % 7));
        foreach (var day in (DateOnly[])[start, until])
            command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero) });
        foreach (var text in (string[])[request.Carrier, request.Service])
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = text });
        command.Parameters.Add(new NpgsqlParameter { Value = stores?.ToArray() ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text });
        var rows = answer.Rows.ToDictionary(KeyOf);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (from, to) = (ParcelOutcome.LaneEnd(reader.GetString(2), reader.GetString(3)), ParcelOutcome.LaneEnd(reader.GetString(4), reader.GetString(5)));
            var zone = ParcelOutcome.ZoneOf(from, to);
            if (!Covers(request.LaneFrom, from) || !Covers(request.LaneTo, to) || (request.Zone.Length > 0 && request.Zone != zone))
                continue;
            var week = ParcelOutcome.MondayOf(DateOnly.FromDateTime(reader.GetFieldValue<DateTimeOffset>(6).UtcDateTime));
            var key = new CarrierPerformance.Types.Row
            {
                Carrier = If(by.Contains(GroupBy.Carrier) || by.Contains(GroupBy.Service), reader.GetString(0)),
                Service = If(by.Contains(GroupBy.Service), reader.GetString(1)),
                LaneFrom = If(by.Contains(GroupBy.Lane), from),
                LaneTo = If(by.Contains(GroupBy.Lane), to),
                Zone = If(by.Contains(GroupBy.Zone), zone),
                Week = by.Contains(GroupBy.Week) ? Timestamp.FromDateTime(week.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc)) : null,
            };
            if (!rows.TryGetValue(KeyOf(key), out var row))
            {
                // What was cut off is not told by its claims alone.
                if (answer.Truncated)
                    continue;
                rows[KeyOf(key)] = row = key;
                answer.Rows.Add(row);
            }

            var state = (Resolution.Types.State)reader.GetInt16(7);
            row.Claims++;
            row.ClaimsGranted += state == Resolution.Types.State.Done ? 1 : 0;
            row.ClaimsRejected += state == Resolution.Types.State.Failed ? 1 : 0;
            AddTo(row.ClaimedAmounts, 8);
            AddTo(row.PaidAmounts, 10);
        }

        var sorted = answer.Rows.OrderBy(KeyOf).ToList();
        answer.Rows.Clear();
        answer.Rows.Add(sorted.Take(MostRows));
        answer.Truncated |= sorted.Count > MostRows;

        static string If(bool grouped, string text) => grouped ? text : "";

        static bool Covers(string asked, string lane) => asked.Length == 0 || lane == asked || lane.StartsWith($"{asked}-", StringComparison.Ordinal);

        void AddTo(Google.Protobuf.Collections.RepeatedField<Google.Type.Money> amounts, int column)
        {
            if (reader.IsDBNull(column))
                return;
            var money = new Money(reader.GetInt64(column), reader.GetString(column + 1));
            var same = amounts.FirstOrDefault(one => one.CurrencyCode == money.Currency);
            if (same is not null && same.TryToMoney(out var sum, out _))
                money = new Money((long)Math.Min(long.MaxValue, (decimal)sum.Minor + money.Minor), money.Currency);
            if (same is not null)
                amounts.Remove(same);
            amounts.Add(money.ToProto());
        }
    }

    private static (string Carrier, string Service, string From, string To, string Zone, long Week) KeyOf(CarrierPerformance.Types.Row row) =>
        (row.Carrier, row.Service, row.LaneFrom, row.LaneTo, row.Zone, row.Week?.Seconds ?? 0);

    private (DateOnly Start, DateOnly End) Check(GetCarrierPerformanceRequest request)
    {
        var (errors, now) = (new List<FieldError>(), time.GetUtcNow());
        foreach (var (field, text) in new[] { ("carrier", request.Carrier), ("service", request.Service), ("lane_from", request.LaneFrom), ("lane_to", request.LaneTo) })
        {
            if (text.Length > LongestText || text.Any(char.IsControl))
                errors.Add(new FieldError(field, $"Has at most {LongestText} characters."));
        }

        if (request.Zone.Length > 0 && !Zones.Contains(request.Zone))
            errors.Add(new FieldError("zone", $"Give {string.Join(", ", Zones)}, or none for all."));
        if (request.GroupBy.Any(one => one == GroupBy.Unspecified || !System.Enum.IsDefined(one)))
            errors.Add(new FieldError("group_by", "Give GROUP_BY_CARRIER, GROUP_BY_SERVICE, GROUP_BY_LANE, GROUP_BY_ZONE or GROUP_BY_WEEK."));
        var start = ParcelOutcome.MondayOf(Day("start_time", request.StartTime) ?? DateOnly.FromDateTime(now.UtcDateTime).AddDays(-7 * DefaultWeeks));
        var end = Day("end_time", request.EndTime) ?? DateOnly.FromDateTime(now.UtcDateTime).AddDays(1);
        if (errors.Count == 0 && end <= start)
            errors.Add(new FieldError("end_time", "Is not after start_time."));
        return errors.Count > 0 ? throw Failure.Invalid(errors) : (start, end);

        DateOnly? Day(string field, Timestamp? given)
        {
            if (given is null)
                return null;
            if (given.Seconds is >= 0 and < 4_102_444_800)
                return DateOnly.FromDateTime(DateTimeOffset.FromUnixTimeSeconds(given.Seconds).UtcDateTime);
            errors.Add(new FieldError(field, "Give a time between 1970 and 2099."));
            return null;
        }
    }

    private sealed class Sums((string Carrier, string Service, string From, string To, string Zone, DateOnly Week) key)
    {
        private readonly long[] _counts = new long[9];
        private readonly SortedDictionary<int, long> _calendar = [];
        private readonly SortedDictionary<int, long> _business = [];
        private readonly SortedDictionary<string, (decimal Minor, long Parcels)> _costs = new(StringComparer.Ordinal);

        public (string, string, string, string, string, DateOnly) Key => key;

        public void Add(NpgsqlDataReader reader)
        {
            for (var i = 0; i < _counts.Length; i++)
                _counts[i] += reader.GetInt64(9 + i);
            var delivered = reader.GetInt64(10);
            _calendar[reader.GetInt32(7)] = _calendar.GetValueOrDefault(reader.GetInt32(7)) + delivered;
            _business[reader.GetInt32(8)] = _business.GetValueOrDefault(reader.GetInt32(8)) + delivered;
            var currency = reader.GetString(6);
            var (minor, parcels) = _costs.GetValueOrDefault(currency);
            _costs[currency] = (minor + reader.GetDecimal(18), parcels + reader.GetInt64(9));
        }

        public CarrierPerformance.Types.Row Row()
        {
            var (parcels, delivered, returned, measured, inTime, promised, kept, first, exceptions) =
                (_counts[0], _counts[1], _counts[2], _counts[3], _counts[4], _counts[5], _counts[6], _counts[7], _counts[8]);
            var row = new CarrierPerformance.Types.Row
            {
                Carrier = key.Carrier,
                Service = key.Service,
                LaneFrom = key.From,
                LaneTo = key.To,
                Zone = key.Zone,
                Week = key.Week == DateOnly.MinValue ? null : Timestamp.FromDateTime(key.Week.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc)),
                Parcels = parcels,
                Delivered = delivered,
                Returned = returned,
                Measured = measured,
                CalendarDays = Days(_calendar),
                BusinessDays = Days(_business),
            };
            if (measured > 0)
                row.InTimeShare = (double)inTime / measured;
            if (promised > 0)
                row.PromiseKeptShare = (double)kept / promised;
            if (delivered > 0)
                row.FirstAttemptShare = (double)first / delivered;
            if (parcels > 0)
                row.ExceptionShare = (double)exceptions / parcels;
            foreach (var (currency, (minor, of)) in _costs.Where(pair => Currencies.Exists(pair.Key) && pair.Value.Parcels > 0 && pair.Value.Minor <= long.MaxValue))
            {
                row.Costs.Add(new Money((long)minor, currency).ToProto());
                row.AverageCosts.Add(new Money((long)Math.Round(minor / of, MidpointRounding.AwayFromZero), currency).ToProto());
            }

            return row;
        }

        private static CarrierPerformance.Types.TransitDays? Days(SortedDictionary<int, long> parcels)
        {
            var all = parcels.Values.Sum();
            return all == 0 ? null : new CarrierPerformance.Types.TransitDays { P50 = Percentile(50), P80 = Percentile(80), P95 = Percentile(95), Mean = parcels.Sum(pair => (double)pair.Key * pair.Value) / all };

            // The fewest days within which so many of a hundred arrived.
            int Percentile(int percent)
            {
                var seen = 0L;
                foreach (var (days, count) in parcels)
                {
                    seen += count;
                    if (seen * 100 >= all * percent)
                        return days;
                }

                return parcels.Keys.Last();
            }
        }
    }
}
