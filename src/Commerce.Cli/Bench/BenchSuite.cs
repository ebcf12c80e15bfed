using System.Diagnostics;
using Commerce.NativeHosting.State;

namespace Commerce.Cli.Bench;

/// <summary>A suite of its own, on data of its own, beside whatever runs.</summary>
internal sealed class BenchSuite : IAsyncDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("commerce-bench-").FullName;

    public BenchSuite()
    {
        // The Postgres user must reach its data below it.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_state, (UnixFileMode)0b111_101_101);
    }

    public RunInfo Run => RunInfo.Read(StateDirectory.At(_state).RunFile) ?? throw new InvalidOperationException("The suite does not run.");

    /// <summary>Until all is healthy; what was printed meanwhile tells what was healthy when.</summary>
    public async Task<(TimeSpan Took, string Output)> Start(CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        var (code, output) = await Commerce(["up", "--detach"], quiet: true, cancellationToken);
        return code == Exit.Done
            ? (TimeProvider.System.GetElapsedTime(start), output)
            : throw new InvalidOperationException("The suite did not start: " + output);
    }

    public async Task Stop(CancellationToken cancellationToken) => await Commerce(["down"], quiet: true, cancellationToken);

    /// <summary>Another command of this CLI, for this suite.</summary>
    public async Task<(int Code, string Output)> Commerce(IEnumerable<string> arguments, bool quiet, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", Environment.GetCommandLineArgs()[0], .. arguments]) { RedirectStandardOutput = quiet };
        start.Environment["COMMERCE_STATE_DIR"] = _state;
        using var process = Process.Start(start)!;
        var output = quiet ? await process.StandardOutput.ReadToEndAsync(cancellationToken) : "";
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, output);
    }

    public async ValueTask DisposeAsync()
    {
        await Stop(CancellationToken.None);
        Directory.Delete(_state, recursive: true);
    }
}
