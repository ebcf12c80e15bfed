using System.Globalization;

namespace Commerce.NativeHosting.Engine;

/// <summary>Finds the machine's own servers. <c>COMMERCE_SERVER_PATH</c>, when set, is the only place searched.</summary>
internal static class Binaries
{
    public static string PostgresBin() => Find("postgres", "postgresql", [.. Versioned("/usr/lib/postgresql"), .. Versioned("/usr/pgsql")], "initdb");

    public static string RedisServer() => System.IO.Path.Combine(Find("redis-server", "redis-server", []), "redis-server");

    /// <summary>The broker's own script: the wrapper in the path would switch to the system's rabbitmq user.</summary>
    public static string RabbitMqServer() => System.IO.Path.Combine(Find("rabbitmq-server", "rabbitmq-server", ["/usr/lib/rabbitmq/bin", "/opt/rabbitmq/sbin"]), "rabbitmq-server");

    public static string Dotnet()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host && File.Exists(host))
            return host;
        if (System.IO.Path.GetFileName(Environment.ProcessPath) == "dotnet")
            return Environment.ProcessPath!;
        return Environment.GetEnvironmentVariable("DOTNET_ROOT") is { Length: > 0 } root && File.Exists(System.IO.Path.Combine(root, "dotnet"))
            ? System.IO.Path.Combine(root, "dotnet")
            : "dotnet";
    }

    private static string Find(string binary, string package, IReadOnlyList<string> places, params string[] beside)
    {
        var only = Environment.GetEnvironmentVariable("COMMERCE_SERVER_PATH");
        IEnumerable<string> searched = only is { Length: > 0 }
            ? only.Split(':')
            : [.. places, .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin", "/usr/local/sbin"];
        return searched.FirstOrDefault(folder => File.Exists(System.IO.Path.Combine(folder, binary)) && beside.All(b => File.Exists(System.IO.Path.Combine(folder, b))))
            ?? throw new EngineException(
                $"'{binary}' is not installed (searched: {string.Join(", ", searched.Where(s => s.Length > 0).Distinct())}). "
                + $"On Debian and Ubuntu: sudo apt-get install {package}. ./commerce up does that for you; with a container engine, UseAspire=true needs no servers.");
    }

    /// <summary>Newest first.</summary>
    private static IEnumerable<string> Versioned(string root) => Directory.Exists(root)
        ? Directory.GetDirectories(root)
            .OrderByDescending(d => decimal.TryParse(System.IO.Path.GetFileName(d), NumberStyles.Number, CultureInfo.InvariantCulture, out var version) ? version : 0)
            .Select(d => System.IO.Path.Combine(d, "bin"))
        : [];
}
