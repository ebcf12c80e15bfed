using System.CommandLine;
using System.Diagnostics;
using Commerce.NativeHosting;
using Commerce.NativeHosting.Engine;

namespace Commerce.Cli.Suite;

/// <summary>`./commerce test`: every test, on servers started once for the run.</summary>
internal static class TestCommand
{
    private static readonly string[] Variables =
        ["COMMERCE_TEST_POSTGRES", "COMMERCE_TEST_REDIS", "COMMERCE_TEST_RABBITMQ", "COMMERCE_TEST_RABBITMQ_MANAGEMENT"];

    public static Command Create()
    {
        var arguments = new Argument<string[]>("arguments") { Description = "Passed on to dotnet test, such as --filter-class *OrderIdTests.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("test", "Run every test. Ends with a line 'N passed, N failed, N skipped'.") { arguments };
        command.TreatUnmatchedTokensAsErrors = false;
        command.SetAction((parse, cancellationToken) => RunAsync([.. parse.GetValue(arguments) ?? [], .. parse.UnmatchedTokens], cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("commerce-test-");
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                // Postgres runs as another user when we are root, and has to get in.
                File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
            }

            var given = Array.TrueForAll(Variables, v => Environment.GetEnvironmentVariable(v) is { Length: > 0 });
            await using var servers = given ? null : await StartServersAsync(Path.Combine(folder.FullName, "servers"), cancellationToken);
            var results = Path.Combine(folder.FullName, "results");
            var code = await TestAsync(arguments, results, servers, cancellationToken);
            var (passed, failed, skipped) = Sum(TestReport.ReadAll(results));
            Console.WriteLine($"{passed} passed, {failed} failed, {skipped} skipped");
            return code == 0 && failed == 0 && passed > 0 ? Exit.Done : Exit.Fault;
        }
        catch (EngineException e)
        {
            await Console.Error.WriteLineAsync($"error: {e.Message}");
            return Exit.Unavailable;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Exit.Fault;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<ServerSet> StartServersAsync(string state, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        Console.WriteLine("Starting Postgres, Redis and RabbitMQ for the tests …");
        var servers = await ServerSet.StartAsync(state, cancellationToken);
        Console.WriteLine($"Ready after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s.");
        return servers;
    }

    private static async Task<int> TestAsync(IReadOnlyList<string> arguments, string results, ServerSet? servers, CancellationToken cancellationToken)
    {
        // Two test projects at a time: more would make the tests that await conditions fight for the cores.
        // 8 is "no tests", which a filter makes of most projects; a run without any test fails by its count.
        var start = new ProcessStartInfo("dotnet",
        [
            "test", "--solution", Path.Combine(Repository.Root, "Commerce.sln"), "--max-parallel-test-modules", "2", "--ignore-exit-code", "8",
            "--results-directory", results, .. arguments,
        ])
        {
            WorkingDirectory = Repository.Root,
        };
        // No test changes a configuration file, and many hosts have the folder for temporary files as theirs: each would watch every
        // folder below it, the databases' too.
        start.Environment["DOTNET_hostBuilder__reloadConfigOnChange"] = "false";
        if (servers is not null)
        {
            foreach (var (name, value) in Variables.Zip((string[])[servers.Postgres, servers.Redis, servers.RabbitMq, servers.RabbitMqManagement]))
                start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return process.ExitCode;
    }

    // What failed is said again at the end, where a person and the end of a log look first.
    private static (int Passed, int Failed, int Skipped) Sum(IReadOnlyList<TestReport> reports)
    {
        foreach (var failure in reports.SelectMany(report => report.Failures))
            Console.WriteLine($"failed: {failure}");
        return (reports.Sum(report => report.Passed), reports.Sum(report => report.Failed), reports.Sum(report => report.Skipped));
    }
}
