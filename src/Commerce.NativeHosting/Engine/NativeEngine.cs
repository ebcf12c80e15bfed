using System.Runtime.InteropServices;
using Aspire.Hosting.ApplicationModel;
using Commerce.NativeHosting.Servers;
using Commerce.NativeHosting.State;

namespace Commerce.NativeHosting.Engine;

/// <summary>Runs an app model with the machine's own servers, until it is asked to stop.</summary>
internal sealed class NativeEngine : IAsyncDisposable
{
    public const string ConsoleVariable = "COMMERCE_CONSOLE";

    private readonly AppModel _model;
    private readonly FileStream _hold;
    private readonly Ports _ports;
    private readonly DateTimeOffset _started = TimeProvider.System.GetUtcNow();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _runFileGate = new();
    private readonly Dictionary<Resource, Supervisor> _supervisors = [];
    private readonly List<LogSink> _logs = [];
    private readonly LogSink _ownLog;
    private string _state = "starting";
    private Task _running = Task.CompletedTask;

    private NativeEngine(AppModel model, FileStream hold, bool toConsole)
    {
        // ./commerce shows what runs by itself, and wants to hear from the engine alone.
        var all = toConsole && Environment.GetEnvironmentVariable(ConsoleVariable) != "engine";
        _model = model;
        _hold = hold;
        var width = Math.Max(8, model.Resources.Max(r => r.Name.Length));
        _ownLog = new LogSink(model.State, "commerce", 0, width, toConsole);
        _ports = new Ports(model.State);
        foreach (var resource in model.Resources)
        {
            foreach (var endpoint in resource.Endpoints)
            {
                endpoint.Port = _ports.Assign($"{resource.Name}.{endpoint.Name}", endpoint.PreferredPort);
                if (endpoint.PreferredPort is { } preferred && preferred != endpoint.Port)
                    Say($"{resource.Name}: port {preferred} is taken, so its endpoint '{endpoint.Name}' is {endpoint.Url}");
            }

            if (Create(resource, model.State, _ports) is not { } runnable)
                continue;
            var log = new LogSink(model.State, resource.Name, _logs.Count + 1, width, all);
            _logs.Add(log);
            _supervisors.Add(resource, new Supervisor(runnable, log, Say, WriteRunFile));
        }

        _ports.Save();
    }

    /// <summary>The whole life: returns the exit code.</summary>
    public static async Task<int> RunAsync(AppModel model, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        try
        {
            await using var engine = await StartAsync(model, toConsole: true, stop.Token);
            _ = engine.AnnounceAsync(stop.Token);
            await engine._running.WaitAsync(stop.Token);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
        catch (EngineException e)
        {
            await Console.Error.WriteLineAsync($"error: {e.Message}");
            return 1;
        }
    }

    /// <summary>Takes the state folder, checks what is needed and starts everything; disposing it stops everything in order.</summary>
    /// <exception cref="EngineException">It cannot start.</exception>
    public static async Task<NativeEngine> StartAsync(AppModel model, bool toConsole, CancellationToken cancellationToken)
    {
        var hold = await model.State.HoldAsync(cancellationToken);
        try
        {
            await EndLeftoversAsync(model.State, cancellationToken);
            var engine = new NativeEngine(model, hold, toConsole);
            engine.Say($"Native engine: this machine's own servers, state in {model.State.Path}. For containers: UseAspire=true with a container engine.");
            foreach (var supervisor in engine._supervisors.Values)
                supervisor.Runnable.Check();
            engine._running = Task.WhenAll(engine._supervisors.Values.Select(engine.SuperviseAsync));
            return engine;
        }
        catch
        {
            await hold.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when everything is healthy; fails when something cannot start.</summary>
    public async Task WaitUntilHealthyAsync(CancellationToken cancellationToken)
    {
        var healthy = Task.WhenAll(_supervisors.Values.Select(s => s.Healthy));
        await await Task.WhenAny(healthy, _running).WaitAsync(cancellationToken);
    }

    /// <summary>Services first, then the servers in the reverse of their order in the model.</summary>
    public async ValueTask DisposeAsync()
    {
        _state = "stopping";
        WriteRunFile();
        Say("Stopping.");
        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_supervisors.Values.Where(s => s.Runnable is ProjectProcess).Select(s => s.StopAsync()));
        foreach (var server in _supervisors.Values.Where(s => s.Runnable is not ProjectProcess).Reverse())
            await server.StopAsync();
        File.Delete(_model.State.RunFile);
        Say("Stopped.");
        foreach (var log in _logs)
            log.Dispose();
        _ownLog.Dispose();
        _stopping.Dispose();
        _ports.Dispose();
        await _hold.DisposeAsync();
    }

    private static Runnable? Create(Resource resource, StateDirectory state, Ports ports) => resource switch
    {
        PostgresServerResource postgres => new PostgresServer(postgres, state),
        RedisResource redis => new RedisServer(redis, state),
        RabbitMQServerResource rabbitMq => new RabbitMqServer(rabbitMq, state, ports),
        ProjectResource project => new ProjectProcess(project),
        _ => null,
    };

    /// <summary>An engine that was killed leaves watchers that are still ending their children; they must be gone before ours start.</summary>
    private static async Task EndLeftoversAsync(StateDirectory state, CancellationToken cancellationToken)
    {
        var left = (RunInfo.Read(state.RunFile)?.Resources ?? [])
            .Where(r => r.WatcherPid is { } pid && Signals.CommandLine(pid).Contains(ChildProcess.WatcherName, StringComparison.Ordinal))
            .ToList();
        for (var round = 0; left.Exists(r => Signals.IsAlive(r.WatcherPid!.Value)); round++)
        {
            if (round == 600)
            {
                foreach (var resource in left.Where(r => r.Pid is not null))
                    Signals.Send(-resource.Pid!.Value, Signals.Kill);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }
    }

    private async Task SuperviseAsync(Supervisor supervisor)
    {
        try
        {
            await supervisor.RunAsync(WhenHealthy, _stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
        catch
        {
            // What cannot be prepared will not get better by waiting: everything stops, and the message is the reason.
            await _stopping.CancelAsync();
            throw;
        }
    }

    private Task WhenHealthy(Resource resource) => resource is PostgresDatabaseResource database
        ? WhenHealthy(database.Parent)
        : _supervisors.TryGetValue(resource, out var supervisor) ? supervisor.Healthy : Task.CompletedTask;

    private async Task AnnounceAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WaitUntilHealthyAsync(cancellationToken);
            Say($"All healthy after {(TimeProvider.System.GetUtcNow() - _started).TotalSeconds:0.0} s. Ctrl-C stops everything.");
        }
        catch (OperationCanceledException)
        {
        }
        catch (EngineException)
        {
            // Told by the one that waits for the engine itself.
        }
    }

    private void Say(string message)
    {
        foreach (var line in message.Split('\n'))
            _ownLog.Write(line);
    }

    private void WriteRunFile()
    {
        lock (_runFileGate)
        {
            var state = _state == "stopping" ? _state
                : _supervisors.Values.All(s => s.IsHealthy) ? "healthy"
                : _supervisors.Values.All(s => s.Healthy.IsCompleted) ? "degraded" : "starting";
            var resources = _model.Resources.Select(Describe).OfType<ResourceInfo>().ToList();
            new RunInfo(Environment.ProcessId, "native", _started, state, resources).Write(_model.State.RunFile);
        }
    }

    private ResourceInfo? Describe(Resource resource) => resource switch
    {
        PostgresDatabaseResource database when _supervisors[database.Parent].Info is var parent => parent with
        {
            Name = database.Name,
            Kind = "database",
            Pid = null,
            WatcherPid = null,
            ConnectionString = database.Connection?.ConnectionString,
            Endpoints = new Dictionary<string, string>(),
        },
        _ => _supervisors.TryGetValue(resource, out var supervisor) ? supervisor.Info : null,
    };
}
