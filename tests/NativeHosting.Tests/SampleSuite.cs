using System.Diagnostics;
using System.Text;
using Commerce.NativeHosting.Engine;
using Commerce.NativeHosting.State;
using Commerce.Testing;

namespace Commerce.NativeHosting.Tests;

/// <summary>The sample AppHost as a process, with a state folder of its own.</summary>
internal sealed class SampleSuite : IAsyncDisposable
{
    /// <summary>Sample suites wish for the same ports, so tests that start one run after each other.</summary>
    public const string Ports = "sample ports";

    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(120);
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Task _reading;

    private SampleSuite(Process process, string state)
    {
        _process = process;
        State = StateDirectory.At(state);
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public StateDirectory State { get; }

    public int Pid => _process.Id;

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    public RunInfo Run => RunInfo.Read(State.RunFile) ?? throw new InvalidOperationException($"There is no {State.RunFile}. Output:\n{Output}");

    /// <summary>A new folder that the user Postgres runs as can enter.</summary>
    public static string NewState()
    {
        var folder = Directory.CreateTempSubdirectory("commerce-engine-").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        return folder;
    }

    public static SampleSuite Start(string state, params (string Name, string Value)[] environment)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        var host = Path.GetFullPath(Path.Combine(
            AppContext.BaseDirectory, "../../../../NativeHosting.SampleHost/bin", configuration.Parent!.Name, configuration.Name, "NativeHosting.SampleHost.dll"));
        var start = new ProcessStartInfo(Binaries.Dotnet(), ["exec", host]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["COMMERCE_STATE_DIR"] = state;
        start.Environment.Remove("CI");
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new SampleSuite(Process.Start(start)!, state);
    }

    public static async Task<SampleSuite> StartHealthy(string state, params (string Name, string Value)[] environment)
    {
        var suite = Start(state, environment);
        try
        {
            await suite.BecomesHealthy();
            return suite;
        }
        catch
        {
            await suite.DisposeAsync();
            throw;
        }
    }

    public Task BecomesHealthy() => Eventually.True(
        () => _process.HasExited
            ? throw new InvalidOperationException($"The host ended with {_process.ExitCode}:\n{Output}")
            : RunInfo.Read(State.RunFile) is { State: "healthy" } run && run.Pid == Pid,
        StartBound, () => Output);

    public async Task<int> Ends(TimeSpan within)
    {
        using var bound = new CancellationTokenSource(within, TimeProvider.System);
        await _process.WaitForExitAsync(bound.Token);
        await _reading.WaitAsync(bound.Token);
        return _process.ExitCode;
    }

    /// <summary>Resource processes, their watchers, and every process that names the state folder (epmd does not: see its port).</summary>
    public IReadOnlyList<int> ProcessesOfState() =>
    [
        .. Directory.GetDirectories("/proc")
            .Select(d => int.TryParse(Path.GetFileName(d), out var pid) ? pid : 0)
            .Where(pid => pid != 0 && pid != Environment.ProcessId && Signals.IsAlive(pid) && BelongsToState(pid)),
    ];

    public void Signal(int signal) => Signals.Send(Pid, signal);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signal(Signals.Terminate);
            try
            {
                await Ends(TimeSpan.FromSeconds(90));
            }
            catch (OperationCanceledException)
            {
                Signal(Signals.Kill);
            }
        }

        await Eventually.True(() => ProcessesOfState().Count == 0, TimeSpan.FromSeconds(60), () => Output);
        _process.Dispose();
        Directory.Delete(State.Path, recursive: true);
    }

    /// <summary>Children inherit the variable; Postgres backends and the like are covered by their command line.</summary>
    private bool BelongsToState(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/environ").Contains(State.Path, StringComparison.Ordinal)
                || Signals.CommandLine(pid).Contains(State.Path, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            // A failure quotes it, and no report can hold a control character.
            var text = string.Concat(line.Where(c => c == '\t' || !char.IsControl(c)));
            lock (_output)
                _output.AppendLine(text);
        }
    }
}
