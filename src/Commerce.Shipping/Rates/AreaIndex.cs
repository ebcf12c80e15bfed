using Commerce.Shipping.Postal;

namespace Commerce.Shipping.Rates;

/// <summary>A part of the world as a card's reader understood it: one country (empty: the rest of the world), perhaps one region, a range of keys.</summary>
internal readonly record struct AreaPart(string Country, string Region, ulong First, ulong Last, bool Rest)
{
    public bool HasCodes => First > 0;

    /// <summary>How narrowly it names a place; a place that it does not hold: -1.</summary>
    public int Fits(RatePlace place)
    {
        if (Rest)
            return Country.Length == 0 ? 0 : Country == place.Country ? 1 : -1;
        if (Country != place.Country || (Region.Length > 0 && !Region.Equals(place.Region.Trim(), StringComparison.OrdinalIgnoreCase)))
            return -1;
        if (!HasCodes)
            return 2;
        var (first, last) = (First, Last);
        return place.Code?.Keys.Any(key => key >= first && key <= last) == true ? 2 : -1;
    }

    /// <summary>Whether a place could be in both.</summary>
    public bool Meets(AreaPart other) =>
        Country == other.Country && Rest == other.Rest
        && (Region.Length == 0 || other.Region.Length == 0 || Region == other.Region)
        && (!HasCodes || !other.HasCodes || (First <= other.Last && other.First <= Last));

    public override string ToString() =>
        Rest ? Country.Length == 0 ? "the rest of the world" : $"the rest of {Country}"
        : HasCodes ? $"{Country} {(Region.Length > 0 ? Region + " " : "")}{PostalFormats.TextOf(Country, First)}{(Last == First ? "" : $" to {TextOfLast()}")}"
        : Region.Length > 0 ? $"{Country} {Region}" : Country;

    // The last key of a range stands for all codes that begin so: shown is the longest real beginning of them.
    private string TextOfLast()
    {
        var text = PostalKey.Decode(Last).TrimEnd('Z');
        return PostalKey.TryEncode(text, out var key) ? PostalFormats.TextOf(Country, key) : text;
    }
}
