using System.Net;
using System.Net.Sockets;
using System.Text;
using Commerce.Gateway.V1;
using Commerce.Testing;

namespace Commerce.Gateway.Tests;

/// <summary>Watchers who do not read what they asked for.</summary>
public sealed class HostileWatcherTests
{
    [Theory]
    [InlineData("events")]
    [InlineData("gRPC")]
    public async Task Who_watches_and_never_reads_is_cut(string how)
    {
        using var connections = new KestrelConnections();
        // The server reckons how long what it wrote may take: at a slow rate that is long, and so is a test.
        await using var suite = await Suite.Start(1, ("Http:SlowFor", "00:00:01.100"), ("Http:LeastBytesPerSecond", "1000000"));
        var id = suite.World.Place();
        // Long, so that what the machine keeps for a connection is full before long.
        suite.World.BelongsTo(id, new Commerce.Types.V1.Contact { Name = "Ada" }, new Google.Type.PostalAddress { AddressLines = { Enumerable.Repeat(new string('x', 500), 20) } });
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        var port = (how == "gRPC" ? suite.Node.GrpcAddress : suite.Node.HttpAddress).Port;
        using var watch = how == "gRPC" ? suite.Node.Lookups.WatchLookup(new WatchLookupRequest { Code = id.ToString() }) : null;
        if (watch is null)
        {
            await deaf.ConnectAsync(IPAddress.Loopback, port);
            await deaf.SendAsync(Encoding.ASCII.GetBytes($"GET /v1/lookup/{id}:watch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {suite.Issuer.Token("deaf")}\r\n\r\n"));
        }

        await Eventually.True(() => connections.Opened(port) > 0);
        await Eventually.True(
            async () =>
            {
                for (var change = 0; change < 20; change++)
                    await suite.Tell(suite.World.AdvanceOrder(id));
                return connections.Now(port) == 0;
            },
            TimeSpan.FromMinutes(2));
    }
}
