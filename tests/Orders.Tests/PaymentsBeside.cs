using Commerce.Orders.V1;
using Commerce.Payments;
using Commerce.Payments.Providers;
using Commerce.Payments.Tests;
using Commerce.Payments.V1;
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

namespace Commerce.Orders.Tests;

/// <summary>Payments as it runs, on the broker of an Orders that runs beside it, with a provider in memory.</summary>
internal sealed class PaymentsBeside(OrdersService orders, FakeProvider provider) : IAsyncDisposable
{
    private TestDatabase? _database;
    private WebApplication? _app;
    private GrpcChannel? _channel;

    public PaymentService.PaymentServiceClient Payments => new(_channel);

    public NpgsqlDataSource Database => _app!.Services.GetRequiredService<NpgsqlDataSource>();

    public async Task Start()
    {
        _database ??= await (await TestServers.Get()).CreateDatabase();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development", ApplicationName = "Payments" });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(TestAccess.Settings("payments"));
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:paymentsdb"] = _database.ConnectionString,
            ["ConnectionStrings:messaging"] = orders.Broker,
            ["Webhooks:Secret"] = "a secret of the tests",
            ["Outside:sandbox-payments:Address"] = "http://127.0.0.1:1",
            ["Payments:Provider"] = provider.Name,
            ["Payments:PollAfter"] = "00:00:00.2",
            ["Payments:PollAtMost"] = "00:00:00.5",
            ["Payments:RetryAtMost"] = "00:00:00.3",
        });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.AddServiceDefaults("Payments");
        builder.AddPayments();
        builder.Services.AddSingleton<IPaymentProvider>(provider);
        builder.Services.AddSingleton(new OrderService.OrderServiceClient(orders.Channel));
        builder.Services.AddSingleton(new StoreService.StoreServiceClient(orders.Channel));
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.MapPayments();
        await _app.MigrateAsync();
        await _app.StartAsync();
        _channel = TestAccess.Channel(new Uri(_app.Urls.Single()), "payments");
    }

    /// <summary>Goes away in the middle of its work.</summary>
    public async Task Stop()
    {
        _channel?.Dispose();
        if (_app is null)
            return;
        await _app.StopAsync();
        await _app.DisposeAsync();
        _app = null;
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        if (_database is not null)
            await _database.DisposeAsync();
    }
}
