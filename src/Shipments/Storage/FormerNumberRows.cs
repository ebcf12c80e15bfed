using Npgsql;

namespace Commerce.Shipments.Storage;

/// <summary>A number that a parcel was corrected from, with what the carrier saw of it.</summary>
internal sealed record FormerNumber(string Carrier, string TrackingNumber, DateTimeOffset ReplacedAt, string ReplacedBy, string Note, IReadOnlyList<Scan> Scans);

/// <summary>
/// Numbers that parcels were corrected from, as rows. Their scans are rows of "scans" as jsonb: a migration that adds a column there which
/// must not be null adds it to each of these, too.
/// </summary>
internal static class FormerNumberRows
{
    public const string Columns = "shipment_id, ordinal, carrier, tracking_number, replaced_at, replaced_by, note";

    /// <summary>A scan as <see cref="ScanRows.Read"/> reads it, and the ordinal behind it.</summary>
    public static readonly string ScanColumns = string.Join(", ", ScanRows.Columns.Split(',', StringSplitOptions.TrimEntries).Select(column => $"scan.{column}").Append("former.ordinal"));

    private static readonly int OrdinalColumn = ScanRows.Columns.Split(',').Length;

    /// <summary>Takes the scans of a locked parcel's number from it, into its history.</summary>
    public static void Replace(NpgsqlBatch batch, Guid shipmentId, string carrier, string trackingNumber, string replacedBy, string note, DateTimeOffset now)
    {
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            INSERT INTO former_tracking_numbers (shipment_id, ordinal, carrier, tracking_number, replaced_at, replaced_by, note, scans)
            SELECT $1, coalesce((SELECT max(ordinal) FROM former_tracking_numbers WHERE shipment_id = $1), 0) + 1, $2, $3, $4, $5, $6,
              coalesce((SELECT jsonb_agg(to_jsonb(scan)) FROM scans AS scan WHERE shipment_id = $1), '[]')
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = shipmentId },
                new NpgsqlParameter<string> { TypedValue = carrier },
                new NpgsqlParameter<string> { TypedValue = trackingNumber },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
                new NpgsqlParameter<string> { TypedValue = replacedBy },
                new NpgsqlParameter<string> { TypedValue = note },
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM scans WHERE shipment_id = $1") { Parameters = { new NpgsqlParameter<Guid> { TypedValue = shipmentId } } });
        // A row of its own, which no change of the same version can have: one that is claimed just now is read without this.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO parcels_to_read (shipment_id, version) SELECT id, -version FROM shipments WHERE id = $1") { Parameters = { new NpgsqlParameter<Guid> { TypedValue = shipmentId } } });
    }

    /// <summary>
    /// Everything that is known of a number and that its bearer does not have: scans that waited for it, and scans of parcels that were
    /// corrected from it since <paramref name="since"/> (before that, the carrier may have used it for another parcel). Under its lock.
    /// </summary>
    public static async Task<IReadOnlyList<Scan>> Claim(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string carrier, string trackingNumber, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var scans = new List<Scan>(await ScanRows.Claim(connection, transaction, trackingNumber, carrier, cancellationToken));
        await using var command = new NpgsqlCommand(
            $"""
            SELECT {ScanColumns} FROM former_tracking_numbers AS former, jsonb_populate_recordset(NULL::scans, former.scans) AS scan
            WHERE former.tracking_number = $1 AND former.carrier = $2 AND scan.received_at >= $3
            """,
            connection, transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = trackingNumber },
                new NpgsqlParameter<string> { TypedValue = carrier },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = since },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            scans.Add(ScanRows.Read(reader).Scan);
        return [.. scans.DistinctBy(scan => scan.Id)];
    }

    /// <summary>By parcel, from a result of <see cref="Columns"/> and, behind it, one of <see cref="ScanColumns"/>.</summary>
    public static async Task<ILookup<Guid, FormerNumber>> Read(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var numbers = new List<(Guid ShipmentId, int Ordinal, FormerNumber Number)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            numbers.Add((reader.GetGuid(0), reader.GetInt32(1), new FormerNumber(
                reader.GetString(2), reader.GetString(3), reader.GetFieldValue<DateTimeOffset>(4), reader.GetString(5), reader.GetString(6), [])));
        }

        await reader.NextResultAsync(cancellationToken);
        var scans = new List<(Guid ShipmentId, int Ordinal, Scan Scan)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var (shipmentId, scan) = ScanRows.Read(reader);
            scans.Add((shipmentId, reader.GetInt32(OrdinalColumn), scan));
        }

        var byNumber = scans.ToLookup(row => (row.ShipmentId, row.Ordinal), row => row.Scan);
        return numbers.ToLookup(row => row.ShipmentId, row => row.Number with { Scans = [.. byNumber[(row.ShipmentId, row.Ordinal)]] });
    }
}
