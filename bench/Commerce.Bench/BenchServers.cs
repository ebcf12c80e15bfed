using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Commerce.Messaging;
using Commerce.NativeHosting;
using Commerce.ServiceDefaults;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using RabbitMQ.Client;

namespace Commerce.Bench;

/// <summary>
/// A database and a virtual host of this run: on the servers that the COMMERCE_TEST_* variables name, or on private ones
/// started for it.
/// </summary>
internal sealed class BenchServers : IAsyncDisposable
{
    private readonly ServerSet? _own;
    private readonly string? _state;
    private readonly string _admin;
    private readonly HttpClient? _management;
    private readonly string _name;
    private readonly IHost _services;
    private readonly List<string> _databases = [];

    private BenchServers(ServerSet? own, string? state, string admin, HttpClient? management, string broker, string redis, string name)
    {
        (_own, _state, _admin, _management, _name) = (own, state, admin, management, name);
        Broker = broker;
        Redis = redis;
        // As services have it, automatic preparation and all.
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:bench", new NpgsqlConnectionStringBuilder(admin) { Database = name }.ConnectionString)]);
        builder.AddNpgsqlDataSource("bench");
        _services = builder.Build();
        Database = _services.Services.GetRequiredService<NpgsqlDataSource>();
    }

    public NpgsqlDataSource Database { get; }

    /// <summary>AMQP URI.</summary>
    public string Broker { get; }

    /// <summary>StackExchange.Redis configuration string.</summary>
    public string Redis { get; }

    public static async Task<BenchServers> Start()
    {
        var name = $"bench_{Guid.NewGuid():N}";
        var postgres = Environment.GetEnvironmentVariable("COMMERCE_TEST_POSTGRES");
        var broker = Environment.GetEnvironmentVariable("COMMERCE_TEST_RABBITMQ");
        var management = Environment.GetEnvironmentVariable("COMMERCE_TEST_RABBITMQ_MANAGEMENT");
        var redis = Environment.GetEnvironmentVariable("COMMERCE_TEST_REDIS");
        BenchServers servers;
        if (redis is { Length: > 0 } && postgres is { Length: > 0 } && broker is { Length: > 0 } && management is { Length: > 0 })
        {
            var uri = new Uri(broker);
            var client = new HttpClient { BaseAddress = new Uri(management) };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(uri.UserInfo))));
            (await client.PutAsJsonAsync($"/api/vhosts/{name}", new { })).EnsureSuccessStatusCode();
            (await client.PutAsJsonAsync($"/api/permissions/{name}/{uri.UserInfo.Split(':')[0]}", new { configure = ".*", write = ".*", read = ".*" })).EnsureSuccessStatusCode();
            servers = new BenchServers(null, null, postgres, client, $"{uri.Scheme}://{uri.UserInfo}@{uri.Authority}/{name}", redis, name);
        }
        else
        {
            var state = Directory.CreateTempSubdirectory("commerce-bench-").FullName;
            // The unprivileged user that Postgres runs as must reach its data below it.
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(state, (UnixFileMode)0b111_101_101);
            var own = await ServerSet.StartAsync(state);
            servers = new BenchServers(own, state, own.Postgres, null, own.RabbitMq, own.Redis, name);
        }

        await servers.CreateDatabase(name);
        var assembly = typeof(Outbox).Assembly;
        foreach (var script in assembly.GetManifestResourceNames().Where(n => n.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(script)!);
            await servers.Execute(await reader.ReadToEndAsync());
        }

        await servers.Execute("CREATE TABLE effects (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL, version bigint NOT NULL)");
        return servers;
    }

    /// <summary>An empty database that goes with this run; its connection string.</summary>
    public async Task<string> CreateDatabase(string? name = null)
    {
        name ??= $"bench_{Guid.NewGuid():N}";
        await Admin($"CREATE DATABASE \"{name}\"");
        _databases.Add(name);
        return new NpgsqlConnectionStringBuilder(_admin) { Database = name }.ConnectionString;
    }

    public async Task Execute(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Empties queues between rounds.</summary>
    public async Task Purge(params IEnumerable<string> queues)
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(Broker) }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        foreach (var queue in queues)
            await channel.QueuePurgeAsync(queue);
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        _services.Dispose();
        foreach (var database in _databases)
            await Admin($"DROP DATABASE IF EXISTS \"{database}\" WITH (FORCE)");
        if (_management is not null)
        {
            (await _management.DeleteAsync($"/api/vhosts/{_name}")).Dispose();
            _management.Dispose();
        }

        if (_own is not null)
            await _own.DisposeAsync();
        if (_state is not null)
            Directory.Delete(_state, recursive: true);
    }

    private async Task Admin(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_admin) { Database = "postgres", Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
