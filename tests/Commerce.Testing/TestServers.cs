using System.Net.Http.Headers;
using System.Text;
using Commerce.NativeHosting;
using Commerce.NativeHosting.Engine;
using Npgsql;
using Xunit.v3;

namespace Commerce.Testing;

/// <summary>
/// The real Postgres, Redis and RabbitMQ that integration tests run against: those named by the
/// <c>COMMERCE_TEST_*</c> variables, or private ones started once for this test process.
/// </summary>
public sealed class TestServers : IDisposable
{
    /// <summary>An Npgsql connection string without a database, for a role that may create databases.</summary>
    public const string PostgresVariable = "COMMERCE_TEST_POSTGRES";

    /// <summary>A StackExchange.Redis configuration string.</summary>
    public const string RedisVariable = "COMMERCE_TEST_REDIS";

    /// <summary>An AMQP URI of an administrator, without a virtual host.</summary>
    public const string RabbitMqVariable = "COMMERCE_TEST_RABBITMQ";

    /// <summary>The base URL of the broker's management API.</summary>
    public const string RabbitMqManagementVariable = "COMMERCE_TEST_RABBITMQ_MANAGEMENT";

    private static readonly Lazy<Task<TestServers>> Shared = new(StartAsync);

    private readonly HttpClient _management;
    private readonly Uri _rabbitMq;

    private TestServers(string postgres, string redis, string rabbitMq, string management)
    {
        Postgres = postgres;
        Redis = redis;
        RabbitMq = rabbitMq;
        _rabbitMq = new Uri(rabbitMq);
        _management = new HttpClient { BaseAddress = new Uri(management), Timeout = TimeSpan.FromSeconds(30) };
        _management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(_rabbitMq.UserInfo))));
    }

    /// <summary>Connection string of the Postgres server, without a database.</summary>
    public string Postgres { get; }

    /// <summary>Connection string of the Redis server, shared by all tests: keep to keys of your own.</summary>
    public string Redis { get; }

    /// <summary>AMQP URI of the broker's default virtual host.</summary>
    public string RabbitMq { get; }

    /// <summary>The broker's management API, authenticated.</summary>
    public HttpClient Management => _management;

    /// <summary>
    /// The servers of this test process, started at the first call. Where their binaries are missing the test is
    /// skipped with the reason, and fails when <c>CI=true</c>.
    /// </summary>
    public static Task<TestServers> Get() => Shared.Value;

    /// <summary>A new, empty database that is dropped when disposed.</summary>
    public async Task<TestDatabase> CreateDatabase()
    {
        var name = $"test_{Guid.NewGuid():N}";
        await Execute($"CREATE DATABASE \"{name}\"");
        var connectionString = new NpgsqlConnectionStringBuilder(Postgres) { Database = name, MaxPoolSize = 20 }.ConnectionString;
        return new TestDatabase(connectionString, async () =>
        {
            await using (var connection = new NpgsqlConnection(connectionString))
            {
                NpgsqlConnection.ClearPool(connection);
            }

            await Execute($"DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
        });
    }

    /// <summary>A new, empty virtual host on the broker that is deleted with its queues when disposed.</summary>
    public async Task<TestVirtualHost> CreateVirtualHost()
    {
        var name = $"test-{Guid.NewGuid():N}";
        var user = Uri.UnescapeDataString(_rabbitMq.UserInfo.Split(':')[0]);
        using (var created = await _management.PutAsync($"/api/vhosts/{name}", Json("{}")))
            created.EnsureSuccessStatusCode();
        using (var granted = await _management.PutAsync(
            $"/api/permissions/{name}/{Uri.EscapeDataString(user)}", Json("""{"configure":".*","write":".*","read":".*"}""")))
            granted.EnsureSuccessStatusCode();

        return new TestVirtualHost(name, $"{_rabbitMq.Scheme}://{_rabbitMq.UserInfo}@{_rabbitMq.Authority}/{name}", async () =>
        {
            using var deleted = await _management.DeleteAsync($"/api/vhosts/{name}");
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _management.Dispose();

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private async Task Execute(string sql)
    {
        // Unpooled: an idle connection to the maintenance database would count against every other test project.
        var connectionString = new NpgsqlConnectionStringBuilder(Postgres) { Database = "postgres", Pooling = false }.ConnectionString;
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<TestServers> StartAsync()
    {
        if (Read(PostgresVariable) is { } postgres && Read(RedisVariable) is { } redis
            && Read(RabbitMqVariable) is { } rabbitMq && Read(RabbitMqManagementVariable) is { } management)
            return new TestServers(postgres, redis, rabbitMq, management);

        var folder = Directory.CreateTempSubdirectory("commerce-test-");
        if (!OperatingSystem.IsWindows())
        {
            // For root, Postgres runs as another user, which has to get in.
            File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
        }

        try
        {
            var servers = await ServerSet.StartAsync(folder.FullName);
            // There is no "after all tests" across classes; were this missed, the servers' watchers end them with the process.
            AppDomain.CurrentDomain.ProcessExit += (_, _) =>
            {
                servers.DisposeAsync().AsTask().GetAwaiter().GetResult();
                folder.Delete(recursive: true);
            };
            return new TestServers(servers.Postgres, servers.Redis, servers.RabbitMq, servers.RabbitMqManagement);
        }
        catch (EngineException e)
        {
            folder.Delete(recursive: true);
            throw Missing(e.Message);
        }
    }

    private static string? Read(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;

    /// <summary>What to throw when a test cannot run here: a skip on a laptop, a failure in CI.</summary>
    public static Exception Missing(string reason) =>
        string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase)
            ? new InvalidOperationException(reason)
            : new SkippedException(reason);

    private sealed class SkippedException(string reason) : Exception(DynamicSkipToken.Value + reason);
}

/// <summary>A database of one test class.</summary>
public sealed class TestDatabase(string connectionString, Func<Task> drop) : IAsyncDisposable
{
    /// <summary>Npgsql connection string, the database included.</summary>
    public string ConnectionString { get; } = connectionString;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await drop();
}

/// <summary>A virtual host of one test class.</summary>
public sealed class TestVirtualHost(string name, string connectionString, Func<Task> delete) : IAsyncDisposable
{
    /// <summary>The name, as the management API knows it.</summary>
    public string Name { get; } = name;

    /// <summary>AMQP URI, the virtual host included.</summary>
    public string ConnectionString { get; } = connectionString;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await delete();
}
