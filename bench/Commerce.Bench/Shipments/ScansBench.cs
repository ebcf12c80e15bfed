using System.Globalization;
using Commerce.Bench.Orders;
using Commerce.Shipments.V1;

namespace Commerce.Bench.Shipments;

/// <summary>
/// Scans over gRPC, one a call and a hundred, acknowledged after the commit: validated, deduplicated, the status derived, the fact in the
/// outbox; against pgbench writing the same rows, as many at a time, in one round trip and one statement a table. The same with the relay
/// and the broker on these cores, too. And GetTracking among a fiftieth of the scans, and among all.
/// </summary>
internal static class ScansBench
{
    private const int Parcels = 100_000;
    private const int Batch = 100;
    private const int Concurrency = 32;
    private const int Rounds = 3;
    private const int ScansAParcel = 10;
    private const int Smaller = 50;
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<Comparison>> Run(int many)
    {
        await using var servers = await BenchServers.Start();
        await using var ours = await ShipmentsProcess.Start(servers);
        await using var peer = await ShipmentsProcess.Start(servers);
        await BenchParcels.Fill(ours, Parcels);
        await BenchParcels.Fill(peer, Parcels);
        var rows = await WrittenRows.Catch(peer.Database, () => peer.Tracking.IngestScansAsync(new IngestScansRequest { Scans = { BenchParcels.Scan(1) } }).ResponseAsync);
        await peer.Stop();
        List<Comparison> comparisons = [await Compare(ours, peer, rows, 1, relays: false), await Compare(ours, peer, rows, Batch, relays: false)];
        await ours.Relay();
        comparisons.AddRange(await Compare(ours, peer, rows, 1, relays: true), await Compare(ours, peer, rows, Batch, relays: true));
        await ours.Stop();
        await using var small = await ShipmentsProcess.Start(servers);
        await using var large = await ShipmentsProcess.Start(servers);
        await BenchParcels.Fill(small, many / Smaller / ScansAParcel);
        await FillScans(small, many / Smaller / ScansAParcel, ScansAParcel);
        await BenchParcels.Fill(large, many / ScansAParcel);
        await FillScans(large, many / ScansAParcel, ScansAParcel);
        comparisons.Add(await Find(large, small, many));
        return comparisons;
    }

    private static async Task<Comparison> Compare(ShipmentsProcess ours, ShipmentsProcess peer, WrittenRows rows, int batch, bool relays)
    {
        var script = await Script(rows, batch);
        List<double> rates = [];
        List<double> limit = [];
        await Ours(ours, batch, relays);
        await Limit(peer, script, batch);
        for (var round = 0; round < Rounds; round++)
        {
            if (round % 2 == 1)
                limit.Add(await Limit(peer, script, batch));
            rates.Add(await Ours(ours, batch, relays));
            if (round % 2 == 0)
                limit.Add(await Limit(peer, script, batch));
        }

        File.Delete(script);
        return new Comparison(
            string.Create(CultureInfo.InvariantCulture, $"scans, {batch} a call{(relays ? ", relay and broker beside" : "")}"), "scans/s", rates, limit, string.Create(CultureInfo.InvariantCulture, $"pgbench writing the same {rows.Count} rows a scan, {Concurrency} at a time"), relays ? null : 0.5);
    }

    private static async Task<double> Ours(ShipmentsProcess shipments, int batch, bool relays)
    {
        var start = TimeProvider.System.GetTimestamp();
        var kept = await Task.WhenAll(Enumerable.Range(0, Concurrency).Select(_ => Task.Run(async () =>
        {
            var mine = 0;
            while (TimeProvider.System.GetElapsedTime(start) < Round)
            {
                var first = Random.Shared.Next(Parcels - batch);
                var request = new IngestScansRequest { Scans = { Enumerable.Range(first, batch).Select(n => BenchParcels.Scan(n + 1)) } };
                mine += (await shipments.Tracking.IngestScansAsync(request)).KeptCount;
            }

            return mine;
        })));
        var rate = kept.Sum() / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        // What is told must not be paid in the other's round.
        if (relays)
            await shipments.Told();
        else
            await shipments.Execute("TRUNCATE messaging.outbox");
        return rate;
    }

    private static async Task<double> Limit(ShipmentsProcess peer, string script, int batch)
    {
        var rate = await Pgbench.Run(peer.ConnectionString, script, Concurrency, Round, []);
        await peer.Execute("TRUNCATE messaging.outbox");
        return rate * batch;
    }

    private static async Task<string> Script(WrittenRows rows, int batch)
    {
        var to = BenchParcels.Id(1);
        string[] lines =
        [
            string.Create(CultureInfo.InvariantCulture, $"\\set n random(1, {Parcels - batch})"),
            "\\startpipeline",
            "BEGIN;",
            .. rows.Statements(
                [(to, "'00000000000000000000' || lpad(to_hex(:n + g.i), 12, '0')"), (BenchParcels.Number(1), "'BENCH' || lpad((:n + g.i)::text, 9, '0')")],
                column => column is "public.scans.shipment_id" or "public.shipments.id" ? "('00000000-0000-0000-0000-' || lpad(to_hex(:n + g.i), 12, '0'))::uuid" : null,
                string.Create(CultureInfo.InvariantCulture, $"FROM generate_series(0, {batch - 1}) AS g (i)"))
                .Select(statement => statement.StartsWith("UPDATE", StringComparison.Ordinal)
                    ? statement.Replace(" WHERE ", string.Create(CultureInfo.InvariantCulture, $" FROM generate_series(0, {batch - 1}) AS g (i) WHERE "), StringComparison.Ordinal).Replace("WHERE id", "WHERE shipments.id", StringComparison.Ordinal) + ";"
                    : statement + ";"),
            "COMMIT;",
            "\\endpipeline",
        ];
        var path = Path.GetTempFileName();
        await File.WriteAllLinesAsync(path, lines);
        return path;
    }

    private static async Task<Comparison> Find(ShipmentsProcess large, ShipmentsProcess small, int many)
    {
        List<double> rates = [];
        List<double> limit = [];
        await Rate(large, many / ScansAParcel);
        await Rate(small, many / Smaller / ScansAParcel);
        for (var round = 0; round < Rounds; round++)
        {
            limit.Add(await Rate(small, many / Smaller / ScansAParcel));
            rates.Add(await Rate(large, many / ScansAParcel));
        }

        return new Comparison(
            "track", "calls/s", rates, limit, string.Create(CultureInfo.InvariantCulture, $"GetTracking among {many / Smaller:N0} scans in all instead of {many:N0}; {ScansAParcel} a parcel"), 1 / 1.3);
    }

    private static async Task<double> Rate(ShipmentsProcess shipments, int parcels)
    {
        var start = TimeProvider.System.GetTimestamp();
        var calls = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            var mine = 0;
            for (; TimeProvider.System.GetElapsedTime(start) < Round; mine++)
            {
                if ((await shipments.Tracking.GetTrackingAsync(new GetTrackingRequest { TrackingNumber = BenchParcels.Number(1 + Random.Shared.Next(parcels)) })).Scans.Count == 0)
                    throw new InvalidOperationException("A parcel has lost its scans.");
            }

            return mine;
        })));
        return calls.Sum() / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task FillScans(ShipmentsProcess shipments, int parcels, int each)
    {
        await shipments.Execute(string.Create(CultureInfo.InvariantCulture, $$"""
            ALTER TABLE scans SET UNLOGGED;
            INSERT INTO scans (shipment_id, scan_id, status, reason_party, reason_code, inferred, carrier_code, description, occurred_at, local_time, place, source, received_at)
            SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, gen_random_uuid(), 3, 0, '', false, 'I', 'Departed from Facility', now() - i * interval '1 hour', '2026-11-24T10:00:00-05:00',
              '{"locationId":"","locality":"Louisville","region":"KY","postalCode":"40213","country":"US"}', 'webhook', now()
            FROM generate_series(1, {{parcels}}) AS g (n), generate_series(1, {{each}}) AS h (i)
            """));
        await shipments.Execute("VACUUM ANALYZE scans");
        await shipments.Execute("VACUUM ANALYZE shipments");
    }
}
