using System.CommandLine;
using System.Text.Json;
using Commerce.Cli.Api;
using Spectre.Console;

namespace Commerce.Cli.Replay;

/// <summary>`./commerce replay olist DIR`.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("DIR") { Description = "The folder with olist_orders_dataset.csv and its siblings." };
        var count = new Option<int?>("--orders") { Description = "Only so many, spread evenly over the data." };
        var json = new Option<bool>("--json") { Description = "Print the reconciliation as JSON." };
        var olist = new Command("olist", "Replay the Olist data set: every order to where it really ended, and every cent reconciled.\n\nExample: ./commerce replay olist ../shared/data/olist --orders 50") { folder, count, json };
        olist.SetAction((parse, cancellationToken) => ApiCall.Run(
            api => Run(api, parse.GetRequiredValue(folder), parse.GetValue(count), parse.GetValue(json), cancellationToken), cancellationToken));
        return new Command("replay", "Send real orders through the whole suite.") { olist };
    }

    private static async Task<int> Run(SuiteApi api, string folder, int? count, bool json, CancellationToken cancellationToken)
    {
        var sandbox = api.Sandbox ?? throw new UsageException("A replay needs the Sandbox: it plays the provider and the carriers. Start the suite with `./commerce up`.");
        if (count is <= 0)
            throw new UsageException("--orders must be 1 or more.");
        var data = OlistData.Read(folder);
        var orders = Spread(data.Orders, count ?? data.Orders.Count);
        var time = TimeProvider.System;
        var run = time.GetUtcNow().ToString("yyMMddHHmmss", System.Globalization.CultureInfo.InvariantCulture);
        var knobs = await sandbox.Knobs(cancellationToken);
        await sandbox.SetKnobs(new { DaySeconds = 0.2 }, cancellationToken);
        try
        {
            var replay = new OlistReplay(api, sandbox, data, orders, run, time);
            var result = await WithProgress(replay, orders.Count, json, time, cancellationToken);
            var reconciliation = Reconciliation.Of(result);
            if (json)
                Console.Out.WriteLine(JsonSerializer.Serialize(reconciliation, JsonSerializerOptions.Web));
            else
                ReplayReport.Write(result, reconciliation);
            return reconciliation.Agrees ? Exit.Done : Exit.Rejected;
        }
        finally
        {
            await sandbox.SetKnobs(new { DaySeconds = knobs["day_seconds"]!.GetValue<double>() }, CancellationToken.None);
        }
    }

    private static async Task<ReplayResult> WithProgress(OlistReplay replay, int total, bool quiet, TimeProvider time, CancellationToken cancellationToken)
    {
        var running = replay.Run(cancellationToken);
        if (quiet)
            return await running;
        if (!AnsiConsole.Profile.Capabilities.Interactive)
        {
            var start = time.GetTimestamp();
            while (await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(10), time, cancellationToken)) != running)
                Console.Out.WriteLine($"{replay.Placed} placed, {replay.Ended} of {total} ended, {replay.Ended / time.GetElapsedTime(start).TotalSeconds:F1} orders/s");
            return await running;
        }

        await AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var placed = progress.AddTask("placed", maxValue: total);
                var ended = progress.AddTask("at their end", maxValue: total);
                while (await Task.WhenAny(running, Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken)) != running)
                {
                    placed.Value = replay.Placed;
                    ended.Value = replay.Ended;
                }

                placed.Value = replay.Placed;
                ended.Value = replay.Ended;
            });
        return await running;
    }

    /// <summary>So many, spread evenly over the data.</summary>
    public static List<OlistOrder> Spread(IReadOnlyList<OlistOrder> orders, int count) =>
        count >= orders.Count ? [.. orders] : [.. Enumerable.Range(0, count).Select(i => orders[(int)((long)i * orders.Count / count)])];
}
