using System.Globalization;
using Commerce.Cli.Suite;
using Commerce.NativeHosting.State;

namespace Commerce.Cli.Replay;

/// <summary>How much of the machine's processors each process of the suite used between two looks.</summary>
internal sealed class CpuShares
{
    /// <summary>What the machine did besides the suite and whoever drives it.</summary>
    public const string Others = "everything else";

    // The kernel counts for user space in hundredths of a second, on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    private readonly IReadOnlyDictionary<string, int>? _roots;
    private readonly Look _before;
    private readonly long _start = TimeProvider.System.GetTimestamp();

    /// <summary>Of the suite that runs here.</summary>
    public CpuShares()
        : this(Roots())
    {
    }

    /// <summary>Of these processes, each with all below it; null: of all that are called as ours are.</summary>
    public CpuShares(IReadOnlyDictionary<string, int>? roots)
    {
        _roots = roots;
        _before = Read();
    }

    /// <summary>Cores used by each process since the first look, most first, and by everything else; 1.0 is one core, all of the time.</summary>
    public IReadOnlyList<(string Name, double Cores)> Since()
    {
        var now = Read();
        var elapsed = TimeProvider.System.GetElapsedTime(_start).TotalSeconds;
        var shares = now.Seconds.Select(one => (Name: one.Key, Cores: (one.Value - _before.Seconds.GetValueOrDefault(one.Key)) / elapsed)).ToList();
        var others = Math.Max(0, ((now.Busy - _before.Busy) / elapsed) - shares.Sum(one => one.Cores));
        return [.. shares.OrderByDescending(one => one.Cores).Append((Name: Others, Cores: others)).Where(one => one.Cores >= 0.005)];
    }

    // With the native engine its own processes are known; another suite on the machine does not count for this one.
    private static Dictionary<string, int>? Roots()
    {
        var state = Repository.State;
        if (Repository.UsesAspire || !state.IsHeld() || RunInfo.Read(state.RunFile) is not { } run)
            return null;
        var roots = run.Resources.Where(resource => resource.Pid is not null).ToDictionary(resource => resource.Name, resource => resource.Pid!.Value);
        roots["engine"] = run.Pid;
        return roots;
    }

    private Look Read()
    {
        var processes = ProcessTimes.All();
        var seconds = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var process in processes.Values)
        {
            if (NameOf(process, processes) is { } name)
                seconds[name] = seconds.GetValueOrDefault(name) + (process.Ticks / TicksPerSecond);
        }

        return new Look(seconds, ProcessTimes.MachineTicks() / TicksPerSecond);
    }

    private string? NameOf(ProcessTimes process, Dictionary<int, ProcessTimes> all)
    {
        if (process.Pid == Environment.ProcessId)
            return "load";
        if (_roots is null)
            return ByName(process);
        // The nearest ancestor that is a resource: the engine is above them all.
        ProcessTimes? one = process;
        while (one is not null)
        {
            foreach (var (name, pid) in _roots)
            {
                if (pid == one.Pid)
                    return name;
            }

            one = all.GetValueOrDefault(one.Parent);
        }

        return null;
    }

    private static string? ByName(ProcessTimes process) => process.Name switch
    {
        "postgres" => "postgres",
        "redis-server" => "redis",
        "beam.smp" => "messaging",
        "Orders" or "Payments" or "Shipments" or "Notifications" or "Gateway" => process.Name.ToLowerInvariant(),
        // The kernel keeps 15 characters of a name.
        "Commerce.Sandbox" or "Commerce.Sandbo" => "sandbox",
        "AppHost" => "engine",
        "dotnet" => Assembly(process.Pid),
        _ => null,
    };

    private static string? Assembly(int pid)
    {
        try
        {
            var dll = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/cmdline").Split('\0').FirstOrDefault(word => word.EndsWith(".dll", StringComparison.Ordinal));
            return dll is null || Path.GetFileNameWithoutExtension(dll) == "dotnet" ? null : ByName(new ProcessTimes(pid, 0, Path.GetFileNameWithoutExtension(dll), 0));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It ended while we looked, or is another user's.
            return null;
        }
    }

    private sealed record Look(IReadOnlyDictionary<string, double> Seconds, double Busy);
}
