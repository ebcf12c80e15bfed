using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Commerce.ServiceDefaults;
using Grpc.Net.Client;
using Npgsql;

namespace Commerce.Bench;

/// <summary>A service as it is deployed: a process of its own, built like this bench, on a database of its own.</summary>
internal class ServiceProcess : IAsyncDisposable
{
    /// <summary>Of every pair of services.</summary>
    public const string Secret = "a-secret-of-benches-the-same-for-every-pair-of-services";

    private readonly Process _process;

    private protected ServiceProcess(Started started) =>
        (_process, Channel, Database, ConnectionString, Port) = (started.Process, started.Channel, started.Database, started.ConnectionString, started.Port);

    /// <summary>The same database, for the bench.</summary>
    public NpgsqlDataSource Database { get; }

    public string ConnectionString { get; }

    /// <summary>Where it speaks gRPC.</summary>
    public int Port { get; }

    private protected GrpcChannel Channel { get; }

    /// <param name="servers">Where its database and its broker are.</param>
    /// <param name="project">The service's project, for example "Orders".</param>
    /// <param name="databaseName">What its database is called in its configuration.</param>
    /// <param name="before">What is done to its database before it starts.</param>
    /// <param name="connections">Most that it opens to its database; null: as many as it does by itself.</param>
    private protected static async Task<Started> Start(BenchServers servers, string project, string databaseName, Func<string, Task>? before = null, int? connections = null)
    {
        var database = await servers.CreateDatabase();
        if (before is not null)
            await before(database);
        var (http, grpc) = (FreePort(), FreePort());
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var root = output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        var service = Path.Combine(root, "src", project);
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(service, "bin", output.Parent.Name, output.Name, $"{project}.dll")])
        {
            WorkingDirectory = service,
            RedirectStandardOutput = true,
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                [$"ConnectionStrings__{databaseName}"] = connections is null ? database : string.Create(CultureInfo.InvariantCulture, $"{database};Maximum Pool Size={connections}"),
                ["ConnectionStrings__messaging"] = servers.Broker,
                ["Kestrel__Endpoints__http__Url"] = $"http://127.0.0.1:{http}",
                ["Kestrel__Endpoints__grpc__Url"] = $"http://127.0.0.1:{grpc}",
                ["Logging__LogLevel__Default"] = "Warning",
                ["Webhooks__Secret"] = "a secret of benches",
                ["Shoppers__LinkKey"] = Secret,
                // Nobody is there, and nothing is sent.
                ["Smtp__Endpoint"] = "smtp://127.0.0.1:1",
            },
        };
        var name = project.ToLowerInvariant();
        foreach (var other in ServiceScopes.All.Keys)
        {
            start.Environment[$"Access__Services__{other}"] = Secret;
            start.Environment[$"Access__Callers__{other}"] = Secret;
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is { Length: > 0 } text)
                Console.Error.WriteLine($"{project} | {text}");
        };
        process.BeginOutputReadLine();
        await Healthy(process, project, new Uri($"http://127.0.0.1:{http}/health"));
        return new Started(process, GrpcChannel.ForAddress($"http://127.0.0.1:{grpc}", new GrpcChannelOptions { HttpHandler = new AsGateway(name), DisposeHttpClient = true }), NpgsqlDataSource.Create(database), database, grpc);
    }

    public async Task Execute(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Stops the service; the database stays.</summary>
    public async Task Stop()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public virtual async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        GC.SuppressFinalize(this);
        await Database.DisposeAsync();
        await Stop();
        _process.Dispose();
    }

    private static async Task Healthy(Process process, string project, Uri health)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        while (true)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"{project} ended with exit code {process.ExitCode} before it was healthy.");
            try
            {
                using var response = await http.GetAsync(health);
                if (response.IsSuccessStatusCode)
                    return;
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
                // It does not listen yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Calls as the Gateway does for staff, with the same token until it is renewed: what a warm call costs.</summary>
    private sealed class AsGateway(string service) : DelegatingHandler(new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
    {
        private static readonly Principal Staff = new(PrincipalKind.Staff, "bench", ScopeSet.All);

        private readonly TokenMinter _tokens = new("gateway", new Dictionary<string, string> { [service] = Secret });

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation(TokenMinter.Header, _tokens.For(Staff, service));
            return base.SendAsync(request, cancellationToken);
        }
    }

    private protected sealed record Started(Process Process, GrpcChannel Channel, NpgsqlDataSource Database, string ConnectionString, int Port);
}
