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

    /// <summary>Debug or Release: the AppHost is built as this CLI is, whose folder ends in bin/(configuration)/(framework).</summary>
    public static string Configuration => Output.Parent!.Name;

    public static string AppHostAssembly => Path.Combine(AppHost, "bin", Configuration, Output.Name, "AppHost.dll");

    private static DirectoryInfo Output => new(AppContext.BaseDirectory.TrimEnd('/', Path.DirectorySeparatorChar));

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
