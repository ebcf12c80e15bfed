using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Sandbox;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Commerce.Payments.Tests;

/// <summary>
/// Payments as it runs, on a real broker and database, with the real Sandbox as its provider; Orders is played by an
/// outbox of its own, and whoever hears of payments by an observer. Started once a test class.
/// </summary>
public sealed class PaymentsApp : IAsyncDisposable
{
    public const string Secret = "a secret of the tests";

    // Begun by the first test and not by the runner: a missing server then skips tests instead of failing the class.
    private readonly Lazy<Task> _started;
    private readonly Stack<Func<ValueTask>> _stop = [];
    private readonly Recorder _recorder = new();
    private IHost? _orders;
    private WebApplication? _payments;

    public PaymentsApp() => _started = new Lazy<Task>(Start);

    /// <summary>Payments over REST.</summary>
    public HttpClient Rest { get; private set; } = null!;

    /// <summary>The Sandbox.</summary>
    public HttpClient Outside { get; } = new() { Timeout = TimeSpan.FromSeconds(20) };

    public PaymentService.PaymentServiceClient Grpc { get; private set; } = null!;

    public InvoiceService.InvoiceServiceClient Invoices { get; private set; } = null!;

    public StoreCreditService.StoreCreditServiceClient StoreCredit { get; private set; } = null!;

    public LedgerService.LedgerServiceClient Ledger { get; private set; } = null!;

    public Task Ready => _started.Value;

    /// <summary>The service's own port.</summary>
    public Uri GrpcAddress { get; private set; } = null!;

    internal T Service<T>()
        where T : notnull => _payments!.Services.GetRequiredService<T>();

    /// <summary>Places an order; returns its id.</summary>
    public Task<string> Place(string storeId, params (string Token, long Minor)[] parts) => PlaceFor(null, storeId, parts);

    /// <summary>Places a customer's order; parts with the token "credit" are paid with store credit.</summary>
    public Task<string> PlaceFor(string? customer, string storeId, params (string Token, long Minor)[] parts) => Place(customer, null, storeId, parts);

    /// <summary>Places an order whose money is taken later.</summary>
    public Task<string> PlaceHeld(string captureMode, string storeId, params (string Token, long Minor)[] parts) => Place(null, captureMode, storeId, parts);

    private async Task<string> Place(string? customer, string? captureMode, string storeId, (string Token, long Minor)[] parts)
    {
        await Ready;
        var orderId = OrderId.New("ORD", TimeProvider.System).ToString();
        await Tell(new OrderPlaced(
            orderId, storeId, 1, TimeProvider.System.GetUtcNow(), null, new Money(parts.Sum(p => p.Minor), "BRL"),
            [.. parts.Select((p, i) => new PaymentPartFact(i + 1, p.Token == "credit" ? "STORE_CREDIT" : "CARD", p.Token, new Money(p.Minor, "BRL"), 3))],
            customer,
            captureMode));
        return orderId;
    }

    public Task Cancel(string orderId) => Tell(new OrderCancelled(orderId, "main", 2, TimeProvider.System.GetUtcNow(), "SHOPPER"));

    /// <summary>The facts about an order's payment, by version, once the last one is of the given name.</summary>
    public Task<IReadOnlyList<string>> Facts(string orderId, string last) => Eventually.Value(
        () => Task.FromResult(_recorder.Of(orderId)), facts => facts.Count > 0 && facts[^1] == last);

    /// <summary>The provider's book about an order.</summary>
    public async Task<JsonArray> Charges(string orderId)
    {
        var found = new JsonArray();
        for (var part = 1; part <= 3; part++)
        {
            var answer = await Outside.GetFromJsonAsync<JsonNode>($"/payments/v1/authorizations?reference={Uri.EscapeDataString($"{orderId}/{part}")}");
            foreach (var one in answer!["authorizations"]!.AsArray())
                found.Add(one!.DeepClone());
        }

        return found;
    }

    public async Task Turn(string knobs)
    {
        using var answer = await Outside.PatchAsync("/control/knobs", new StringContent(knobs, System.Text.Encoding.UTF8, "application/json"));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        while (_stop.TryPop(out var stop))
            await stop();
        Rest?.Dispose();
        Outside.Dispose();
    }

    private async Task Tell(IFact fact)
    {
        var database = _orders!.Services.GetRequiredService<NpgsqlDataSource>();
        var outbox = _orders.Services.GetRequiredService<Outbox>();
        await using var connection = await database.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection);
        outbox.Add(batch, fact);
        await batch.ExecuteNonQueryAsync();
        outbox.Wake();
    }

    private async Task Start()
    {
        var servers = await TestServers.Get();
        var ordersDb = await servers.CreateDatabase();
        _stop.Push(ordersDb.DisposeAsync);
        var paymentsDb = await servers.CreateDatabase();
        _stop.Push(paymentsDb.DisposeAsync);
        var broker = await servers.CreateVirtualHost();
        _stop.Push(broker.DisposeAsync);

        // Each of the two needs the other's address. The port is held from here on: as soon as it was let go, any connection might be given it.
        var sandboxSocket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        sandboxSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var sandboxUrl = $"http://{sandboxSocket.LocalEndPoint}";
        var payments = await StartPayments(paymentsDb, broker, sandboxUrl);
        _payments = payments;
        var urls = payments.Urls.ToArray();
        GrpcAddress = new Uri(urls[0]);
        // Endpoints are bound in the order of their names: grpc, http.
        Rest = TestAccess.Client(new Uri(urls[1]), "payments");
        Rest.Timeout = TimeSpan.FromSeconds(20);
        var channel = TestAccess.Channel(new Uri(urls[0]), "payments");
        _stop.Push(() =>
        {
            channel.Dispose();
            return ValueTask.CompletedTask;
        });
        Grpc = new PaymentService.PaymentServiceClient(channel);
        Invoices = new InvoiceService.InvoiceServiceClient(channel);
        StoreCredit = new StoreCreditService.StoreCreditServiceClient(channel);
        Ledger = new LedgerService.LedgerServiceClient(channel);
        await StartSandbox(sandboxUrl, sandboxSocket, urls[1]);
        Outside.BaseAddress = new Uri(sandboxUrl);
        await StartNeighbours(ordersDb, broker);
    }

    private async Task<WebApplication> StartPayments(TestDatabase database, TestVirtualHost broker, string sandboxUrl)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Path.GetTempPath() });
        builder.Configuration.AddInMemoryCollection(TestAccess.Settings("payments"));
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Kestrel:Endpoints:grpc:Url"] = "http://127.0.0.1:0",
            ["Kestrel:Endpoints:grpc:Protocols"] = "Http2",
            ["Kestrel:Endpoints:http:Url"] = "http://127.0.0.1:0",
            ["Kestrel:Endpoints:http:Protocols"] = "Http1",
            ["ConnectionStrings:paymentsdb"] = database.ConnectionString,
            ["ConnectionStrings:messaging"] = broker.ConnectionString,
            ["Webhooks:Secret"] = Secret,
            ["Outside:sandbox-payments:Address"] = sandboxUrl,
            ["Outside:sandbox-payments:Timeout"] = "00:00:01",
            ["Payments:RetryAtMost"] = "00:00:00.5",
            // Long, so that what a webhook is to bring about is not brought about by asking.
            ["Payments:PollAfter"] = "00:10:00",
        });
        builder.AddServiceDefaults("Payments");
        builder.AddPayments();
        builder.Services.AddSingleton<OrderService.OrderServiceClient>(new FakeOrders.Orders());
        builder.Services.AddSingleton<StoreService.StoreServiceClient>(new FakeOrders.Stores());
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.MapPayments();
        await app.MigrateAsync();
        await app.StartAsync();
        Push(app);
        return app;
    }

    private async Task StartSandbox(string url, Socket socket, string paymentsUrl)
    {
        var directory = Path.Combine(Path.GetTempPath(), $"payments-sandbox-{Guid.NewGuid():N}");
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Path.GetTempPath() });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Sandbox:DataDirectory"] = directory,
            ["Sandbox:Smtp:Port"] = "0",
            ["Sandbox:Knobs:pending_delay_seconds"] = "0.3",
            ["Webhooks:Secret"] = Secret,
            ["services:payments:http:0"] = paymentsUrl,
        });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url).UseSockets(sockets => sockets.CreateBoundListenSocket = _ => socket);
        builder.AddSandbox();
        var app = builder.Build();
        app.MapSandbox();
        await app.StartAsync();
        _stop.Push(() =>
        {
            Directory.Delete(directory, recursive: true);
            return ValueTask.CompletedTask;
        });
        Push(app);
    }

    private async Task StartNeighbours(TestDatabase database, TestVirtualHost broker)
    {
        var orders = Host.CreateEmptyApplicationBuilder(null);
        orders.Services.AddLogging().AddSingleton(TimeProvider.System);
        orders.Configuration["ConnectionStrings:ordersdb"] = database.ConnectionString;
        orders.Configuration["ConnectionStrings:messaging"] = broker.ConnectionString;
        orders.AddNpgsqlDataSource("ordersdb");
        orders.AddMigrations(typeof(Outbox).Assembly);
        orders.AddMessaging("orders");
        _orders = orders.Build();
        await _orders.MigrateAsync();
        await _orders.StartAsync();
        Push(_orders);

        var listener = Host.CreateEmptyApplicationBuilder(null);
        listener.Services.AddLogging().AddSingleton(_recorder);
        listener.Configuration["ConnectionStrings:messaging"] = broker.ConnectionString;
        listener.AddMessaging("gateway").Observe<Recorder>("payments");
        var host = listener.Build();
        await host.StartAsync();
        Push(host);
    }

    private void Push(IHost host) => _stop.Push(async () =>
    {
        await host.StopAsync();
        if (host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        else
            host.Dispose();
    });

    /// <summary>Keeps what the broker brings.</summary>
    private sealed class Recorder : IObserveFacts
    {
        private readonly ConcurrentDictionary<(string Key, long Version), string> _facts = [];

        public Task Observe(IFact fact, CancellationToken cancellationToken)
        {
            _facts.TryAdd((fact.Key, fact.Version), fact.GetType().Name);
            return Task.CompletedTask;
        }

        public IReadOnlyList<string> Of(string orderId) => [.. _facts.Where(f => f.Key.Key == orderId).OrderBy(f => f.Key.Version).Select(f => f.Value)];
    }
}
