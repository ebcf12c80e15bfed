using System.Diagnostics;
using System.Globalization;
using System.Net;
using Commerce.Gateway.Access;
using Grpc.Core;
using Grpc.Net.Client;

namespace Commerce.Bench.Gateway;

/// <summary>A process of <see cref="GatewayPeers"/>.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly HttpClient _http;

    private PeerProcess(Process process, int grpc, int http, string key)
    {
        Key = key;
        (_process, Grpc) = (process, new IPEndPoint(IPAddress.Loopback, grpc));
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{http}"), Timeout = TimeSpan.FromMinutes(1) };
        Channel = GrpcChannel.ForAddress($"http://127.0.0.1:{grpc}", new GrpcChannelOptions
        {
            Credentials = ChannelCredentials.Create(ChannelCredentials.Insecure, CallCredentials.FromInterceptor((_, metadata) =>
            {
                if (key.Length > 0)
                    metadata.Add("authorization", $"Bearer {key}");
                return Task.CompletedTask;
            })),
            UnsafeUseInsecureChannelCallCredentials = true,
        });
    }

    public IPEndPoint Grpc { get; }

    public GrpcChannel Channel { get; }

    /// <summary>The API key that it asks for; empty: it asks nobody.</summary>
    public string Key { get; }

    /// <summary>The Gateway, with a database and an API key of its own.</summary>
    /// <param name="servers">Redis, the broker and Postgres.</param>
    /// <param name="services">The ports of <see cref="BareFanOut.Services"/>, with a comma between.</param>
    /// <param name="hotAnswers">How many answers it keeps in memory.</param>
    /// <param name="bare">"memory" or "redis": from where a bare method answers in Lookup's place; empty: Lookup is itself.</param>
    /// <param name="sheds">It sheds load, as it does where nothing is configured.</param>
    /// <param name="on">The only processors that it has; empty: all.</param>
    public static async Task<PeerProcess> Gateway(BenchServers servers, string services, string hotAnswers, string bare = "", bool sheds = false, string on = "")
    {
        var key = ApiKey.Text(ApiKey.NewId(), ApiKey.NewSecret());
        return await Start(key, on, ["gateway", servers.Redis, servers.Broker, services, hotAnswers, await servers.CreateDatabase(), key, bare, sheds ? "sheds" : ""]);
    }

    public static Task<PeerProcess> Start(params IReadOnlyList<string> arguments) => Start("", "", arguments);

    /// <summary>Has only some of the machine's processors.</summary>
    public static Task<PeerProcess> StartOn(string processors, params IReadOnlyList<string> arguments) => Start("", processors, arguments);

    private static async Task<PeerProcess> Start(string key, string on, IReadOnlyList<string> arguments)
    {
        IReadOnlyList<string> command = on.Length == 0 ? ["dotnet"] : ["taskset", "-c", on, "dotnet"];
        var start = new ProcessStartInfo(command[0], [.. command.Skip(1), "exec", Path.Combine(AppContext.BaseDirectory, "commerce-bench.dll"), GatewayPeers.Process, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        var ports = (await process.StandardOutput.ReadLineAsync())?.Split(' ') ?? throw new InvalidOperationException($"The {arguments[0]} did not start.");
        return new PeerProcess(process, int.Parse(ports[0], CultureInfo.InvariantCulture), int.Parse(ports[1], CultureInfo.InvariantCulture), key);
    }

    /// <summary>A figure that the process tells of itself: "allocated" bytes since its start, "cpu" milliseconds since its start.</summary>
    public async Task<double> Figure(string name) => double.Parse(await _http.GetStringAsync(new Uri($"/bench/{name}", UriKind.Relative)), CultureInfo.InvariantCulture);

    /// <summary>What is alive on its heap, and what it has of the machine's memory, in bytes.</summary>
    public async Task<(double Heap, double Resident)> Memory() => await _http.GetStringAsync(new Uri("/bench/memory", UriKind.Relative)) is var text && text.Split(' ') is [var heap, var resident]
        ? (double.Parse(heap, CultureInfo.InvariantCulture), double.Parse(resident, CultureInfo.InvariantCulture))
        : throw new InvalidOperationException("Two figures were expected.");

    /// <summary>Redis forgets its views.</summary>
    public async Task Flush() => (await _http.PostAsync(new Uri("/bench/flush", UriKind.Relative), null)).EnsureSuccessStatusCode();

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        _http.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
