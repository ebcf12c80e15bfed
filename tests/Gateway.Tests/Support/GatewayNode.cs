using Commerce.Gateway.Lookup;
using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Gateway.Tests;

/// <summary>A Gateway, served on real ports.</summary>
internal sealed class GatewayNode : IAsyncDisposable
{
    private readonly WebApplication _app;

    private GatewayNode(WebApplication app)
    {
        _app = app;
        var (grpc, http) = Hosts.EndpointsOf(app);
        Channel = GrpcChannel.ForAddress($"http://{grpc}");
        Lookups = new LookupService.LookupServiceClient(Channel);
        Http = new HttpClient { BaseAddress = new Uri($"http://{http}") };
    }

    public GrpcChannel Channel { get; }

    public LookupService.LookupServiceClient Lookups { get; }

    public HttpClient Http { get; }

    public static async Task<GatewayNode> Start(Suite suite, string redis, string broker, string environment, (string Key, string Value)[] settings)
    {
        var configuration = new Dictionary<string, string?>
        {
            ["ConnectionStrings:redis"] = redis,
            ["ConnectionStrings:messaging"] = broker,
            ["Gateway:RedisPrefix"] = suite.Prefix,
            ["Gateway:RedisProbe"] = "00:00:00.050",
            ["Gateway:MaxAbsenceAge"] = "00:05:00",
            ["services:orders:grpc:0"] = $"http://{suite.Orders.Grpc.Address}",
            ["services:orders:http:0"] = $"http://{suite.Orders.Http.Address}",
            ["services:payments:grpc:0"] = $"http://{suite.Payments.Grpc.Address}",
            ["services:payments:http:0"] = $"http://{suite.Payments.Http.Address}",
            ["services:shipments:grpc:0"] = $"http://{suite.Shipments.Grpc.Address}",
            ["services:shipments:http:0"] = $"http://{suite.Shipments.Http.Address}",
            ["services:notifications:grpc:0"] = $"http://{suite.Notifications.Grpc.Address}",
            ["services:notifications:http:0"] = $"http://{suite.Notifications.Http.Address}",
        };
        foreach (var (key, value) in settings)
            configuration[key] = value;
        var app = Hosts.Build("Gateway", builder => builder.AddGateway(), environment, configuration);
        app.MapGateway();
        await app.StartAsync();
        return new GatewayNode(app);
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>Looks a code up inside the process.</summary>
    public Task<LookupView> Find(string code, long minOrderVersion = 0) => Find(new LookupRequest { Code = code, MinOrderVersion = minOrderVersion });

    public async Task<LookupView> Find(LookupRequest request, Visibility audience = Visibility.Staff) =>
        (await Get<CodeLookup>().Answer(Question.Of(request, audience), CancellationToken.None)).Parse();

    public Task<LookupView> Find(OrderId id) => Find(id.ToString());

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        Http.Dispose();
        await _app.DisposeAsync();
    }
}
