using System.Text.Json;
using Npgsql;

namespace Commerce.Shipments.Storage;

/// <summary>Scans as rows: those of a parcel, and those of a number that no parcel bears yet.</summary>
internal static class ScanRows
{
    public const string Columns =
        "shipment_id, scan_id, status, reason_party, reason_code, inferred, carrier_code, description, occurred_at, local_time, place, source, received_at";

    public static NpgsqlBatchCommand Insert(Guid shipmentId, IReadOnlyList<Scan> scans) => new(
        $"""
        INSERT INTO scans ({Columns})
        SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb[], $12, $13)
        ON CONFLICT DO NOTHING
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = shipmentId },
            new NpgsqlParameter<Guid[]> { TypedValue = [.. scans.Select(scan => scan.Id)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. scans.Select(scan => (short)scan.Status)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. scans.Select(scan => (short)scan.ReasonParty)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. scans.Select(scan => scan.ReasonCode)] },
            new NpgsqlParameter<bool[]> { TypedValue = [.. scans.Select(scan => scan.Inferred)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. scans.Select(scan => scan.CarrierCode)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. scans.Select(scan => scan.Description)] },
            new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. scans.Select(scan => scan.OccurredAt)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. scans.Select(scan => scan.LocalTime)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. scans.Select(scan => JsonSerializer.Serialize(scan.Place, JsonSerializerOptions.Web))] },
            new NpgsqlParameter<string[]> { TypedValue = [.. scans.Select(scan => scan.Source)] },
            new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. scans.Select(scan => scan.ReceivedAt)] },
        },
    };

    public static NpgsqlBatchCommand InsertUnclaimed(string trackingNumber, string carrier, IReadOnlyList<Scan> scans, DateTimeOffset now) => new(
        """
        INSERT INTO unclaimed_scans (tracking_number, carrier, scan_id, scan, received_at)
        SELECT $1, $2, scan_id, scan::jsonb, $5 FROM unnest($3, $4) AS given (scan_id, scan)
        ON CONFLICT DO NOTHING
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<string> { TypedValue = trackingNumber },
            new NpgsqlParameter<string> { TypedValue = carrier },
            new NpgsqlParameter<Guid[]> { TypedValue = [.. scans.Select(scan => scan.Id)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. scans.Select(scan => JsonSerializer.Serialize(scan, JsonSerializerOptions.Web))] },
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
        r.GetFieldValue<DateTimeOffset>(12)));
}
