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

    [Fact]
    public async Task A_service_with_a_login_of_its_own_writes_rows_and_changes_no_schema()
    {
        var servers = await TestServers.Get();
        await using var database = await servers.CreateDatabase();
        var login = $"test_{Guid.NewGuid():N}";
        var own = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = login, Password = "a 'password\"", Pooling = false }.ConnectionString;
        try
        {
            await using var service = await TestService.Start(
                configure: Migrates, settings: new() { ["ConnectionStrings:ordersdb"] = own, ["ConnectionStrings:ordersdb_migrator"] = database.ConnectionString });
            await service.App.MigrateAsync();
            await Scalar(database, "CREATE TABLE book (line text); CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'; CREATE TRIGGER grows BEFORE TRUNCATE ON book EXECUTE FUNCTION no()");
            // Every start says again what the login may do: also of tables that are new.
            await service.App.MigrateAsync();

            await using var connection = new NpgsqlConnection(own);
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            Assert.Null(await Try("INSERT INTO shelf (id, note) VALUES (2, 'mine')"));
            Assert.Null(await Try("UPDATE shelf SET note = 'still mine' WHERE note = 'mine'"));
            Assert.Null(await Try("DELETE FROM shelf WHERE note = 'still mine'"));
            Assert.Null(await Try("INSERT INTO book VALUES ('once')"));
            string[] refused =
            [
                "UPDATE book SET line = 'twice'", "DELETE FROM book", "TRUNCATE book", "ALTER TABLE book DISABLE TRIGGER ALL", "SET session_replication_role = replica",
                "TRUNCATE shelf", "DROP TABLE shelf", "ALTER TABLE shelf ADD COLUMN more int", "CREATE TABLE mine (n int)", "CREATE TEMPORARY TABLE mine (n int)", "CREATE SCHEMA mine",
                "CREATE INDEX ON shelf (note)", "INSERT INTO schema_versions (scriptname, applied) VALUES ('9999.sql', now())", "CREATE ROLE other", "CREATE DATABASE other",
            ];
            foreach (var sql in refused)
                Assert.Equal((sql, PostgresErrorCodes.InsufficientPrivilege), (sql, await Try(sql)));

            async Task<string?> Try(string sql)
            {
                try
                {
                    await using var command = new NpgsqlCommand(sql, connection);
                    await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
                    return null;
                }
                catch (PostgresException exception)
                {
                    return exception.SqlState;
                }
            }
        }
        finally
        {
            await Scalar(database, $"DROP OWNED BY {login}; DROP ROLE {login}");
        }
    }

    [Fact]
    public async Task A_login_that_the_migrator_may_not_make_is_named_with_what_to_do()
    {
        var servers = await TestServers.Get();
        await using var database = await servers.CreateDatabase();
        var owner = $"test_{Guid.NewGuid():N}";
        await Scalar(database, $"CREATE ROLE {owner} LOGIN PASSWORD 'secret'; ALTER DATABASE \"{new NpgsqlConnectionStringBuilder(database.ConnectionString).Database}\" OWNER TO {owner}");
        try
        {
            NpgsqlConnectionStringBuilder As(string login) => new(database.ConnectionString) { Username = login, Password = "secret", Pooling = false };
            var name = $"nobody_{Guid.NewGuid():N}";
            await using var service = await TestService.Start(
                configure: Migrates, settings: new() { ["ConnectionStrings:ordersdb"] = As(name).ConnectionString, ["ConnectionStrings:ordersdb_migrator"] = As(owner).ConnectionString });
            var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => service.App.MigrateAsync());
            Assert.Contains($"CREATE ROLE \"{name}\" LOGIN", failure.Message, StringComparison.Ordinal);

            // Whoever runs the server makes it; its rights are the migrator's business, who owns the database.
            await Scalar(database, $"CREATE ROLE {name} LOGIN PASSWORD 'secret'");
            await service.App.MigrateAsync();
            await using var connection = new NpgsqlConnection(As(name).ConnectionString);
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new NpgsqlCommand("SELECT count(*) FROM shelf", connection);
            Assert.Equal(1L, await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
            await Scalar(database, $"DROP OWNED BY {name}; DROP ROLE {name}");
        }
        finally
        {
            await Scalar(database, $"REASSIGN OWNED BY {owner} TO CURRENT_USER; DROP OWNED BY {owner}; DROP ROLE {owner}");
        }
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
