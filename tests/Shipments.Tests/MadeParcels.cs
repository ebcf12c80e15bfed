using Npgsql;

namespace Commerce.Shipments.Tests;

/// <summary>A parcel with scans, as it would lie in the database.</summary>
/// <param name="Scans">Status, town (empty: none) and time.</param>
internal sealed record MadeParcel(string Number, string Carrier, DateTimeOffset CreatedAt, IReadOnlyList<(V1.TrackingStatus Status, string Town, DateTimeOffset At)> Scans);

/// <summary>Many parcels at once, for what is learned from many.</summary>
internal static class MadeParcels
{
    /// <summary>Stores them, to be read by whoever follows paths. From Cajamar to São Paulo; their scans are in India where the carrier is.</summary>
    public static async Task Insert(NpgsqlDataSource database, IReadOnlyList<MadeParcel> parcels, string country = "BR")
    {
        var ids = parcels.ToDictionary(parcel => parcel.Number, _ => Guid.NewGuid());
        var rows = parcels.SelectMany(parcel => parcel.Scans.Select(scan => (Id: ids[parcel.Number], Scan: scan))).ToList();
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $$"""
            INSERT INTO shipments (id, store_id, order_id, order_reference, location_id, position, ship_from, ship_to, lines, weight_grams, length_mm, width_mm, height_mm,
              value_minor, currency, carrier, service, tracking_number, status, status_at, version, created_at, updated_at, last_scan_at)
            SELECT id, 'main', 'ORD-' || number, 'x', 'a', 0,
              '{"locationId":"a","locality":"Cajamar","region":"SP","postalCode":"07750","country":"{{country}}"}', '{"name":"","lines":[],"locality":"","region":"SP","postalCode":"01310-100","country":"{{country}}"}',
              '[]', 600, 1, 1, 1, 100, 'BRL', carrier, 'ground', number, status, created, 1, created, created, created
            FROM unnest($1, $2, $3, $4, $5) AS made (id, number, carrier, status, created)
            """)
        {
            Parameters =
            {
                Column(parcels, parcel => ids[parcel.Number]),
                Column(parcels, parcel => parcel.Number),
                Column(parcels, parcel => parcel.Carrier),
                Column(parcels, parcel => (short)parcel.Scans[^1].Status),
                Column(parcels, parcel => parcel.CreatedAt.ToUniversalTime()),
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            INSERT INTO scans (shipment_id, scan_id, status, reason_party, reason_code, inferred, carrier_code, description, occurred_at, local_time, place, source, received_at)
            SELECT id, gen_random_uuid(), status, 0, '', false, '', '', at, '', jsonb_build_object('locationId', '', 'locality', town, 'region', '', 'postalCode', '', 'country', $5::text), 'webhook', at
            FROM unnest($1, $2, $3, $4) AS made (id, status, town, at)
            """)
        {
            Parameters =
            {
                Column(rows, row => row.Id),
                Column(rows, row => (short)row.Scan.Status),
                Column(rows, row => row.Scan.Town),
                Column(rows, row => row.Scan.At.ToUniversalTime()),
                new NpgsqlParameter<string> { TypedValue = country },
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO parcels_to_read (shipment_id, version) SELECT id, 1 FROM unnest($1) AS made (id)") { Parameters = { Column(parcels, parcel => ids[parcel.Number]) } });
        await batch.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static NpgsqlParameter<TValue[]> Column<TRow, TValue>(IReadOnlyList<TRow> rows, Func<TRow, TValue> value) => new() { TypedValue = [.. rows.Select(value)] };
}
