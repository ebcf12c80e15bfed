using System.CommandLine;
using System.Diagnostics;
using Commerce.NativeHosting.Engine;
using Commerce.NativeHosting.State;

namespace Commerce.Cli.Suite;

/// <summary>`./commerce up`: starts everything and stays until Ctrl-C, or leaves it running with --detach.</summary>
internal static class UpCommand
{
    private static readonly TimeSpan StartBound = TimeSpan.FromMinutes(3);

    public static Command Create()
    {
        var detach = new Option<bool>("--detach", "-d") { Description = "Leave the suite running in the background; './commerce down' stops it." };
        var fresh = new Option<bool>("--fresh") { Description = "Forget all data first." };
        var command = new Command("up", "Start the suite and wait until all of it is healthy.") { detach, fresh };
        command.SetAction((parse, cancellationToken) => RunAsync(parse.GetValue(detach), parse.GetValue(fresh), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(bool detach, bool fresh, CancellationToken cancellationToken)
    {
        if (Repository.UsesAspire)
            return await AspireUp.RunAsync(detach, fresh, cancellationToken);

        var state = Repository.State;
        if (state.IsHeld())
        {
            var run = RunInfo.Read(state.RunFile);
            await Console.Error.WriteLineAsync($"The suite runs already{(run is null ? "" : $", as process {run.Pid} since {run.Started:u}")}, with its state in {state.Path}. See './commerce status'; stop it with './commerce down'.");
            return Exit.Rejected;
        }

        try
        {
            if (fresh)
                state.Forget();
        }
        catch (EngineException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return Exit.Rejected;
        }

        Console.WriteLine("Engine: native (this machine's Postgres, Redis and RabbitMQ). For containers: UseAspire=true ./commerce up");
        return detach ? await DetachAsync(state, cancellationToken) : await StayAsync(state, cancellationToken);
    }

    private static async Task<int> StayAsync(StateDirectory state, CancellationToken cancellationToken)
    {
        var output = new EngineOutput();
        using var host = ChildProcess.Start(
            new ChildSpec(
                Binaries.Dotnet(), ["exec", Repository.AppHostAssembly], Repository.AppHost,
                new Dictionary<string, string?> { ["COMMERCE_STATE_DIR"] = state.Path, [NativeEngine.ConsoleVariable] = "engine" },
                "TERM", TimeSpan.FromSeconds(90)),
            output.Add);
        var exit = host.WaitAsync(CancellationToken.None);
        try
        {
            if (await StartProgress.WaitAsync(state, () => exit.IsCompleted, StartBound, cancellationToken) is not { } run)
            {
                output.Show();
                await Console.Error.WriteLineAsync(exit.IsCompleted ? "The suite did not start." : $"Not healthy within {StartBound.TotalMinutes} minutes; stopping. Logs: {state.Logs}");
                return Exit.Unavailable;
            }

            Screen.WhatRuns(run);
            Screen.WhatToTry(run);
            Console.WriteLine("Ctrl-C stops everything.");
            output.Follow();
            await exit.WaitAsync(cancellationToken);
            return Exit.Unavailable;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Exit.Done;
        }
        finally
        {
            output.Follow();
            if (!exit.IsCompleted)
                await host.StopAsync();
        }
    }

    private static async Task<int> DetachAsync(StateDirectory state, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(state.Logs);
        var hostLog = Path.Combine(state.Logs, "apphost.log");
        var start = new ProcessStartInfo("setsid", ["sh", "-c", """exec "$1" exec "$2" </dev/null >"$3" 2>&1""", "sh", Binaries.Dotnet(), Repository.AppHostAssembly, hostLog])
        {
            WorkingDirectory = Repository.AppHost,
        };
        start.Environment["COMMERCE_STATE_DIR"] = state.Path;
        start.Environment[NativeEngine.ConsoleVariable] = "engine";
        using var host = Process.Start(start)!;
        try
        {
            if (await StartProgress.WaitAsync(state, () => host.HasExited, StartBound, cancellationToken) is { } run)
            {
                Screen.WhatRuns(run);
                Screen.WhatToTry(run);
                Console.WriteLine("Running in the background. './commerce down' stops it.");
                return Exit.Done;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Signals.Send(host.Id, Signals.Terminate);
            await host.WaitForExitAsync(CancellationToken.None);
            return Exit.Done;
        }

        await Console.Error.WriteLineAsync(await File.ReadAllTextAsync(hostLog, CancellationToken.None));
        await Console.Error.WriteLineAsync(host.HasExited
            ? "The suite did not start."
            : $"Not healthy within {StartBound.TotalMinutes} minutes. It goes on trying: './commerce status', './commerce logs', './commerce down'.");
        return Exit.Unavailable;
    }

    /// <summary>What the engine says: kept while the start is shown, printed as it comes afterwards.</summary>
    private sealed class EngineOutput
    {
        private readonly Lock _gate = new();
        private readonly List<string> _kept = [];
        private bool _follows;

        public void Add(string line)
        {
            lock (_gate)
            {
                if (_follows)
                    Console.WriteLine(line);
                else
                    _kept.Add(line);
            }
        }

        public void Show()
        {
            lock (_gate)
                _kept.ForEach(Console.Error.WriteLine);
        }

        public void Follow()
        {
            lock (_gate)
                _follows = true;
        }
    }
}
