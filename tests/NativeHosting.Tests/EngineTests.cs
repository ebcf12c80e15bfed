using Commerce.NativeHosting.Engine;
using Commerce.NativeHosting.State;
using Commerce.Testing;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace Commerce.NativeHosting.Tests;

/// <summary>Starting, stopping and killing the engine itself.</summary>
public sealed class EngineTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

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
        await Database.Execute(first.Run, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)");
        var epmd = Database.EpmdPort(state);
        Assert.False(Ports.IsFree(epmd), "epmd should run on its own port");

        first.Signal(Signals.Kill);
        await first.Ends(Bound);
        await Eventually.True(() => first.ProcessesOfState().Count == 0, Bound, () => string.Join(", ", first.ProcessesOfState().Select(Signals.CommandLine)));
        Assert.True(Ports.IsFree(epmd), "epmd should have ended");

        await using var second = await SampleSuite.StartHealthy(state);
        Assert.Equal(42, await Database.Read<int>(second.Run, "SELECT n FROM kept"));
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

        Assert.Equal(1, await Database.Read<int>(second.Run, "SELECT 1"));
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
}
