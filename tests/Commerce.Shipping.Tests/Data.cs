using Commerce.Testing;

namespace Commerce.Shipping.Tests;

/// <summary>Public reference data beside the repository, or where COMMERCE_DATA says.</summary>
internal static class Data
{
    /// <summary>A file or a folder; skips on a laptop that has none, fails in CI.</summary>
    public static string Path(string path)
    {
        var candidates = new List<string>();
        if (Environment.GetEnvironmentVariable("COMMERCE_DATA") is { Length: > 0 } given)
            candidates.Add(given);
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            candidates.Add(System.IO.Path.Combine(folder.FullName, "shared", "data"));
        return candidates.Select(root => System.IO.Path.Combine(root, path)).FirstOrDefault(candidate => File.Exists(candidate) || Directory.Exists(candidate))
            ?? throw TestServers.Missing($"The reference data {path} is not here; set COMMERCE_DATA to the folder that holds it.");
    }
}
