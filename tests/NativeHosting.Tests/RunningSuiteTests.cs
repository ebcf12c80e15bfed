using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Commerce.NativeHosting.Engine;
using Commerce.Testing;
using Npgsql;

namespace Commerce.NativeHosting.Tests;

/// <summary>What a running suite gives its services, and how it takes their ends.</summary>
[Collection(SampleSuite.Ports)]
public sealed class RunningSuiteTests(RunningSuite running) : IClassFixture<RunningSuite>
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private SampleSuite Suite => running.Suite;

    [Fact]
    public async Task Services_get_the_variables_that_Aspire_would_give_them()
    {
        var run = Suite.Run;
        using var http = new HttpClient();

        var given = await http.GetFromJsonAsync<Dictionary<string, string>>($"{run.Find("sample")!.Endpoints["http"]}/environment");

        Assert.NotNull(given);
        Assert.Equal(run.Find("sampledb")!.ConnectionString, given["ConnectionStrings__sampledb"]);
        Assert.Contains("Database=sampledb", given["ConnectionStrings__sampledb"], StringComparison.Ordinal);
        Assert.Equal("127.0.0.1", given["SAMPLEDB_HOST"]);
        Assert.Equal("postgres", given["SAMPLEDB_USERNAME"]);
        Assert.Equal("sampledb", given["SAMPLEDB_DATABASENAME"]);
        Assert.StartsWith("postgresql://postgres:", given["SAMPLEDB_URI"], StringComparison.Ordinal);
        Assert.Equal(run.Find("redis")!.ConnectionString, given["ConnectionStrings__redis"]);
        Assert.Equal(new Uri(run.Find("redis")!.Endpoints["tcp"]).Port.ToString(), given["REDIS_PORT"]);
        Assert.Equal(run.Find("messaging")!.ConnectionString, given["ConnectionStrings__messaging"]);
        Assert.Equal(given["ConnectionStrings__messaging"], given["MESSAGING_URI"]);
        Assert.Equal(run.Find("other")!.Endpoints["http"], given["services__other__http__0"]);
        Assert.Equal(run.Find("other")!.Endpoints["grpc"], given["services__other__grpc__0"]);
        Assert.Equal(run.Find("other")!.Endpoints["http"], given["OTHER_HTTP"]);
        Assert.Equal(run.Find("other")!.Endpoints["extra"], given["SAMPLE_EXTRA"]);
        Assert.Equal(run.Find("sample")!.Endpoints["http"], given["Kestrel__Endpoints__http__Url"]);
        Assert.Equal(run.Find("sample")!.Endpoints["grpc"], given["Kestrel__Endpoints__grpc__Url"]);
        Assert.Equal(32, given["SAMPLE_SECRET"].Length);
        Assert.Equal("text", given["SAMPLE_TEXT"]);
        Assert.Equal("Development", given["ASPNETCORE_ENVIRONMENT"]);
        Assert.Equal("sample", given["OTEL_SERVICE_NAME"]);
        Assert.StartsWith("service.instance.id=", given["OTEL_RESOURCE_ATTRIBUTES"], StringComparison.Ordinal);
        Assert.Equal("http://127.0.0.1:4317", given["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        Assert.Equal("1000", given["OTEL_BSP_SCHEDULE_DELAY"]);
    }

    [Fact]
    public async Task A_second_start_is_refused_and_says_where_the_first_runs()
    {
        var second = SampleSuite.Start(Suite.State.Path);
        var code = await second.Ends(Bound);

        Assert.Equal(1, code);
        Assert.Contains($"runs already, as process {Suite.Pid}", second.Output, StringComparison.Ordinal);
        Assert.Contains(Suite.State.Path, second.Output, StringComparison.Ordinal);
        Assert.Equal("healthy", Suite.Run.State);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("redis")]
    [InlineData("messaging")]
    [InlineData("other")]
    public async Task What_is_killed_comes_back_on_the_same_port(string name)
    {
        await Database.Execute(Suite.Run, $"CREATE TABLE kept_{name} (n int); INSERT INTO kept_{name} VALUES (42)");
        using var broker = Broker();
        using (var declared = await broker.PutAsJsonAsync($"/api/queues/%2F/kept-{name}", new { durable = true }))
            declared.EnsureSuccessStatusCode();
        // The broker has it in memory a moment before its files have it, and promises no more.
        await Eventually.True(() => IsInBrokersFiles($"kept-{name}"), Bound);
        var before = Suite.Run.Find(name)!;

        Signals.Send(before.Pid!.Value, Signals.Kill);
        await Eventually.True(() => Suite.Run.Find(name) is { Healthy: true } now && now.Restarts == before.Restarts + 1, Bound, () => Suite.Output);

        var after = Suite.Run.Find(name)!;
        Assert.Equal(before.Endpoints, after.Endpoints);
        Assert.Equal(before.ConnectionString, after.ConnectionString);
        Assert.NotEqual(before.Pid, after.Pid);
        Assert.Equal(42, await Database.Read<int>(Suite.Run, $"SELECT n FROM kept_{name}"));
        // The broker answers before it has all its queues back.
        await Eventually.True(async () => (await broker.GetAsync($"/api/queues/%2F/kept-{name}")).IsSuccessStatusCode, Bound, () => Suite.Output);
        Assert.Contains($"{name} ended with signal 9", Suite.Output, StringComparison.Ordinal);
    }

    // In the log a change comes before the decision on it, which is written by itself: without it the change never was.
    private bool IsInBrokersFiles(string queue)
    {
        var sought = Encoding.UTF8.GetBytes(queue);
        return Directory.EnumerateFiles(Suite.State.Path, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) == "LATEST.LOG" || Path.GetFileName(file).StartsWith("rabbit_durable_queue.", StringComparison.Ordinal))
            .Any(file =>
            {
                try
                {
                    var written = File.ReadAllBytes(file).AsSpan();
                    var at = written.LastIndexOf(sought);
                    return at >= 0 && (Path.GetFileName(file) != "LATEST.LOG" || written[at..].IndexOf("committed"u8) >= 0);
                }
                catch (FileNotFoundException)
                {
                    // Turned over at this moment.
                    return false;
                }
            });
    }

    [Fact]
    public async Task A_service_that_ends_by_itself_is_shown_with_its_exit_code_and_last_lines()
    {
        var before = Suite.Run.Find("other")!;
        using var http = new HttpClient();

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.GetAsync($"{Suite.Run.Find("other")!.Endpoints["http"]}/exit/7"));

        await Eventually.True(() => Suite.Run.Find("other") is { Healthy: true } now && now.Restarts == before.Restarts + 1, Bound, () => Suite.Output);
        Assert.Equal(7, Suite.Run.Find("other")!.ExitCode);
        Assert.Contains("other ended with exit code 7", Suite.Output, StringComparison.Ordinal);
        Assert.Matches(@"commerce +\| +Ending with 7, as asked", Suite.Output);
    }

    [Fact]
    public void A_taken_port_is_said_and_another_is_used()
    {
        Assert.Contains($"port {RunningSuite.TakenPort} is taken, so its endpoint 'http' is http://localhost:", Suite.Output, StringComparison.Ordinal);
        Assert.All(Suite.Run.Resources.SelectMany(r => r.Endpoints.Values), url => Assert.NotEqual(RunningSuite.TakenPort, new Uri(url).Port));
    }

    [Fact]
    public async Task Servers_listen_on_loopback_only_and_ask_for_their_password()
    {
        var port = new Uri(Suite.Run.Find("postgres")!.Endpoints["tcp"]).Port;

        await using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username=postgres;Password=wrong;Pooling=false");
        var refused = await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync());
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);

        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(Suite.Run.Find("redis")!.Endpoints["tcp"]).Port);
        await client.GetStream().WriteAsync("PING\r\n"u8.ToArray());
        var answer = new byte[7];
        await client.GetStream().ReadExactlyAsync(answer);
        Assert.Equal("-NOAUTH", Encoding.ASCII.GetString(answer));

        var listening = (await File.ReadAllLinesAsync("/proc/net/tcp")).Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[3] == "0A")
            .Select(fields => fields[1].Split(':'))
            .ToLookup(address => Convert.ToInt32(address[1], 16), address => address[0]);
        foreach (var url in Suite.Run.Resources.Where(r => r.Kind is "postgres" or "redis" or "rabbitmq").SelectMany(r => r.Endpoints.Values))
            Assert.Equal(["0100007F"], listening[new Uri(url).Port].Distinct());
        Assert.Equal(["0100007F"], listening[Database.EpmdPort(Suite.State.Path)].Distinct());
    }

    private HttpClient Broker()
    {
        var messaging = Suite.Run.Find("messaging")!;
        return new HttpClient
        {
            BaseAddress = new Uri(messaging.Endpoints["management"]),
            DefaultRequestHeaders =
            {
                Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(new Uri(messaging.ConnectionString!).UserInfo))),
            },
        };
    }
}
