using NodaTime;
using NodaTime.TimeZones;

namespace Commerce.Shipments.EstimatingArrivals;

/// <summary>
/// The clock on a recipient's wall: a day of delivery is theirs, not the server's. The time zone comes from the address: of a country with
/// one zone that one, of a larger one its region's, and where neither tells, the zone that most of the country lives in.
/// </summary>
internal static class RecipientClock
{
    public const string Unknown = "Etc/UTC";

    private static readonly Dictionary<string, string> ByRegion = Regions();

    // Of countries with several zones, where most people live; Brazil's, Canada's, … regions are above.
    private static readonly Dictionary<string, string> ByCountry = new(StringComparer.OrdinalIgnoreCase)
    {
        ["AR"] = "America/Argentina/Buenos_Aires",
        ["AU"] = "Australia/Sydney",
        ["BR"] = "America/Sao_Paulo",
        ["CA"] = "America/Toronto",
        ["CD"] = "Africa/Kinshasa",
        ["CL"] = "America/Santiago",
        ["CN"] = "Asia/Shanghai",
        ["CY"] = "Asia/Nicosia",
        ["DE"] = "Europe/Berlin",
        ["EC"] = "America/Guayaquil",
        ["ES"] = "Europe/Madrid",
        ["ID"] = "Asia/Jakarta",
        ["KZ"] = "Asia/Almaty",
        ["MN"] = "Asia/Ulaanbaatar",
        ["MX"] = "America/Mexico_City",
        ["MY"] = "Asia/Kuala_Lumpur",
        ["NZ"] = "Pacific/Auckland",
        ["PT"] = "Europe/Lisbon",
        ["RU"] = "Europe/Moscow",
        ["UA"] = "Europe/Kyiv",
        ["US"] = "America/New_York",
        ["UZ"] = "Asia/Tashkent",
        ["VN"] = "Asia/Ho_Chi_Minh",
    };

    private static readonly Dictionary<string, string> OnlyZones = (TzdbDateTimeZoneSource.Default.ZoneLocations ?? [])
        .GroupBy(location => location.CountryCode, StringComparer.OrdinalIgnoreCase).Where(zones => zones.Count() == 1)
        .ToDictionary(zones => zones.Key, zones => zones.First().ZoneId, StringComparer.OrdinalIgnoreCase);

    /// <summary>The IANA name of an address's time zone.</summary>
    public static string ZoneOf(string country, string region) =>
        ByRegion.GetValueOrDefault($"{country}/{Plain(country, region)}".ToUpperInvariant())
        ?? OnlyZones.GetValueOrDefault(country)
        ?? ByCountry.GetValueOrDefault(country)
        ?? Unknown;

    /// <summary>The same moment by the clock of a zone.</summary>
    public static DateTimeOffset At(DateTimeOffset moment, string zone)
    {
        var found = DateTimeZoneProviders.Tzdb.GetZoneOrNull(zone) ?? DateTimeZone.Utc;
        return moment.ToOffset(found.GetUtcOffset(Instant.FromDateTimeOffset(moment)).ToTimeSpan());
    }

    // "US-CA" (ISO 3166-2) is "CA".
    private static string Plain(string country, string region) =>
        region.StartsWith(country + "-", StringComparison.OrdinalIgnoreCase) ? region[(country.Length + 1)..] : region.Trim();

    private static Dictionary<string, string> Regions()
    {
        var zones = new Dictionary<string, string>(StringComparer.Ordinal);
        Add("BR", "America/Manaus", "AM", "Amazonas");
        Add("BR", "America/Porto_Velho", "RO", "Rondônia");
        Add("BR", "America/Boa_Vista", "RR", "Roraima");
        Add("BR", "America/Rio_Branco", "AC", "Acre");
        Add("BR", "America/Cuiaba", "MT", "Mato Grosso");
        Add("BR", "America/Campo_Grande", "MS", "Mato Grosso do Sul");
        Add("BR", "America/Belem", "PA", "AP");
        Add("BR", "America/Fortaleza", "CE", "MA", "PI", "RN", "PB");
        Add("BR", "America/Recife", "PE");
        Add("BR", "America/Maceio", "AL", "SE");
        Add("BR", "America/Bahia", "BA");
        Add("BR", "America/Araguaina", "TO");
        Add("US", "America/Chicago", "AL", "AR", "IA", "IL", "KS", "LA", "MN", "MO", "MS", "ND", "NE", "OK", "SD", "TN", "TX", "WI");
        Add("US", "America/Denver", "CO", "ID", "MT", "NM", "UT", "WY");
        Add("US", "America/Phoenix", "AZ");
        Add("US", "America/Los_Angeles", "CA", "NV", "OR", "WA");
        Add("US", "America/Anchorage", "AK");
        Add("US", "Pacific/Honolulu", "HI");
        Add("US", "America/Puerto_Rico", "PR", "VI");
        Add("US", "Pacific/Guam", "GU", "MP");
        Add("CA", "America/Vancouver", "BC");
        Add("CA", "America/Edmonton", "AB", "NT");
        Add("CA", "America/Regina", "SK");
        Add("CA", "America/Winnipeg", "MB");
        Add("CA", "America/Halifax", "NS", "PE", "NB");
        Add("CA", "America/St_Johns", "NL");
        Add("CA", "America/Whitehorse", "YT");
        Add("AU", "Australia/Perth", "WA");
        Add("AU", "Australia/Adelaide", "SA");
        Add("AU", "Australia/Darwin", "NT");
        Add("AU", "Australia/Brisbane", "QLD");
        Add("AU", "Australia/Melbourne", "VIC");
        Add("AU", "Australia/Hobart", "TAS");
        Add("MX", "America/Tijuana", "BC", "BCN");
        Add("MX", "America/Hermosillo", "SON");
        Add("MX", "America/Mazatlan", "SIN", "NAY", "BCS");
        Add("MX", "America/Cancun", "QR", "ROO");
        Add("ES", "Atlantic/Canary", "GC", "TF", "CN");
        Add("PT", "Atlantic/Madeira", "30");
        Add("PT", "Atlantic/Azores", "20");
        Add("ID", "Asia/Makassar", "BA", "NB", "NT", "SN", "ST", "SA", "SG", "GO", "KS", "KI", "KU");
        Add("ID", "Asia/Jayapura", "PA", "PB", "MA", "MU");
        return zones;

        void Add(string country, string zone, params ReadOnlySpan<string> regions)
        {
            foreach (var region in regions)
                zones[$"{country}/{region}".ToUpperInvariant()] = zone;
        }
    }
}
