using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Commerce.NativeHosting.Engine;
using Commerce.NativeHosting.State;
using Commerce.Testing;
using Npgsql;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace Commerce.NativeHosting.Tests;

public sealed class EngineTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Services_get_the_variables_that_Aspire_would_give_them()
    {
        Machine.HasServers();
        await using var suite = await SampleSuite.StartHealthy(SampleSuite.NewState(), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"));
        var run = suite.Run;
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
    public async Task Stopping_ends_services_before_servers_and_leaves_nothing()
    {
        Machine.HasServers();
        await using var suite = await SampleSuite.StartHealthy(SampleSuite.NewState());
        Assert.True(suite.ProcessesOfState().Count >= 10);

        suite.Signal(Signals.Terminate);
        var code = await suite.Ends(Bound);

        Assert.Equal(0, code);
        Assert.Empty(suite.ProcessesOfState());
        Assert.False(suite.State.IsHeld());
        Assert.False(File.Exists(suite.State.RunFile));
        var output = suite.Output;
        var service = output.LastIndexOf("Application is shutting down", StringComparison.Ordinal);
        var redis = output.LastIndexOf("Redis is now ready to exit", StringComparison.Ordinal);
        var postgres = output.LastIndexOf("database system is shut down", StringComparison.Ordinal);
        Assert.True(service >= 0 && service < redis && redis < postgres, $"services {service}, redis {redis}, postgres {postgres}:\n{output}");
    }

    [Fact]
    public async Task Killing_the_engine_leaves_no_process_and_the_next_start_finds_the_data()
    {
        Machine.HasServers();
        var state = SampleSuite.NewState();
        var first = await SampleSuite.StartHealthy(state);
        await Execute(first.Run, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)");
        var epmd = EpmdPort(state);
        Assert.False(Ports.IsFree(epmd), "epmd should run on its own port");

        first.Signal(Signals.Kill);
        await first.Ends(Bound);
        await Eventually.True(() => first.ProcessesOfState().Count == 0, Bound, () => string.Join(", ", first.ProcessesOfState().Select(Signals.CommandLine)));
        Assert.True(Ports.IsFree(epmd), "epmd should have ended");

        await using var second = await SampleSuite.StartHealthy(state);
        Assert.Equal(42, await Read<int>(second.Run, "SELECT n FROM kept"));
    }

    [Fact]
    public async Task A_start_right_after_a_kill_waits_for_what_is_still_ending()
    {
        Machine.HasServers();
        var state = SampleSuite.NewState();
        var first = await SampleSuite.StartHealthy(state);
        var before = first.Run;

        first.Signal(Signals.Kill);
        await using var second = await SampleSuite.StartHealthy(state);

        Assert.All(before.Resources.Where(r => r.Pid is not null), r => Assert.False(Signals.IsAlive(r.Pid!.Value), r.Name));
    }

    [Fact]
    public async Task A_second_start_is_refused_and_says_where_the_first_runs()
    {
        Machine.HasServers();
        await using var first = await SampleSuite.StartHealthy(SampleSuite.NewState());

        var second = SampleSuite.Start(first.State.Path);
        var code = await second.Ends(Bound);

        Assert.Equal(1, code);
        Assert.Contains($"runs already, as process {first.Pid}", second.Output, StringComparison.Ordinal);
        Assert.Contains(first.State.Path, second.Output, StringComparison.Ordinal);
        Assert.Equal("healthy", first.Run.State);
    }

    [Fact]
    public async Task A_lock_file_of_Postgres_that_names_a_stranger_does_not_hinder()
    {
        Machine.HasServers();
        var state = SampleSuite.NewState();
        var first = await SampleSuite.StartHealthy(state);
        var lockFile = Path.Combine(state, "postgres", "data", "postmaster.pid");
        var content = await File.ReadAllLinesAsync(lockFile);
        first.Signal(Signals.Terminate);
        await first.Ends(Bound);
        content[0] = Environment.ProcessId.ToString();
        await File.WriteAllLinesAsync(lockFile, content);

        await using var second = await SampleSuite.StartHealthy(state);

        Assert.Equal(1, await Read<int>(second.Run, "SELECT 1"));
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("redis")]
    [InlineData("messaging")]
    [InlineData("other")]
    public async Task What_is_killed_comes_back_on_the_same_port(string name)
    {
        Machine.HasServers();
        await using var suite = await SampleSuite.StartHealthy(SampleSuite.NewState());
        await Execute(suite.Run, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)");
        var before = suite.Run.Find(name)!;

        Signals.Send(before.Pid!.Value, Signals.Kill);
        await Eventually.True(() => suite.Run.Find(name) is { Restarts: 1, Healthy: true }, Bound, () => suite.Output);

        var after = suite.Run.Find(name)!;
        Assert.Equal(before.Endpoints, after.Endpoints);
        Assert.Equal(before.ConnectionString, after.ConnectionString);
        Assert.NotEqual(before.Pid, after.Pid);
        Assert.Equal(42, await Read<int>(suite.Run, "SELECT n FROM kept"));
        Assert.Contains($"{name} ended with signal 9", suite.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_ends_by_itself_is_shown_with_its_exit_code_and_last_lines()
    {
        Machine.HasServers();
        await using var suite = await SampleSuite.StartHealthy(SampleSuite.NewState());
        using var http = new HttpClient();

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.GetAsync($"{suite.Run.Find("other")!.Endpoints["http"]}/exit/7"));

        await Eventually.True(() => suite.Run.Find("other") is { Restarts: 1, Healthy: true }, Bound, () => suite.Output);
        Assert.Equal(7, suite.Run.Find("other")!.ExitCode);
        Assert.Contains("other ended with exit code 7", suite.Output, StringComparison.Ordinal);
        Assert.Matches(@"commerce +\| +Ending with 7, as asked", suite.Output);
    }

    [Fact]
    public async Task A_taken_port_is_said_and_another_is_used()
    {
        Machine.HasServers();
        // Where the port is somebody else's already, that does as well.
        using var occupant = Ports.IsFree(15991) ? new TcpListener(IPAddress.Loopback, 15991) : null;
        occupant?.Start();

        await using var suite = await SampleSuite.StartHealthy(SampleSuite.NewState());

        Assert.Contains("port 15991 is taken, so its endpoint 'http' is http://localhost:", suite.Output, StringComparison.Ordinal);
        Assert.All(suite.Run.Resources.SelectMany(r => r.Endpoints.Values), url => Assert.NotEqual(15991, new Uri(url).Port));
    }

    [Theory]
    [InlineData("initdb postgres redis-server", "rabbitmq-server")]
    [InlineData("initdb postgres rabbitmq-server", "redis-server")]
    [InlineData("redis-server rabbitmq-server", "postgres")]
    public async Task A_missing_server_is_named_with_the_line_that_installs_it(string present, string missing)
    {
        var folder = Directory.CreateTempSubdirectory("commerce-binaries-");
        foreach (var name in present.Split(' '))
        {
            var path = Path.Combine(folder.FullName, name);
            // Enough for the check of the version, which is all that runs before the check of the others.
            await File.WriteAllTextAsync(path, "#!/bin/sh\necho 'postgres (PostgreSQL) 15.1'\n");
            File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        }

        await using var suite = SampleSuite.Start(SampleSuite.NewState(), ("COMMERCE_SERVER_PATH", folder.FullName));
        var code = await suite.Ends(Bound);

        Assert.Equal(1, code);
        Assert.Contains($"'{missing}' is not installed", suite.Output, StringComparison.Ordinal);
        Assert.Contains($"sudo apt-get install {(missing == "postgres" ? "postgresql" : missing)}", suite.Output, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Servers_listen_on_loopback_only_and_ask_for_their_password()
    {
        Machine.HasServers();
        await using var suite = await SampleSuite.StartHealthy(SampleSuite.NewState());
        var port = new Uri(suite.Run.Find("postgres")!.Endpoints["tcp"]).Port;

        await using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username=postgres;Password=wrong;Pooling=false");
        var refused = await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync());
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);

        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(suite.Run.Find("redis")!.Endpoints["tcp"]).Port);
        await client.GetStream().WriteAsync("PING\r\n"u8.ToArray());
        var answer = new byte[7];
        await client.GetStream().ReadExactlyAsync(answer);
        Assert.Equal("-NOAUTH", Encoding.ASCII.GetString(answer));

        var listening = (await File.ReadAllLinesAsync("/proc/net/tcp")).Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[3] == "0A")
            .Select(fields => fields[1].Split(':'))
            .ToLookup(address => Convert.ToInt32(address[1], 16), address => address[0]);
        foreach (var url in suite.Run.Resources.Where(r => r.Kind is "postgres" or "redis" or "rabbitmq").SelectMany(r => r.Endpoints.Values))
            Assert.Equal(["0100007F"], listening[new Uri(url).Port].Distinct());
        Assert.Equal(["0100007F"], listening[EpmdPort(suite.State.Path)].Distinct());
    }

    private static int EpmdPort(string state) =>
        System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(Path.Combine(state, "ports.json")))!["messaging.epmd"];

    private static async Task Execute(RunInfo run, string sql)
    {
        await using var connection = new NpgsqlConnection($"{run.Find("sampledb")!.ConnectionString};Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<T> Read<T>(RunInfo run, string sql)
    {
        await using var connection = new NpgsqlConnection($"{run.Find("sampledb")!.ConnectionString};Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
