using System.Collections.Concurrent;

namespace Commerce.Tracking.Places;

/// <summary>The clocks of a place.</summary>
internal static class Zones
{
    private static readonly ConcurrentDictionary<string, TimeZoneInfo?> Known = new(StringComparer.Ordinal);

    /// <summary>The zone of the place, and whether it is the only one that it can be; null if nothing is known of it.</summary>
    public static (string Zone, bool Certain)? Of(PlaceRecord place)
    {
        // A state names its country where carriers leave that out.
        var country = place.Country;
        if (country.Length == 0 && place.Region.Length is 2 or 3)
        {
            foreach (var (guess, postal) in (ReadOnlySpan<(string, int)>)[("US", 5), ("AU", 4), ("BR", 8)])
            {
                if (place.PostalCode.Count(char.IsAsciiDigit) == postal && Countries.Region(guess, place.Region) is { } guessed)
                    return Found(guessed);
            }
        }

        if (country.Length == 0)
            return null;
        return Countries.Region(country, place.Region) is { } region ? Found(region) : Countries.Find(country) is { } whole ? Found(whole) : null;
    }

    /// <summary>The offset of the zone's clocks at that local time; nought if the machine does not know the zone.</summary>
    public static TimeSpan Offset(string zone, DateTime local) => Known.GetOrAdd(zone, Load)?.GetUtcOffset(local) ?? TimeSpan.Zero;

    private static (string, bool)? Found(Territory territory) => territory.Zone.Length > 0 && Known.GetOrAdd(territory.Zone, Load) is not null ? (territory.Zone, territory.Certain) : null;

    private static TimeZoneInfo? Load(string zone) => TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) ? found : null;
}
