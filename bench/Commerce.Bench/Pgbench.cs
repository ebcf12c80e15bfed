using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Commerce.Bench;

/// <summary>Postgres's own load generator.</summary>
internal static class Pgbench
{
    /// <summary>Runs a script; transactions a second.</summary>
    public static async Task<double> Run(string connectionString, string script, int concurrency, TimeSpan time, IReadOnlyList<string> variables)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString);
        var start = new ProcessStartInfo(
            Binary(),
            [
                "-n", "-M", "prepared", "-c", $"{concurrency}", "-j", "2", "-T", $"{time.TotalSeconds}", "-f", script, .. variables.SelectMany(variable => new[] { "-D", variable }),
                "-h", connection.Host!, "-p", $"{connection.Port}", "-U", connection.Username!, connection.Database!,
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PGPASSWORD"] = connection.Password },
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var line = output.Split('\n').FirstOrDefault(l => l.StartsWith("tps = ", StringComparison.Ordinal));
        if (process.ExitCode != 0 || line is null)
            throw new InvalidOperationException($"pgbench failed: {await errors}{output}");
        return double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture);
    }

    private static string Binary() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Concat(Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal).Select(d => Path.Combine(d, "bin")) : [])
            .Select(folder => Path.Combine(folder, "pgbench")).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("pgbench is not installed: on Debian and Ubuntu it comes with the package postgresql.");
}
