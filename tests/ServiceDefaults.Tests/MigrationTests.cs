using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using Npgsql;

namespace Commerce.ServiceDefaults.Tests;

/// <summary>Migrations on a real Postgres.</summary>
public sealed class MigrationTests
{
    [Fact]
    public async Task Six_replicas_that_start_at_once_apply_each_script_once()
    {
        var servers = await TestServers.Get();
        await using var database = await servers.CreateDatabase();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            await using var service = await TestService.Start(configure: Migrates, settings: new() { ["ConnectionStrings:ordersdb"] = database.ConnectionString });
            await service.App.MigrateAsync();
        }));
        Assert.Equal(1L, await Scalar(database, "SELECT count(*) FROM shelf WHERE note = 'a; dollar $quoted$ text'"));
        Assert.Equal(2L, await Scalar(database, "SELECT count(*) FROM schema_versions"));
        Assert.Equal(true, await Scalar(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'shelf_note'::regclass"));
    }

    [Fact]
    public async Task A_database_that_is_created_later_is_waited_for()
    {
        var servers = await TestServers.Get();
        var name = $"test_{Guid.NewGuid():N}";
        var connectionString = new NpgsqlConnectionStringBuilder(servers.Postgres) { Database = name, Pooling = false }.ConnectionString;
        await using var service = await TestService.Start(configure: Migrates, settings: new() { ["ConnectionStrings:ordersdb"] = connectionString });
        var migration = service.App.MigrateAsync();
        await Execute(servers, $"CREATE DATABASE {name}");
        await migration.WaitAsync(TimeSpan.FromSeconds(30));
        await Execute(servers, $"DROP DATABASE {name} WITH (FORCE)");
    }

    [Fact]
    public async Task A_lock_that_is_never_released_ends_the_wait_with_its_cause()
    {
        var servers = await TestServers.Get();
        await using var database = await servers.CreateDatabase();
        await using var holder = new NpgsqlConnection(database.ConnectionString);
        await holder.OpenAsync();
        await using var hold = new NpgsqlCommand("SELECT pg_advisory_lock(x'636F6D6D65726365'::bigint)", holder);
        await hold.ExecuteNonQueryAsync();
        await using var service = await TestService.Start(
            configure: Migrates, settings: new() { ["ConnectionStrings:ordersdb"] = database.ConnectionString, ["Migrations:Patience"] = "00:00:00.300" });
        var timeout = await Assert.ThrowsAsync<TimeoutException>(() => service.App.MigrateAsync());
        Assert.Contains("Another process", timeout.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_argument_migrate_applies_them_and_ends()
    {
        var servers = await TestServers.Get();
        await using var database = await servers.CreateDatabase();
        var service = await TestService.Start(configure: Migrates, settings: new() { ["ConnectionStrings:ordersdb"] = database.ConnectionString });
        await service.App.RunServiceAsync(["migrate"]);
        Assert.Equal(0, Environment.ExitCode);
        Assert.Equal(1L, await Scalar(database, "SELECT count(*) FROM shelf"));
    }

    [Fact]
    public async Task A_script_that_fails_leaves_nothing_and_names_itself()
    {
        var servers = await TestServers.Get();
        await using var database = await servers.CreateDatabase();
        Assert.Null(await Scalar(database, "CREATE TABLE shelf_note (id integer)"));
        await using var service = await TestService.Start(configure: Migrates, settings: new() { ["ConnectionStrings:ordersdb"] = database.ConnectionString });
        // The second script's index cannot have the name of a table.
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => service.App.MigrateAsync());
        Assert.Contains("0002_index.sql", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1L, await Scalar(database, "SELECT count(*) FROM schema_versions"));
    }

    private static void Migrates(WebApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource("ordersdb");
        builder.AddMigrations(typeof(MigrationTests).Assembly);
    }

    private static async Task<object?> Scalar(TestDatabase database, string sql)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private static async Task Execute(TestServers servers, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(servers.Postgres) { Database = "postgres", Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
