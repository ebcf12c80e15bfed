using System.Globalization;
using Commerce.Shipments.V1;
using Commerce.Types.V1;

namespace Commerce.Bench.Shipments;

/// <summary>Parcels with labels, and news of them.</summary>
internal static class BenchParcels
{
    private static long _scans;

    // Never the same twice: each call brings something new.
    public static ReportedScan Scan(int parcel) => new()
    {
        Carrier = "ups",
        TrackingNumber = Number(parcel),
        CarrierCode = "I",
        Description = "Departed from Facility",
        LocalTime = DateTimeOffset.UnixEpoch.AddYears(55).AddSeconds(Interlocked.Increment(ref _scans)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        Place = new Place { Locality = "Louisville", AdministrativeArea = "KY", PostalCode = "40213", RegionCode = "US" },
    };

    public static string Number(int n) => string.Create(CultureInfo.InvariantCulture, $"BENCH{n:000000000}");

    // As the public id and as the key of facts.
    public static string Id(int n) => string.Create(CultureInfo.InvariantCulture, $"00000000000000000000{n:x12}");

    public static Task Fill(ShipmentsProcess shipments, int count) => shipments.Execute(string.Create(CultureInfo.InvariantCulture, $$"""
        INSERT INTO shipments (id, store_id, order_id, order_reference, location_id, position, ship_from, ship_to, lines, weight_grams, length_mm, width_mm, height_mm, value_minor, currency,
          carrier, service, label_id, tracking_number, status, status_at, version, created_at, updated_at)
        SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, 'main', 'ORD-' || n, 'ORD-' || n, '', 0,
          '{"locationId":"","locality":"Louisville","region":"KY","postalCode":"40213","country":"US"}', '{"name":"A","lines":["1 Main St"],"locality":"Austin","region":"TX","postalCode":"78701","country":"US"}',
          '[{"lineNumber":1,"sku":"a","title":"A","quantity":1}]', 500, 100, 100, 100, 1000, 'USD', 'ups', 'ground', 'l' || n, 'BENCH' || lpad(n::text, 9, '0'), 1, now(), 1, now(), now()
        FROM generate_series(1, {{count}}) AS g (n);
        ANALYZE shipments
        """));
}
