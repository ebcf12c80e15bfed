using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.V1;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace Commerce.Shipments.Storage;

/// <summary>Every parcel that has borne a number.</summary>
internal static class BearerRows
{
    /// <summary>Of each number first its bearers, the newest first, then those that were corrected from it, the last first.</summary>
    public static async Task<IReadOnlyList<ParcelMatch>> Find(NpgsqlDataSource database, string[] numbers, int most, CancellationToken cancellationToken)
    {
        if (numbers.Length == 0)
            return [];
        await using var command = database.CreateCommand(
            """
            SELECT asked.number, found.id, s.order_id, s.store_id, found.carrier, s.created_at, found.former
            FROM unnest($1) WITH ORDINALITY AS asked (number, n)
            CROSS JOIN LATERAL (
              (SELECT id, carrier, false AS former, created_at AS since FROM shipments WHERE tracking_number = asked.number ORDER BY created_at DESC LIMIT $2)
              UNION ALL
              (SELECT shipment_id, carrier, true, replaced_at FROM former_tracking_numbers WHERE tracking_number = asked.number ORDER BY replaced_at DESC LIMIT $2)
            ) AS found JOIN shipments s ON s.id = found.id
            ORDER BY asked.n, found.former, found.since DESC
            """);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = numbers });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<ParcelMatch>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(new ParcelMatch
            {
                TrackingNumber = reader.GetString(0),
                Shipment = ShipmentMessage.NamePrefix + reader.GetGuid(1).ToString("N"),
                OrderId = reader.GetString(2),
                StoreId = reader.GetString(3),
                Carrier = reader.IsDBNull(4) ? "" : reader.GetString(4),
                CreateTime = Timestamp.FromDateTimeOffset(reader.GetFieldValue<DateTimeOffset>(5)),
                Former = reader.GetBoolean(6),
            });
        }

        return found;
    }
}
