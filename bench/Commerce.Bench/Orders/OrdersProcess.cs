using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Commerce.Orders.V1;
using Grpc.Net.Client;
using Npgsql;

namespace Commerce.Bench.Orders;

/// <summary>Orders as it is deployed: a process of its own, built like this bench, on a database of its own.</summary>
internal sealed class OrdersProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly GrpcChannel _channel;

    private OrdersProcess(Process process, GrpcChannel channel, NpgsqlDataSource database, string connectionString)
    {
        (_process, _channel, Database, ConnectionString) = (process, channel, database, connectionString);
        Orders = new OrderService.OrderServiceClient(channel);
        Catalogue = new CatalogService.CatalogServiceClient(channel);
        Stock = new StockService.StockServiceClient(channel);
    }

    public OrderService.OrderServiceClient Orders { get; }

    public CatalogService.CatalogServiceClient Catalogue { get; }

    public StockService.StockServiceClient Stock { get; }

    /// <summary>The same database, for the bench.</summary>
    public NpgsqlDataSource Database { get; }

    public string ConnectionString { get; }

    public static async Task<OrdersProcess> Start(BenchServers servers)
    {
        var database = await servers.CreateDatabase();
        var (http, grpc) = (FreePort(), FreePort());
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var root = output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        var service = Path.Combine(root, "src", "Orders");
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(service, "bin", output.Parent.Name, output.Name, "Orders.dll")])
        {
            WorkingDirectory = service,
            RedirectStandardOutput = true,
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["ConnectionStrings__ordersdb"] = database,
                ["ConnectionStrings__messaging"] = servers.Broker,
                ["Kestrel__Endpoints__http__Url"] = $"http://127.0.0.1:{http}",
                ["Kestrel__Endpoints__grpc__Url"] = $"http://127.0.0.1:{grpc}",
                ["Logging__LogLevel__Default"] = "Warning",
            },
        };
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is { Length: > 0 } text)
                Console.Error.WriteLine($"orders | {text}");
        };
        process.BeginOutputReadLine();
        await Healthy(process, new Uri($"http://127.0.0.1:{http}/health"));
        return new OrdersProcess(process, GrpcChannel.ForAddress($"http://127.0.0.1:{grpc}"), NpgsqlDataSource.Create(database), database);
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

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await Database.DisposeAsync();
        await Stop();
        _process.Dispose();
    }

    private static async Task Healthy(Process process, Uri health)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        while (true)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"Orders ended with exit code {process.ExitCode} before it was healthy.");
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
}
