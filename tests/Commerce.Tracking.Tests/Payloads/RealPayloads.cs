using System.Text.Json;

namespace Commerce.Tracking.Tests.Payloads;

/// <summary>What carriers and aggregators really answered.</summary>
internal static class RealPayloads
{
    /// <summary>Every file: the folder that it came from (the source) and its bytes.</summary>
    public static IEnumerable<(string Source, string Name, byte[] Bytes)> All()
    {
        foreach (var file in Data.Files("carrier-payloads/carriers", "*.raw*"))
            yield return (Path.GetFileName(Path.GetDirectoryName(file))!, $"{Path.GetFileName(Path.GetDirectoryName(file))}/{Path.GetFileName(file)}", File.ReadAllBytes(file));
        foreach (var file in Data.Files("carrier-payloads/easypost", "*.json"))
            yield return ("easypost", Path.GetFileName(file), File.ReadAllBytes(file));
        using var mocks = JsonDocument.Parse(File.ReadAllBytes(Data.Files("carrier-payloads/aftership", "mock_responses.json").Single()));
        foreach (var (index, mock) in mocks.RootElement.EnumerateArray().Index())
        {
            if (mock.TryGetProperty("body", out var body))
                yield return ("aftership", $"aftership/{index}{(mock.TryGetProperty("status", out var status) && status.ToString() != "200" ? " error" : "")}", JsonSerializer.SerializeToUtf8Bytes(body));
        }
    }
}
