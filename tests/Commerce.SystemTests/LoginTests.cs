using Npgsql;

namespace Commerce.SystemTests;

/// <summary>What whoever has a service's login can do to its database: the login that the running process was given.</summary>
[Collection("One suite, one test at a time")]
public sealed class LoginTests(Suite suite)
{
    [Theory]
    [InlineData("orders", "ordersdb", "paymentsdb")]
    [InlineData("payments", "paymentsdb", "ordersdb")]
    [InlineData("shipments", "shipmentsdb", "ordersdb")]
    [InlineData("notifications", "notificationsdb", "ordersdb")]
    public async Task A_service_can_change_no_schema_and_look_into_no_other_database(string service, string database, string other)
    {
        var login = Login(service, database);
        await using (var connection = await Open(login))
        {
            foreach (var sql in new[]
            {
                "CREATE TABLE mine (n integer)", "CREATE TEMPORARY TABLE mine (n integer)", "CREATE SCHEMA mine", "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
                "CREATE TABLE messaging.mine (n integer)", "ALTER TABLE messaging.outbox ADD COLUMN mine integer", "DROP TABLE messaging.outbox", "TRUNCATE messaging.outbox",
                "CREATE INDEX ON messaging.outbox (fact)", "UPDATE schema_versions SET scriptname = ''", "DELETE FROM schema_versions", "SET session_replication_role = replica",
                $"ALTER ROLE {service} SUPERUSER", "CREATE ROLE mine", "CREATE DATABASE mine", "COPY messaging.outbox TO PROGRAM 'cat'",
            })
            {
                Assert.Equal((sql, PostgresErrorCodes.InsufficientPrivilege), (sql, await Error(connection, sql)));
            }
        }

        var refused = await Assert.ThrowsAsync<PostgresException>(() => Open(new NpgsqlConnectionStringBuilder(login) { Database = other }.ConnectionString));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Theory]
    [InlineData("payments", "paymentsdb", "ledger_accounts")]
    [InlineData("payments", "paymentsdb", "ledger_movements")]
    [InlineData("payments", "paymentsdb", "ledger_entries")]
    [InlineData("payments", "paymentsdb", "ledger_notes")]
    [InlineData("payments", "paymentsdb", "store_credit_entries")]
    [InlineData("payments", "paymentsdb", "settlement_lines")]
    [InlineData("payments", "paymentsdb", "documents")]
    [InlineData("payments", "paymentsdb", "document_logos")]
    [InlineData("orders", "ordersdb", "stock_movements")]
    public async Task What_only_grows_a_service_can_neither_rewrite_nor_empty_nor_unlock(string service, string database, string table)
    {
        await using var connection = await Open(Login(service, database));
        await using var columns = new NpgsqlCommand("SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position LIMIT 1", connection) { Parameters = { new() { Value = table } } };
        var column = (string)(await columns.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        foreach (var sql in new[]
        {
            $"UPDATE {table} SET {column} = {column}", $"DELETE FROM {table}", $"TRUNCATE {table}", $"SELECT FROM {table} FOR UPDATE",
            $"ALTER TABLE {table} DISABLE TRIGGER ALL", $"DROP TABLE {table}", $"ALTER TABLE {table} OWNER TO {service}", $"CREATE RULE r AS ON INSERT TO {table} DO INSTEAD NOTHING",
        })
        {
            Assert.Equal((sql, PostgresErrorCodes.InsufficientPrivilege), (sql, await Error(connection, sql)));
        }
    }

    /// <summary>What the process itself was told, and not what the engine tells of it.</summary>
    private string Login(string service, string database)
    {
        var variable = $"ConnectionStrings__{database}=";
        var login = File.ReadAllText($"/proc/{suite.Run.Find(service)!.Pid}/environ").Split('\0').Single(v => v.StartsWith(variable, StringComparison.Ordinal))[variable.Length..];
        Assert.Equal(service, new NpgsqlConnectionStringBuilder(login).Username);
        return login;
    }

    private static async Task<NpgsqlConnection> Open(string login)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(login) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    private static async Task<string?> Error(NpgsqlConnection connection, string sql)
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
