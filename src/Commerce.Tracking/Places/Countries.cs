using System.Collections.Frozen;

namespace Commerce.Tracking.Places;

/// <summary>A country or a part of one, and the zone of its clocks; certain: everywhere in it.</summary>
internal sealed record Territory(string Country, string Iso3, string Region, string Zone, bool Certain, string Name);

/// <summary>Countries (ISO 3166-1) and the regions of those that have several time zones, as carriers write them.</summary>
internal static class Countries
{
    private static readonly IReadOnlyList<Territory> All =
        [.. Table.Rows("Places.countries.csv").Select(row => new Territory(row[0], row[1], "", row[2], row[3] == "yes", row[4].Split('|')[0]))];

    private static readonly IReadOnlyList<Territory> Regions =
        [.. Table.Rows("Places.regions.csv").Select(row => new Territory(row[0], "", row[1], row[2], row[3] == "yes", row[4]))];

    private static readonly FrozenDictionary<string, Territory> ByCode =
        All.SelectMany(one => new[] { (one.Country, one), (one.Iso3, one) }).ToFrozenDictionary(pair => pair.Item1, pair => pair.one);

    private static readonly FrozenDictionary<string, Territory> ByName = Table.Rows("Places.countries.csv")
        .SelectMany((row, at) => row[4].Split('|').Select(name => (Name: Folded.Of(name), Territory: All[at])))
        .DistinctBy(pair => pair.Name).ToFrozenDictionary(pair => pair.Name, pair => pair.Territory);

    private static readonly FrozenDictionary<(string Country, string Region), Territory> ByRegion =
        Regions.SelectMany(one => new[] { ((one.Country, one.Region), one), ((one.Country, Folded.Of(one.Name).ToUpperInvariant()), one) })
            .DistinctBy(pair => pair.Item1).ToFrozenDictionary(pair => pair.Item1, pair => pair.one);

    /// <summary>By "DE", "DEU" or "Germany" in the languages that carriers use; null if it is none of them.</summary>
    public static Territory? Find(string text)
    {
        if (text.Length is 2 or 3 && ByCode.TryGetValue(text.ToUpperInvariant(), out var byCode))
            return byCode;
        return text.Length is > 2 and < 60 ? ByName.GetValueOrDefault(Folded.Of(text)) : null;
    }

    /// <summary>By two or three capitals alone.</summary>
    public static Territory? OfCode(string text) =>
        text.Length is 2 or 3 && text.All(char.IsAsciiLetterUpper) ? ByCode.GetValueOrDefault(text) : null;

    /// <summary>By its code or its name, in the country.</summary>
    public static Territory? Region(string country, string region) =>
        region.Length is > 0 and < 40 ? ByRegion.GetValueOrDefault((country, Folded.Of(region).ToUpperInvariant())) : null;
}
