using System.Globalization;

namespace Commerce.Bench;

/// <summary>As many rows as years would bring, in minutes.</summary>
internal static class Bulk
{
    /// <summary>
    /// Runs the statements on tables without indexes, which are made after the rows: sorted once, they are what years of inserts and a REINDEX
    /// would leave. Foreign keys to the tables go.
    /// </summary>
    public static async Task Insert(ServiceProcess service, int orders, IReadOnlyList<string> tables, IReadOnlyList<string> statements)
    {
        var indexes = new List<string>();
        foreach (var table in tables)
        {
            await using var command = service.Database.CreateCommand(
                """
                SELECT CASE WHEN c.oid IS NULL THEN format('DROP INDEX %s', i.indexrelid::regclass) ELSE format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', i.indrelid::regclass, c.conname) END,
                       CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.indexrelid) ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', i.indrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) END
                FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x') WHERE i.indrelid = $1::regclass
                """);
            command.Parameters.AddWithValue(table);
            var drops = new List<string>();
            await using (var reader = await command.ExecuteReaderAsync())
            {
                while (await reader.ReadAsync())
                {
                    drops.Add(reader.GetString(0));
                    indexes.Add(reader.GetString(1));
                }
            }

            await service.Execute(string.Join(';', drops));
        }

        foreach (var table in tables)
            await service.Execute($"ALTER TABLE {table} SET UNLOGGED");
        var steps = statements.Concat(indexes.Select(index => "SET maintenance_work_mem = '1GB'; " + index)).Concat(tables.Select(table => $"VACUUM ANALYZE {table}")).ToList();
        var start = TimeProvider.System.GetTimestamp();
        for (var step = 0; step < steps.Count; step++)
        {
            await service.Execute(steps[step]);
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{tables[0]}, {orders:N0} orders: step {step + 1} of {steps.Count}, {TimeProvider.System.GetElapsedTime(start).TotalSeconds:F0} s"));
        }
    }
}
