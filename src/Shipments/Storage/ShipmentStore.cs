using System.Runtime.InteropServices;
using System.Text.Json;
using Commerce.ServiceDefaults;
using Commerce.Shipments.ResolvingExceptions;
using Commerce.Shipping.Rates;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Shipments.Storage;

/// <summary>A parcel, what its carrier saw, and the numbers that it was corrected from, the last one first.</summary>
internal sealed record FoundShipment(Shipment Shipment, IReadOnlyList<Scan> Scans, IReadOnlyList<FormerNumber> FormerNumbers);

/// <summary>A parcel that is locked until the transaction ends, and what is known of its scans.</summary>
internal sealed record LockedParcel(TrackedParcel Parcel, IReadOnlyList<Sighting> Known);

/// <summary>A carrier and a number of its own.</summary>
internal readonly record struct CarrierNumber(string Carrier, string TrackingNumber);

/// <summary>Parcels and their scans in Postgres.</summary>
internal sealed class ShipmentStore(NpgsqlDataSource database)
{
    internal const string Columns =
        """
        id, store_id, order_id, order_reference, location_id, position, ship_from, ship_to, lines, weight_grams, length_mm, width_mm,
        height_mm, value_minor, currency, promised_at, estimated_at, carrier, service, buying_carrier, buying_service, refused, label_id,
        tracking_number, label_price_minor, label_currency, status, reason_party, reason_code, action_required, status_at, reached,
        last_scan_at, delivered_at, exception_kind, exception_message, exception_at, exception_attempts, cancel_requested, version,
        created_at, updated_at, next_ship_to, labels_voided, recut, return_number, remedy, customs, delivery_change, decided_remedy,
        CASE WHEN label_id = manifest_label THEN manifest_id END
        """;

    private const string TrackedColumns =
        """
        id, store_id, order_id, return_number, carrier, tracking_number, status, reason_party, reason_code, action_required, status_at, reached,
        last_scan_at, delivered_at, exception_kind, exception_message, exception_at, exception_attempts, version, created_at, updated_at, remedy,
        location_id, ship_from ->> 'country', ship_from ->> 'region', ship_to ->> 'country', ship_to ->> 'region', ship_to ->> 'postalCode', weight_grams,
        promised_at, estimated_at, service, erased
        """;

    // Which of how many it is: what was cancelled does not count, so it changes with the others.
    private const string Pieces =
        """
        (SELECT count(*) FROM shipments o WHERE o.order_id = shipments.order_id AND o.return_number = shipments.return_number AND o.status <> 11 AND o.position <= shipments.position),
        (SELECT count(*) FROM shipments o WHERE o.order_id = shipments.order_id AND o.return_number = shipments.return_number AND o.status <> 11)
        """;

    public async Task<Shipment?> Find(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"SELECT {Columns} FROM shipments WHERE id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? ReadVisible(reader) : null;
    }

    /// <summary>The parcel with its scans and its history, for whoever asked by id, order, number or store.</summary>
    public async Task<IReadOnlyList<FoundShipment>> Select(ShipmentQuery query, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(query.Command($"SELECT {Columns}, {Pieces} FROM shipments WHERE "));
        batch.BatchCommands.Add(query.Command($"SELECT {ScanRows.Columns} FROM scans WHERE shipment_id IN (SELECT id FROM shipments WHERE ", ")"));
        batch.BatchCommands.Add(query.Command($"SELECT {FormerNumberRows.Columns} FROM former_tracking_numbers WHERE shipment_id IN (SELECT id FROM shipments WHERE ", ") ORDER BY shipment_id, ordinal DESC"));
        batch.BatchCommands.Add(query.Command(
            $"SELECT {FormerNumberRows.ScanColumns} FROM former_tracking_numbers AS former, jsonb_populate_recordset(NULL::scans, former.scans) AS scan WHERE former.shipment_id IN (SELECT id FROM shipments WHERE ", ")"));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var shipments = new List<Shipment>();
        while (await reader.ReadAsync(cancellationToken))
        {
            if (ReadVisible(reader) is { } shipment)
                shipments.Add(shipment);
        }

        await reader.NextResultAsync(cancellationToken);
        var scans = new List<(Guid ShipmentId, Scan Scan)>();
        while (await reader.ReadAsync(cancellationToken))
            scans.Add(ScanRows.Read(reader));
        await reader.NextResultAsync(cancellationToken);
        var formerNumbers = await FormerNumberRows.Read(reader, cancellationToken);
        var byShipment = scans.ToLookup(row => row.ShipmentId, row => row.Scan);
        return [.. shipments.Select(shipment => new FoundShipment(shipment, [.. byShipment[shipment.Id]], [.. formerNumbers[shipment.Id]]))];
    }

    /// <summary>The newest parcel of each number that one bears, and whose it is.</summary>
    public async Task<IReadOnlyDictionary<string, (Guid Id, string Carrier)>> Bearers(string[] numbers, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "SELECT DISTINCT ON (tracking_number) tracking_number, id, carrier FROM shipments WHERE tracking_number = ANY ($1) AND carrier IS NOT NULL ORDER BY tracking_number, created_at DESC");
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = numbers });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var bearers = new Dictionary<string, (Guid, string)>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
            bearers[reader.GetString(0)] = (reader.GetGuid(1), reader.GetString(2));
        return bearers;
    }

    /// <summary>
    /// Stores which label is going to be bought, before anybody is asked for it. False if the parcel changed since it was read: it
    /// was cancelled, or goes to another address. No version of the parcel: nothing has happened to it yet.
    /// </summary>
    public async Task<bool> Choose(Shipment shipment, Quote quote, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            UPDATE shipments SET buying_carrier = $2, buying_service = $3
            WHERE id = $1 AND version = $4 AND buying_carrier IS NULL AND label_id IS NULL AND tracking_number IS NULL AND NOT cancel_requested
            """);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = shipment.Id });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = quote.Carrier });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = quote.Service });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = shipment.Version });
        (shipment.BuyingCarrier, shipment.BuyingService) = (quote.Carrier, quote.Service);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Locks the parcel until the transaction ends: whoever changes it comes through here.</summary>
    public static async Task<Shipment?> Lock(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM shipments WHERE id = $1 FOR UPDATE", connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? ReadVisible(reader) : null;
    }

    /// <summary>Locks every parcel of an order that goes to the shopper, in the order of their ids.</summary>
    public static Task<IReadOnlyList<Shipment>> LockOrder(NpgsqlConnection connection, NpgsqlTransaction transaction, string orderId, CancellationToken cancellationToken) =>
        LockReturn(connection, transaction, orderId, 0, cancellationToken);

    /// <summary>Locks every parcel that brings a return back, in the order of their ids.</summary>
    public static async Task<IReadOnlyList<Shipment>> LockReturn(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string orderId, int returnNumber, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM shipments WHERE order_id = $1 AND return_number = $2 ORDER BY id FOR UPDATE", connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = orderId });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = returnNumber });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var shipments = new List<Shipment>();
        while (await reader.ReadAsync(cancellationToken))
        {
            if (ReadVisible(reader) is { } shipment)
                shipments.Add(shipment);
        }

        return shipments;
    }

    /// <summary>As <see cref="LockNumbers"/>, of one number.</summary>
    public static async Task<LockedParcel?> LockNumber(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string carrier, string trackingNumber, CancellationToken cancellationToken)
    {
        var number = new CarrierNumber(carrier, trackingNumber);
        return (await LockNumbers(connection, transaction, [number], cancellationToken)).GetValueOrDefault(number);
    }

    /// <summary>
    /// Locks of each number the carrier's newest parcel that bears it, and reads its scans, in one round trip. The numbers themselves are
    /// locked first: a scan that finds no parcel and a label that makes the number known see each other. Numbers and parcels are locked in
    /// one order each, so that two who lock many do not wait for each other.
    /// </summary>
    public static async Task<IReadOnlyDictionary<CarrierNumber, LockedParcel>> LockNumbers(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyList<CarrierNumber> numbers, CancellationToken cancellationToken)
    {
        // Parcel by parcel, whatever the planner thinks of arrays: to join them with the whole table looks cheap to it until the table is large.
        const string Newest =
            """
            (SELECT DISTINCT newest_id FROM (
              SELECT (SELECT id FROM shipments WHERE tracking_number = number AND carrier = by ORDER BY created_at DESC LIMIT 1) AS newest_id
              FROM unnest($1, $2) AS given (number, by)) AS bearers
            WHERE newest_id IS NOT NULL ORDER BY newest_id) AS newest CROSS JOIN LATERAL
            """;
        await using var batch = new NpgsqlBatch(connection, transaction);
        // Whatever the planner knew of these numbers, it would go by the same indexes: to plan this and what is written next anew takes longer than to do it.
        // A plan that is kept may be one of empty tables, where reading all of them looks cheapest and stays so until they are analysed: only the indexes are left to it.
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
              set_config('enable_mergejoin', 'off', true)
            """));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT pg_advisory_xact_lock(hashtextextended(number, 2)) FROM (SELECT number FROM unnest($1) AS given (number) GROUP BY number ORDER BY number COLLATE \"C\") AS numbers")
        {
            Parameters = { new NpgsqlParameter<string[]> { TypedValue = [.. numbers.Select(one => one.TrackingNumber)] } },
        });
        foreach (var select in (string[])
        [
            $"SELECT parcel.* FROM {Newest} (SELECT {TrackedColumns} FROM shipments WHERE id = newest_id FOR UPDATE) AS parcel",
            $"SELECT seen.* FROM {Newest} (SELECT {ScanRows.SightingColumns} FROM scans WHERE shipment_id = newest_id OFFSET 0) AS seen",
        ])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(select)
            {
                Parameters =
                {
                    new NpgsqlParameter<string[]> { TypedValue = [.. numbers.Select(one => one.TrackingNumber)] },
                    new NpgsqlParameter<string[]> { TypedValue = [.. numbers.Select(one => one.Carrier)] },
                },
            });
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        // First come what is set and the locks.
        await reader.NextResultAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var parcels = new List<TrackedParcel>();
        while (await reader.ReadAsync(cancellationToken))
            parcels.Add(ReadTracked(reader));
        await reader.NextResultAsync(cancellationToken);
        var seen = new Dictionary<Guid, List<Sighting>>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var (shipmentId, sighting) = ScanRows.ReadSighting(reader);
            (CollectionsMarshal.GetValueRefOrAddDefault(seen, shipmentId, out _) ??= []).Add(sighting);
        }

        return parcels.ToDictionary(one => new CarrierNumber(one.Carrier!, one.TrackingNumber!), one => new LockedParcel(one, seen.GetValueOrDefault(one.Id) ?? []));
    }

    public static NpgsqlBatchCommand NumberLock(string trackingNumber) => new("SELECT pg_advisory_xact_lock(hashtextextended($1, 2))")
    {
        Parameters = { new NpgsqlParameter<string> { TypedValue = trackingNumber } },
    };

    /// <summary>Planning an order and cancelling it wait for each other.</summary>
    public static NpgsqlBatchCommand OrderLock(string orderId) => new("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))")
    {
        Parameters = { new NpgsqlParameter<string> { TypedValue = orderId } },
    };

    public static NpgsqlBatchCommand Insert(Shipment s) => new(
        """
        INSERT INTO shipments (id, store_id, order_id, order_reference, location_id, position, ship_from, ship_to, lines, weight_grams,
          length_mm, width_mm, height_mm, value_minor, currency, promised_at, status, status_at, version, created_at, updated_at, return_number)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $18, $18, $20)
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = s.Id },
            new NpgsqlParameter<string> { TypedValue = s.StoreId },
            new NpgsqlParameter<string> { TypedValue = s.OrderId },
            new NpgsqlParameter<string> { TypedValue = s.OrderReference },
            new NpgsqlParameter<string> { TypedValue = s.LocationId },
            new NpgsqlParameter<int> { TypedValue = s.Position },
            Json(s.ShipFrom),
            Json(s.ShipTo),
            Json(s.Lines),
            new NpgsqlParameter<int> { TypedValue = s.Size.WeightGrams },
            new NpgsqlParameter<int> { TypedValue = s.Size.LengthMm },
            new NpgsqlParameter<int> { TypedValue = s.Size.WidthMm },
            new NpgsqlParameter<int> { TypedValue = s.Size.HeightMm },
            new NpgsqlParameter<long> { TypedValue = s.Value.Minor },
            new NpgsqlParameter<string> { TypedValue = s.Value.Currency },
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = s.PromisedAt?.ToUniversalTime() },
            new NpgsqlParameter<short> { TypedValue = (short)s.Tracking.Status },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = s.CreatedAt },
            new NpgsqlParameter<long> { TypedValue = s.Version },
            new NpgsqlParameter<int> { TypedValue = s.ReturnNumber },
        },
    };

    /// <summary>Everything that can change.</summary>
    public static NpgsqlBatchCommand Update(Shipment s) => new(
        """
        UPDATE shipments SET estimated_at = $2, carrier = $3, service = $4, buying_carrier = $5, buying_service = $6, refused = $7, label_id = $8,
          tracking_number = $9, label_price_minor = $10, label_currency = $11, status = $12, reason_party = $13, reason_code = $14,
          action_required = $15, status_at = $16, reached = $17, last_scan_at = $18, delivered_at = $19, exception_kind = $20,
          exception_message = $21, exception_at = $22, exception_attempts = $23, cancel_requested = $24, version = $25, updated_at = $26,
          ship_to = $27, next_ship_to = $28, labels_voided = $29, recut = $30, remedy = $31, exception_severity = $32, customs = $33, delivery_change = $34,
          decided_remedy = $35
        WHERE id = $1
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = s.Id },
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = s.EstimatedAt?.ToUniversalTime() },
            new NpgsqlParameter<string?> { TypedValue = s.Carrier },
            new NpgsqlParameter<string?> { TypedValue = s.Service },
            new NpgsqlParameter<string?> { TypedValue = s.BuyingCarrier },
            new NpgsqlParameter<string?> { TypedValue = s.BuyingService },
            new NpgsqlParameter<string[]> { TypedValue = [.. s.Refused] },
            new NpgsqlParameter<string?> { TypedValue = s.LabelId },
            new NpgsqlParameter<string?> { TypedValue = s.TrackingNumber },
            new NpgsqlParameter<long?> { TypedValue = s.LabelPrice?.Minor },
            new NpgsqlParameter<string?> { TypedValue = s.LabelPrice?.Currency },
            new NpgsqlParameter<short> { TypedValue = (short)s.Tracking.Status },
            new NpgsqlParameter<short> { TypedValue = (short)s.Tracking.ReasonParty },
            new NpgsqlParameter<string> { TypedValue = s.Tracking.ReasonCode },
            new NpgsqlParameter<bool> { TypedValue = s.Tracking.ActionRequired },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = s.Tracking.StatusAt },
            new NpgsqlParameter<short[]> { TypedValue = [.. s.Tracking.Reached.Select(status => (short)status)] },
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = s.LastScanAt },
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = s.Tracking.DeliveredAt },
            new NpgsqlParameter<short?> { TypedValue = (short?)s.Exception?.Kind },
            new NpgsqlParameter<string?> { TypedValue = s.Exception?.Message },
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = s.Exception?.At },
            new NpgsqlParameter<int> { TypedValue = s.Exception?.Attempts ?? 0 },
            new NpgsqlParameter<bool> { TypedValue = s.CancelRequested },
            new NpgsqlParameter<long> { TypedValue = s.Version },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = s.UpdatedAt },
            Json(s.ShipTo),
            JsonOrNull(s.NextShipTo),
            new NpgsqlParameter<int> { TypedValue = s.LabelsVoided },
            new NpgsqlParameter<bool> { TypedValue = s.Recut },
            new NpgsqlParameter<short> { TypedValue = (short)s.Remedy },
            new NpgsqlParameter<short> { TypedValue = SeverityOf(s) },
            JsonOrNull(s.Customs),
            JsonOrNull(s.DeliveryChange),
            JsonOrNull(s.DecidedRemedy),
        },
    };

    /// <summary>What scans change, of many parcels in one statement; each is to be read by whoever follows paths.</summary>
    public static NpgsqlBatchCommand UpdateTracking(IReadOnlyList<TrackedParcel> shipments) => new(
        """
        WITH tracked AS (UPDATE shipments SET status = new.status, reason_party = new.reason_party, reason_code = new.reason_code, action_required = new.action_required,
          status_at = new.status_at, reached = new.reached::smallint[], last_scan_at = new.last_scan_at, delivered_at = new.delivered_at,
          exception_kind = new.exception_kind, exception_message = new.exception_message, exception_at = new.exception_at,
          exception_attempts = new.exception_attempts, exception_severity = new.exception_severity, version = new.version, updated_at = new.updated_at
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) AS new (id, status, reason_party, reason_code, action_required,
          status_at, reached, last_scan_at, delivered_at, exception_kind, exception_message, exception_at, exception_attempts, version, updated_at,
          exception_severity)
        WHERE shipments.id = new.id RETURNING shipments.id, shipments.version)
        INSERT INTO parcels_to_read (shipment_id, version) SELECT id, version FROM tracked
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid[]> { TypedValue = [.. shipments.Select(s => s.Id)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. shipments.Select(s => (short)s.Tracking.Status)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. shipments.Select(s => (short)s.Tracking.ReasonParty)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. shipments.Select(s => s.Tracking.ReasonCode)] },
            new NpgsqlParameter<bool[]> { TypedValue = [.. shipments.Select(s => s.Tracking.ActionRequired)] },
            new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. shipments.Select(s => s.Tracking.StatusAt)] },
            // Lists of different lengths are no array of SQL: each travels as its text.
            new NpgsqlParameter<string[]> { TypedValue = [.. shipments.Select(s => $"{{{string.Join(',', s.Tracking.Reached.Select(status => (short)status))}}}")] },
            new NpgsqlParameter<DateTimeOffset?[]> { TypedValue = [.. shipments.Select(s => s.LastScanAt)] },
            new NpgsqlParameter<DateTimeOffset?[]> { TypedValue = [.. shipments.Select(s => s.Tracking.DeliveredAt)] },
            new NpgsqlParameter<short?[]> { TypedValue = [.. shipments.Select(s => (short?)s.Exception?.Kind)] },
            new NpgsqlParameter<string?[]> { TypedValue = [.. shipments.Select(s => s.Exception?.Message)] },
            new NpgsqlParameter<DateTimeOffset?[]> { TypedValue = [.. shipments.Select(s => s.Exception?.At)] },
            new NpgsqlParameter<int[]> { TypedValue = [.. shipments.Select(s => s.Exception?.Attempts ?? 0)] },
            new NpgsqlParameter<long[]> { TypedValue = [.. shipments.Select(s => s.Version)] },
            new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. shipments.Select(s => s.UpdatedAt)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. shipments.Select(SeverityOf)] },
        },
    };

    private static short SeverityOf(TrackedParcel s) => (short)(s.Exception is { } exception ? Severities.Of(exception.Kind, s.Tracking) : 0);

    internal static NpgsqlParameter Json<T>(T value) => new() { Value = JsonSerializer.Serialize(value, JsonSerializerOptions.Web), NpgsqlDbType = NpgsqlDbType.Jsonb };

    private static NpgsqlParameter JsonOrNull<T>(T? value)
        where T : class => value is null ? new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb } : Json(value);

    // What belongs to a store that is not the caller's does not exist for it.
    private static Shipment? ReadVisible(NpgsqlDataReader r) => Principal.CurrentMaySee(r.GetString(1)) ? Read(r) : null;

    internal static Shipment Read(NpgsqlDataReader r) => new()
    {
        Id = r.GetGuid(0),
        StoreId = r.GetString(1),
        OrderId = r.GetString(2),
        OrderReference = r.GetString(3),
        LocationId = r.GetString(4),
        Position = r.GetInt32(5),
        ShipFrom = FromJson<PlaceRecord>(r, 6),
        ShipTo = FromJson<AddressRecord>(r, 7),
        Lines = FromJson<List<LineRecord>>(r, 8),
        Size = new ParcelSize(r.GetInt32(9), r.GetInt32(10), r.GetInt32(11), r.GetInt32(12)),
        Value = new Money(r.GetInt64(13), r.GetString(14)),
        PromisedAt = Time(r, 15),
        EstimatedAt = Time(r, 16),
        Carrier = Text(r, 17),
        Service = Text(r, 18),
        BuyingCarrier = Text(r, 19),
        BuyingService = Text(r, 20),
        Refused = r.GetFieldValue<string[]>(21),
        LabelId = Text(r, 22),
        TrackingNumber = Text(r, 23),
        LabelPrice = r.IsDBNull(24) ? null : new Money(r.GetInt64(24), r.GetString(25)),
        Tracking = ReadTracking(r, 26),
        LastScanAt = Time(r, 32),
        Exception = ReadException(r, 34),
        CancelRequested = r.GetBoolean(38),
        Version = r.GetInt64(39),
        CreatedAt = r.GetFieldValue<DateTimeOffset>(40),
        UpdatedAt = r.GetFieldValue<DateTimeOffset>(41),
        NextShipTo = r.IsDBNull(42) ? null : FromJson<AddressRecord>(r, 42),
        LabelsVoided = r.GetInt32(43),
        Recut = r.GetBoolean(44),
        ReturnNumber = r.GetInt32(45),
        Customs = r.IsDBNull(47) ? null : FromJson<CustomsRecord>(r, 47),
        DeliveryChange = r.IsDBNull(48) ? null : FromJson<DeliveryChangeRecord>(r, 48),
        DecidedRemedy = r.IsDBNull(49) ? null : FromJson<DecidedRemedyRecord>(r, 49),
        ManifestId = r.IsDBNull(50) ? null : r.GetGuid(50),
        Piece = r.FieldCount > 51 ? (int)r.GetInt64(51) : 0,
        Pieces = r.FieldCount > 52 ? (int)r.GetInt64(52) : 0,
        Remedy = (Remedy)r.GetInt16(46),
    };

    private static TrackedParcel ReadTracked(NpgsqlDataReader r) => new()
    {
        Id = r.GetGuid(0),
        StoreId = r.GetString(1),
        OrderId = r.GetString(2),
        ReturnNumber = r.GetInt32(3),
        Carrier = Text(r, 4),
        TrackingNumber = Text(r, 5),
        Tracking = ReadTracking(r, 6),
        LastScanAt = Time(r, 12),
        Exception = ReadException(r, 14),
        Version = r.GetInt64(18),
        CreatedAt = r.GetFieldValue<DateTimeOffset>(19),
        UpdatedAt = r.GetFieldValue<DateTimeOffset>(20),
        Remedy = (Remedy)r.GetInt16(21),
        LocationId = r.GetString(22),
        Lane = new Lane(r.GetString(23), r.GetString(24), r.GetString(25), r.GetString(26), r.GetString(27)),
        WeightGrams = r.GetInt32(28),
        PromisedAt = Time(r, 29),
        EstimatedAt = Time(r, 30),
        Service = Text(r, 31),
        IsErased = r.GetBoolean(32),
    };

    // "status" to "delivered_at" of the columns.
    private static TrackingState ReadTracking(NpgsqlDataReader r, int first) => new(
        (V1.TrackingStatus)r.GetInt16(first),
        (V1.StatusReason.Types.Party)r.GetInt16(first + 1),
        r.GetString(first + 2),
        r.GetBoolean(first + 3),
        r.GetFieldValue<DateTimeOffset>(first + 4),
        Time(r, first + 7),
        [.. r.GetFieldValue<short[]>(first + 5).Select(status => (V1.TrackingStatus)status)]);

    // "exception_kind" to "exception_attempts" of the columns.
    private static ExceptionRecord? ReadException(NpgsqlDataReader r, int first) => r.IsDBNull(first)
        ? null
        : new ExceptionRecord((V1.ShipmentException.Types.Kind)r.GetInt16(first), r.GetString(first + 1), r.GetFieldValue<DateTimeOffset>(first + 2), r.GetInt32(first + 3));

    private static T FromJson<T>(NpgsqlDataReader reader, int column) =>
        JsonSerializer.Deserialize<T>(reader.GetString(column), JsonSerializerOptions.Web)!;

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
