using Commerce.Orders.V1;
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

/// <summary>Orders as it runs, on two real ports, with a database and a virtual host of its own; one a test class.</summary>
public sealed class OrdersService : IAsyncDisposable
{
    private TestDatabase? _database;
    private TestVirtualHost? _virtualHost;
    private WebApplication? _app;
    private GrpcChannel? _channel;
    private readonly Dictionary<string, Task<OtherService>> _others = [];

    public WebApplication App => _app!;

    public HttpClient Rest { get; private set; } = null!;

    public GrpcChannel Channel => _channel!;

    public string Broker => _virtualHost!.ConnectionString;

    public OrderService.OrderServiceClient Orders => new(_channel);

    public StoreService.StoreServiceClient Stores => new(_channel);

    public CatalogService.CatalogServiceClient Catalogue => new(_channel);

    public StockService.StockServiceClient Stock => new(_channel);

    public ReturnService.ReturnServiceClient Returns => new(_channel);

    internal FakePayments Payments { get; } = new();

    public NpgsqlDataSource Database => App.Services.GetRequiredService<NpgsqlDataSource>();

    /// <summary>Starts it for the first test of the class.</summary>
    public async Task EnsureStarted()
    {
        if (_app is not null)
            return;
        var servers = await TestServers.Get();
        _database = await servers.CreateDatabase();
        _virtualHost = await servers.CreateVirtualHost();
        await StartAsync();
    }

    /// <summary>Stops it and starts it again on what it had stored.</summary>
    public async Task Restart()
    {
        await StopAsync();
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var other in _others.Values)
            await (await other).DisposeAsync();
        await StopAsync();
        if (_virtualHost is not null)
            await _virtualHost.DisposeAsync();
        if (_database is not null)
            await _database.DisposeAsync();
    }

    /// <summary>How many rows a query finds.</summary>
    public async Task<long> Count(string sql, params object[] values)
    {
        await using var command = Database.CreateCommand("SELECT count(*) " + sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Products in the main store at 10.00 EUR, counted, with this many pieces.</summary>
    public async Task Stocked(int pieces, params string[] skus)
    {
        var products = new BatchUpdateProductsRequest { Parent = "stores/main" };
        var levels = new BatchSetStockRequest { Parent = "stores/main" };
        foreach (var sku in skus)
        {
            products.Products.Add(new Product { Sku = sku, Title = "Article " + sku, UnitPrice = Request.Euro(1000), StockTracked = true });
            levels.Levels.Add(new StockLevel { Sku = sku, OnHand = pieces });
        }

        await Catalogue.BatchUpdateProductsAsync(products);
        await Stock.BatchSetStockAsync(levels);
    }

    public async Task<V1.Stock> StockOf(string sku) => await Stock.GetStockAsync(new GetStockRequest { Name = $"stores/main/products/{sku}/stock" });

    /// <summary>The same, one for all tests of the class.</summary>
    public Task<OtherService> Shared(string name)
    {
        lock (_others)
            return _others.TryGetValue(name, out var other) ? other : _others[name] = Other(name);
    }

    /// <summary>Tells facts as Payments or Shipments would: through an outbox and a relay of its own, and the broker.</summary>
    public async Task<OtherService> Other(string name) => await OtherService.Start(name, Broker);

    public async Task<V1.Order> OrderWith(string orderId) => await Orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + orderId });

    public async Task<IReadOnlyList<TimelineEntry>> TimelineOf(V1.Order order) =>
        (await Orders.GetOrderTimelineAsync(new GetOrderTimelineRequest { Name = order.Name })).Entries;

    /// <summary>From now on every fact is kept in the table "told": the relay takes a row away as soon as it was published.</summary>
    public async Task RememberFacts()
    {
        await using var outbox = Database.CreateCommand(
            """
            CREATE TABLE IF NOT EXISTS told (id bigint GENERATED ALWAYS AS IDENTITY, key text, version bigint, fact text, body text);
            CREATE OR REPLACE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO told (key, version, fact, body) VALUES (NEW.key, NEW.version, NEW.fact, NEW.body); RETURN NULL; END $$;
            CREATE OR REPLACE TRIGGER remember AFTER INSERT ON messaging.outbox FOR EACH ROW EXECUTE FUNCTION remember();
            """);
        await outbox.ExecuteNonQueryAsync();
    }

    /// <summary>The facts that were told of a key, in the order of their versions.</summary>
    public async Task<IReadOnlyList<(long Version, string Fact, string Body)>> FactsOf(string key)
    {
        await using var command = Database.CreateCommand("SELECT version, fact, body FROM told WHERE key = $1 ORDER BY version");
        command.Parameters.Add(new NpgsqlParameter { Value = key });
        await using var reader = await command.ExecuteReaderAsync();
        var facts = new List<(long, string, string)>();
        while (await reader.ReadAsync())
            facts.Add((reader.GetInt64(0), reader.GetString(1), reader.GetString(2)));
        return facts;
    }

    private async Task StartAsync()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development", ApplicationName = "Orders" });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(TestAccess.Settings("orders"));
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:ordersdb"] = _database!.ConnectionString,
            ["ConnectionStrings:messaging"] = _virtualHost!.ConnectionString,
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.AddServiceDefaults("Orders");
        builder.AddOrders();
        builder.Services.AddSingleton<Commerce.Payments.V1.PaymentService.PaymentServiceClient>(Payments);
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.MapOrders();
        await _app.MigrateAsync();
        await _app.StartAsync();
        var urls = _app.Urls.Select(url => new Uri(url)).ToArray();
        Rest = TestAccess.Client(urls[0], "orders");
        _channel = TestAccess.Channel(urls[1], "orders", options => options.MaxSendMessageSize = null);
    }

    private async Task StopAsync()
    {
        _channel?.Dispose();
        Rest?.Dispose();
        if (_app is null)
            return;
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>
/// Tests of the running service. It is started here and not by the fixture itself, because a missing server skips a test
/// and would fail a fixture.
/// </summary>
public abstract class OrdersServiceTests(OrdersService service) : IClassFixture<OrdersService>, IAsyncLifetime
{
    protected OrdersService Service => service;

    public async ValueTask InitializeAsync() => await service.EnsureStarted();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
