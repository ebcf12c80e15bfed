using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Commerce.Gateway.V1;
using Commerce.NativeHosting.State;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Testing;
using Grpc.Net.Client;

[assembly: AssemblyFixture(typeof(Commerce.SystemTests.Suite))]

namespace Commerce.SystemTests;

/// <summary>
/// The whole suite as processes, started once for all tests as a newcomer starts it, on data and ports of its own. Its
/// telemetry comes to a receiver of the tests.
/// </summary>
public sealed class Suite : IAsyncLifetime
{
    private static readonly TimeSpan StartBound = TimeSpan.FromMinutes(3);

    private readonly string _state = Directory.CreateTempSubdirectory("commerce-system-").FullName;
    private readonly List<string> _output = [];
    private Process? _engine;
    private GrpcChannel? _gateway;
    private HttpClient? _sandbox;

    public OtlpReceiver Telemetry { get; private set; } = null!;

    public OrderService.OrderServiceClient Orders { get; private set; } = null!;

    public StockService.StockServiceClient Stock { get; private set; } = null!;

    public CatalogService.CatalogServiceClient Catalogue { get; private set; } = null!;

    public ReturnService.ReturnServiceClient Returns { get; private set; } = null!;

    public PaymentService.PaymentServiceClient Payments { get; private set; } = null!;

    public LookupService.LookupServiceClient Lookup { get; private set; } = null!;

    /// <summary>REST, at the Gateway.</summary>
    public HttpClient Rest { get; private set; } = null!;

    public RunInfo Run => RunInfo.Read(StateDirectory.At(_state).RunFile) ?? throw new InvalidOperationException("The suite does not run.");

    public HttpClient Sandbox => _sandbox!;

    public async ValueTask InitializeAsync()
    {
        if (!OperatingSystem.IsLinux())
            throw TestServers.Missing("The system tests run on the native engine, which needs Linux.");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_state, (UnixFileMode)0b111_101_101);
        Telemetry = await OtlpReceiver.Start();
        var start = new ProcessStartInfo("dotnet", [AppHost()])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetDirectoryName(AppHost())!,
        };
        start.Environment["COMMERCE_STATE_DIR"] = _state;
        start.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = Telemetry.Endpoint.ToString();
        start.Environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        start.Environment["OTEL_BSP_SCHEDULE_DELAY"] = "500";
        start.Environment["Sandbox__Knobs__day_seconds"] = "0.2";
        // Nobody waits half a minute here for a provider that says no.
        start.Environment["Payments__PollAfter"] = "00:00:02";
        start.Environment["Payments__PollAtMost"] = "00:00:05";
        start.Environment["Payments__RetryAtMost"] = "00:00:05";
        _engine = Process.Start(start) ?? throw new InvalidOperationException("The AppHost did not start.");
        _engine.OutputDataReceived += (_, line) => Keep(line.Data);
        _engine.ErrorDataReceived += (_, line) => Keep(line.Data);
        _engine.BeginOutputReadLine();
        _engine.BeginErrorReadLine();

        await Eventually.True(
            () => _engine.HasExited
                ? throw new InvalidOperationException("The AppHost ended: " + Output())
                : RunInfo.Read(StateDirectory.At(_state).RunFile)?.State == "healthy",
            StartBound,
            Output);
        Connect();
        await Knobs(new { day_seconds = 0.2 });
    }

    public async ValueTask DisposeAsync()
    {
        _gateway?.Dispose();
        _sandbox?.Dispose();
        Rest?.Dispose();
        if (_engine is { HasExited: false } engine)
        {
            await Signal(engine.Id, "TERM");
            using var bound = new CancellationTokenSource(TimeSpan.FromMinutes(1), TimeProvider.System);
            await engine.WaitForExitAsync(bound.Token);
        }

        _engine?.Dispose();
        if (Telemetry is not null)
            await Telemetry.DisposeAsync();
        Directory.Delete(_state, recursive: true);
    }

    public string Output()
    {
        lock (_output)
            return string.Join('\n', _output.TakeLast(60));
    }

    /// <summary>Kills a resource's process with SIGKILL and waits until it runs again, as another process.</summary>
    public async Task Kill(string resource)
    {
        var pid = Run.Find(resource)?.Pid ?? throw new InvalidOperationException($"{resource} does not run.");
        await Signal(pid, "KILL");
        await Eventually.True(
            () => Run.Find(resource) is { Healthy: true } now && now.Pid != pid,
            TimeSpan.FromSeconds(90),
            () => $"{resource} is {Run.Find(resource)?.State}. {Output()}");
    }

    public async Task Knobs(object knobs)
    {
        using var response = await Sandbox.PatchAsync("/control/knobs", JsonContent.Create(knobs));
        response.EnsureSuccessStatusCode();
    }

    public async Task Scenario(string orderReference, object scenario)
    {
        using var response = await Sandbox.PutAsJsonAsync($"/control/scenarios/{orderReference}", scenario);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>The mails to an address: subjects, oldest first, and how often the mailbox met one of them again.</summary>
    public async Task<(IReadOnlyList<string> Subjects, long Duplicates)> Mails(string to)
    {
        var mails = await MailsTo(to);
        return ([.. mails.Select(mail => mail["subject"]!.GetValue<string>())], mails.Sum(mail => mail["duplicates"]?.GetValue<long>() ?? 0));
    }

    /// <summary>The mails to an address as the mailbox has them, oldest first.</summary>
    public async Task<IReadOnlyList<JsonNode>> MailsTo(string to)
    {
        var answer = await Sandbox.GetFromJsonAsync<JsonObject>($"/mailbox/messages?to={Uri.EscapeDataString(to)}&limit=100");
        return [.. answer!["messages"]!.AsArray().Select(mail => mail!).Reverse()];
    }

    /// <summary>Everything that the provider ever charged, by its own book, by Order ID (a reference is the order and the part).</summary>
    public async Task<ILookup<string, JsonNode>> Charges()
    {
        var answer = await Sandbox.GetFromJsonAsync<JsonObject>("/books/charges");
        return answer!["charges"]!.AsArray().ToLookup(charge => charge!["authorization"]!["reference"]!.GetValue<string>().Split('/')[0], charge => charge!);
    }

    /// <summary>The Gateway, for clients of any service that it passes on.</summary>
    public GrpcChannel Gateway => _gateway!;

    /// <summary>A token of the Sandbox's user of a role.</summary>
    public async Task<string> Token(string role)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["username"] = role });
        using var answer = await Sandbox.PostAsync("/oidc/token", form);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonNode>())!["access_token"]!.GetValue<string>();
    }

    private void Connect()
    {
        var run = Run;
        _gateway = GrpcChannel.ForAddress(run.Find("gateway")!.Endpoints["grpc"], new GrpcChannelOptions { HttpHandler = new SignedIn(this), DisposeHttpClient = true });
        Orders = new OrderService.OrderServiceClient(_gateway);
        Stock = new StockService.StockServiceClient(_gateway);
        Catalogue = new CatalogService.CatalogServiceClient(_gateway);
        Returns = new ReturnService.ReturnServiceClient(_gateway);
        Payments = new PaymentService.PaymentServiceClient(_gateway);
        Lookup = new LookupService.LookupServiceClient(_gateway);
        Rest = new HttpClient(new SignedIn(this)) { BaseAddress = new Uri(run.Find("gateway")!.Endpoints["http"]) };
        _sandbox = new HttpClient { BaseAddress = new Uri(run.Find("sandbox")!.Endpoints["http"]) };
    }

    /// <summary>Calls as an administrator, where a call says nothing else.</summary>
    private sealed class SignedIn(Suite suite) : DelegatingHandler(new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
    {
        private readonly Lazy<Task<string>> _token = new(() => suite.Token("admin"));

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!request.Headers.Contains("Authorization"))
                request.Headers.Add("Authorization", "Bearer " + await _token.Value);
            return await base.SendAsync(request, cancellationToken);
        }
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (_output)
            _output.Add(line);
    }

    private static string AppHost()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "Commerce.sln")))
                continue;
            var dll = Path.Combine(folder.FullName, "AppHost", "bin", configuration, "net10.0", "AppHost.dll");
            if (!File.Exists(Path.Combine(Path.GetDirectoryName(dll)!, "Commerce.NativeHosting.dll")))
                throw TestServers.Missing("The AppHost is built for Aspire; the system tests run on the native engine. Build with -p:UseAspire=false.");
            return dll;
        }

        throw new InvalidOperationException("Commerce.sln is not above the tests.");
    }

    private static async Task Signal(int pid, string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, pid.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }
}
