namespace Commerce.Sandbox.Carriers;

/// <summary>A place as far as a carrier's scan names it.</summary>
internal sealed record Place(string? City, string? Region, string? CountryCode, string? PostalCode);

/// <summary>How far a parcel goes; each step costs more and takes longer.</summary>
internal enum Zone
{
    Local,
    Regional,
    Neighbouring,
    National,
    Continental,
    Intercontinental,
}

/// <summary>Distances, hubs and local time, as coarse as a sandbox needs them.</summary>
internal static class Geography
{
    private static readonly Dictionary<string, Country> Countries = new(StringComparer.Ordinal)
    {
        ["BR"] = new("SA", -180, [new("Cajamar", "SP", "BR", "07750"), new("Contagem", "MG", "BR", "32210"), new("Brasília", "DF", "BR", "70040")]),
        ["AR"] = new("SA", -180, [new("Ezeiza", "B", "AR", "1802")]),
        ["CL"] = new("SA", -180, [new("Pudahuel", "RM", "CL", "9020000")]),
        ["CO"] = new("SA", -300, [new("Bogotá", "DC", "CO", "110911")]),
        ["US"] = new("NA", -300, [new("Louisville", "KY", "US", "40213"), new("Memphis", "TN", "US", "38118"), new("Chicago", "IL", "US", "60666")]),
        ["CA"] = new("NA", -300, [new("Mississauga", "ON", "CA", "L5S 1B8")]),
        ["MX"] = new("NA", -360, [new("Toluca", "MEX", "MX", "50200")]),
        ["GB"] = new("EU", 0, [new("Castle Donington", "LEI", "GB", "DE74 2TR")]),
        ["IE"] = new("EU", 0, [new("Dublin", "D", "IE", "D15")]),
        ["PT"] = new("EU", 0, [new("Lisboa", "11", "PT", "1700-008")]),
        ["DE"] = new("EU", 60, [new("Leipzig", "SN", "DE", "04435"), new("Köln", "NW", "DE", "51147")]),
        ["FR"] = new("EU", 60, [new("Roissy", "IDF", "FR", "95700")]),
        ["ES"] = new("EU", 60, [new("Madrid", "MD", "ES", "28042")]),
        ["IT"] = new("EU", 60, [new("Bergamo", "BG", "IT", "24050")]),
        ["NL"] = new("EU", 60, [new("Eindhoven", "NB", "NL", "5657")]),
        ["BE"] = new("EU", 60, [new("Liège", "WLG", "BE", "4460")]),
        ["AT"] = new("EU", 60, [new("Wien", "9", "AT", "1300")]),
        ["CH"] = new("EU", 60, [new("Basel", "BS", "CH", "4030")]),
        ["PL"] = new("EU", 60, [new("Warszawa", "MZ", "PL", "00-906")]),
        ["SE"] = new("EU", 60, [new("Malmö", "M", "SE", "211 20")]),
        ["IN"] = new("AS", 330, [new("Bhiwandi", "MH", "IN", "421302"), new("Gurugram", "HR", "IN", "122001")]),
        ["JP"] = new("AS", 540, [new("Narita", "12", "JP", "282-0004")]),
        ["CN"] = new("AS", 480, [new("Shenzhen", "GD", "CN", "518128")]),
        ["AU"] = new("OC", 600, [new("Sydney", "NSW", "AU", "2020")]),
    };

    /// <summary>Standard time of regions that differ from their country's, minutes east of UTC. Summer time is left out.</summary>
    private static readonly Dictionary<(string Country, string Region), int> RegionalOffsets = new()
    {
        [("BR", "AC")] = -300,
        [("BR", "AM")] = -240,
        [("BR", "RO")] = -240,
        [("BR", "RR")] = -240,
        [("BR", "MT")] = -240,
        [("BR", "MS")] = -240,
        [("US", "CA")] = -480,
        [("US", "WA")] = -480,
        [("US", "OR")] = -480,
        [("US", "NV")] = -480,
        [("US", "AZ")] = -420,
        [("US", "CO")] = -420,
        [("US", "UT")] = -420,
        [("US", "NM")] = -420,
        [("US", "ID")] = -420,
        [("US", "MT")] = -420,
        [("US", "WY")] = -420,
        [("US", "TX")] = -360,
        [("US", "IL")] = -360,
        [("US", "TN")] = -360,
        [("US", "MN")] = -360,
        [("US", "MO")] = -360,
        [("US", "WI")] = -360,
        [("US", "LA")] = -360,
        [("US", "AK")] = -540,
        [("US", "HI")] = -600,
        [("CA", "BC")] = -480,
        [("CA", "AB")] = -420,
        [("CA", "MB")] = -360,
        [("AU", "WA")] = 480,
        [("AU", "SA")] = 570,
        [("ES", "CN")] = 0,
    };

    public static Zone ZoneOf(Place from, Place to)
    {
        if (from.CountryCode != to.CountryCode)
        {
            return Find(from) is { } a && Find(to) is { } b && a.Continent == b.Continent ? Zone.Continental : Zone.Intercontinental;
        }

        if (SamePrefix(from, to, 3)) return Zone.Local;
        if (!string.IsNullOrEmpty(from.Region) && string.Equals(from.Region, to.Region, StringComparison.OrdinalIgnoreCase)) return Zone.Regional;
        return SamePrefix(from, to, 1) ? Zone.Neighbouring : Zone.National;
    }

    public static TimeSpan OffsetOf(Place place)
    {
        var minutes = RegionalOffsets.TryGetValue((place.CountryCode ?? "", place.Region?.ToUpperInvariant() ?? ""), out var regional) ? regional : Find(place)?.OffsetMinutes ?? 0;
        return TimeSpan.FromMinutes(minutes);
    }

    /// <summary>The sorting centres between two places, in the order in which a parcel sees them.</summary>
    public static IEnumerable<Place> Hubs(Place from, Place to, Zone zone, Random random) => zone switch
    {
        Zone.Local => [],
        Zone.Regional or Zone.Neighbouring => Pick(from, random, 1),
        Zone.National => Pick(from, random, 2),
        _ => [.. Pick(from, random, 1), .. Pick(to, random, 1)],
    };

    private static IEnumerable<Place> Pick(Place near, Random random, int count)
    {
        var hubs = Find(near)?.Hubs ?? [];
        var first = hubs.Length == 0 ? 0 : random.Next(hubs.Length);
        return Enumerable.Range(0, Math.Min(count, hubs.Length)).Select(i => hubs[(first + i) % hubs.Length]);
    }

    private static Country? Find(Place place) => Countries.GetValueOrDefault(place.CountryCode ?? "");

    private static bool SamePrefix(Place a, Place b, int length) =>
        a.PostalCode is { } x && b.PostalCode is { } y && x.Length >= length && y.Length >= length
        && x.AsSpan(0, length).Equals(y.AsSpan(0, length), StringComparison.OrdinalIgnoreCase);

    private sealed record Country(string Continent, int OffsetMinutes, Place[] Hubs);
}
