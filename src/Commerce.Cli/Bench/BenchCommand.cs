using System.CommandLine;
using System.Diagnostics;
using Commerce.Cli.Api;
using Commerce.Cli.Suite;

namespace Commerce.Cli.Bench;

/// <summary>`./commerce bench NAME`: every figure that we claim, beside its limit in the same run.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "relay, consume, place, find, scans, live, detect, lookup, flat, watch, staleness, flow or up." };
        name.AcceptOnlyFromAmong("relay", "consume", "place", "find", "scans", "live", "detect", "lookup", "flat", "watch", "staleness", "flow", "up");
        var orders = new Option<int?>("--orders")
        {
            Description = "For flow: how many orders are measured (400), after a quarter as many to warm up. For find and flat: among how many orders (10,000,000, which take about 40 GB and a quarter of an hour to make).",
        };
        orders.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() <= 0)
                result.AddError("--orders must be 1 or more.");
        });
        var scans = new Option<int?>("--scans") { Description = "For scans: among how many scans a parcel is looked for (50,000,000, which take about 20 GB and half an hour to make)." };
        scans.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() < 1000)
                result.AddError("--scans must be 1000 or more.");
        });
        var only = new Option<string?>("--only") { Description = "For lookup: only the figures with this in their name are measured, for example cold." };
        var data = new Option<string>("--data") { Description = "For flow: the Olist folder.", DefaultValueFactory = _ => "../shared/data/olist" };
        var here = new Option<bool>("--here") { Description = "For flow: on the suite that runs here, instead of one that is started for it." };
        var json = new Option<bool>("--json") { Description = "Print the figures as JSON." };
        var command = new Command("bench", "Measure, beside the limit in the same run.\n\nExample: ./commerce bench relay --json") { name, orders, scans, only, data, here, json };
        command.SetAction((parse, cancellationToken) => parse.GetRequiredValue(name) switch
        {
            "up" => UpBench.Run(parse.GetValue(json), cancellationToken),
            "flow" when parse.GetValue(here) => ApiCall.Run(
                api => FlowBench.Run(api, Path.GetFullPath(parse.GetValue(data)!), parse.GetValue(orders) ?? 400, parse.GetValue(json), cancellationToken), cancellationToken),
            "flow" => Flow(Path.GetFullPath(parse.GetValue(data)!), parse.GetValue(orders) ?? 400, parse.GetValue(json), cancellationToken),
            var other => InProcess(other, parse.GetValue(orders), parse.GetValue(scans), parse.GetValue(only), parse.GetValue(json), cancellationToken),
        });
        return command;
    }

    /// <summary>Starts a suite for it, on data of its own.</summary>
    private static async Task<int> Flow(string data, int orders, bool json, CancellationToken cancellationToken)
    {
        await using var suite = new BenchSuite();
        await suite.Start(cancellationToken);
        List<string> arguments = ["bench", "flow", "--here", "--data", data, "--orders", $"{orders}"];
        if (json)
            arguments.Add("--json");
        return (await suite.Commerce(arguments, quiet: false, cancellationToken)).Code;
    }

    private static async Task<int> InProcess(string name, int? orders, int? scans, string? only, bool json, CancellationToken cancellationToken)
    {
        List<string> arguments = [name];
        if (orders is { } many)
            arguments.AddRange(["--orders", $"{many}"]);
        if (scans is { } found)
            arguments.AddRange(["--scans", $"{found}"]);
        if (only is not null)
            arguments.AddRange(["--only", only]);
        if (json)
            arguments.Add("--json");
        using var bench = BenchProgram.Start(arguments);
        await bench.WaitForExitAsync(cancellationToken);
        return bench.ExitCode;
    }
}

/// <summary>bench/Commerce.Bench: what runs inside one process.</summary>
internal static class BenchProgram
{
    public static Process Start(IEnumerable<string> arguments, bool redirected = false)
    {
        var project = Path.Combine(Repository.Root, "bench", "Commerce.Bench");
        return Process.Start(new ProcessStartInfo("dotnet", ["run", "--project", project, "-c", "Release", "-v", "quiet", "--", .. arguments])
        {
            RedirectStandardInput = redirected,
            RedirectStandardOutput = redirected,
        })!;
    }
}
