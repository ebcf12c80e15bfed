using System.Text;
using System.Text.Json.Nodes;
using Commerce.Tracking.Payloads;
using CsCheck;

namespace Commerce.Tracking.Tests.Payloads;

public sealed class HostilePayloadTests
{
    private static readonly PayloadReader Reader = new();

    private static readonly Lazy<(string Source, string Name, byte[] Bytes)[]> Real = new(() => [.. RealPayloads.All()]);

    private static readonly string[] Sources = [.. new PayloadReader().Shapes, "nobody"];

    private static readonly string?[] Values =
    [
        "null", "\"\"", "true", "0", "-1e400", "[]", "{}", "[[]]", "[null]", "{\"a\":{\"b\":[1]}}", "\"\\ud800\"", "\"\\u0000\\u001b[31m\"", "\"9999-12-31T23:59:59-14:00\"",
        "\"0001-01-01T00:00:00+14:00\"", "\"1970-01-01T00:00:00Z\"", "99999999999999999999", "\"<xml/>\"", "\"" + new string('x', 5000) + "\"",
    ];

    [Fact]
    public void Any_payload_of_any_carrier_sent_as_any_source_is_read_or_refused_and_never_a_fault()
    {
        foreach (var (_, name, bytes) in Real.Value)
        {
            foreach (var source in Sources)
                Read(bytes, source, name);
        }
    }

    [Fact]
    public void A_payload_keeps_its_scans_whatever_source_it_is_sent_as()
    {
        foreach (var (source, name, bytes) in Real.Value)
        {
            var own = Read(bytes, source, name)?.Scans ?? [];
            foreach (var other in Sources)
            {
                var scans = Read(bytes, other, name)?.Scans ?? [];
                Assert.True(own.Count == scans.Count, $"{name}: {own.Count} scans as {source}, {scans.Count} as {other}");
                Assert.Equal(own.Select(scan => (scan.TrackingNumber, scan.Time.Written, scan.Words)), scans.Select(scan => (scan.TrackingNumber, scan.Time.Written, scan.Words)));
            }
        }
    }

    [Fact]
    public void Bytes_that_are_cut_off_or_changed_anywhere_are_read_or_refused() =>
        Gen.Select(Gen.Int, Gen.Int, Gen.Int, Gen.Byte).Sample(
            (which, at, length, value) =>
            {
                var (source, name, bytes) = Real.Value[(which & int.MaxValue) % Real.Value.Length];
                var cut = (at & int.MaxValue) % bytes.Length;
                Read(bytes[..cut], source, name);
                var changed = bytes.ToArray();
                changed[cut] = value;
                Read(changed, source, name);
                Read([.. bytes[..cut], .. bytes[Math.Min(bytes.Length, cut + ((length & int.MaxValue) % 50))..]], source, name);
            },
            iter: 400);

    [Fact]
    public void Fields_that_are_dropped_nulled_retyped_doubled_or_nested_cost_no_other()
    {
        var payloads = Real.Value.Where(one => one.Bytes[0] is (byte)'{' or (byte)'[' && one.Bytes.Length < 60_000 && Read(one.Bytes, one.Source, one.Name) is { Scans.Count: > 0 }).ToArray();
        Gen.Select(Gen.Int, Gen.Int, Gen.Int[0, 5], Gen.Int[0, Values.Length - 1]).Sample(
            (which, where, how, value) =>
            {
                var (source, name, bytes) = payloads[(which & int.MaxValue) % payloads.Length];
                var before = Read(bytes, source, name)!;
                var root = JsonNode.Parse(bytes)!;
                // One field of one scan: what has members and lies in a list.
                var scans = Descendants(root).OfType<JsonObject>().Where(one => one.Parent is JsonArray && one.Count > 1 && !Descendants(one).Skip(1).OfType<JsonObject>().Any(inner => inner.Parent is JsonArray)).ToList();
                if (scans.Count == 0)
                    return;
                var scan = scans[(where & int.MaxValue) % scans.Count];
                var (field, node) = scan.ElementAt(((where >> 8) & int.MaxValue) % scan.Count);
                Mutate(scan, field, node, how, value);
                var text = root.ToJsonString();
                var after = Read(Encoding.UTF8.GetBytes(text), source, name);
                if (after is null)
                    return;
                // Every other scan is there, as it was.
                var lost = before.Scans.Select(Content).Except(after.Scans.Select(Content)).ToList();
                Assert.True(lost.Count <= before.Scans.GroupBy(Content).Max(group => group.Count()), $"{name}: {field} ({how}) cost {lost.Count} scans: {string.Join("; ", lost)}");
            },
            iter: 2000);
    }

    [Theory]
    [InlineData("""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><itemTracking><itemCode>&lol2;</itemCode></itemTracking>""")]
    [InlineData("""<!DOCTYPE foo [<!ENTITY xxe SYSTEM "file:///etc/passwd">]><itemTracking><itemCode>&xxe;</itemCode></itemTracking>""")]
    [InlineData("""<!DOCTYPE foo SYSTEM "http://example.com/evil.dtd"><itemTracking/>""")]
    public void XML_with_a_DTD_is_refused(string xml) =>
        Assert.Contains("without a DTD", Assert.Throws<PayloadException>(() => Reader.Read(Encoding.UTF8.GetBytes(xml), "bpost")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("", "empty")]
    [InlineData("   \n", "empty")]
    [InlineData("hello", "neither")]
    [InlineData("<html><body>502 Bad Gateway", "not XML")]
    [InlineData("{\"a\":", "not JSON")]
    [InlineData("{\"a\":1}x", "not JSON")]
    public void What_is_no_payload_is_refused_with_what_is_wrong(string text, string why) =>
        Assert.Contains(why, Assert.Throws<PayloadException>(() => Reader.Read(Encoding.UTF8.GetBytes(text), "ups")).Message, StringComparison.Ordinal);

    [Fact]
    public void What_is_deeper_than_any_payload_is_refused()
    {
        Assert.Throws<PayloadException>(() => Reader.Read(Encoding.UTF8.GetBytes(new string('[', 100_000)), "ups"));
        Assert.Throws<PayloadException>(() => Reader.Read(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("<a>", 5000))), "ups"));
    }

    [Fact]
    public void A_million_empty_things_are_refused_before_they_cost_memory() =>
        Assert.Contains("parts", Assert.Throws<PayloadException>(() => Reader.Read(Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("0", 1_000_001))}]"), "ups")).Message, StringComparison.Ordinal);

    private static PayloadReading? Read(byte[] bytes, string source, string name)
    {
        try
        {
            var reading = Reader.Read(bytes, source, "ups");
            Assert.All(reading.Scans, scan =>
            {
                Assert.InRange(scan.Words.Length, 0, 500);
                Assert.DoesNotContain(scan.Words + scan.Code + scan.Time.Text + scan.Place.Locality, char.IsControl);
                Assert.NotEmpty(scan.TrackingNumber);
            });
            return reading;
        }
        catch (PayloadException)
        {
            return null;
        }
        catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"{name} as {source}", exception);
        }
    }

    private static (string, string, string, string, PlaceRecord) Content(ReportedScan scan) => (scan.TrackingNumber, scan.Code, scan.Words, scan.Time.Text, scan.Place);

    private static void Mutate(JsonObject scan, string field, JsonNode? node, int how, int value)
    {
        var given = JsonNode.Parse(Values[value] is "-1e400" or "\"\\ud800\"" ? "1" : Values[value]!);
        switch (how)
        {
            case 0:
                scan.Remove(field);
                break;
            case 1:
                scan[field] = null;
                break;
            case 2:
                scan[field] = given;
                break;
            case 3:
                scan[field] = new JsonArray(node?.DeepClone(), node?.DeepClone());
                break;
            case 4:
                scan[field] = new JsonObject { ["value"] = node?.DeepClone() };
                break;
            default:
                scan.Remove(field);
                scan["wrapped"] = new JsonObject { [field] = node?.DeepClone() };
                break;
        }
    }

    private static IEnumerable<JsonNode> Descendants(JsonNode node)
    {
        yield return node;
        var children = node switch { JsonObject members => members.Select(member => member.Value), JsonArray items => items, _ => [] };
        foreach (var below in children.OfType<JsonNode>().SelectMany(Descendants))
            yield return below;
    }
}
