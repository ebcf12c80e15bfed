using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Commerce.Cli.Suite;
using Commerce.NativeHosting.State;
using Spectre.Console;

namespace Commerce.Cli.Bench;

/// <summary>`./commerce bench NAME`: every figure that we claim, beside its limit in the same run.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "relay, consume, flow or up." };
        name.AcceptOnlyFromAmong("relay", "consume", "flow", "up");
        var orders = new Option<int>("--orders") { Description = "For flow: how many orders.", DefaultValueFactory = _ => 400 };
        var data = new Option<string>("--data") { Description = "For flow: the Olist folder.", DefaultValueFactory = _ => "../shared/data/olist" };
        var json = new Option<bool>("--json") { Description = "Print the figures as JSON." };
        var command = new Command("bench", "Measure, beside the limit in the same run.\n\nExample: ./commerce bench relay --json") { name, orders, data, json };
        command.SetAction((parse, cancellationToken) => parse.GetRequiredValue(name) switch
        {
            "up" => Up(parse.GetValue(json), cancellationToken),
            "flow" => Flow(Path.GetFullPath(parse.GetValue(data)!), parse.GetValue(orders), parse.GetValue(json), cancellationToken),
            var other => Messaging(other, parse.GetValue(json), cancellationToken),
        });
        return command;
    }

    /// <summary>From a start on built code to all healthy, on empty data and again on what that start left; then who uses how much memory.</summary>
    private static async Task<int> Up(bool json, CancellationToken cancellationToken)
    {
        await using var suite = new BenchSuite();
        var cold = await suite.Start(cancellationToken);
        await suite.Stop(CancellationToken.None);
        var warm = await suite.Start(cancellationToken);
        var memory = suite.Run.Resources.Where(resource => resource.Pid is not null)
            .Select(resource => (resource.Name, Megabytes: Resident(resource.Pid!.Value)))
            .OrderByDescending(resource => resource.Megabytes).ToList();
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(
                new { coldSeconds = cold.TotalSeconds, warmSeconds = warm.TotalSeconds, idleMegabytes = memory.ToDictionary(one => one.Name, one => one.Megabytes) },
                JsonSerializerOptions.Web));
            return Exit.Done;
        }

        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"all healthy after {cold.TotalSeconds:F1} s on empty data, {warm.TotalSeconds:F1} s on data that is there"));
        var chart = new BarChart().Width(72).Label("Idle memory, MB").LeftAlignLabel();
        foreach (var (name, megabytes) in memory)
            chart.AddItem(name, Math.Round(megabytes), Color.Blue);
        AnsiConsole.Write(chart);
        return Exit.Done;
    }

    /// <summary>Orders a second from PlaceOrder to their end, and who used the machine meanwhile.</summary>
    private static async Task<int> Flow(string data, int orders, bool json, CancellationToken cancellationToken)
    {
        await using var suite = new BenchSuite();
        await suite.Start(cancellationToken);
        List<string> arguments = ["replay", "olist", data, "--orders", orders.ToString(CultureInfo.InvariantCulture)];
        if (json)
            arguments.Add("--json");
        return await suite.Commerce(arguments, quiet: false, cancellationToken);
    }

    private static async Task<int> Messaging(string name, bool json, CancellationToken cancellationToken)
    {
        var project = Path.Combine(Repository.Root, "bench", "Commerce.Bench");
        var start = new ProcessStartInfo("dotnet", ["run", "--project", project, "-c", "Release", "-v", "quiet", "--", name]);
        if (json)
            start.ArgumentList.Add("--json");
        using var bench = Process.Start(start)!;
        await bench.WaitForExitAsync(cancellationToken);
        return bench.ExitCode;
    }

    private static double Resident(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(one => one.StartsWith("VmRSS:", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0;
    }

    /// <summary>A suite of its own, on data of its own, beside whatever runs.</summary>
    private sealed class BenchSuite : IAsyncDisposable
    {
        private readonly string _state = Directory.CreateTempSubdirectory("commerce-bench-").FullName;

        public BenchSuite()
        {
            // The Postgres user must reach its data below it.
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(_state, (UnixFileMode)0b111_101_101);
        }

        public RunInfo Run => RunInfo.Read(StateDirectory.At(_state).RunFile) ?? throw new InvalidOperationException("The suite does not run.");

        public async Task<TimeSpan> Start(CancellationToken cancellationToken)
        {
            var start = TimeProvider.System.GetTimestamp();
            if (await Commerce(["up", "--detach"], quiet: true, cancellationToken) != Exit.Done)
                throw new InvalidOperationException("The suite did not start.");
            return TimeProvider.System.GetElapsedTime(start);
        }

        public async Task Stop(CancellationToken cancellationToken) => await Commerce(["down"], quiet: true, cancellationToken);

        public async Task<int> Commerce(IEnumerable<string> arguments, bool quiet, CancellationToken cancellationToken)
        {
            var start = new ProcessStartInfo("dotnet", ["exec", Environment.GetCommandLineArgs()[0], .. arguments]) { RedirectStandardOutput = quiet };
            start.Environment["COMMERCE_STATE_DIR"] = _state;
            using var process = Process.Start(start)!;
            if (quiet)
                await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode;
        }

        public async ValueTask DisposeAsync()
        {
            await Stop(CancellationToken.None);
            Directory.Delete(_state, recursive: true);
        }
    }
}
