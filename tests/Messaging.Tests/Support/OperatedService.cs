using Commerce.Operations.V1;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Commerce.Messaging.Tests;

/// <summary>A service with all the defaults on a real port, as those who run it reach it.</summary>
internal sealed class OperatedService : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly GrpcChannel _channel;

    private OperatedService(WebApplication app, string service)
    {
        _app = app;
        _channel = TestAccess.Channel(new Uri(app.Urls.Single()), service);
        Messaging = new MessagingService.MessagingServiceClient(_channel);
    }

    public MessagingService.MessagingServiceClient Messaging { get; }

    public NpgsqlDataSource Database => _app.Services.GetRequiredService<NpgsqlDataSource>();

    /// <summary>Null as database: a service that only observes.</summary>
    public static async Task<OperatedService> Start(
        string service, string? database, string broker, Action<MessagingBuilder> messaging, Action<MessagingOptions>? options = null, Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development", ApplicationName = "Messaging.Tests" });
        builder.Configuration.AddInMemoryCollection(TestAccess.Settings(service));
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:messaging", broker)]);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.AddServiceDefaults(service);
        builder.Logging.ClearProviders();
        if (database is not null)
            builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(database));
        messaging(builder.AddMessaging(service));
        builder.Services.Configure<MessagingOptions>(o =>
        {
            o.LongRetryFirst = TimeSpan.FromMilliseconds(50);
            options?.Invoke(o);
        });
        services?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapMessaging();
        app.MapServiceDefaults();
        await app.StartAsync();
        return new OperatedService(app, service);
    }

    /// <summary>The service's only queue.</summary>
    public async Task<Queue> Queue() => Assert.Single((await Messaging.ListQueuesAsync(new ListQueuesRequest())).Queues);

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
