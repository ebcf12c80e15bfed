using Commerce.Testing;
using Npgsql;

namespace Commerce.Messaging.Tests;

/// <summary>Databases with the schema of messaging, and a table in which consumers leave their effects.</summary>
internal static class Databases
{
    /// <summary>No constraint: an effect that happens twice is to be seen twice.</summary>
    private const string Effects =
        "CREATE TABLE effects (n bigint GENERATED ALWAYS AS IDENTITY, key text NOT NULL, version bigint NOT NULL, fact text NOT NULL, traceparent text); CREATE TABLE calls (key text NOT NULL, attempt int NOT NULL)";

    public static async Task<TestDatabase> Create(TestServers servers)
    {
        var database = await servers.CreateDatabase();
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        var assembly = typeof(Outbox).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            await source.Execute(await reader.ReadToEndAsync());
        }

        await source.Execute(Effects);
        return database;
    }

    public static async Task<int> Execute(this NpgsqlDataSource database, string sql, params object[] values)
    {
        await using var command = Command(database, sql, values);
        return await command.ExecuteNonQueryAsync();
    }

    public static async Task<T> Scalar<T>(this NpgsqlDataSource database, string sql, params object[] values)
    {
        await using var command = Command(database, sql, values);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public static Task<long> Count(this NpgsqlDataSource database, string table) => database.Scalar<long>($"SELECT count(*) FROM {table}");

    /// <summary>The versions that took effect for each key, in the order in which they did.</summary>
    public static async Task<Dictionary<string, List<long>>> ReadEffects(this NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("SELECT key, version FROM effects ORDER BY n");
        await using var reader = await command.ExecuteReaderAsync();
        var effects = new Dictionary<string, List<long>>();
        while (await reader.ReadAsync())
        {
            if (!effects.TryGetValue(reader.GetString(0), out var versions))
                effects.Add(reader.GetString(0), versions = []);
            versions.Add(reader.GetInt64(1));
        }

        return effects;
    }

    private static NpgsqlCommand Command(NpgsqlDataSource database, string sql, object[] values)
    {
        var command = database.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
