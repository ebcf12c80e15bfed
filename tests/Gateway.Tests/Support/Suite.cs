using System.Net;
using Commerce.Facts;
using Commerce.Gateway.Views;
using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using StackExchange.Redis;

namespace Commerce.Gateway.Tests;

/// <summary>One world with its services, a Redis of its own (a prefix of the shared one) and a Gateway or more.</summary>
internal sealed class Suite : IAsyncDisposable
{
    private readonly List<GatewayNode> _nodes = [];
    private readonly string _redis;
    private readonly TestVirtualHost _broker;
    private ConnectionMultiplexer? _admin;

    private Suite(FakeService orders, FakeService payments, FakeService shipments, FakeService notifications, TcpGate redisGate, string redis, TestVirtualHost broker, World world)
    {
        Orders = orders;
        Payments = payments;
        Shipments = shipments;
        Notifications = notifications;
        Redis = redisGate;
        _redis = redis;
        _broker = broker;
        World = world;
    }

    public World World { get; }

    public FakeService Orders { get; }

    public FakeService Payments { get; }

    public FakeService Shipments { get; }

    public FakeService Notifications { get; }

    public required TestDatabase Database { get; init; }

    public required TestIssuer Issuer { get; init; }

    public TcpGate Redis { get; }

    public string Prefix { get; } = $"test-{Guid.NewGuid():N}:";

    /// <summary>Where the audit log's entries wait while its database is away.</summary>
    public string AuditFolder { get; } = Path.Combine(Path.GetTempPath(), $"commerce-audit-{Guid.NewGuid():N}");

    public GatewayNode Node => _nodes[0];

    public IReadOnlyList<GatewayNode> Nodes => _nodes;

    public static async Task<Suite> Start(int nodes = 1, params (string Key, string Value)[] settings)
    {
        var servers = await TestServers.Get();
        var world = new World();
        var orders = await FakeService.Start(world, "Orders", app =>
        {
            app.MapBare("orders").MapGrpcService<FakeOrders>();
            app.MapGrpcService<FakeReturns>();
        });
        var payments = await FakeService.Start(world, "Payments", app =>
        {
            app.MapBare("payments").MapGrpcService<FakePayments>();
            app.MapGrpcService<FakeInvoices>();
        });
        var notifications = await FakeService.Start(world, "Notifications", app => app.MapBare("notifications").MapGrpcService<FakeNotifications>());
        var shipments = await FakeService.Start(world, "Shipments", app =>
        {
            app.MapBare("shipments").MapGrpcService<FakeShipments>();
            app.MapGrpcService<FakeTracking>();
        });
        var endpoint = (IPEndPoint)ConfigurationOptions.Parse(servers.Redis).EndPoints[0];
        var suite = new Suite(orders, payments, shipments, notifications, new TcpGate(endpoint), servers.Redis, await servers.CreateVirtualHost(), world)
        {
            Database = await servers.CreateDatabase(),
            Issuer = await TestIssuer.Start(),
        };
        for (var i = 0; i < nodes; i++)
            await suite.AddNode("Development", settings);
        return suite;
    }

    public Task<GatewayNode> AddNode(string environment, params (string Key, string Value)[] settings) => AddNode(environment, null, settings);

    /// <summary>One whose clock is the test's.</summary>
    public async Task<GatewayNode> AddNode(string environment, TimeProvider? time, params (string Key, string Value)[] settings)
    {
        var node = await GatewayNode.Start(this, ThroughGate(), _broker.ConnectionString, environment, settings, time);
        _nodes.Add(node);
        return node;
    }

    /// <summary>The broker brings a fact to one of the nodes.</summary>
    public Task Tell(IFact fact, int node = 0) => _nodes[node].Get<ViewObserver>().Observe(fact, CancellationToken.None);

    /// <summary>Redis is away, and the first node has noticed.</summary>
    public Task CutRedis()
    {
        Redis.Cut();
        return Eventually.True(() => !Node.Get<RedisLink>().IsUp);
    }

    /// <summary>Forgets everything, as FLUSHALL would.</summary>
    public async Task FlushRedis()
    {
        var redis = await Admin();
        var server = redis.GetServer(redis.GetEndPoints()[0]);
        await foreach (var key in server.KeysAsync(pattern: Prefix + "*"))
            await redis.GetDatabase().KeyDeleteAsync(key);
    }

    // The shared server may ask for a password; only the address is the gate's.
    private string ThroughGate()
    {
        var options = ConfigurationOptions.Parse(_redis);
        options.EndPoints.Clear();
        options.EndPoints.Add(Redis.Address);
        return options.ToString(includePassword: true);
    }

    public async Task<ConnectionMultiplexer> Admin() => _admin ??= await ConnectionMultiplexer.ConnectAsync(_redis);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await FlushRedis();
        await _admin!.DisposeAsync();
        await Orders.DisposeAsync();
        await Payments.DisposeAsync();
        await Shipments.DisposeAsync();
        await Notifications.DisposeAsync();
        await Issuer.DisposeAsync();
        await Redis.DisposeAsync();
        await _broker.DisposeAsync();
        await Database.DisposeAsync();
        if (Directory.Exists(AuditFolder))
            Directory.Delete(AuditFolder, recursive: true);
    }
}
