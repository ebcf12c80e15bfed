using System.Net.Sockets;
using System.Text;
using Aspire.Hosting.ApplicationModel;
using Commerce.NativeHosting.Engine;
using Commerce.NativeHosting.State;

namespace Commerce.NativeHosting.Servers;

/// <summary>A private Redis. It keeps nothing on disk: what is in it can be flushed at any moment.</summary>
internal sealed class RedisServer(RedisResource resource, StateDirectory state) : Runnable(resource)
{
    private readonly string _folder = state.File(resource.Name);

    public override string Kind => "redis";

    public override void Check() => Binaries.RedisServer();

    public override Task<ChildSpec> PrepareAsync(CancellationToken cancellationToken)
    {
        StateDirectory.Create(_folder);
        var configuration = Path.Combine(_folder, "redis.conf");
        // In a file, not on the command line: other users read those.
        PrivateFile.Write(configuration, $"""
            bind 127.0.0.1
            port {resource.GetEndpoint("tcp").Port}
            dir {_folder}
            requirepass {resource.Password.Value.Value}
            save ""
            appendonly no
            daemonize no
            maxmemory 512mb
            maxmemory-policy allkeys-lru

            """);
        return Task.FromResult(new ChildSpec(
            Binaries.RedisServer(), [configuration], _folder, new Dictionary<string, string?>(), "TERM", TimeSpan.FromSeconds(5)));
    }

    public override async Task<bool> IsHealthyAsync(CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", resource.GetEndpoint("tcp").Port, cancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"AUTH {resource.Password.Value.Value}\r\nPING\r\n"), cancellationToken);
        var expected = "+OK\r\n+PONG\r\n"u8.ToArray();
        var answer = new byte[expected.Length];
        await stream.ReadExactlyAsync(answer, cancellationToken);
        return answer.AsSpan().SequenceEqual(expected);
    }
}
