using Commerce.Facts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Commerce.Messaging.Tests;

/// <summary>One process of a service, in this process: its own host, database and connection to the broker.</summary>
internal sealed class TestService : IAsyncDisposable
{
    private readonly IHost _host;

    private TestService(IHost host) => _host = host;

    public NpgsqlDataSource Database => _host.Services.GetRequiredService<NpgsqlDataSource>();

    public IServiceProvider Services => _host.Services;

    /// <summary>Builds without starting.</summary>
    public static TestService Build(
        string service, string? database, string broker, Action<MessagingBuilder>? messaging = null, Action<MessagingOptions>? options = null, Action<IServiceCollection>? services = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:messaging", broker)]);
        if (database is not null)
            builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(database));
        messaging?.Invoke(builder.AddMessaging(service));
        if (messaging is null)
            builder.AddMessaging(service);
        builder.Services.Configure<MessagingOptions>(o =>
        {
            o.StandbyPoll = TimeSpan.FromMilliseconds(100);
            o.LongRetryFirst = TimeSpan.FromMilliseconds(50);
            options?.Invoke(o);
        });
        services?.Invoke(builder.Services);
        return new TestService(builder.Build());
    }

    public async Task Start() => await _host.StartAsync();

    public async Task Stop() => await _host.StopAsync();

    /// <summary>Tells facts as a service does: in a transaction, and wakes the relay after it.</summary>
    public async Task Tell(params IEnumerable<IFact> facts)
    {
        var outbox = Services.GetRequiredService<Outbox>();
        await using var batch = Database.CreateBatch();
        foreach (var fact in facts)
            outbox.Add(batch, fact);
        await batch.ExecuteNonQueryAsync();
        outbox.Wake();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        if (_host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        else
            _host.Dispose();
    }
}
