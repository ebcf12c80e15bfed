using System.Diagnostics;
using System.Globalization;

namespace Commerce.NativeHosting.Engine;

/// <summary>What to start, and how it likes to be stopped.</summary>
/// <param name="File">The executable.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="WorkingDirectory">Where it runs.</param>
/// <param name="Environment">Variables on top of the engine's; null removes one.</param>
/// <param name="StopSignal">The signal that asks it to end.</param>
/// <param name="Grace">How long it may take before it is killed.</param>
/// <param name="Afterwards">Shell text run once it has ended, however it ended.</param>
internal sealed record ChildSpec(
    string File,
    IReadOnlyList<string> Arguments,
    string WorkingDirectory,
    IReadOnlyDictionary<string, string?> Environment,
    string StopSignal,
    TimeSpan Grace,
    string Afterwards = "");

/// <summary>
/// A child below a small watcher. The watcher's standard input is a pipe whose other end only the engine holds: when it
/// closes, because the engine asks for a stop or was killed, the watcher stops the child. Watcher and child have process
/// groups of their own, so that Ctrl-C on the terminal reaches the engine alone and the order of stopping is kept.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    public const string WatcherName = "commerce-watcher";

    private const string PidMark = "commerce-child ";

    // The child's shell prints its own id and becomes the child, so the id is known before its first line.
    // What is left of its group after its end is killed with it.
    private const string Watcher = """
        signal=$1 rounds=$2 after=$3
        shift 3
        exec 3<&0 0</dev/null
        setsid sh -c 'echo "commerce-child $$"; exec "$@"' sh "$@" 3<&- &
        child=$!
        (
          read -r _ <&3
          trap '' TERM
          kill -"$signal" "$child"
          while kill -0 "$child"; do
            [ "$rounds" -gt 0 ] || kill -KILL -- "-$child" "$child"
            rounds=$((rounds - 1))
            sleep 0.05
          done
        ) >/dev/null 2>&1 &
        reader=$!
        wait "$child"
        code=$?
        kill "$reader" 2>/dev/null
        wait "$reader" 2>/dev/null
        kill -KILL -- "-$child" 2>/dev/null
        eval "$after" >/dev/null 2>&1
        exit "$code"
        """;

    private readonly Process _watcher;
    private readonly TimeSpan _grace;
    private readonly TaskCompletionSource<int?> _pid = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _output;

    private ChildProcess(Process watcher, ChildSpec spec, Action<string> onLine)
    {
        _watcher = watcher;
        _grace = spec.Grace;
        _output = ReadAsync(onLine);
    }

    /// <summary>The child's own process; null when it never came to be.</summary>
    public Task<int?> Pid => _pid.Task;

    public int WatcherPid => _watcher.Id;

    public static ChildProcess Start(ChildSpec spec, Action<string> onLine)
    {
        var start = new ProcessStartInfo("setsid")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = false,
            WorkingDirectory = spec.WorkingDirectory,
        };
        // One pipe for both, so that lines keep their order.
        foreach (var argument in (string[])["sh", "-c", "exec 2>&1; " + Watcher, WatcherName,
            spec.StopSignal, Math.Ceiling(spec.Grace.TotalSeconds * 20).ToString(CultureInfo.InvariantCulture), spec.Afterwards,
            spec.File, .. spec.Arguments])
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in spec.Environment)
            start.Environment[name] = value;
        return new ChildProcess(Process.Start(start) ?? throw new EngineException($"'{spec.File}' did not start."), spec, onLine);
    }

    /// <summary>The exit code, once the child and everything in its group has ended; above 128 it is 128 and the signal.</summary>
    public async Task<int> WaitAsync(CancellationToken cancellationToken)
    {
        await _watcher.WaitForExitAsync(cancellationToken);
        // The watcher itself may have been killed, which leaves the child to us.
        if (_watcher.ExitCode == 128 + Signals.Kill && _pid.Task.IsCompletedSuccessfully && await _pid.Task is { } pid && Signals.IsAlive(pid))
            Signals.Send(-pid, Signals.Kill);
        await _output.WaitAsync(TimeSpan.FromSeconds(2), TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _watcher.ExitCode;
    }

    /// <summary>Asks the child to end and returns when it has; after its grace it is killed.</summary>
    public async Task StopAsync()
    {
        _watcher.StandardInput.Close();
        using var bound = new CancellationTokenSource(_grace + TimeSpan.FromSeconds(5), TimeProvider.System);
        try
        {
            await WaitAsync(bound.Token);
        }
        catch (OperationCanceledException)
        {
            if (_pid.Task.IsCompletedSuccessfully && await _pid.Task is { } pid)
                Signals.Send(-pid, Signals.Kill);
            _watcher.Kill(entireProcessTree: true);
        }
    }

    public void Dispose() => _watcher.Dispose();

    private async Task ReadAsync(Action<string> onLine)
    {
        while (await _watcher.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!_pid.Task.IsCompleted && line.StartsWith(PidMark, StringComparison.Ordinal)
                && int.TryParse(line.AsSpan(PidMark.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                _pid.TrySetResult(pid);
            else
                onLine(line);
        }

        _pid.TrySetResult(null);
    }
}
