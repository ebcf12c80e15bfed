using System.Net;
using System.Text.Json;
using Commerce.Testing;

namespace Commerce.Shipments.Tests;

/// <summary>What carriers and aggregators really sent, to every kind of endpoint.</summary>
public sealed class EveryPayloadTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    // ShipEngine's is signed with a key, and no secret of it is configured here.
    private static readonly string[] Endpoints = ["easypost", "aftership", "shippo", "sandbox", "ups", "usps", "dhl_express"];

    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task Any_payload_of_anybody_sent_to_any_endpoint_is_kept_or_explained_and_its_scans_are_the_same()
    {
        var withScans = 0;
        foreach (var file in Files())
        {
            var body = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            var counts = new Dictionary<string, int>();
            foreach (var endpoint in Endpoints)
            {
                using var answer = await _app.Post(endpoint, body, secret: endpoint == "easypost" ? "sécret" : ShipmentsApp.Secret);
                var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                Assert.True((int)answer.StatusCode < 500, $"{file} to {endpoint}: {(int)answer.StatusCode} {text}");
                counts[endpoint] = answer.StatusCode == HttpStatusCode.OK ? Scans(text) : 0;
                if (answer.StatusCode != HttpStatusCode.OK)
                    Assert.Contains("\"reason\":", text, StringComparison.Ordinal);
            }

            // The others are collections of several answers in one file, which nobody sends.
            if (!file.Contains("/carriers/", StringComparison.Ordinal))
                continue;
            Assert.True(counts.Values.Distinct().Count() == 1, $"{file}: {string.Join(", ", counts)}");
            withScans += counts["easypost"] > 0 ? 1 : 0;
        }

        Assert.InRange(withScans, 30, int.MaxValue);
    }

    private static int Scans(string answer)
    {
        using var json = JsonDocument.Parse(answer);
        return json.RootElement.GetProperty("kept").GetInt32() + json.RootElement.GetProperty("known").GetInt32() + json.RootElement.GetProperty("unclaimed").GetInt32();
    }

    private static string[] Files()
    {
        var roots = new List<string>();
        if (Environment.GetEnvironmentVariable("COMMERCE_DATA") is { Length: > 0 } given)
            roots.Add(given);
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            roots.Add(Path.Combine(folder.FullName, "shared", "data"));
        var payloads = roots.Select(root => Path.Combine(root, "carrier-payloads")).FirstOrDefault(Directory.Exists)
            ?? throw TestServers.Missing("The payloads are not here; set COMMERCE_DATA to the folder that holds carrier-payloads.");
        return [.. Directory.EnumerateFiles(payloads, "*", SearchOption.AllDirectories).Where(file => file.EndsWith(".json", StringComparison.Ordinal) || file.EndsWith(".xml", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }
}
