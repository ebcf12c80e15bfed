using Commerce.Shipments.V1;
using Commerce.Testing;

namespace Commerce.Shipments.Tests;

/// <summary>Statements that are planned once are planned while the tables are empty.</summary>
public sealed class EmptyTablePlanTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private const int Parcels = 10_000;

    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task What_was_planned_when_there_was_nothing_reads_no_whole_table_when_there_is_much()
    {
        // Nobody tells the planner how large they became, as in the minute after a shop's first import.
        foreach (var table in (string[])["shipments", "scans", "unclaimed_scans", "parcels_to_read"])
            await _app.Database.CreateCommand($"ALTER TABLE {table} SET (autovacuum_enabled = false)").ExecuteNonQueryAsync();
        var start = new DateTimeOffset(2025, 3, 1, 0, 0, 0, TimeSpan.Zero);
        await MadeParcels.Insert(_app.Database, [.. Enumerable.Range(0, 20).Select(n => Made($"FEW{n:D7}", start))]);
        // Every connection of the pool plans all that it will do, alone and beside others.
        for (var round = 0; round < 10; round++)
            await Task.WhenAll(Enumerable.Range(0, 20).Select(n => Ingest($"FEW{n:D7}", round)));

        foreach (var some in Enumerable.Range(0, Parcels).Chunk(1000))
            await MadeParcels.Insert(_app.Database, [.. some.Select(n => Made($"MANY{n:D7}", start))]);
        var before = await Flushed();

        const int Deliveries = 200;
        foreach (var some in Enumerable.Range(0, Deliveries).Chunk(20))
            await Task.WhenAll(some.Select(n => Ingest($"MANY{n:D7}", n)));

        // The counters of a connection come with a delay: those of looking up by index first. Those who learn from parcels read many at once, and may well
        // read all; a table read with each delivery would be fifty of them, since at most a few deliveries share a transaction.
        var after = await Eventually.Value(Flushed, now => now.Index - before.Index >= Deliveries, TimeSpan.FromSeconds(60));
        Assert.True(after.Rows - before.Rows < 5 * Parcels, $"{after.Rows - before.Rows} rows were read by reading whole tables, for {Deliveries} deliveries; {after.Index - before.Index} look-ups by index.");
    }

    private static MadeParcel Made(string number, DateTimeOffset start) =>
        new(number, "ups", start, [.. Enumerable.Range(0, 10).Select(hour => (TrackingStatus.InTransit, "Cajamar", start.AddHours(hour)))]);

    private async Task Ingest(string number, int minutes)
    {
        var response = await _app.Tracking.IngestScansAsync(new IngestScansRequest
        {
            Scans = { new ReportedScan { Carrier = "ups", TrackingNumber = number, CarrierCode = "I", LocalTime = $"2025-03-02T{10 + (minutes / 60):D2}:{minutes % 60:D2}:00-03:00" } },
        });
        Assert.Equal(1, response.KeptCount);
    }

    private async Task<(long Rows, long Index)> Flushed()
    {
        await using var command = _app.Database.CreateCommand(
            "SELECT sum(seq_tup_read)::bigint, (sum(idx_scan) FILTER (WHERE relname = 'shipments'))::bigint FROM pg_stat_user_tables WHERE relname IN ('shipments', 'scans')");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetInt64(1));
    }
}
