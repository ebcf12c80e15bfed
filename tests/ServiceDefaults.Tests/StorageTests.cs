using System.Data.Common;
using System.Net;
using Commerce.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Npgsql;
using StackExchange.Redis;

namespace Commerce.ServiceDefaults.Tests;

/// <summary>
/// What the Postgres and Redis registrations promise, whichever integration this build uses: nothing here knows which.
/// </summary>
public sealed class StorageTests
{
    private const string Nowhere = "Host=127.0.0.1;Port=1;Username=x;Timeout=2";

    [Fact]
    public async Task A_data_source_comes_from_the_connection_string_with_our_defaults()
    {
        var servers = await TestServers.Get();
        await using var database = await servers.CreateDatabase();
        using var host = Build(b => b.AddNpgsqlDataSource("ordersdb"), ("ConnectionStrings:ordersdb", new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 7 }.ConnectionString));
        var dataSource = host.Services.GetRequiredService<NpgsqlDataSource>();
        Assert.Same(dataSource, host.Services.GetRequiredService<DbDataSource>());
        await using var connection = await dataSource.OpenConnectionAsync();
        var settings = new NpgsqlConnectionStringBuilder(connection.ConnectionString);
        Assert.Equal((7, 100), (settings.MaxPoolSize, settings.MaxAutoPrepare));
        await using var transient = host.Services.GetRequiredService<NpgsqlConnection>();
        await transient.OpenAsync();
        Assert.Equal(HealthStatus.Healthy, (await Report(host)).Entries["PostgreSql"].Status);
    }

    [Fact]
    public void The_pool_has_at_most_50_connections_unless_told_otherwise()
    {
        using var host = Build(b => b.AddNpgsqlDataSource("ordersdb"), ("ConnectionStrings:ordersdb", Nowhere));
        Assert.Equal(50, new NpgsqlConnectionStringBuilder(host.Services.GetRequiredService<NpgsqlDataSource>().ConnectionString).MaxPoolSize);
    }

    [Fact]
    public void The_last_of_section_named_section_connection_string_and_delegate_wins()
    {
        (string, string?) general = ("Aspire:Npgsql:ConnectionString", "Host=general");
        (string, string?) named = ("Aspire:Npgsql:ordersdb:ConnectionString", "Host=named");
        (string, string?) connection = ("ConnectionStrings:ordersdb", "Host=connection");
        Assert.Equal("general", HostOf(null, general));
        Assert.Equal("named", HostOf(null, general, named));
        Assert.Equal("connection", HostOf(null, general, named, connection));
        Assert.Equal("delegate", HostOf("Host=delegate", general, named, connection));

        static string? HostOf(string? given, params (string, string?)[] settings)
        {
            using var host = Build(b => b.AddNpgsqlDataSource("ordersdb", s => s.ConnectionString = given ?? s.ConnectionString), settings);
            return new NpgsqlConnectionStringBuilder(host.Services.GetRequiredService<NpgsqlDataSource>().ConnectionString).Host;
        }
    }

    [Fact]
    public void A_missing_connection_string_fails_when_first_used_and_names_both_places()
    {
        using var host = Build(b =>
        {
            b.AddNpgsqlDataSource("ordersdb");
            b.AddRedisClient("redis");
        });
        var postgres = Assert.Throws<InvalidOperationException>(() => host.Services.GetRequiredService<NpgsqlDataSource>());
        Assert.Contains("ConnectionStrings:ordersdb", postgres.Message, StringComparison.Ordinal);
        Assert.Contains("Aspire:Npgsql", postgres.Message, StringComparison.Ordinal);
        var redis = Assert.Throws<InvalidOperationException>(() => host.Services.GetRequiredService<IConnectionMultiplexer>());
        Assert.Contains("ConnectionStrings:redis", redis.Message, StringComparison.Ordinal);
        Assert.Contains("Aspire:StackExchange:Redis", redis.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keyed_registrations_stand_beside_each_other()
    {
        using var host = Build(
            b =>
            {
                b.AddKeyedNpgsqlDataSource("one");
                b.AddKeyedNpgsqlDataSource("two");
                b.AddKeyedRedisClient("cache");
            },
            ("ConnectionStrings:one", Nowhere), ("ConnectionStrings:two", "Host=two"), ("ConnectionStrings:cache", "127.0.0.1:1,connectTimeout=200"));
        Assert.Contains("two", host.Services.GetRequiredKeyedService<NpgsqlDataSource>("two").ConnectionString, StringComparison.Ordinal);
        Assert.Null(host.Services.GetService<NpgsqlDataSource>());
        var names = (await Report(host)).Entries.Keys;
        Assert.Superset(new HashSet<string> { "PostgreSql_one", "PostgreSql_two", "StackExchange.Redis_cache" }, names.ToHashSet());
    }

    [Fact]
    public async Task What_cannot_be_reached_is_unhealthy_and_does_not_stop_the_start()
    {
        await using var service = await TestService.Start(
            configure: b =>
            {
                b.AddNpgsqlDataSource("ordersdb");
                b.AddRedisClient("redis");
            },
            settings: new() { ["ConnectionStrings:ordersdb"] = Nowhere, ["ConnectionStrings:redis"] = "127.0.0.1:1,connectTimeout=200,syncTimeout=500,asyncTimeout=500" });
        using var response = await service.Rest.GetAsync("/health");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        var body = await response.Content.ReadAsStringAsync();
        Assert.Contains("\"PostgreSql\":\"Unhealthy\"", body, StringComparison.Ordinal);
        Assert.Contains("\"StackExchange.Redis\":\"Unhealthy\"", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_checks_can_be_disabled()
    {
        using var host = Build(
            b =>
            {
                b.AddNpgsqlDataSource("ordersdb");
                b.AddRedisClient("redis");
            },
            ("Aspire:Npgsql:DisableHealthChecks", "true"), ("Aspire:StackExchange:Redis:DisableHealthChecks", "true"));
        Assert.Empty((await Report(host)).Entries);
    }

    [Fact]
    public async Task Redis_connects_with_options_from_the_configuration()
    {
        var servers = await TestServers.Get();
        using var host = Build(b => b.AddRedisClient("redis"), ("ConnectionStrings:redis", servers.Redis), ("Aspire:StackExchange:Redis:ConfigurationOptions:ClientName", "from-settings"));
        var redis = host.Services.GetRequiredService<IConnectionMultiplexer>();
        Assert.Equal("from-settings", redis.ClientName);
        await redis.GetDatabase().PingAsync();
        Assert.Equal(HealthStatus.Healthy, (await Report(host)).Entries["StackExchange.Redis"].Status);
    }

    private static IHost Build(Action<IHostApplicationBuilder> configure, params (string Key, string? Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(s => s.Key, s => s.Value));
        configure(builder);
        builder.Services.AddLogging();
        builder.Services.AddHealthChecks();
        return builder.Build();
    }

    private static Task<HealthReport> Report(IHost host) => host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
}
