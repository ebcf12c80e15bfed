namespace Commerce.Tracking;

/// <summary>Places as they are counted: one scan says "São Paulo, SP" where another of the same carrier has "SAO PAULO, sp".</summary>
public static class PlaceKey
{
    private const int Longest = 60;

    /// <summary>Country, region and town, folded ("BR/sp/sao paulo"); of a place without a town its postal code; empty where neither is known.</summary>
    public static string Of(PlaceRecord place)
    {
        var (locality, region) = (Part(Folded.Of(place.Locality ?? "")), Part(Folded.Of(place.Region ?? "")));
        var country = Part((place.Country ?? "").Trim().ToUpperInvariant());
        if (locality.Length > 0)
            return $"{country}/{region}/{locality}";
        return Part(Folded.Of(place.PostalCode ?? "")) is { Length: > 0 } code ? $"{country}/#{code.ToUpperInvariant()}" : "";
    }

    /// <summary>The place in words, "São Paulo, SP, BR".</summary>
    public static string NameOf(PlaceRecord place) =>
        string.Join(", ", new[] { string.IsNullOrWhiteSpace(place.Locality) ? place.PostalCode : place.Locality, place.Region, place.Country }.Select(text => Part((text ?? "").Trim())).Where(text => text.Length > 0));

    private static string Part(string text) => text.Length <= Longest ? text : text[..Longest];
}
