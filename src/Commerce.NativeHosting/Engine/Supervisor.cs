using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Commerce.NativeHosting.Servers;
using Commerce.NativeHosting.State;

namespace Commerce.NativeHosting.Engine;

/// <summary>Keeps one resource running: starts it when what it waits for is healthy, and again when it dies.</summary>
internal sealed class Supervisor(Runnable runnable, LogSink log, Action<string> say, Action changed)
{
    private static readonly TimeSpan StartPoll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan HealthPoll = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ProbeBound = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ProvenAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private readonly TaskCompletionSource _healthyOnce = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ChildProcess? _child;
    private string _state = "waiting";
    private int? _pid;
    private int? _exitCode;
    private int _restarts;

    public Runnable Runnable => runnable;

    public Task Healthy => _healthyOnce.Task;

    public bool IsHealthy => _state == "healthy";

    public ResourceInfo Info => new(
        runnable.Resource.Name, runnable.Kind, _state, _pid, _child?.WatcherPid, _restarts, _exitCode,
        runnable.Resource.Endpoints.ToDictionary(e => e.Name, e => e.Url), runnable.Resource.Connection?.ConnectionString, log.Path);

    public async Task RunAsync(Func<Resource, Task> whenHealthy, CancellationToken stopping)
    {
        await Task.WhenAll(runnable.Resource.WaitsFor.Select(whenHealthy)).WaitAsync(stopping);
        var pause = TimeSpan.Zero;
        while (true)
        {
            var started = TimeProvider.System.GetTimestamp();
            Become(_restarts == 0 ? "starting" : "restarting");
            _exitCode = await RunOnceAsync(stopping);
            _child?.Dispose();
            _child = null;
            _pid = null;
            Become("restarting");
            _restarts++;
            pause = TimeProvider.System.GetElapsedTime(started) > ProvenAfter || pause == TimeSpan.Zero
                ? TimeSpan.FromMilliseconds(200)
                : TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
            say($"{runnable.Resource.Name} ended with {Describe(_exitCode.Value)}; starting it again in {pause.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s. Its last lines:"
                + string.Concat(log.Tail.Select(line => $"\n    {line}")) + $"\n    (all of it: {log.Path})");
            await Task.Delay(pause, TimeProvider.System, stopping);
        }
    }

    /// <summary>Ends it in its own way, or hard after its grace.</summary>
    public async Task StopAsync()
    {
        if (_child is { } child)
            await child.StopAsync();
        Become("stopped");
    }

    private async Task<int> RunOnceAsync(CancellationToken stopping)
    {
        var spec = await runnable.PrepareAsync(stopping);
        stopping.ThrowIfCancellationRequested();
        var child = _child = ChildProcess.Start(spec, log.Write);
        _pid = await child.Pid.WaitAsync(stopping);
        changed();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var exit = child.WaitAsync(ended.Token);
        var health = WatchHealthAsync(ended.Token);
        var code = await exit;
        await ended.CancelAsync();
        await health.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return code;
    }

    private async Task WatchHealthAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var healthy = await ProbeAsync(cancellationToken);
            if (healthy && !IsHealthy)
            {
                Become("healthy");
                _healthyOnce.TrySetResult();
            }
            else if (!healthy && IsHealthy)
            {
                Become("unhealthy");
                say($"{runnable.Resource.Name} does not answer its health check.");
            }

            await Task.Delay(_state is "starting" or "restarting" ? StartPoll : HealthPoll, TimeProvider.System, cancellationToken);
        }
    }

    private async Task<bool> ProbeAsync(CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(ProbeBound);
        try
        {
            if (!await runnable.IsHealthyAsync(bound.Token))
                return false;
            if (_state is "starting" or "restarting")
                await runnable.CompleteAsync(cancellationToken);
            return true;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever the reason, it does not answer; its own log says why.
            return false;
        }
    }

    private void Become(string state)
    {
        _state = state;
        changed();
    }

    private static string Describe(int exitCode) => exitCode > 128 ? $"signal {exitCode - 128}" : $"exit code {exitCode}";
}
