using Commerce.Gateway.Lookup;
using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Gateway.Tests;

/// <summary>A Gateway, served on real ports.</summary>
internal sealed class GatewayNode : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TestIssuer _issuer;

    private GatewayNode(WebApplication app, TestIssuer issuer)
    {
        (_app, _issuer) = (app, issuer);
        var (grpc, http) = Hosts.EndpointsOf(app);
        (GrpcAddress, HttpAddress) = (new Uri($"http://{grpc}"), new Uri($"http://{http}"));
        Channel = GrpcChannel.ForAddress(GrpcAddress, new GrpcChannelOptions { HttpHandler = new AsDeveloper(issuer), DisposeHttpClient = true });
        Strange = GrpcChannel.ForAddress(GrpcAddress);
        Lookups = new LookupService.LookupServiceClient(Channel);
        Http = new HttpClient(new AsDeveloper(issuer)) { BaseAddress = HttpAddress };
    }

    public Uri GrpcAddress { get; }

    public Uri HttpAddress { get; }

    /// <summary>As the developer, where a call says nothing else.</summary>
    public GrpcChannel Channel { get; }

    /// <summary>As nobody.</summary>
    public GrpcChannel Strange { get; }

    public LookupService.LookupServiceClient Lookups { get; }

    public HttpClient Http { get; }

    public static async Task<GatewayNode> Start(Suite suite, string redis, string broker, string environment, (string Key, string Value)[] settings, TimeProvider? time = null)
    {
        var configuration = new Dictionary<string, string?>
        {
            ["ConnectionStrings:redis"] = redis,
            ["ConnectionStrings:messaging"] = broker,
            ["ConnectionStrings:gatewaydb"] = suite.Database.ConnectionString,
            ["Access:Issuers:0:Authority"] = suite.Issuer.Authority,
            ["Access:Issuers:0:Audience"] = TestIssuer.Audience,
            // Long, so that what is told is not what time brings.
            ["Access:KeyCacheFor"] = "00:05:00",
            ["Access:KeyUseEvery"] = "00:00:00.1",
            ["Shoppers:LinkKey"] = ShopperKeys.Link,
            ["Shoppers:SessionKey"] = ShopperKeys.Session,
            // All of a test class calls from one address.
            ["Gateway:Limits:ShopperPercent"] = "10000",
            ["Gateway:Limits:Strangers:PerSecond"] = "100000",
            ["Gateway:Limits:Strangers:Burst"] = "1000000",
            // Other tests' work waits for the same threads.
            ["Gateway:Limits:ShedAfter"] = "00:00:10",
            ["Gateway:RedisPrefix"] = suite.Prefix,
            ["Audit:WriteEvery"] = "00:00:00.010",
            ["Audit:RepeatsWithin"] = "00:00:01",
            ["Audit:Folder"] = suite.AuditFolder,
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
        var app = Hosts.Build("Gateway", builder =>
        {
            if (time is not null)
                builder.Services.AddSingleton(time);
            builder.AddGateway();
        }, environment, configuration);
        app.MapGateway();
        await app.MigrateAsync();
        await app.StartAsync();
        return new GatewayNode(app, suite.Issuer);
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>Calls with a developer's token.</summary>
    public HttpMessageHandler DeveloperHandler() => new AsDeveloper(_issuer);

    /// <summary>Looks a code up inside the process.</summary>
    public Task<LookupView> Find(string code, long minOrderVersion = 0) => Find(new LookupRequest { Code = code, MinOrderVersion = minOrderVersion });

    public async Task<LookupView> Find(LookupRequest request, Visibility audience = Visibility.Staff) =>
        (await Get<CodeLookup>().Answer(Question.Of(request, new Audience(audience, Selection.All(audience).With(PartKind.Shipments, Visibility.Public), null)), CancellationToken.None)).Parse();

    public Task<LookupView> Find(OrderId id) => Find(id.ToString());

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        Strange.Dispose();
        Http.Dispose();
        await _app.DisposeAsync();
    }

    private sealed class AsDeveloper(TestIssuer issuer) : DelegatingHandler(new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
    {
        private readonly string _token = issuer.Token();

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!request.Headers.Contains("Authorization") && !request.Headers.Contains("x-api-key"))
                request.Headers.Add("Authorization", "Bearer " + _token);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
