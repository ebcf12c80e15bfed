using Commerce.Testing;
using Npgsql;

namespace Commerce.Shipments.Tests;

/// <summary>Karrio's changelog, 2026.1.32: a migration deleted tracking history.</summary>
public sealed class TrackingHistoryMigrationTests
{
    private const string NoTransaction = "-- no transaction";

    [Fact]
    public async Task A_migration_deletes_no_tracking_history_of_whatever_version_before()
    {
        await using var own = await (await TestServers.Get()).CreateDatabase();
        await using var database = NpgsqlDataSource.Create(own.ConnectionString);
        var written = 0;
        foreach (var script in Scripts())
        {
            await Apply(database, script);
            // As the first version writes: each migration is good for the version before it.
            await Write(database, ++written);
            Assert.Equal(History(written), await Read(database));
        }

        Assert.InRange(written, 15, int.MaxValue);
    }

    private static IEnumerable<string> Scripts() => typeof(ShipmentsModule).Assembly.GetManifestResourceNames()
        .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal)
        .Select(name =>
        {
            using var reader = new StreamReader(typeof(ShipmentsModule).Assembly.GetManifestResourceStream(name)!);
            return reader.ReadToEnd();
        });

    private static async Task Apply(NpgsqlDataSource database, string script)
    {
        foreach (var statement in script.Contains(NoTransaction, StringComparison.Ordinal) ? script.Split(";\n", StringSplitOptions.RemoveEmptyEntries) : [script])
        {
            if (statement.Trim().Length == 0)
                continue;
            await using var command = database.CreateCommand(statement);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }

    private static async Task Write(NpgsqlDataSource database, int number)
    {
        await using var command = database.CreateCommand(
            """
            WITH parcel AS (
              INSERT INTO shipments (id, store_id, order_id, order_reference, location_id, position, ship_from, ship_to, lines, weight_grams, length_mm, width_mm, height_mm,
                value_minor, currency, carrier, service, tracking_number, status, status_at, version, created_at, updated_at)
              VALUES (gen_random_uuid(), 'main', 'ORD-' || $1, 'x', 'a', 0, '{}', '{}', '[]', 1, 1, 1, 1, 100, 'BRL', 'ups', 'ground', 'N' || $1, 3, now(), 1, now(), now())
              RETURNING id),
            waiting AS (
              INSERT INTO unclaimed_scans (tracking_number, scan_id, carrier, scan, received_at) VALUES ('U' || $1, gen_random_uuid(), 'ups', '{}', now()))
            INSERT INTO scans (shipment_id, scan_id, status, reason_party, reason_code, inferred, carrier_code, description, occurred_at, local_time, place, source, received_at)
            SELECT id, gen_random_uuid(), 3, 0, '', false, 'M', 'scan ' || n, now(), '2025-03-01T10:00:00-03:00', '{"locality":"Cajamar"}', 'webhook', now() FROM parcel, generate_series(1, 2) AS n
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"{number:D2}" });
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<string> Read(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand(
            """
            SELECT coalesce((SELECT string_agg(tracking_number || ': ' || carrier_code || ' ' || description || ' ' || local_time || ' ' || (place ->> 'locality'), E'\n' ORDER BY tracking_number, description)
              FROM scans JOIN shipments ON shipments.id = shipment_id), '') || E'\n' || (SELECT count(*) FROM unclaimed_scans)
            """);
        return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    private static string History(int parcels) =>
        string.Join('\n', Enumerable.Range(1, parcels).SelectMany(n => Enumerable.Range(1, 2).Select(scan => $"N{n:D2}: M scan {scan} 2025-03-01T10:00:00-03:00 Cajamar"))) + "\n" + parcels;
}
