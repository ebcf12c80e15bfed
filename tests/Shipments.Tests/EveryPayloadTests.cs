using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Commerce.Testing;

namespace Commerce.Shipments.Tests;

/// <summary>What carriers and aggregators really sent, to every kind of endpoint.</summary>
public sealed class EveryPayloadTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private static readonly string[] Endpoints = ["easypost", "aftership", "shippo", "shipengine", "sandbox", "ups", "usps", "dhl_express", "bpost", "hermes"];

    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task Any_payload_of_anybody_sent_to_any_endpoint_is_kept_or_explained_and_not_a_field_of_its_scans_is_lost()
    {
        var withScans = 0;
        var lost = new List<string>();
        foreach (var (name, body) in Files().SelectMany(Payloads).DistinctBy(one => one.Body))
        {
            var seen = new Dictionary<string, string>();
            foreach (var endpoint in Endpoints)
            {
                await _app.Database.CreateCommand("DELETE FROM unclaimed_scans").ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
                using var answer = endpoint == "shipengine"
                    ? await _app.Post(endpoint, Encoding.UTF8.GetBytes(body), SignedByShipEngine(body))
                    : await _app.Post(endpoint, body, secret: endpoint == "easypost" ? "sécret" : ShipmentsApp.Secret);
                var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.BadRequest, $"{name} to {endpoint}: {(int)answer.StatusCode} {text}");
                if (answer.StatusCode != HttpStatusCode.OK)
                    Assert.Contains("\"reason\":", text, StringComparison.Ordinal);
                seen[endpoint] = await Kept();
            }

            var whole = seen.Values.MaxBy(scans => scans.Length)!;
            lost.AddRange(seen.Where(one => one.Value != whole).Select(one => $"{name} to {one.Key}:\n{one.Value}\nand to {seen.First(other => other.Value == whole).Key}:\n{whole}"));
            withScans += whole.Length > 0 ? 1 : 0;
        }

        Assert.True(lost.Count == 0, string.Join("\n\n", lost));
        Assert.InRange(withScans, 30, int.MaxValue);
    }

    // Whose they are is the endpoint's to say where the payload does not; when they came, and what follows from that, is another each time.
    private async Task<string> Kept()
    {
        await using var command = _app.Database.CreateCommand("SELECT tracking_number, scan FROM unclaimed_scans");
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var scans = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            var scan = JsonNode.Parse(reader.GetString(1))!.AsObject();
            if (scan["timeBasis"]?.GetValue<int>() == (int)V1.Scan.Types.TimeBasis.Received)
                scan.Remove("occurredAt");
            foreach (var changing in (string[])["id", "receivedAt", "sighting"])
                scan.Remove(changing);
            scans.Add(reader.GetString(0) + " " + scan.ToJsonString());
        }

        return string.Join('\n', scans.Order(StringComparer.Ordinal));
    }

    // Some files hold several answers, as a test of somebody's client was given them: nobody sends them together.
    private static IEnumerable<(string Name, string Body)> Payloads(string file)
    {
        var text = File.ReadAllText(file);
        if (Path.GetFileName(file) != "mock_responses.json")
            return [(file, text)];
        return JsonNode.Parse(text)!.AsArray().Select((one, index) => ($"{file}[{index}]", one!["body"]?.ToJsonString() ?? "{}"));
    }

    private (string, string)[] SignedByShipEngine(string body)
    {
        var at = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signature = _app.ShipEngineKey.SignData(Encoding.UTF8.GetBytes($"{at}.{body}"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return [("x-shipengine-rsa-sha256-signature", Convert.ToBase64String(signature)), ("x-shipengine-timestamp", at)];
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
