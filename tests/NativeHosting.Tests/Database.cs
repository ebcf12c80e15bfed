using System.Text.Json;
using Commerce.NativeHosting.State;
using Npgsql;

namespace Commerce.NativeHosting.Tests;

/// <summary>What the tests read of a sample suite's servers.</summary>
internal static class Database
{
    public static int EpmdPort(string state) =>
        JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(Path.Combine(state, "ports.json")))!["messaging.epmd"];

    public static async Task Execute(RunInfo run, string sql)
    {
        await using var connection = new NpgsqlConnection($"{run.Find("sampledb")!.ConnectionString};Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public static async Task<T> Read<T>(RunInfo run, string sql)
    {
        await using var connection = new NpgsqlConnection($"{run.Find("sampledb")!.ConnectionString};Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
