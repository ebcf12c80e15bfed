using System.Text.Json;
using Npgsql;

namespace Commerce.Shipments.Storage;

/// <summary>Scans as rows: those of a parcel, and those of a number that no parcel bears yet.</summary>
internal static class ScanRows
{
    public const string Columns =
        "shipment_id, scan_id, status, reason_party, reason_code, inferred, carrier_code, description, occurred_at, local_time, place, source, received_at, time_basis, reporter, reporter_status";

    /// <summary>As <see cref="ReadSighting"/> reads them.</summary>
    public const string SightingColumns = "shipment_id, scan_id, status, reason_party, reason_code, occurred_at, time_basis";

    public static NpgsqlBatchCommand Insert(IReadOnlyList<(Guid ShipmentId, Scan Scan)> rows) => new(
        $"""
        INSERT INTO scans ({Columns})
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb[], $12, $13, $14, $15, $16)
        ON CONFLICT DO NOTHING
        """)
    {
        Parameters =
        {
            Column(rows, row => row.ShipmentId),
            Column(rows, row => row.Scan.Id),
            Column(rows, row => (short)row.Scan.Status),
            Column(rows, row => (short)row.Scan.ReasonParty),
            Column(rows, row => row.Scan.ReasonCode),
            Column(rows, row => row.Scan.Inferred),
            Column(rows, row => row.Scan.CarrierCode),
            Column(rows, row => row.Scan.Description),
            Column(rows, row => row.Scan.OccurredAt),
            Column(rows, row => row.Scan.LocalTime),
            Column(rows, row => JsonSerializer.Serialize(row.Scan.Place, JsonSerializerOptions.Web)),
            Column(rows, row => row.Scan.Source),
            Column(rows, row => row.Scan.ReceivedAt),
            Column(rows, row => (short)row.Scan.TimeBasis),
            Column(rows, row => row.Scan.Reporter),
            Column(rows, row => row.Scan.ReporterStatus),
        },
    };

    public static NpgsqlBatchCommand InsertUnclaimed(IReadOnlyList<(CarrierNumber Number, Scan Scan)> rows, DateTimeOffset now) => new(
        """
        INSERT INTO unclaimed_scans (tracking_number, carrier, scan_id, scan, received_at)
        SELECT tracking_number, carrier, scan_id, scan::jsonb, $5 FROM unnest($1, $2, $3, $4) AS given (tracking_number, carrier, scan_id, scan)
        ON CONFLICT DO NOTHING
        """)
    {
        Parameters =
        {
            Column(rows, row => row.Number.TrackingNumber),
            Column(rows, row => row.Number.Carrier),
            Column(rows, row => row.Scan.Id),
            Column(rows, row => JsonSerializer.Serialize(row.Scan, JsonSerializerOptions.Web)),
            new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
        },
    };

    /// <summary>Takes the scans that waited for this number, under the lock of the number.</summary>
    public static async Task<IReadOnlyList<Scan>> Claim(NpgsqlConnection connection, NpgsqlTransaction transaction, string trackingNumber, string carrier, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(ShipmentStore.NumberLock(trackingNumber));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM unclaimed_scans WHERE tracking_number = $1 AND carrier = $2 RETURNING scan")
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = trackingNumber }, new NpgsqlParameter<string> { TypedValue = carrier } },
        });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var scans = new List<Scan>();
        while (await reader.ReadAsync(cancellationToken))
            scans.Add(JsonSerializer.Deserialize<Scan>(reader.GetString(0), JsonSerializerOptions.Web)!);
        return scans;
    }

    public static (Guid ShipmentId, Scan Scan) Read(NpgsqlDataReader r) => (r.GetGuid(0), new Scan(
        r.GetGuid(1),
        (V1.TrackingStatus)r.GetInt16(2),
        (V1.StatusReason.Types.Party)r.GetInt16(3),
        r.GetString(4),
        r.GetBoolean(5),
        r.GetString(6),
        r.GetString(7),
        r.GetFieldValue<DateTimeOffset>(8),
        r.GetString(9),
        JsonSerializer.Deserialize<PlaceRecord>(r.GetString(10), JsonSerializerOptions.Web)!,
        r.GetString(11),
        r.GetFieldValue<DateTimeOffset>(12))
    {
        // Scans of a former number that were put away before these were known.
        TimeBasis = r.IsDBNull(13) ? V1.Scan.Types.TimeBasis.Carrier : (V1.Scan.Types.TimeBasis)r.GetInt16(13),
        Reporter = r.IsDBNull(14) ? "" : r.GetString(14),
        ReporterStatus = r.IsDBNull(15) ? "" : r.GetString(15),
    });

    public static (Guid ShipmentId, Sighting Sighting) ReadSighting(NpgsqlDataReader r) => (r.GetGuid(0), new Sighting(
        r.GetGuid(1),
        (V1.TrackingStatus)r.GetInt16(2),
        (V1.StatusReason.Types.Party)r.GetInt16(3),
        r.GetString(4),
        r.GetFieldValue<DateTimeOffset>(5),
        (V1.Scan.Types.TimeBasis)r.GetInt16(6) == V1.Scan.Types.TimeBasis.Received));

    private static NpgsqlParameter<TValue[]> Column<TRow, TValue>(IReadOnlyList<TRow> rows, Func<TRow, TValue> value) => new() { TypedValue = [.. rows.Select(value)] };
}
