using System.Globalization;
using Commerce.Shipments.V1;
using Commerce.Shipping.Postal;
using Google.Protobuf.Collections;
using Kind = Commerce.Shipments.V1.RateSurcharge.Types.Kind;

namespace Commerce.Shipping.Rates;

/// <summary>What is wrong with a rate card.</summary>
/// <param name="Path">Of the field, for example "zones[2].areas[0].region_code".</param>
public sealed record CardProblem(string Path, string Message);

/// <summary>
/// Makes a card that prices parcels of one that was written, or says everything that is wrong with it. Nothing is guessed: zones that
/// overlap, gaps between weights and prices that fall with weight are refused, because somebody would pay for them.
/// </summary>
public sealed class RateCardReader
{
    public const int MostProblems = 200;

    private const int MostOverlaps = 20;
    private const int MostServices = 50;
    private const int MostZones = 500;
    private const int MostParts = 20_000;
    private const int MostBreaks = 1_000;
    private const int MostSurcharges = 100;
    private const int LongestId = 40;
    private const int LongestTitle = 200;
    private const int HeaviestGrams = 30_000_000;
    private const int LongestMm = 100_000;
    private const int FarthestKm = 20_100;
    private const int LongestDays = 365;
    private const decimal MostPercent = 1_000;

    private readonly List<CardProblem> _problems = [];
    private int _decimals;
    private int _parts;

    private RateCardReader()
    {
    }

    /// <summary>The card, or null and what is wrong with it.</summary>
    /// <param name="carrier">Whose card it is.</param>
    /// <param name="id">Its id with the carrier.</param>
    public static PricedCard? Read(string carrier, string id, RateCard card, out IReadOnlyList<CardProblem> problems)
    {
        var reader = new RateCardReader();
        var priced = reader.Read(carrier, id, card);
        problems = [.. reader._problems.Take(MostProblems)];
        return problems.Count == 0 ? priced : null;
    }

    private PricedCard Read(string carrier, string id, RateCard card)
    {
        Title("title", card.Title);
        if (Currencies.MinorUnits(card.CurrencyCode) is { } decimals)
            _decimals = decimals;
        else
            Wrong("currency_code", card.CurrencyCode.Length == 0 ? "Is empty: give the ISO 4217 code of all prices, for example EUR." : $"\"{Shown(card.CurrencyCode)}\" is not an active ISO 4217 currency; give a code such as EUR.");
        var from = Date("valid_from", card.ValidFrom);
        var until = card.ValidUntil.Length == 0 ? (DateOnly?)null : Date("valid_until", card.ValidUntil);
        if (until < from)
            Wrong("valid_until", $"Is before valid_from, {card.ValidFrom}.");
        var zone = Zone(card.TimeZone);
        var origins = Areas("origins", card.Origins, restAllowed: false);

        Count("zones", card.Zones.Count, 1, MostZones);
        var zones = card.Zones.Take(MostZones).Select((one, i) => Zone($"zones[{i}]", one)).ToArray();
        Once("zones", "zone_id", zones.Select(one => one.Id));
        Overlaps(zones);

        Count("services", card.Services.Count, 1, MostServices);
        var known = zones.Select(one => one.Id).ToHashSet(StringComparer.Ordinal);
        var services = card.Services.Take(MostServices).Select((one, i) => Service($"services[{i}]", one, known)).ToArray();
        Once("services", "service", services.Select(one => one.Service));
        foreach (var (unpriced, i) in zones.Select((one, i) => (one, i)).Where(pair => services.Length > 0 && !services.Any(service => service.Zones.ContainsKey(pair.one.Id))))
            Wrong($"zones[{i}]", $"No service has prices for zone {unpriced.Id}: add them, or take the zone out.");

        Count("surcharges", card.Surcharges.Count, 0, MostSurcharges);
        var names = services.Select(one => one.Service).ToHashSet(StringComparer.Ordinal);
        var surcharges = card.Surcharges.Take(MostSurcharges).Select((one, i) => Surcharge($"surcharges[{i}]", one, names)).ToArray();
        return new PricedCard(carrier, id, card.Version, card.CurrencyCode, from, until, zone, origins, zones, services, surcharges);
    }

    private PricedZone Zone(string path, RateZone zone)
    {
        Id($"{path}.zone_id", zone.ZoneId);
        Title($"{path}.title", zone.Title);
        if (zone.Areas.Count == 0)
            Wrong($"{path}.areas", "Name at least one area: a country, or the rest of the world.");
        Range($"{path}.over_km", zone.OverKm, FarthestKm);
        Range($"{path}.up_to_km", zone.UpToKm, FarthestKm);
        if (zone.UpToKm != 0 && zone.UpToKm <= zone.OverKm)
            Wrong($"{path}.up_to_km", $"Is not more than over_km, {zone.OverKm}.");
        return new PricedZone(zone.ZoneId, zone.Title.Length > 0 ? zone.Title : zone.ZoneId, Areas($"{path}.areas", zone.Areas, restAllowed: true), zone.OverKm, zone.UpToKm);
    }

    private AreaPart[] Areas(string path, RepeatedField<RateArea> areas, bool restAllowed)
    {
        var parts = new List<AreaPart>();
        for (var i = 0; i < areas.Count; i++)
        {
            var (area, at) = (areas[i], $"{path}[{i}]");
            if (area.Rest)
            {
                if (!restAllowed)
                    Wrong($"{at}.rest", "Only a zone can be the rest of something.");
                if (area.AdministrativeAreas.Count > 0 || area.PostalCodes.Count > 0)
                    Wrong($"{at}.rest", "The rest is of a country or of the world: leave administrative_areas and postal_codes empty.");
                if (area.RegionCode.Length > 0 && !PostalFormats.IsCountry(area.RegionCode))
                    Wrong($"{at}.region_code", $"\"{Shown(area.RegionCode)}\" is not an ISO 3166 country; give a code such as DE, or none for the world.");
                parts.Add(new AreaPart(area.RegionCode, "", 0, 0, Rest: true));
                continue;
            }

            if (!PostalFormats.IsCountry(area.RegionCode))
            {
                Wrong($"{at}.region_code", area.RegionCode.Length == 0 ? "Is empty: give an ISO 3166 country, for example DE, or rest for everywhere else." : $"\"{Shown(area.RegionCode)}\" is not an ISO 3166 country; give a code such as DE.");
                continue;
            }

            var regions = area.AdministrativeAreas.Select(region => region.Trim().ToUpperInvariant()).DefaultIfEmpty("").ToList();
            if (area.AdministrativeAreas.Count > 0 && regions.Exists(region => region.Length is 0 or > LongestTitle))
                Wrong($"{at}.administrative_areas", "Has an empty one, or one that is too long.");
            var ranges = new List<(ulong First, ulong Last)>();
            for (var j = 0; j < area.PostalCodes.Count; j++)
            {
                if (Codes($"{at}.postal_codes[{j}]", area.RegionCode, area.PostalCodes[j]) is { } range)
                    ranges.Add(range);
            }

            if (area.PostalCodes.Count == 0)
                ranges.Add((0, 0));
            if ((_parts += regions.Count * ranges.Count) > MostParts)
            {
                Wrong(at, $"With it the card has more than {MostParts} parts of areas: join neighbouring postal codes to ranges.");
                return [.. parts];
            }

            parts.AddRange(regions.SelectMany(_ => ranges, (region, range) => new AreaPart(area.RegionCode, region, range.First, range.Last, Rest: false)));
        }

        return [.. parts];
    }

    private (ulong First, ulong Last)? Codes(string path, string country, string text)
    {
        text = text.Trim();
        if (text.EndsWith('*'))
        {
            if (PostalFormats.NormalisePrefix(country, text) is { } prefix)
                return (prefix, PostalKey.LastWithin(prefix));
            Wrong(path, $"No postal code of {country} begins with \"{Shown(text)}\".");
            return null;
        }

        var ends = text.Split("..");
        var codes = ends.Select(end => PostalFormats.Normalise(country, end)).ToList();
        if (ends.Length > 2 || codes.Contains(null))
        {
            Wrong(path, $"\"{Shown(text)}\" is not a postal code of {country}{(PostalFormats.PatternOf(country) is { Length: > 0 } pattern ? $" ({pattern}, # a digit, @ a letter)" : "")}: give a code, a range of two with .. between them, or a beginning with *.");
            return null;
        }

        var (first, last) = (codes[0]!.Keys[0], ends.Length == 1 ? codes[0]!.Keys[0] : PostalKey.LastWithin(codes[1]!.Keys[0]));
        if (last >= first)
            return (first, last);
        Wrong(path, $"\"{Shown(text)}\" ends before it begins.");
        return null;
    }

    // Two zones that could both hold a place: whoever goes there would have two prices.
    private void Overlaps(PricedZone[] zones)
    {
        var parts = zones.SelectMany((zone, i) => zone.Parts.Select((part, j) => (Zone: i, Part: part))).OrderBy(one => one.Part.Country, StringComparer.Ordinal).ThenBy(one => one.Part.First).ToList();
        var told = new HashSet<(int, int)>();
        var open = new List<(int Zone, AreaPart Part)>();
        foreach (var one in parts)
        {
            open.RemoveAll(before => before.Part.Country != one.Part.Country || (before.Part.HasCodes && one.Part.HasCodes && before.Part.Last < one.Part.First));
            foreach (var before in open)
            {
                if (before.Zone == one.Zone || !before.Part.Meets(one.Part) || !SameDistance(zones[before.Zone], zones[one.Zone]))
                    continue;
                var (a, b) = before.Zone < one.Zone ? (before, one) : (one, before);
                if (!told.Add((a.Zone, b.Zone)))
                    continue;
                Wrong(
                    $"zones[{b.Zone}].areas",
                    $"Zones {zones[a.Zone].Id} and {zones[b.Zone].Id} overlap: {a.Part}{Distance(zones[a.Zone])} and {b.Part}{Distance(zones[b.Zone])}. A place may be in one zone alone; for what no other zone names use rest.");
                if (told.Count == MostOverlaps)
                    return;
            }

            open.Add(one);
        }

        static bool SameDistance(PricedZone a, PricedZone b) => (a.UpToKm == 0 || a.UpToKm > b.OverKm) && (b.UpToKm == 0 || b.UpToKm > a.OverKm);

        static string Distance(PricedZone zone) => zone is { OverKm: 0, UpToKm: 0 } ? "" : zone.UpToKm == 0 ? $" over {zone.OverKm} km" : $" over {zone.OverKm} to {zone.UpToKm} km";
    }

    private PricedService Service(string path, RatedService service, HashSet<string> zones)
    {
        Id($"{path}.service", service.Service);
        Title($"{path}.title", service.Title);
        Range($"{path}.volumetric_divisor", service.VolumetricDivisor, 100_000);
        if (service.VolumetricDivisor is > 0 and < 100)
            Wrong($"{path}.volumetric_divisor", "Cubic centimetres a kilogram are some thousands, for example 5000.");
        Range($"{path}.weight_step_grams", service.WeightStepGrams, HeaviestGrams);
        Range($"{path}.max_grams", service.MaxGrams, HeaviestGrams);
        Range($"{path}.max_length_mm", service.MaxLengthMm, LongestMm);
        Range($"{path}.max_length_and_girth_mm", service.MaxLengthAndGirthMm, LongestMm);
        TimeOnly? cutOff = null;
        if (service.CutOff.Length > 0)
        {
            if (TimeOnly.TryParseExact(service.CutOff, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
                cutOff = time;
            else
                Wrong($"{path}.cut_off", $"\"{Shown(service.CutOff)}\" is not a time of day; write 16:00.");
        }

        if (service.ZoneRates.Count == 0)
            Wrong($"{path}.zone_rates", "Has no prices: give those of at least one zone.");
        var rates = new Dictionary<string, PricedZoneRate>(StringComparer.Ordinal);
        for (var i = 0; i < Math.Min(service.ZoneRates.Count, MostZones); i++)
        {
            var rate = service.ZoneRates[i];
            var at = $"{path}.zone_rates[{i}]";
            if (!zones.Contains(rate.ZoneId))
                Wrong($"{at}.zone_id", $"\"{Shown(rate.ZoneId)}\" is not a zone of this card.");
            else if (!rates.TryAdd(rate.ZoneId, Rate(at, rate)))
                Wrong($"{at}.zone_id", $"Zone {rate.ZoneId} has prices already.");
        }

        return new PricedService(
            service.Service, service.Title.Length > 0 ? service.Title : service.Service, service.VolumetricDivisor, service.WeightStepGrams, service.MaxGrams, service.MaxLengthMm,
            service.MaxLengthAndGirthMm, Amount($"{path}.minimum", service.Minimum) ?? 0, cutOff, service.BusinessDays, rates);
    }

    private PricedZoneRate Rate(string path, ZoneRate rate)
    {
        Range($"{path}.transit_days_min", rate.TransitDaysMin, LongestDays);
        Range($"{path}.transit_days_max", rate.TransitDaysMax, LongestDays);
        if (rate.TransitDaysMax < rate.TransitDaysMin)
            Wrong($"{path}.transit_days_max", $"Is less than transit_days_min, {rate.TransitDaysMin}.");
        Count($"{path}.breaks", rate.Breaks.Count, 1, MostBreaks);
        var breaks = new List<PricedBreak>();
        for (var i = 0; i < Math.Min(rate.Breaks.Count, MostBreaks); i++)
        {
            var (one, at) = (rate.Breaks[i], $"{path}.breaks[{i}]");
            var reached = i == 0 ? 0 : rate.Breaks[i - 1].UpToGrams;
            if (one.OverGrams > reached)
                Wrong($"{at}.over_grams", i == 0 ? $"The first break begins at {one.OverGrams} g: what is lighter has no price. Begin at 0." : $"There is a gap: the break before ends at {reached} g and this begins at {one.OverGrams} g.");
            else if (one.OverGrams < reached)
                Wrong($"{at}.over_grams", $"Overlaps the break before it, which ends at {reached} g.");
            if (one.UpToGrams <= one.OverGrams || one.UpToGrams > HeaviestGrams)
                Wrong($"{at}.up_to_grams", $"Must be more than over_grams, {one.OverGrams}, and at most {HeaviestGrams}.");
            var price = Amount($"{at}.price", one.Price);
            if (price is null && one.Price.Length == 0)
                Wrong($"{at}.price", "Is empty: write the price, for example 4.95.");
            if (price is { } minor && breaks.Count > 0 && minor < breaks[^1].Minor)
                Wrong($"{at}.price", $"Is less than {rate.Breaks[i - 1].Price} of the lighter break before it: a heavier parcel never costs less.");
            breaks.Add(new PricedBreak(one.OverGrams, one.UpToGrams, price ?? 0));
        }

        Range($"{path}.each_further_grams", rate.EachFurtherGrams, HeaviestGrams);
        var each = Amount($"{path}.price_each_further", rate.PriceEachFurther);
        if (rate.EachFurtherGrams > 0 != each is not null && (each is not null || rate.PriceEachFurther.Length == 0))
            Wrong($"{path}.price_each_further", "Goes with each_further_grams: give both or neither.");
        if (breaks.Count == 0)
            breaks.Add(new PricedBreak(0, 1, 0));
        return new PricedZoneRate(rate.TransitDaysMin, rate.TransitDaysMax, [.. breaks], rate.EachFurtherGrams, each ?? 0);
    }

    private PricedSurcharge Surcharge(string path, RateSurcharge one, HashSet<string> services)
    {
        if (!Enum.IsDefined(one.Kind) || one.Kind == Kind.Unspecified)
            Wrong($"{path}.kind", "Say what it is for: KIND_FUEL, KIND_REMOTE_AREA, KIND_CASH_ON_DELIVERY, KIND_SIGNATURE, KIND_OVERSIZE, KIND_RESIDENTIAL or KIND_OTHER.");
        Title($"{path}.title", one.Title);
        for (var i = 0; i < one.Services.Count; i++)
        {
            if (!services.Contains(one.Services[i]))
                Wrong($"{path}.services[{i}]", $"\"{Shown(one.Services[i])}\" is not a service of this card.");
        }

        var amount = Amount($"{path}.amount", one.Amount);
        decimal? percent = null;
        if (one.Percent.Length > 0)
        {
            if (decimal.TryParse(one.Percent, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= MostPercent && value == Math.Round(value, 4))
                percent = value;
            else
                Wrong($"{path}.percent", $"\"{Shown(one.Percent)}\" is not a percentage from 0 to {MostPercent} with at most four decimals, such as 12.5.");
        }

        if (one.Amount.Length == 0 && one.Percent.Length == 0)
            Wrong($"{path}.amount", "Give an amount, a percent, or both.");
        if (one.OnSurcharges && (one.Percent.Length == 0 || one.Kind == Kind.CashOnDelivery))
            Wrong($"{path}.on_surcharges", "Goes with a percentage of the freight.");
        var minimum = Amount($"{path}.minimum", one.Minimum) ?? 0;
        if (one.Minimum.Length > 0 && one.Percent.Length == 0)
            Wrong($"{path}.minimum", "Goes with a percent: an amount is its own least.");
        if (one.Kind == Kind.RemoteArea && one.Areas.Count == 0)
            Wrong($"{path}.areas", "Say which areas are remote.");
        Range($"{path}.over_length_mm", one.OverLengthMm, LongestMm);
        Range($"{path}.over_length_and_girth_mm", one.OverLengthAndGirthMm, LongestMm);
        Range($"{path}.over_grams", one.OverGrams, HeaviestGrams);
        var measured = one.OverLengthMm > 0 || one.OverLengthAndGirthMm > 0 || one.OverGrams > 0;
        if (measured != (one.Kind == Kind.Oversize))
            Wrong($"{path}.over_length_mm", measured ? "Measures go with KIND_OVERSIZE." : "Say beyond which length, girth or weight it applies.");
        return new PricedSurcharge(
            one.Kind, one.Title.Length > 0 ? one.Title : WordsOf(one.Kind), one.Services.ToHashSet(StringComparer.Ordinal), percent is null ? amount ?? 0 : amount, percent, minimum, one.OnSurcharges,
            Areas($"{path}.areas", one.Areas, restAllowed: false), one.OverLengthMm, one.OverLengthAndGirthMm, one.OverGrams);
    }

    private static string WordsOf(Kind kind) => kind switch
    {
        Kind.Fuel => "Fuel",
        Kind.RemoteArea => "Remote area",
        Kind.CashOnDelivery => "Cash on delivery",
        Kind.Signature => "Signature",
        Kind.Oversize => "Oversize",
        Kind.Residential => "Residential address",
        _ => "Other",
    };

    // The amount in the smallest unit; null if there is none, or none that is right.
    private long? Amount(string path, string text)
    {
        if (text.Length == 0)
            return null;
        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
        {
            Wrong(path, $"\"{Shown(text)}\" is not an amount; write digits and a point, for example 4.95.");
            return null;
        }

        if (value < 0)
        {
            Wrong(path, $"{Shown(text)} is negative: nothing costs less than nothing.");
            return null;
        }

        if (value > 1_000_000_000)
        {
            Wrong(path, $"{Shown(text)} is more than a billion.");
            return null;
        }

        for (var i = 0; i < _decimals; i++)
            value *= 10;
        if (value == decimal.Truncate(value))
            return (long)value;
        Wrong(path, $"{Shown(text)} has more decimals than the currency, which has {_decimals}.");
        return null;
    }

    private DateOnly Date(string path, string text)
    {
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) && date.Year is >= 1990 and <= 2200)
            return date;
        Wrong(path, text.Length == 0 ? "Is empty: write the day as 2026-01-31." : $"\"{Shown(text)}\" is not a day; write 2026-01-31.");
        return DateOnly.MinValue;
    }

    private TimeZoneInfo Zone(string id)
    {
        if (id.Length == 0)
            return TimeZoneInfo.Utc;
        if (id.Length <= LongestTitle && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone))
            return zone;
        Wrong("time_zone", $"\"{Shown(id)}\" is not an IANA time zone; write one such as Europe/Berlin.");
        return TimeZoneInfo.Utc;
    }

    private void Id(string path, string id)
    {
        if (id.Length is 0 or > LongestId || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            Wrong(path, $"Give 1 to {LongestId} letters, digits, dashes, underscores or points.");
    }

    private void Title(string path, string title)
    {
        if (title.Length > LongestTitle || title.Any(char.IsControl))
            Wrong(path, $"Has at most {LongestTitle} characters, and no line breaks.");
    }

    private void Range(string path, int value, int most)
    {
        if (value < 0 || value > most)
            Wrong(path, $"Give 0 to {most}.");
    }

    private void Count(string path, int count, int least, int most)
    {
        if (count < least || count > most)
            Wrong(path, $"Has {count}; {least} to {most} are allowed.");
    }

    private void Once(string path, string field, IEnumerable<string> ids)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (id, i) in ids.Select((id, i) => (id, i)))
        {
            if (!seen.TryAdd(id, i))
                Wrong($"{path}[{i}].{field}", $"\"{Shown(id)}\" is that of {path}[{seen[id]}] already.");
        }
    }

    private void Wrong(string path, string message)
    {
        if (_problems.Count < MostProblems)
            _problems.Add(new CardProblem(path, message));
    }

    private static string Shown(string text) => string.Concat(text.Where(c => !char.IsControl(c)).Take(40));
}
