using Commerce.Facts;
using Commerce.Messaging.Broker;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;

namespace Commerce.Bench.Gateway;

/// <summary>The services of <see cref="BenchWorld"/> in the bench's own process, which makes the changes.</summary>
internal sealed class BenchServices : IAsyncDisposable
{
    private readonly WebApplication _app;

    private BenchServices(WebApplication app)
    {
        _app = app;
        var port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
        Ports = string.Join(',', BareFanOut.Services.Select(_ => port));
    }

    /// <summary>Where they speak gRPC: all of them at one port.</summary>
    public string Ports { get; }

    public static async Task<BenchServices> Start()
    {
        var app = GatewayPeers.Services();
        await app.StartAsync();
        return new BenchServices(app);
    }

    /// <summary>Facts of Orders come to the Gateway's queue, as the relay of Orders sees to where it runs.</summary>
    public static async Task Declare(BenchServers servers)
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(servers.Broker) }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await Topology.Declare(channel, Subscriptions.All.Single(one => one is { Subscriber: "gateway", Source: "orders" }), CancellationToken.None);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}

/// <summary>How the bare methods are given their bytes.</summary>
internal static class BareMethodsOf
{
    private static readonly Marshaller<byte[]> Raw = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);

    public static Method<byte[], byte[]> Set { get; } = new(MethodType.Unary, GatewayPeers.Bare, "Set", Raw, Raw);
}
