using System.Text.Json;
using Commerce.Testing;

namespace Commerce.Tracking.Tests;

/// <summary>Public reference data beside the repository, or where COMMERCE_DATA says.</summary>
internal static class Data
{
    /// <summary>The rows of a CSV file by column; skips on a laptop that has none, fails in CI.</summary>
    public static IEnumerable<string[]> Rows(string path) => File.ReadLines(Find(path)).Skip(1).Select(line => line.Split(','));

    /// <summary>The countries of the UPU S10 table.</summary>
    public static IReadOnlyList<string> S10Countries()
    {
        using var table = JsonDocument.Parse(File.ReadAllBytes(Find("tracking-numbers/couriers/s10.json")));
        return
        [
            .. table.RootElement.GetProperty("tracking_numbers")[0].GetProperty("additional").EnumerateArray()
                .Single(one => one.GetProperty("name").GetString() == "Courier").GetProperty("lookup").EnumerateArray()
                .Select(row => row.GetProperty("matches").GetString()!),
        ];
    }

    private static string Find(string path)
    {
        var candidates = new List<string>();
        if (Environment.GetEnvironmentVariable("COMMERCE_DATA") is { Length: > 0 } given)
            candidates.Add(given);
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            candidates.Add(Path.Combine(folder.FullName, "shared", "data"));
        return candidates.Select(root => Path.Combine(root, path)).FirstOrDefault(File.Exists)
            ?? throw TestServers.Missing($"The reference data {path} is not here; set COMMERCE_DATA to the folder that holds it.");
    }
}
