using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Commerce.Sandbox.Carriers;
using CsCheck;

namespace Commerce.Sandbox.Tests;

public sealed class TrackingNumberTests
{
    private static readonly (string Carrier, string Service, string Pattern)[] Formats =
    [
        ("ups", "03", "ups"), ("ups", "65", "ups"), ("usps", "001", "usps_impb_n"), ("usps", "755", "usps_impb_n"), ("fedex", "92", "fedex_12"), ("dhl", "", "dhl_express"),
    ];

    [Fact]
    public void Every_number_has_its_carriers_published_format_and_check_digit()
    {
        var patterns = PublishedPatterns();
        Gen.Select(Gen.Int[0, Formats.Length - 1].Select(i => Formats[i]), Gen.Long[0, 4_000_000_000]).Sample((format, n) =>
        {
            var number = TrackingNumbers.Format(format.Carrier, format.Service, n);
            var pattern = patterns[format.Pattern];
            var match = Regex.Match(number, $"^{Expression(pattern["regex"]!)}$", RegexOptions.None, TimeSpan.FromSeconds(1));
            return match.Success && CheckDigit(match.Groups["SerialNumber"].Value, pattern["validation"]!["checksum"]!) == match.Groups["CheckDigit"].Value;
        });
    }

    [Fact]
    public void Numbers_do_not_repeat()
    {
        foreach (var (carrier, service, _) in Formats)
        {
            // Also across the point at which a UPS shipper's seven digits are used up.
            var numbers = Enumerable.Range(0, 50_000).Select(i => TrackingNumbers.Format(carrier, service, 9_975_000 + i));
            Assert.Equal(50_000, numbers.Distinct().Count());
        }
    }

    /// <summary>A long expression is published in pieces.</summary>
    private static string Expression(JsonNode regex) => regex is JsonArray pieces ? string.Concat(pieces.Select(p => (string)p!)) : (string)regex!;

    private static string CheckDigit(string serial, JsonNode checksum)
    {
        var values = serial.Select(c => char.IsAsciiDigit(c) ? c - '0' : (c - 3) % 10).ToList();
        switch ((string)checksum["name"]!)
        {
            case "mod7":
                return $"{long.Parse(serial, System.Globalization.CultureInfo.InvariantCulture) % 7}";
            case "mod10":
                if ((bool?)checksum["reverse"] == true) values.Reverse();
                var sum = values.Select((v, i) => v * (int)(checksum[i % 2 == 0 ? "evens_multiplier" : "odds_multiplier"] ?? 1)).Sum();
                return $"{(10 - (sum % 10)) % 10}";
            default:
                var weights = checksum["weightings"]!.AsArray().Select(w => (int)w!).ToList();
                return $"{values.Zip(weights, (v, w) => v * w).Sum() % (int)checksum["modulo1"]! % (int)checksum["modulo2"]!}";
        }
    }

    private static Dictionary<string, JsonNode> PublishedPatterns()
    {
        var data = Environment.GetEnvironmentVariable("COMMERCE_DATA") ?? Find();
        var folder = data is null ? null : Path.Combine(data, "tracking-numbers", "couriers");
        if (folder is null || !Directory.Exists(folder))
        {
            const string why = "The published formats are not here: set COMMERCE_DATA to the folder that holds tracking-numbers/couriers.";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", why);
            Assert.Skip(why);
        }

        return new[] { "ups", "usps", "fedex", "dhl" }
            .SelectMany(c => JsonNode.Parse(File.ReadAllText(Path.Combine(folder!, $"{c}.json")))!["tracking_numbers"]!.AsArray())
            .Where(p => p!["id"] is not null)
            .ToDictionary(p => (string)p!["id"]!, p => p!);
    }

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var beside = Path.Combine(folder.FullName, "..", "shared", "data");
            if (File.Exists(Path.Combine(folder.FullName, "Commerce.sln"))) return Directory.Exists(beside) ? beside : null;
        }

        return null;
    }
}
