using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Commerce.Cli.Api;
using Commerce.Cli.Replay;
using Commerce.NativeHosting.State;
using Spectre.Console;

namespace Commerce.Cli.Bench;

/// <summary>A start: until all was healthy, and in it until the servers were, without which nothing of ours can be.</summary>
internal sealed record UpTimes(double Seconds, double ServersSeconds);

/// <summary>
/// `./commerce bench up`: from a start on built code to all healthy, beside when Postgres, Redis and RabbitMQ were in the
/// same start; then the idle memory of each process, beside that of an empty ASP.NET Core service.
/// </summary>
internal static partial class UpBench
{
    private static readonly TimeSpan SettleAtMost = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SettleLook = TimeSpan.FromSeconds(5);
    private const double IdleCores = 0.2;

    public static async Task<int> Run(bool json, CancellationToken cancellationToken)
    {
        await using var suite = new BenchSuite();
        var cold = await Start(suite, cancellationToken);
        await suite.Stop(CancellationToken.None);
        var warm = await Start(suite, cancellationToken);
        await Settled(suite.Run, cancellationToken);
        var empty = await EmptyService(cancellationToken);
        var memory = suite.Run.Resources.Where(resource => resource.Pid is not null)
            .Select(resource => (resource.Name, Ours: resource.Kind == "project", Megabytes: ProcessMemory.OfTree(resource.Pid!.Value)))
            .OrderByDescending(one => one.Megabytes).ToList();
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(
                new
                {
                    name = "up",
                    unit = "s",
                    cold,
                    warm,
                    limitIs = "until Postgres, Redis and RabbitMQ were healthy in the same start (serversSeconds); an empty ASP.NET Core service (emptyServiceMegabytes)",
                    idleMegabytes = memory.ToDictionary(one => one.Name, one => one.Megabytes),
                    emptyServiceMegabytes = empty,
                },
                JsonSerializerOptions.Web));
            return Exit.Done;
        }

        var starts = new Table().Border(TableBorder.Rounded).AddColumn("Start");
        foreach (var column in (string[])["All healthy after", "Limit: the servers after", "Ratio"])
            starts.AddColumn(new TableColumn(column).RightAligned());
        foreach (var (name, times) in new[] { ("on empty data", cold), ("on data that is there", warm) })
            starts.AddRow(name, Figure(times.Seconds, "F1") + " s", Figure(times.ServersSeconds, "F1") + " s", Figure(times.Seconds / times.ServersSeconds, "F2"));
        AnsiConsole.Write(starts);

        var table = new Table().Border(TableBorder.Rounded).AddColumn("Idle memory of");
        foreach (var column in (string[])["MB", "Limit: an empty service", "Ratio"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var (name, ours, megabytes) in memory)
            table.AddRow(Print.Escape(name), Figure(megabytes, "F0"), ours ? Figure(empty, "F0") : "", ours ? Figure(megabytes / empty, "F2") : "");
        table.AddRow("together", Figure(memory.Sum(one => one.Megabytes), "F0"), "", "");
        AnsiConsole.Write(table);
        return Exit.Done;
    }

    private static async Task<UpTimes> Start(BenchSuite suite, CancellationToken cancellationToken)
    {
        var (took, output) = await suite.Start(cancellationToken);
        var healthy = HealthyLine().Matches(output).ToLookup(match => match.Groups["name"].Value, match => double.Parse(match.Groups["seconds"].Value, CultureInfo.InvariantCulture));
        var servers = suite.Run.Resources.Where(resource => resource.Kind is "postgres" or "redis" or "rabbitmq").SelectMany(resource => healthy[resource.Name]).DefaultIfEmpty(double.NaN).Max();
        return new UpTimes(took.TotalSeconds, servers);
    }

    /// <summary>What a start leaves to be done in the background does not count as idle.</summary>
    private static async Task Settled(RunInfo run, CancellationToken cancellationToken)
    {
        var roots = run.Resources.Where(resource => resource.Pid is not null).ToDictionary(resource => resource.Name, resource => resource.Pid!.Value);
        var start = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(SettleLook, TimeProvider.System);
        double cores;
        do
        {
            var cpu = new CpuShares(roots);
            await timer.WaitForNextTickAsync(cancellationToken);
            cores = cpu.Since().Where(one => roots.ContainsKey(one.Name)).Sum(one => one.Cores);
        }
        while (cores > IdleCores && TimeProvider.System.GetElapsedTime(start) < SettleAtMost);
    }

    private static async Task<double> EmptyService(CancellationToken cancellationToken)
    {
        using var bench = BenchProgram.Start(["empty-service"], redirected: true);
        try
        {
            // It says its own process once it serves; `dotnet run` stands above it.
            while (await bench.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
            {
                if (int.TryParse(line, CultureInfo.InvariantCulture, out var pid))
                    return ProcessMemory.OfTree(pid);
            }

            throw new InvalidOperationException("The empty service did not start.");
        }
        finally
        {
            bench.StandardInput.Close();
            await bench.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static string Figure(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\s*(?<seconds>[0-9.]+) s  (?<name>\S+): healthy\r?$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex HealthyLine();
}

/// <summary>Memory of a process and all below it.</summary>
internal static class ProcessMemory
{
    /// <summary>
    /// Megabytes, each shared page counted once among those that share it (PSS): Postgres' processes share most of theirs.
    /// Where the kernel does not show that of another user's process, its whole resident memory.
    /// </summary>
    public static double OfTree(int pid)
    {
        var children = ProcessTimes.All().Values.ToLookup(process => process.Parent, process => process.Pid);
        return Of(pid);

        double Of(int one) => Kilobytes(one) / 1024.0 + children[one].Sum(Of);
    }

    private static long Kilobytes(int pid)
    {
        try
        {
            return Line($"/proc/{pid}/smaps_rollup", "Pss:") ?? Line($"/proc/{pid}/status", "VmRSS:") ?? 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Resident(pid);
        }
    }

    private static long Resident(int pid)
    {
        try
        {
            return Line($"/proc/{pid}/status", "VmRSS:") ?? 0;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static long? Line(string file, string name) => File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
        ? long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
        : null;
}
