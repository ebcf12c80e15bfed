using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.V1;
using Commerce.Testing;
using Grpc.Net.Client;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Commerce.Shipments.Tests;

/// <summary>The service as it is, on a real database and broker, with carriers and Orders that do what the test says.</summary>
public sealed class ShipmentsApp : IAsyncLifetime
{
    public const string Secret = "a secret of tests";

    private Exception? _missing;
    private TestDatabase? _database;
    private TestVirtualHost? _broker;
    private WebApplication? _app;
    private GrpcChannel? _channel;

    /// <summary>What ShipEngine signs with in tests.</summary>
    public RSA ShipEngineKey { get; } = RSA.Create(2048);

    internal FakeOrders Orders { get; } = new();

    internal FakeReturns Returns { get; } = new();

    internal FakePayments Payments { get; } = new();

    internal FakeCarrier Ups { get; } = new("ups");

    internal FakeCarrier Dhl { get; } = new("dhl") { PriceMinor = 2000 };

    /// <summary>Skips the test that asks, where a server is missing: a fixture itself can only fail.</summary>
    public ShipmentsApp Required => _missing is null ? this : throw _missing;

    public HttpClient Http { get; private set; } = new();

    public NpgsqlDataSource Database => _app!.Services.GetRequiredService<NpgsqlDataSource>();

    public ShipmentService.ShipmentServiceClient Shipments => new(_channel);

    public TrackingService.TrackingServiceClient Tracking => new(_channel);

    public ExceptionService.ExceptionServiceClient Exceptions => new(_channel);

    public CarrierService.CarrierServiceClient Carriers => new(_channel);

    /// <summary>The service's own port.</summary>
    internal Uri GrpcAddress => new(_app!.Urls.Last());

    internal T Service<T>()
        where T : notnull => _app!.Services.GetRequiredService<T>();

    public async ValueTask InitializeAsync()
    {
        TestServers servers;
        try
        {
            servers = await TestServers.Get();
        }
        catch (Exception exception)
        {
            _missing = exception;
            return;
        }

        _database = await servers.CreateDatabase();
        _broker = await servers.CreateVirtualHost();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development", ApplicationName = "Shipments.Tests" });
        // The service's own settings lie beside the tests, fixed ports among them.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(TestAccess.Settings("shipments"));
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:shipmentsdb"] = _database.ConnectionString,
            ["ConnectionStrings:messaging"] = _broker.ConnectionString,
            ["Webhooks:Secret"] = Secret,
            ["Webhooks:Sources:easypost:Secret"] = "sécret",
            ["Webhooks:Sources:shipengine:PublicKeys:0"] = ShipEngineKey.ExportSubjectPublicKeyInfoPem(),
            ["Shipments:Carriers:0"] = "ups",
            ["Shipments:SilenceAfter"] = "00:00:01",
            ["Shipments:SilenceAtLeast"] = "00:00:01",
            ["Shipments:LabelAttemptsBeforeException"] = "2",
            ["Shipments:FirstRetryAfter"] = "00:00:00.02",
            ["Shipments:LongestRetryAfter"] = "00:00:00.2",
            ["Shipments:ClaimAskedAfter"] = "00:00:00.2",
            ["Shipments:RefundAskedAfter"] = "00:00:00.1",
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.AddServiceDefaults("Shipments");
        builder.Logging.ClearProviders();
        if (Environment.GetEnvironmentVariable("COMMERCE_TEST_LOGS") == "true")
            builder.Logging.AddSimpleConsole();
        builder.AddShipments();
        builder.Services.AddSingleton(new CarrierDirectory([Ups, Dhl]));
        builder.Services.AddSingleton<OrderService.OrderServiceClient>(Orders);
        builder.Services.AddSingleton<StoreService.StoreServiceClient>(new FakeStores());
        builder.Services.AddSingleton<ReturnService.ReturnServiceClient>(Returns);
        builder.Services.AddSingleton<PaymentService.PaymentServiceClient>(Payments);
        _app = builder.Build();
        _app.MapShipments();
        await _app.MigrateAsync();
        await CopyFacts();
        await _app.StartAsync();
        // A fact published before the queue is bound would reach nobody: here the test is the publisher, and not a relay that declares it.
        var bus = _app.Services.GetRequiredService<IBusControl>();
        await Eventually.True(() => bus.CheckHealth().Status == BusHealthStatus.Healthy, TimeSpan.FromSeconds(90), () => bus.CheckHealth().Description);
        var urls = _app.Urls.Select(url => new Uri(url)).ToArray();
        Http = TestAccess.Client(urls[0], "shipments");
        _channel = TestAccess.Channel(urls[1], "shipments");
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        ShipEngineKey.Dispose();
        _channel?.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }

        if (_database is not null)
            await _database.DisposeAsync();
        if (_broker is not null)
            await _broker.DisposeAsync();
    }

    /// <summary>An order that is confirmed and whose parcels have their labels.</summary>
    internal async Task<IReadOnlyList<V1.Shipment>> Ship(Order order)
    {
        await Confirm(order);
        return await Parcels(order, all => all.Count == order.Lines.DistinctBy(line => line.ShipFrom?.LocationId ?? "").Count() && all.All(one => one.TrackingNumber.Length > 0));
    }

    internal Task Confirm(Order order, Guid? messageId = null) =>
        Publish(new OrderConfirmed(order.OrderId, order.StoreId, order.Version, TimeProvider.System.GetUtcNow(), order.ExternalId, null), messageId);

    internal Task Cancel(Order order) =>
        Publish(new OrderCancelled(order.OrderId, order.StoreId, order.Version + 1, TimeProvider.System.GetUtcNow(), "SHOPPER"));

    /// <summary>Its order's customer was erased, and the fact of it is out.</summary>
    internal Task Erase(V1.Shipment parcel) =>
        Publish(new OrderErased(parcel.OrderId, parcel.StoreId, 99, TimeProvider.System.GetUtcNow(), Guid.NewGuid().ToString("N")));

    /// <summary>The order's address was changed, and the fact of it is out.</summary>
    internal Task Edit(Order order, string field = "shipping_address") =>
        Publish(new OrderEdited(order.OrderId, order.StoreId, order.Version, TimeProvider.System.GetUtcNow(), [field]));

    /// <summary>The order's lines were changed, and the fact of it is out.</summary>
    internal Task ChangeLines(Order order) =>
        Publish(new OrderLinesChanged(order.OrderId, order.StoreId, order.Version, TimeProvider.System.GetUtcNow(), 0, new Money(0, "BRL"), new Money(0, "BRL"), []));

    /// <summary>The shop says that goods may come back, and the fact of it is out.</summary>
    internal Task Approve(Return one, Guid? messageId = null) =>
        Publish(new ReturnApproved(one.OrderId, one.StoreId, 7, TimeProvider.System.GetUtcNow(), FakeReturns.NumberOf(one), one.LabelWanted), messageId);

    /// <summary>The last piece of it is in.</summary>
    internal Task Receive(Return one) =>
        Publish(new ReturnReceived(one.OrderId, one.StoreId, 9, TimeProvider.System.GetUtcNow(), FakeReturns.NumberOf(one), Complete: true));

    internal Task Cancel(Return one) =>
        Publish(new ReturnCancelled(one.OrderId, one.StoreId, 8, TimeProvider.System.GetUtcNow(), FakeReturns.NumberOf(one)));

    internal Task<IReadOnlyList<V1.Shipment>> Parcels(Order order, Func<IReadOnlyList<V1.Shipment>, bool> accept) =>
        Eventually.Value(async () => await Parcels(order), accept);

    internal async Task<IReadOnlyList<V1.Shipment>> Parcels(Order order) =>
        [.. (await Shipments.ListShipmentsAsync(new ListShipmentsRequest { OrderId = order.OrderId, PageSize = 500 })).Shipments];

    internal async Task<V1.Shipment> Parcel(V1.Shipment shipment) => await Shipments.GetShipmentAsync(new GetShipmentRequest { Name = shipment.Name });

    internal Task<V1.Shipment> Parcel(V1.Shipment shipment, Func<V1.Shipment, bool> accept) => Eventually.Value(() => Parcel(shipment), accept);

    /// <summary>The facts told about a parcel, with their versions, in the order in which they were written.</summary>
    public async Task<IReadOnlyList<(string Fact, long Version)>> Facts(string shipmentId)
    {
        await using var command = Database.CreateCommand("SELECT fact, version FROM told WHERE key = $1 ORDER BY id");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = shipmentId });
        await using var reader = await command.ExecuteReaderAsync();
        var facts = new List<(string, long)>();
        while (await reader.ReadAsync())
            facts.Add((reader.GetString(0), reader.GetInt64(1)));
        return facts;
    }

    public async Task<long> Count(string sql) => Convert.ToInt64(await Database.CreateCommand(sql).ExecuteScalarAsync(), CultureInfo.InvariantCulture);

    /// <summary>A webhook with events as JSON, signed as its carrier would.</summary>
    public Task<HttpResponseMessage> Webhook(string carrier, params string[] events) =>
        Post(carrier, $$"""{"id":"w1","type":"tracking.updated","events":[{{string.Join(',', events)}}]}""");

    public async Task<HttpResponseMessage> Post(string carrier, string body, string secret = Secret, TimeSpan age = default, bool withSignature = true)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var id = Guid.NewGuid().ToString("N");
        var at = TimeProvider.System.GetUtcNow() - age;
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/webhooks/carriers/{carrier}") { Content = new ByteArrayContent(bytes) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (withSignature)
        {
            request.Headers.Add("Webhook-Id", id);
            request.Headers.Add("Webhook-Timestamp", at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
            request.Headers.Add("Webhook-Signature", WebhookSignature.Sign(id, at, bytes, secret));
        }

        return await Http.SendAsync(request);
    }

    /// <summary>A webhook whose headers its sender made itself.</summary>
    public async Task<HttpResponseMessage> Post(string carrier, byte[] body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/webhooks/carriers/{carrier}") { Content = new ByteArrayContent(body) };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Http.SendAsync(request);
    }

    /// <summary>One event of a parcel's journey, so many hours after its begin.</summary>
    public static string Event(string number, string code, int hour, string words = "") => JsonSerializer.Serialize(new
    {
        event_id = Guid.NewGuid(),
        tracking_number = number,
        code,
        description = words,
        occurred_at = string.Create(CultureInfo.InvariantCulture, $"2025-03-{1 + hour / 24:00}T{hour % 24:00}:00:00-03:00"),
        location = new { city = "Cajamar", region = "SP", country_code = "BR", postal_code = "07750" },
    });

    internal Task Replaced(Order order, V1.Shipment parcel) =>
        Publish(new ParcelReplaced(order.OrderId, order.StoreId, order.Version, TimeProvider.System.GetUtcNow(), parcel.ShipmentId));

    private async Task Publish<T>(T fact, Guid? messageId = null)
        where T : class =>
        await _app!.Services.GetRequiredService<IBus>().Publish(fact, context => context.MessageId = messageId ?? Guid.NewGuid());

    // The relay takes a row away as soon as it was published; this remembers them.
    private async Task CopyFacts() => await Database.CreateCommand(
        """
        CREATE TABLE told (id bigint GENERATED ALWAYS AS IDENTITY, fact text, key text, version bigint, body text);
        CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO told (fact, key, version, body) VALUES (NEW.fact, NEW.key, NEW.version, NEW.body); RETURN NULL; END $$;
        CREATE TRIGGER remember AFTER INSERT ON messaging.outbox FOR EACH ROW EXECUTE FUNCTION remember();
        """).ExecuteNonQueryAsync();
}
