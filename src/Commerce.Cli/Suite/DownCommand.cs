using System.CommandLine;
using Commerce.NativeHosting.Engine;
using Commerce.NativeHosting.State;

namespace Commerce.Cli.Suite;

/// <summary>`./commerce down`: stops the suite that runs here, in order.</summary>
internal static class DownCommand
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);

    public static Command Create()
    {
        var command = new Command("down", "Stop the suite; its data stays.");
        command.SetAction((_, cancellationToken) => RunAsync(cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var state = Repository.State;
        if (!state.IsHeld())
        {
            Console.WriteLine($"Nothing runs here (state folder {state.Path}).");
            return Exit.Done;
        }

        if (RunInfo.Read(state.RunFile) is not { } run || !Signals.Send(run.Pid, Signals.Terminate))
        {
            await Console.Error.WriteLineAsync($"A process holds {state.Path}, but does not say which it is; it may just be starting or ending. Try again.");
            return Exit.Unavailable;
        }

        var start = TimeProvider.System.GetTimestamp();
        while (state.IsHeld())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Bound)
            {
                await Console.Error.WriteLineAsync($"Process {run.Pid} has not stopped within {Bound.TotalSeconds} s. 'kill -9 {run.Pid}' ends it with all its children.");
                return Exit.Unavailable;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }

        Console.WriteLine($"Stopped after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s.");
        return Exit.Done;
    }
}
