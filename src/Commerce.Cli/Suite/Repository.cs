using Commerce.NativeHosting.State;

namespace Commerce.Cli.Suite;

/// <summary>The working copy that this CLI was built in.</summary>
internal static class Repository
{
    /// <summary>Which engine the build chose (Engine.props).</summary>
#if USE_ASPIRE
    public static bool UsesAspire => true;
#else
    public static bool UsesAspire => false;
#endif

    public static string Root { get; } = FindRoot();

    public static string AppHost { get; } = Path.Combine(Root, "AppHost");

    public static StateDirectory State { get; } = StateDirectory.Resolve(AppHost);

    public static string AppHostAssembly
    {
        get
        {
            // The AppHost is built with the same configuration as this CLI, whose folder ends in bin/<configuration>/<framework>.
            var framework = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
            return Path.Combine(AppHost, "bin", framework.Parent!.Name, framework.Name, "AppHost.dll");
        }
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Commerce.sln")))
                return folder.FullName;
        }

        return Directory.GetCurrentDirectory();
    }
}
