using System.Globalization;

namespace Commerce.Cli.Replay;

/// <summary>One process, as /proc tells of it.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Parent">The id of the process that started it.</param>
/// <param name="Name">At most 15 characters.</param>
/// <param name="Ticks">
/// Processor time in the kernel's ticks, its own and that of its children that ended: Postgres' backends come and go, and
/// what one used is known to its parent alone after it has gone.
/// </param>
internal sealed record ProcessTimes(int Pid, int Parent, string Name, long Ticks)
{
    /// <summary>All processes, by id; empty where there is no /proc.</summary>
    public static Dictionary<int, ProcessTimes> All()
    {
        var all = new Dictionary<int, ProcessTimes>();
        foreach (var folder in Directory.Exists("/proc") ? Directory.EnumerateDirectories("/proc") : [])
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) && Read(pid) is { } process)
                all[pid] = process;
        }

        return all;
    }

    /// <summary>What all processors did together, idling and waiting for a disk aside; 0 where there is no /proc.</summary>
    public static long MachineTicks()
    {
        if (!File.Exists("/proc/stat"))
            return 0;
        var cpu = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        // user, nice, system, irq, softirq; what was stolen by other machines was used by none of ours.
        return cpu[0] + cpu[1] + cpu[2] + cpu[5] + cpu[6];
    }

    private static ProcessTimes? Read(int pid)
    {
        try
        {
            return Parse(pid, File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It ended while we looked.
            return null;
        }
    }

    /// <summary>Reads proc_pid_stat(5). The name stands in brackets and may hold anything, brackets and blanks included.</summary>
    public static ProcessTimes Parse(int pid, string stat)
    {
        var (open, close) = (stat.IndexOf('(', StringComparison.Ordinal), stat.LastIndexOf(')'));
        // From the third field on: state, ppid, …; utime, stime, cutime and cstime are fields 14 to 17.
        var fields = stat[(close + 2)..].Split(' ');
        var ticks = fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
        return new ProcessTimes(pid, int.Parse(fields[1], CultureInfo.InvariantCulture), stat[(open + 1)..close], ticks);
    }
}
