using System.Collections.Concurrent;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Status = Google.Rpc.Status;

namespace Commerce.Client.Tests;

/// <summary>A suite on a real port that answers as the test says, and remembers what it was asked.</summary>
internal sealed class FakeSuite : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeSuite(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.First());

    /// <summary>Metadata and message of each call, in order.</summary>
    public ConcurrentQueue<(Metadata Headers, IMessage Request, DateTime Deadline)> Calls { get; } = new();

    public Func<int, Order> Order { get; set; } = _ => new Order { OrderId = "ORD-1", Version = 1 };

    /// <summary>What a watch that begins after a version sends; its end is the end of the stream.</summary>
    public Func<int, long, IAsyncEnumerable<LookupView>> Watch { get; set; } = (_, _) => AsyncEnumerable.Empty<LookupView>();

    public static async Task<FakeSuite> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        FakeSuite? suite = null;
        builder.Services.AddSingleton(_ => suite!);
        var app = builder.Build();
        suite = new FakeSuite(app);
        app.MapGrpcService<FakeOrders>();
        app.MapGrpcService<FakeLookups>();
        await app.StartAsync();
        return suite;
    }

    public CommerceClient Client(Action<CommerceClientOptions>? configure = null, TimeProvider? time = null)
    {
        var options = new CommerceClientOptions { Address = Address, MaxReconnectDelay = TimeSpan.FromMilliseconds(100) };
        configure?.Invoke(options);
        return new CommerceClient(options, time);
    }

    public static RpcException Refusal(StatusCode code, string reason, TimeSpan? retryAfter = null, params (string Field, string Description)[] fields)
    {
        var status = new Status { Code = (int)code, Message = "No.", Details = { Any.Pack(new ErrorInfo { Domain = "commerce", Reason = reason, Metadata = { ["meant"] = "ORD-2" } }) } };
        if (retryAfter is { } delay)
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(delay) }));
        if (fields.Length > 0)
            status.Details.Add(Any.Pack(new BadRequest { FieldViolations = { fields.Select(one => new BadRequest.Types.FieldViolation { Field = one.Field, Description = one.Description }) } }));
        return status.ToRpcException();
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private void Keep(IMessage request, ServerCallContext context) => Calls.Enqueue((context.RequestHeaders, request, context.Deadline));

    private sealed class FakeOrders(FakeSuite suite) : OrderService.OrderServiceBase
    {
        public override Task<Order> GetOrder(GetOrderRequest request, ServerCallContext context) => Answer(request, context);

        public override Task<Order> PlaceOrder(PlaceOrderRequest request, ServerCallContext context) => Answer(request, context);

        public override async Task<ImportOrdersResponse> ImportOrders(IAsyncStreamReader<ImportOrdersRequest> requestStream, ServerCallContext context)
        {
            await Answer(new ImportOrdersRequest(), context);
            return new ImportOrdersResponse();
        }

        private Task<Order> Answer(IMessage request, ServerCallContext context)
        {
            suite.Keep(request, context);
            return Task.FromResult(suite.Order(suite.Calls.Count));
        }
    }

    private sealed class FakeLookups(FakeSuite suite) : LookupService.LookupServiceBase
    {
        public override async Task WatchLookup(WatchLookupRequest request, IServerStreamWriter<LookupView> responseStream, ServerCallContext context)
        {
            suite.Keep(request, context);
            await foreach (var view in suite.Watch(suite.Calls.Count, request.AfterVersion).WithCancellation(context.CancellationToken))
                await responseStream.WriteAsync(view, context.CancellationToken);
        }
    }
}
