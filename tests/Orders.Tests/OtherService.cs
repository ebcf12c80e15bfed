using Commerce.Facts;
using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Commerce.Orders.Tests;

/// <summary>A service that does nothing but tell facts.</summary>
public sealed class OtherService : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly TestDatabase _database;

    private OtherService(IHost host, TestDatabase database) => (_host, _database) = (host, database);

    public static async Task<OtherService> Start(string name, string broker)
    {
        var database = await (await TestServers.Get()).CreateDatabase();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:otherdb"] = database.ConnectionString,
            ["ConnectionStrings:messaging"] = broker,
        });
        builder.Services.AddLogging(logging => logging.ClearProviders());
        builder.Services.AddSingleton(TimeProvider.System);
        builder.AddNpgsqlDataSource("otherdb");
        builder.AddMigrations(typeof(Outbox).Assembly);
        builder.AddMessaging(name);
        var host = builder.Build();
        await host.MigrateAsync();
        await host.StartAsync();
        return new OtherService(host, database);
    }

    public async Task Tell(params IFact[] facts)
    {
        var outbox = _host.Services.GetRequiredService<Outbox>();
        await using var batch = _host.Services.GetRequiredService<NpgsqlDataSource>().CreateBatch();
        foreach (var fact in facts)
            outbox.Add(batch, fact);
        await batch.ExecuteNonQueryAsync();
        outbox.Wake();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        await _database.DisposeAsync();
    }
}
