using System.Diagnostics;

namespace Commerce.Cli.Replay;

/// <summary>How much of the machine's processors each process of the suite used between two looks.</summary>
internal sealed class CpuShares
{
    private readonly Dictionary<string, TimeSpan> _before = Read();
    private readonly long _start = TimeProvider.System.GetTimestamp();

    /// <summary>Cores used by each process since the first look, most first; 1.0 is one core, all of the time.</summary>
    public IReadOnlyList<(string Name, double Cores)> Since()
    {
        var elapsed = TimeProvider.System.GetElapsedTime(_start).TotalSeconds;
        return [.. Read()
            .Select(now => (now.Key, (now.Value - _before.GetValueOrDefault(now.Key)).TotalSeconds / elapsed))
            .Where(share => share.Item2 >= 0.005)
            .OrderByDescending(share => share.Item2)];
    }

    // By name, since Postgres is many processes and comes and goes with its connections.
    private static Dictionary<string, TimeSpan> Read()
    {
        var times = new Dictionary<string, TimeSpan>(StringComparer.Ordinal);
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                try
                {
                    var name = NameOf(process);
                    if (name is not null)
                        times[name] = times.GetValueOrDefault(name) + process.TotalProcessorTime;
                }
                catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception or IOException)
                {
                    // It ended while we looked.
                }
            }
        }

        return times;
    }

    private static string? NameOf(Process process) => process.ProcessName switch
    {
        "postgres" => "postgres",
        "redis-server" => "redis",
        "beam.smp" => "rabbitmq",
        "dotnet" or "Orders" or "Payments" or "Shipments" or "Notifications" or "Gateway" or "Commerce.Sandbox" or "commerce-cli" or "AppHost" => Assembly(process),
        _ => null,
    };

    private static string? Assembly(Process process)
    {
        if (process.ProcessName != "dotnet")
            return process.ProcessName.ToLowerInvariant();
        var command = File.ReadAllText($"/proc/{process.Id}/cmdline").Split('\0');
        var dll = command.FirstOrDefault(word => word.EndsWith(".dll", StringComparison.Ordinal));
        return dll is null ? null : Path.GetFileNameWithoutExtension(dll).ToLowerInvariant();
    }
}
