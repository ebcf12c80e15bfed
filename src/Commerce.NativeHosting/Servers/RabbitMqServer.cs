using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Aspire.Hosting.ApplicationModel;
using Commerce.NativeHosting.Engine;
using Commerce.NativeHosting.State;

namespace Commerce.NativeHosting.Servers;

/// <summary>A private RabbitMQ node with an epmd of its own, all on loopback.</summary>
internal sealed class RabbitMqServer(RabbitMQServerResource resource, StateDirectory state, Ports ports) : Runnable(resource)
{
    // Erlang's port mapper outlives the node that started it, so it is ended after it: ours by its own port, no other.
    private const string EndPortMapper = """
        n=0
        while [ $n -lt 50 ] && epmd -names; do epmd -kill; n=$((n+1)); sleep 0.05; done
        """;

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly string _folder = state.File(resource.Name);
    private readonly int _epmdPort = ports.Assign($"{resource.Name}.epmd");
    private readonly int _distributionPort = ports.Assign($"{resource.Name}.dist");

    public override string Kind => "rabbitmq";

    public override void Check() => Binaries.RabbitMqServer();

    public override Task<ChildSpec> PrepareAsync(CancellationToken cancellationToken)
    {
        StateDirectory.Create(_folder);
        var password = resource.Password.Value.Value;
        var configuration = new StringBuilder()
            .AppendLine(CultureInfo.InvariantCulture, $"listeners.tcp.1 = 127.0.0.1:{resource.GetEndpoint("tcp").Port}")
            .AppendLine("default_user = guest")
            .AppendLine(CultureInfo.InvariantCulture, $"default_pass = {password}")
            .AppendLine("log.console = true")
            .AppendLine("log.console.level = info")
            .AppendLine("log.file = false")
            .AppendLine("disk_free_limit.absolute = 100MB")
            .AppendLine("vm_memory_high_watermark.relative = 0.3");
        if (resource.HasManagement)
        {
            configuration
                .AppendLine("management.tcp.ip = 127.0.0.1")
                .AppendLine(CultureInfo.InvariantCulture, $"management.tcp.port = {resource.GetEndpoint("management").Port}");
        }

        PrivateFile.Write(Path.Combine(_folder, "rabbitmq.conf"), configuration.ToString());
        File.WriteAllText(Path.Combine(_folder, "enabled_plugins"), resource.HasManagement ? "[rabbitmq_management].\n" : "[].\n");

        var environment = new Dictionary<string, string?>
        {
            ["HOME"] = _folder,
            // "localhost" resolves without DNS, whatever the machine's own name does.
            ["RABBITMQ_NODENAME"] = "commerce@localhost",
            ["RABBITMQ_MNESIA_BASE"] = Path.Combine(_folder, "mnesia"),
            ["RABBITMQ_LOG_BASE"] = Path.Combine(_folder, "log"),
            ["RABBITMQ_PID_FILE"] = Path.Combine(_folder, "node.pid"),
            ["RABBITMQ_CONFIG_FILE"] = Path.Combine(_folder, "rabbitmq.conf"),
            ["RABBITMQ_ADVANCED_CONFIG_FILE"] = Path.Combine(_folder, "advanced.config"),
            ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(_folder, "rabbitmq-env.conf"),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(_folder, "enabled_plugins"),
            ["RABBITMQ_FEATURE_FLAGS_FILE"] = Path.Combine(_folder, "feature_flags"),
            ["RABBITMQ_GENERATED_CONFIG_DIR"] = Path.Combine(_folder, "config"),
            ["RABBITMQ_DIST_PORT"] = _distributionPort.ToString(CultureInfo.InvariantCulture),
            ["ERL_EPMD_PORT"] = _epmdPort.ToString(CultureInfo.InvariantCulture),
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            // Without busy waiting: an idle broker leaves the two cores to the others.
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none",
            ["RABBITMQ_LOG"] = "-color",
            // Makes the script become the node instead of waiting beside it, so that signals and exit codes are the node's own.
            ["RUNNING_UNDER_SYSTEMD"] = "true",
            ["NOTIFY_SOCKET"] = null,
        };
        return Task.FromResult(new ChildSpec(Binaries.RabbitMqServer(), [], _folder, environment, "TERM", TimeSpan.FromSeconds(20), EndPortMapper));
    }

    public override async Task<bool> IsHealthyAsync(CancellationToken cancellationToken)
    {
        var port = resource.GetEndpoint("tcp").Port;
        if (!resource.HasManagement)
            return await AnswersAsync(port, cancellationToken);

        // Asked over HTTP: a handshake that goes no further is a warning in the broker's log each time.
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{resource.GetEndpoint("management").Url}/api/health/checks/port-listener/{port}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"guest:{resource.Password.Value.Value}")));
        // An idle connection would hold up the broker's stop by five seconds.
        request.Headers.ConnectionClose = true;
        using var response = await Http.SendAsync(request, cancellationToken);
        return response.IsSuccessStatusCode;
    }

    /// <summary>Connection.Start is a method frame (type 1); a node that is not ready closes or stays silent.</summary>
    private static async Task<bool> AnswersAsync(int port, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port, cancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync("AMQP\0\0\u0009\u0001"u8.ToArray(), cancellationToken);
        var frame = new byte[1];
        await stream.ReadExactlyAsync(frame, cancellationToken);
        return frame[0] == 1;
    }
}
