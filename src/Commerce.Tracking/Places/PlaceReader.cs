using System.Text.RegularExpressions;

namespace Commerce.Tracking.Places;

/// <summary>
/// Reads places as carriers write them: "NEW YORK, NY", "Mechelen (BE)", "Barcelona - Spain", "SPRINGFIELD GARDENS,NY-USA". Only what is
/// certain is taken apart; the rest stays the locality, word for word.
/// </summary>
internal static partial class PlaceReader
{
    private const int Longest = 100;

    /// <summary>Of separate fields; a country that nobody knows is left out rather than cut into another.</summary>
    public static PlaceRecord Of(string locality, string region, string postalCode, string country, string text, string home)
    {
        // A field that holds the whole place in one line.
        if (locality.Length == 0 && text.Length > 0 && Parse(text, home) is var parsed)
        {
            return parsed with
            {
                Region = region.Length > 0 ? region : parsed.Region,
                PostalCode = postalCode.Length > 0 ? postalCode : parsed.PostalCode,
                Country = Countries.Find(country)?.Country ?? parsed.Country,
            };
        }

        return new PlaceRecord("", locality, region, postalCode, Countries.Find(country.Trim())?.Country ?? "");
    }

    public static PlaceRecord Parse(string text, string home)
    {
        if (text.Length > Longest)
            return PlaceRecord.Nowhere with { Locality = text };
        if (Countries.OfCode(text) is { } alone || Countries.Find(text) is { } named && (alone = named) is not null)
            return PlaceRecord.Nowhere with { Country = alone.Country };

        var (rest, country) = TakeCountry(text);
        var (locality, region, postal) = (rest, "", "");
        var land = country.Length > 0 ? country : home;
        // "HOUSTON, TX, 77063", "KEW VIC", "SPRINGFIELD GARDENS,NY".
        var parts = rest.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).ToList();
        if (parts.Count > 1 && PostalCode().IsMatch(parts[^1]))
        {
            postal = parts[^1];
            parts.RemoveAt(parts.Count - 1);
        }

        if (parts.Count > 1 && parts[^1].All(char.IsAsciiLetterUpper) && Countries.Region(land, parts[^1]) is { } found && (postal.Length > 0 || country.Length > 0 || rest.Contains(',', StringComparison.Ordinal) || found.Country == home))
        {
            region = found.Region;
            if (country.Length == 0)
                country = found.Country;
            parts.RemoveAt(parts.Count - 1);
        }
        else if (parts.Count > 2 && parts.FindIndex(1, part => part.Length == 2 && part.All(char.IsAsciiLetterUpper) && Countries.Region(land, part) is not null) is > 0 and var at && home == land)
        {
            // "NEW YORK NY DISTRIBUTION CENTER": the words behind it name a building.
            region = parts[at];
            if (country.Length == 0)
                country = land;
            return new PlaceRecord("", text, region, postal, country);
        }

        if (region.Length > 0 || postal.Length > 0)
            locality = Shorten(rest, parts.Count > 0 ? parts[^1] : "");
        return new PlaceRecord("", locality.Trim(' ', ',', '-'), region, postal, country);
    }

    // "Mechelen (BE)", "Leipzig - Germany", "NY-USA", "US-60199, UNITED STATES", "…, USA, United States".
    private static (string Before, string Country) TakeCountry(string text)
    {
        var country = "";
        var rest = text.Trim();
        if (Bracketed().Match(rest) is { Success: true } bracketed && Countries.Find(bracketed.Groups[2].Value) is { } inBrackets)
            return (bracketed.Groups[1].Value.Trim(), inBrackets.Country);
        for (var turn = 0; turn < 2; turn++)
        {
            var cut = rest.LastIndexOfAny([',', '-']);
            if (cut <= 0)
                break;
            var last = rest[(cut + 1)..].Trim();
            // Two letters behind a comma are as well a state; behind a dash, and three, are not.
            if (last.Length == 2 && rest[cut] == ',' || Countries.Find(last) is not { } found || country.Length > 0 && found.Country != country)
                break;
            (rest, country) = (rest[..cut].TrimEnd(), found.Country);
        }

        return (rest, country);
    }

    private static string Shorten(string rest, string lastWord)
    {
        var end = lastWord.Length == 0 ? -1 : rest.LastIndexOf(lastWord, StringComparison.Ordinal);
        return end < 0 ? rest : rest[..(end + lastWord.Length)];
    }

    [GeneratedRegex(@"^(.+)\(([A-Za-z]{2,3})\)$")]
    private static partial Regex Bracketed();

    [GeneratedRegex(@"^(\d{4,6}|\d{5}-\d{3,4}|[A-Z]\d[A-Z]\d[A-Z]\d)$")]
    private static partial Regex PostalCode();
}
