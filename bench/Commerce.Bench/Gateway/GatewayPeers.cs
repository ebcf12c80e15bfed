using System.Buffers;
using System.Globalization;
using Commerce.Facts;
using Commerce.Gateway;
using Commerce.Gateway.Access;
using Commerce.Gateway.V1;
using Commerce.Notifications.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Grpc.Net.Client;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using StackExchange.Redis;
using ApiKey = Commerce.Gateway.Access.ApiKey;

namespace Commerce.Bench.Gateway;

/// <summary>
/// The processes that the benches of the Gateway call: the Gateway itself; a Gateway whose Lookup is a bare method, behind the same pipeline;
/// a bare server; and services that answer with what <see cref="BenchWorld"/> has. Each says its addresses on standard output and ends with standard input.
/// </summary>
internal static class GatewayPeers
{
    public const string Process = "gateway-peer";

    /// <summary>Named as what is open to everybody.</summary>
    public const string Bare = "grpc.bench.Bare";

    public static async Task<int> Serve(string[] args)
    {
        await using var app = args[1] switch
        {
            "gateway" => await Gateway(args),
            "bare" => await BareServer(args),
            _ => Services(),
        };
        app.MapGet("/bench/allocated", () => GC.GetTotalAllocatedBytes().ToString(CultureInfo.InvariantCulture));
        app.MapGet("/bench/cpu", () => Environment.CpuUsage.TotalTime.TotalMilliseconds.ToString(CultureInfo.InvariantCulture));
        app.MapGet("/bench/memory", () =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            using var self = System.Diagnostics.Process.GetCurrentProcess();
            return string.Create(CultureInfo.InvariantCulture, $"{GC.GetTotalMemory(true)} {self.WorkingSet64}");
        });
        app.MapPost("/bench/flush", async (IConnectionMultiplexer redis) =>
        {
            var server = redis.GetServer(redis.GetEndPoints()[0]);
            await foreach (var key in server.KeysAsync(pattern: "bench:view:*", pageSize: 10_000))
                await redis.GetDatabase().KeyDeleteAsync(key, CommandFlags.FireAndForget);
            await redis.GetDatabase().PingAsync();
        });
        await app.StartAsync();
        var ports = app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(address => new Uri(address).Port);
        Console.Out.WriteLine(string.Join(' ', ports));
        await Console.In.ReadToEndAsync();
        await app.StopAsync();
        return 0;
    }

    private static WebApplicationBuilder Builder(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        // As deployed: what development adds for people would be measured along.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production", ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddInMemoryCollection(
        [
            new("Kestrel:Endpoints:grpc:Url", "http://127.0.0.1:0"), new("Kestrel:Endpoints:grpc:Protocols", "Http2"),
            new("Kestrel:Endpoints:http:Url", "http://127.0.0.1:0"), new("Kestrel:Endpoints:http:Protocols", "Http1"),
            new("Logging:LogLevel:Default", "Error"),
            .. settings,
        ]);
        return builder;
    }

    private static async Task<WebApplication> Gateway(string[] args)
    {
        var (redis, broker, services, hotAnswers, database, key, from, sheds) = (args[2], args[3], args[4], args[5], args[6], args[7], args[8], args[9] == "sheds");
        var builder = Builder(
        [
            new("ConnectionStrings:gatewaydb", database), new("ConnectionStrings:redis", redis), new("ConnectionStrings:messaging", broker), new("Gateway:RedisPrefix", "bench:"),
            new("Gateway:HotAnswers", hotAnswers),
            new("Shoppers:LinkKey", ServiceProcess.Secret), new("Shoppers:SessionKey", ServiceProcess.Secret),
            // Counted and leased as ever, and never reached.
            new("Gateway:Limits:Read:PerSecond", "1000000"), new("Gateway:Limits:Read:Burst", "1000000"), new("Gateway:Limits:Watch:PerSecond", "1000000"),
            new("Gateway:Limits:Watch:Burst", "1000000"), new("Gateway:Limits:OpenStreams", "1000000"),
            .. new[] { "Write", "Search", "Bulk" }.SelectMany(kind => new[] { "PerSecond", "Burst" }.Select(what => KeyValuePair.Create($"Gateway:Limits:{kind}:{what}", (string?)"1000000"))),
            // Looked at for each call, and nothing is shed: as much as there is to do is what is measured.
            .. sheds ? [] : new KeyValuePair<string, string?>[] { new("Gateway:Limits:ShedAfter", "00:00:10") },
            .. services.Split(',').Zip(BareFanOut.Services, (port, name) => KeyValuePair.Create($"services:{name}:grpc:0", (string?)$"http://127.0.0.1:{port}")),
            .. ServiceScopes.All.Keys.SelectMany(name => new[] { $"Access:Services:{name}", $"Access:Callers:{name}" }).Select(name => KeyValuePair.Create(name, (string?)ServiceProcess.Secret)),
        ]);
        builder.AddServiceDefaults("Gateway");
        builder.AddGateway();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<BareMethods>();
        builder.Services.AddSingleton(new BareFanOut(services));
        builder.Services.AddSingleton<IServiceMethodProvider<BareMethods>, BareBinding>();
        builder.Services.AddSingleton(services => new BareLookup(services.GetRequiredService<BareMethods>(), from));
        builder.Services.AddSingleton<IServiceMethodProvider<BareLookup>, BareLookupBinding>();
        var app = builder.Build();
        app.MapGateway();
        app.MapGrpcService<BareMethods>();
        if (from.Length > 0)
            app.MapGrpcService<BareLookup>().Add(endpoint => ((RouteEndpointBuilder)endpoint).Order = -1);
        await app.MigrateAsync();
        if (!ApiKey.TryRead(key, out var id, out var secret))
            throw new InvalidOperationException("That is no API key.");
        var hash = ApiKey.Hash(secret);
        await using var batch = app.Services.GetRequiredService<NpgsqlDataSource>().CreateBatch();
        batch.BatchCommands.Add(ApiKeyStore.Insert(new ApiKey(
            id, "Bench", ["main"], [.. ScopeSet.AllNames], hash, null, null, TimeProvider.System.GetUtcNow(), "staff/bench", null, null, null)));
        await batch.ExecuteNonQueryAsync();
        return app;
    }

    private static async Task<WebApplication> BareServer(string[] args)
    {
        var builder = Builder([]);
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<BareMethods>();
        builder.Services.AddSingleton<IServiceMethodProvider<BareMethods>, BareBinding>();
        builder.Services.AddSingleton<IConnectionMultiplexer>(await ConnectionMultiplexer.ConnectAsync(args[2]));
        builder.Services.AddSingleton(new BareFanOut(args[4]));
        var methods = new Streams();
        builder.Services.AddSingleton(methods);
        var bus = Commerce.Bench.Messaging.Peer.Bus(args[3], configure => configure.ReceiveEndpoint("bench.bare", endpoint =>
        {
            endpoint.PrefetchCount = 64;
            // The same promises as ours: what is in it survives the broker's end.
            endpoint.SetQuorumQueue();
            endpoint.Handler<OrderEdited>(context =>
            {
                methods.Tell();
                return Task.CompletedTask;
            });
        }));
        await bus.StartAsync();
        var app = builder.Build();
        app.MapGrpcService<BareMethods>();
        return app;
    }

    public static WebApplication Services()
    {
        var builder = Builder([]);
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        var app = builder.Build();
        BenchWorld.Map(app);
        return app;
    }
}

/// <summary>Streams that are told of something.</summary>
internal sealed class Streams
{
    private volatile TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Next => _next.Task;

    public void Tell() => Interlocked.Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
}

/// <summary>What is least: the same bytes, from memory, from one Redis GET, from the same calls of the services, and whenever something is told.</summary>
internal sealed class BareMethods(IConnectionMultiplexer redis, IServiceProvider services)
{
    private readonly BareFanOut? _fanOut = services.GetService<BareFanOut>();
    private readonly Streams? _streams = services.GetService<Streams>();
    private byte[] _bytes = [];
    private Task<byte[]> _answer = Task.FromResult(Array.Empty<byte>());

    /// <summary>Takes a Lookup's code for the bytes to answer with.</summary>
    public Task<byte[]> Set(byte[] bytes)
    {
        (_bytes, _answer) = (bytes, Task.FromResult(bytes));
        return redis.GetDatabase().StringSetAsync("bench:bare", bytes).ContinueWith(_ => Array.Empty<byte>(), TaskScheduler.Default);
    }

    public Task<byte[]> Memory() => _answer;

    public async Task<byte[]> Redis() => (byte[])(await redis.GetDatabase().StringGetAsync("bench:bare"))!;

    public async Task<byte[]> FanOut(LookupRequest request) => await _fanOut!.Ask(request.Code);

    public async Task Watch(IServerStreamWriter<byte[]> stream, CancellationToken cancellationToken)
    {
        var next = _streams!.Next;
        await stream.WriteAsync(_bytes, cancellationToken);
        while (true)
        {
            await next.WaitAsync(cancellationToken);
            next = _streams.Next;
            await stream.WriteAsync(_bytes, cancellationToken);
        }
    }
}

/// <summary>
/// A bare method in Lookup's place: whoever calls it is asked who they are, limited, shed, written down and traced as with Lookup.
/// </summary>
/// <param name="methods">What it answers.</param>
/// <param name="from">"memory", "redis" or "services".</param>
[DescribedBy(typeof(LookupService))]
internal sealed class BareLookup(BareMethods methods, string from)
{
    private readonly Func<LookupRequest, Task<byte[]>> _answer = from switch
    {
        "memory" => _ => methods.Memory(),
        "redis" => _ => methods.Redis(),
        _ => methods.FanOut,
    };

    public Task<byte[]> Lookup(LookupRequest request) => _answer(request);
}

/// <summary>
/// The fan-out of a cold look-up, as anybody would write it: the same questions to the same services, each with a token of those that they
/// take and within a time.
/// </summary>
internal sealed class BareFanOut
{
    private const int PageSize = 500;

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(3);

    private readonly OrderService.OrderServiceClient _orders;
    private readonly ReturnService.ReturnServiceClient _returns;
    private readonly PaymentService.PaymentServiceClient _payments;
    private readonly InvoiceService.InvoiceServiceClient _invoices;
    private readonly ShipmentService.ShipmentServiceClient _shipments;
    private readonly NotificationService.NotificationServiceClient _notifications;

    private readonly TokenMinter _tokens = new("gateway", Services.ToDictionary(name => name, _ => ServiceProcess.Secret));

    /// <param name="ports">Of <see cref="Services"/>, in their order, with a comma between.</param>
    public BareFanOut(string ports)
    {
        var channels = ports.Split(',')
            .Select(port => GrpcChannel.ForAddress($"http://127.0.0.1:{port}", new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true } })).ToArray();
        _orders = new OrderService.OrderServiceClient(channels[0]);
        _returns = new ReturnService.ReturnServiceClient(channels[0]);
        _payments = new PaymentService.PaymentServiceClient(channels[1]);
        _invoices = new InvoiceService.InvoiceServiceClient(channels[1]);
        _shipments = new ShipmentService.ShipmentServiceClient(channels[2]);
        _notifications = new NotificationService.NotificationServiceClient(channels[3]);
    }

    /// <summary>Who is asked.</summary>
    public static IReadOnlyList<string> Services { get; } = ["orders", "payments", "shipments", "notifications"];

    public async Task<byte[]> Ask(string code)
    {
        var until = TimeProvider.System.GetUtcNow().UtcDateTime + Within;
        Metadata Token(string service) => new() { { TokenMinter.Header, _tokens.For(null, service) } };
        var order = _orders.GetOrderAsync(new GetOrderRequest { Name = $"orders/{code}" }, Token("orders"), until).ResponseAsync;
        var returns = _returns.ListReturnsAsync(new ListReturnsRequest { OrderId = code, PageSize = PageSize }, Token("orders"), until).ResponseAsync;
        var payment = _payments.GetPaymentAsync(new GetPaymentRequest { Name = $"payments/{code}" }, Token("payments"), until).ResponseAsync;
        var invoices = _invoices.ListInvoicesAsync(new ListInvoicesRequest { OrderId = code }, Token("payments"), until).ResponseAsync;
        var shipments = _shipments.ListShipmentsAsync(new ListShipmentsRequest { OrderId = code, PageSize = PageSize }, Token("shipments"), until).ResponseAsync;
        var notifications = _notifications.ListNotificationsAsync(new ListNotificationsRequest { OrderId = code, PageSize = PageSize }, Token("notifications"), until).ResponseAsync;
        return new LookupView
        {
            OrderId = code,
            CodeKind = CodeKind.OrderId,
            Version = 1017,
            Order = await order,
            Returns = { (await returns).Returns },
            Payment = await payment,
            Documents = { (await invoices).Invoices.Select(one => new Document { Name = one.Name, Number = one.Number, Kind = one.Kind, IssueTime = one.IssueTime, Total = one.Total, CorrectedNumber = one.CorrectedNumber }) },
            Shipments = { (await shipments).Shipments },
            Notifications = { (await notifications).Notifications },
        }.ToByteArray();
    }
}

internal sealed class BareLookupBinding : IServiceMethodProvider<BareLookup>
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<BareLookup> context) => context.AddUnaryMethod(
        new Method<LookupRequest, byte[]>(MethodType.Unary, LookupService.Descriptor.FullName, "Lookup", BareBinding.Request, BareBinding.Raw), [], static (service, request, _) => service.Lookup(request));
}

internal sealed class BareBinding : IServiceMethodProvider<BareMethods>
{
    public static readonly Marshaller<LookupRequest> Request = new((_, _) => throw new NotSupportedException(), call => LookupRequest.Parser.ParseFrom(call.PayloadAsReadOnlySequence()));

    public static readonly Marshaller<byte[]> Raw = new(
        (bytes, call) =>
        {
            call.SetPayloadLength(bytes.Length);
            call.GetBufferWriter().Write(bytes);
            call.Complete();
        },
        call => call.PayloadAsNewBuffer());

    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<BareMethods> context)
    {
        Method<LookupRequest, byte[]> Method(MethodType type, string name) => new(type, GatewayPeers.Bare, name, Request, Raw);
        context.AddUnaryMethod(new Method<byte[], byte[]>(MethodType.Unary, GatewayPeers.Bare, "Set", Raw, Raw), [], static (service, bytes, _) => service.Set(bytes));
        context.AddUnaryMethod(Method(MethodType.Unary, "Memory"), [], static (service, _, _) => service.Memory());
        context.AddUnaryMethod(Method(MethodType.Unary, "Redis"), [], static (service, _, _) => service.Redis());
        context.AddUnaryMethod(Method(MethodType.Unary, "FanOut"), [], static (service, request, _) => service.FanOut(request));
        context.AddServerStreamingMethod(Method(MethodType.ServerStreaming, "Watch"), [], static (service, _, stream, call) => service.Watch(stream, call.CancellationToken));
    }
}
