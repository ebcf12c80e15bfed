using Commerce.NativeHosting.State;
using Spectre.Console;

namespace Commerce.Cli.Suite;

/// <summary>Shows a start as it goes: a live table on a terminal, else a line for each change.</summary>
internal static class StartProgress
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <summary>What runs, once all is healthy; null when the engine ended or <paramref name="within"/> passed.</summary>
    public static Task<RunInfo?> WaitAsync(StateDirectory state, Func<bool> ended, TimeSpan within, CancellationToken cancellationToken)
    {
        if (Console.IsOutputRedirected)
        {
            var seen = new Dictionary<string, string>();
            return PollAsync(state, ended, within, (run, elapsed) => WriteChanges(run, elapsed, seen), cancellationToken);
        }

        return AnsiConsole.Live(new Text("Starting …")).StartAsync(context => PollAsync(
            state, ended, within, (run, elapsed) => context.UpdateTarget(Draw(run, elapsed)), cancellationToken));
    }

    private static async Task<RunInfo?> PollAsync(
        StateDirectory state, Func<bool> ended, TimeSpan within, Action<RunInfo, TimeSpan> show, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!ended())
        {
            var elapsed = TimeProvider.System.GetElapsedTime(start);
            // The file of a run that was killed may lie there until the engine has the folder.
            if (state.IsHeld() && RunInfo.Read(state.RunFile) is { } run && NativeHosting.Engine.Signals.IsAlive(run.Pid))
            {
                show(run, elapsed);
                if (run.State == "healthy")
                    return run;
            }

            if (elapsed > within)
                return null;
            await Task.Delay(Poll, TimeProvider.System, cancellationToken);
        }

        return null;
    }

    private static void WriteChanges(RunInfo run, TimeSpan elapsed, Dictionary<string, string> seen)
    {
        foreach (var resource in run.Resources.Where(r => r.Kind != "database" && (!seen.TryGetValue(r.Name, out var before) || before != r.State)))
        {
            seen[resource.Name] = resource.State;
            if (resource.State != "waiting")
                Console.WriteLine($"{elapsed.TotalSeconds,6:0.0} s  {resource.Name}: {resource.State}");
        }
    }

    private static Table Draw(RunInfo run, TimeSpan elapsed)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumns("state", "name");
        foreach (var resource in run.Resources.Where(r => r.Kind != "database"))
            table.AddRow(Screen.State(resource.State), Markup.Escape(resource.Name));
        return table.Caption($"{elapsed.TotalSeconds:0.0} s");
    }
}
