using System.CommandLine;
using System.Text.Json;
using Commerce.NativeHosting.State;

namespace Commerce.Cli.Suite;

/// <summary>`./commerce status`: what runs where; ends with 5 when not all is healthy.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print run.json: processes, addresses, connection strings." };
        var command = new Command("status", "What runs where. Exit code 0: all healthy; 5: not.") { json };
        command.SetAction((parse, cancellationToken) => RunAsync(parse.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(bool json, CancellationToken cancellationToken)
    {
        var state = Repository.State;
        var run = state.IsHeld() ? RunInfo.Read(state.RunFile) : null;
        if (json)
        {
            Console.WriteLine(run is null ? """{ "state": "stopped" }""" : JsonSerializer.Serialize(run, RunInfo.Json));
        }
        else if (run is null)
        {
            await Console.Out.WriteLineAsync(
                (Repository.UsesAspire ? "With the Aspire engine, its dashboard shows what runs." : $"Nothing runs here (state folder {state.Path}). Start it with './commerce up'.").AsMemory(), cancellationToken);
        }
        else
        {
            Screen.WhatRuns(run);
            Console.WriteLine($"{run.State}; process {run.Pid} since {run.Started:u}; state in {state.Path}");
        }

        return run?.State == "healthy" ? Exit.Done : Exit.Unavailable;
    }
}
