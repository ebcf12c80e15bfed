using Commerce.ServiceDefaults;
using Npgsql;

namespace Commerce.Shipments.Storage;

/// <summary>Proofs of delivery as rows, apart from the scans: they are personal data, and whoever reads a journey does not read them.</summary>
internal static class ProofRows
{
    /// <summary>The later of two deliveries (the first was taken back) is the one that counts.</summary>
    public static NpgsqlBatchCommand Insert(Guid shipmentId, Scan delivered) => new(
        """
        INSERT INTO proofs_of_delivery AS p (shipment_id, scan_id, delivered_at, signed_by, photo_reference, latitude, longitude, left_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (shipment_id) DO UPDATE SET scan_id = $2, delivered_at = $3, signed_by = $4, photo_reference = $5, latitude = $6, longitude = $7, left_at = $8
        WHERE p.delivered_at <= $3
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = shipmentId },
            new NpgsqlParameter<Guid> { TypedValue = delivered.Id },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = delivered.OccurredAt },
            new NpgsqlParameter<string> { TypedValue = delivered.Proof!.SignedBy },
            new NpgsqlParameter<string> { TypedValue = delivered.Proof.PhotoReference },
            new NpgsqlParameter<double?> { TypedValue = delivered.Proof.Latitude },
            new NpgsqlParameter<double?> { TypedValue = delivered.Proof.Longitude },
            new NpgsqlParameter<string> { TypedValue = delivered.Proof.LeftAt },
        },
    };

    /// <summary>Of the newest parcel that bears the number, of those that whoever calls may see, if it is delivered.</summary>
    public static async Task<(Guid ShipmentId, DateTimeOffset DeliveredAt, ProofRecord Proof)?> Find(NpgsqlDataSource database, string number, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT p.shipment_id, p.delivered_at, p.signed_by, p.photo_reference, p.latitude, p.longitude, p.left_at
            FROM proofs_of_delivery p JOIN shipments s ON s.id = p.shipment_id
            WHERE s.id = (SELECT id FROM shipments WHERE tracking_number = $1 AND ($2::text[] IS NULL OR store_id = ANY ($2)) ORDER BY created_at DESC LIMIT 1) AND s.delivered_at IS NOT NULL
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = number });
        command.Parameters.Add(new NpgsqlParameter<string[]?> { TypedValue = Principal.Current?.Stores?.ToArray() });
        await using var r = await command.ExecuteReaderAsync(cancellationToken);
        return await r.ReadAsync(cancellationToken)
            ? (r.GetGuid(0), r.GetFieldValue<DateTimeOffset>(1), new ProofRecord(
                r.GetString(2), r.GetString(3), r.IsDBNull(4) ? null : r.GetDouble(4), r.IsDBNull(5) ? null : r.GetDouble(5), r.GetString(6)))
            : null;
    }
}
