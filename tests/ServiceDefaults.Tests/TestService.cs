using Commerce.Orders.V1;
using Commerce.Testing;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.ServiceDefaults.Tests;

/// <summary>A service with all the defaults on two real ports, whose methods do what the test says.</summary>
internal sealed class TestService : IAsyncDisposable
{
    private TestService(WebApplication app, Uri http, Uri grpc, string name)
    {
        App = app;
        Token = TestAccess.Token(name, TestAccess.Admin);
        Rest = TestAccess.Client(http, name);
        Channel = TestAccess.Channel(grpc, name, options => options.MaxSendMessageSize = null);
        (HttpAddress, GrpcAddress) = (http, grpc);
    }

    public WebApplication App { get; }

    public HttpClient Rest { get; }

    public GrpcChannel Channel { get; }

    public Uri HttpAddress { get; }

    public Uri GrpcAddress { get; }

    /// <summary>What the other two send along.</summary>
    public string Token { get; }

    public LogCollector Logs => App.Services.GetRequiredService<LogCollector>();

    public OrderService.OrderServiceClient Orders => new(Channel);

    public static async Task<TestService> Start(
        OrderBehaviour? behaviour = null, Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null,
        string environment = "Development", Dictionary<string, string?>? settings = null, string name = "orders")
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment, ApplicationName = "ServiceDefaults.Tests" });
        builder.Configuration.AddInMemoryCollection(TestAccess.Settings(name));
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        // What is said of all endpoints is said before there are any.
        builder.AddServiceDefaults(name);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<LogCollector>();
        builder.Services.AddSingleton<ILoggerProvider>(p => p.GetRequiredService<LogCollector>());
        builder.Services.AddSingleton(behaviour ?? new OrderBehaviour());
        configure?.Invoke(builder);
        var app = builder.Build();
        app.MapGrpcService<TestOrders>();
        app.MapGrpcService<TestLookup>();
        map?.Invoke(app);
        app.MapServiceDefaults();
        await app.StartAsync();
        var urls = app.Urls.Select(url => new Uri(url)).ToArray();
        return new TestService(app, urls[0], urls[1], name);
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        Rest.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
    }
}

/// <summary>What the methods of <see cref="TestOrders"/> and <see cref="TestLookup"/> do.</summary>
internal sealed class OrderBehaviour
{
    public Func<GetOrderRequest, ServerCallContext, Task<Order>> Get { get; set; } = (request, _) => Task.FromResult(new Order { Name = request.Name });

    public Func<PlaceOrderRequest, ServerCallContext, Task<Order>> Place { get; set; } =
        (request, _) => Task.FromResult(new Order { Name = request.RequestId, Version = 1L << 60 });

    public Func<CancelOrderRequest, ServerCallContext, Task<Order>> Cancel { get; set; } = (request, _) => Task.FromResult(new Order { Name = request.Name });

    public Func<UpdateOrderRequest, ServerCallContext, Task<Order>> Update { get; set; } = (request, _) => Task.FromResult(request.Order);

    public Func<IAsyncStreamReader<ImportOrdersRequest>, ServerCallContext, Task<ImportOrdersResponse>> Import { get; set; } = async (stream, context) =>
    {
        while (await stream.MoveNext(context.CancellationToken))
        {
        }

        return new ImportOrdersResponse();
    };

    public Func<IServerStreamWriter<Gateway.V1.LookupView>, ServerCallContext, Task> Watch { get; set; } = (_, _) => Task.CompletedTask;
}

internal sealed class TestOrders(OrderBehaviour behaviour) : OrderService.OrderServiceBase
{
    public override Task<Order> GetOrder(GetOrderRequest request, ServerCallContext context) => behaviour.Get(request, context);

    public override Task<Order> PlaceOrder(PlaceOrderRequest request, ServerCallContext context) => behaviour.Place(request, context);

    public override Task<Order> CancelOrder(CancelOrderRequest request, ServerCallContext context) => behaviour.Cancel(request, context);

    public override Task<ImportOrdersResponse> ImportOrders(IAsyncStreamReader<ImportOrdersRequest> requestStream, ServerCallContext context) => behaviour.Import(requestStream, context);

    public override Task<Order> UpdateOrder(UpdateOrderRequest request, ServerCallContext context) => behaviour.Update(request, context);
}

internal sealed class TestLookup(OrderBehaviour behaviour) : Gateway.V1.LookupService.LookupServiceBase
{
    public override Task WatchLookup(Gateway.V1.WatchLookupRequest request, IServerStreamWriter<Gateway.V1.LookupView> responseStream, ServerCallContext context) =>
        behaviour.Watch(responseStream, context);
}

/// <summary>Keeps what was logged at Warning and above.</summary>
internal sealed class LogCollector : ILoggerProvider
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<(LogLevel Level, string Category, string Text)> _entries = new();

    public IReadOnlyList<(LogLevel Level, string Category, string Text)> Entries => [.. _entries];

    public ILogger CreateLogger(string categoryName) => new Collecting(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Collecting(LogCollector owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                owner._entries.Enqueue((logLevel, category, formatter(state, exception) + exception));
        }
    }
}
