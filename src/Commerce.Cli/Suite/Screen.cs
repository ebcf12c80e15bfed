using Commerce.NativeHosting.State;
using Spectre.Console;

namespace Commerce.Cli.Suite;

/// <summary>What the commands of the suite print.</summary>
internal static class Screen
{
    public static void WhatRuns(RunInfo run)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("Name", "State", "Where", "Process", "Restarts");
        foreach (var resource in run.Resources)
        {
            table.AddRow(
                Markup.Escape(resource.Name),
                State(resource.State),
                Markup.Escape(string.Join("\n", resource.Endpoints.Select(e => $"{e.Value} ({e.Key})"))),
                resource.Pid?.ToString() ?? "",
                resource.Kind == "database" ? "" : $"{resource.Restarts}");
        }

        AnsiConsole.Write(table);
    }

    public static void WhatToTry(RunInfo run)
    {
        string? Url(string resource, string endpoint) => run.Find(resource)?.Endpoints.GetValueOrDefault(endpoint);
        WhatToTry(Url("gateway", "http"), Url("sandbox", "http"));
    }

    public static void WhatToTry(string? gateway, string? sandbox)
    {
        Console.WriteLine("Try next:");
        Console.WriteLine("  ./commerce demo                                   real baskets, followed to the door");
        Console.WriteLine("  ./commerce order place docs/samples/order.json    one order");
        Console.WriteLine("  ./commerce lookup CODE                            by Order ID or Tracking ID");
        if (gateway is not null)
            Console.WriteLine($"  {gateway}/v1/lookup/CODE              the same over REST");
        if (sandbox is not null)
            Console.WriteLine($"  {sandbox}/mailbox                     the mails that customers got");
    }

    public static string State(string state) => state switch
    {
        "healthy" => "[green]healthy[/]",
        "unhealthy" or "restarting" or "degraded" => $"[red]{state}[/]",
        "starting" => "[yellow]starting[/]",
        _ => $"[grey]{state}[/]",
    };
}
