using System.Net;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Commerce.Testing;
using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Gateway.Tests;

/// <summary>A process of the suite as the Gateway sees it: REST and gRPC behind gates, answering from a <see cref="World"/>.</summary>
internal sealed class FakeService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeService(WebApplication app, TcpGate grpc, TcpGate http, FakeCalls calls)
    {
        _app = app;
        Grpc = grpc;
        Http = http;
        Calls = calls;
    }

    public TcpGate Grpc { get; }

    public TcpGate Http { get; }

    public FakeCalls Calls { get; }

    public static async Task<FakeService> Start(World world, string service, Action<WebApplication> map)
    {
        var calls = new FakeCalls();
        var app = Hosts.Build(service, builder =>
        {
            builder.Services.AddSingleton(world);
            builder.Services.AddSingleton(calls);
        });
        map(app);
        app.MapServiceDefaults();
        await app.StartAsync();
        var (grpc, http) = Hosts.EndpointsOf(app);
        return new FakeService(app, new TcpGate(grpc), new TcpGate(http), calls);
    }

    public void Cut()
    {
        Grpc.Cut();
        Http.Cut();
    }

    public void Restore()
    {
        Grpc.Restore();
        Http.Restore();
    }

    public async ValueTask DisposeAsync()
    {
        await Grpc.DisposeAsync();
        await Http.DisposeAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>Counts calls, and says who called.</summary>
internal sealed class FakeCalls
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public string? LastPrincipal { get; private set; }

    /// <summary>Runs before each answer.</summary>
    public Func<Task>? Before { get; set; }

    public async Task Enter(ServerCallContext context)
    {
        Interlocked.Increment(ref _count);
        LastPrincipal = Principal.Of(context).ToString();
        if (Before is { } before)
            await before();
    }
}

internal sealed class FakeOrders(World world, FakeCalls calls) : OrderService.OrderServiceBase
{
    public override async Task<Order> GetOrder(GetOrderRequest request, ServerCallContext context)
    {
        var order = world.GetOrder(request.Name["orders/".Length..]);
        await calls.Enter(context);
        return order;
    }

    // What a stream names is looked at as it is read.
    public override async Task<ImportOrdersResponse> ImportOrders(IAsyncStreamReader<ImportOrdersRequest> requestStream, ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken))
        {
        }

        return new ImportOrdersResponse();
    }

    public override async Task<Order> CancelOrder(CancelOrderRequest request, ServerCallContext context)
    {
        await calls.Enter(context);
        throw new Failure(ErrorReason.OrderState, "It is with the carrier.") { Preconditions = [("STATE", request.Name, "shipped")] };
    }
}

internal sealed class FakePayments(World world, FakeCalls calls) : PaymentService.PaymentServiceBase
{
    public override async Task<Payment> GetPayment(GetPaymentRequest request, ServerCallContext context)
    {
        await calls.Enter(context);
        return world.GetPayment(request.Name["payments/".Length..]);
    }
}

internal sealed class FakeShipments(World world, FakeCalls calls) : ShipmentService.ShipmentServiceBase
{
    // Small pages, so that an order with several parcels needs more than one.
    public override async Task<ListShipmentsResponse> ListShipments(ListShipmentsRequest request, ServerCallContext context)
    {
        await calls.Enter(context);
        return new ListShipmentsResponse { Shipments = { world.ListShipments(request.OrderId) } };
    }
}

internal sealed class FakeTracking(World world, FakeCalls calls) : TrackingService.TrackingServiceBase
{
    public override async Task<Shipment> GetTracking(GetTrackingRequest request, ServerCallContext context)
    {
        await calls.Enter(context);
        return world.GetTracking(request.TrackingNumber);
    }
}

/// <summary>Hosts on free loopback ports.</summary>
internal static class Hosts
{
    public static WebApplication Build(string service, Action<WebApplicationBuilder> add, string environment = "Development", params IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment, ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        Microsoft.Extensions.Configuration.MemoryConfigurationBuilderExtensions.AddInMemoryCollection(builder.Configuration, TestAccess.Settings(service.ToLowerInvariant()));
        Microsoft.Extensions.Configuration.MemoryConfigurationBuilderExtensions.AddInMemoryCollection(builder.Configuration, settings.Concat(
        [
            new("Kestrel:Endpoints:grpc:Url", "http://127.0.0.1:0"),
            new("Kestrel:Endpoints:grpc:Protocols", "Http2"),
            new("Kestrel:Endpoints:http:Url", "http://127.0.0.1:0"),
            new("Kestrel:Endpoints:http:Protocols", "Http1"),
        ]));
        builder.Logging.ClearProviders();
        builder.AddServiceDefaults(service);
        add(builder);
        builder.Logging.ClearProviders();
        return builder.Build();
    }

    /// <summary>Kestrel binds its configured endpoints in the order of their names.</summary>
    public static (IPEndPoint Grpc, IPEndPoint Http) EndpointsOf(WebApplication app)
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(one => new Uri(one).Port).ToList();
        return (new IPEndPoint(IPAddress.Loopback, addresses[0]), new IPEndPoint(IPAddress.Loopback, addresses[1]));
    }
}
