using System.Globalization;
using System.Text.Json;

namespace Commerce.Shipments.Carriers;

/// <summary>One event as a carrier tells it, read field by field: what is missing or of a wrong type costs no more than itself.</summary>
internal sealed record CarrierEvent(string TrackingNumber, string Code, string Description, string LocalTime, PlaceRecord Place)
{
    /// <summary>What it says of a delivery; null if nothing.</summary>
    public ProofRecord? Proof { get; init; }

    private const int LongestText = 500;
    private const int EarliestYear = 2000;

    private static readonly string[] TimeFormats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFzzz",
        "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd' 'HH:mmK",
    ];

    /// <summary>Null if it names no parcel, which is the one thing that an event cannot do without.</summary>
    public static CarrierEvent? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || TrackingNumberOf(json) is not { } number)
            return null;
        var location = json.TryGetProperty("location", out var place) ? place : default;
        return new CarrierEvent(
            number,
            Text(json, "code", 40),
            Text(json, "description", LongestText),
            Text(json, "occurred_at", 40),
            new PlaceRecord("", Text(location, "city", 100), Text(location, "region", 100), Text(location, "postal_code", 20), Country(Text(location, "country_code", 10))))
        {
            Proof = ProofOf(json.TryGetProperty("proof_of_delivery", out var proof) ? proof : default),
        };
    }

    /// <summary>Of texts as a carrier has them; what is too long or no text is cut.</summary>
    public static CarrierEvent Of(string trackingNumber, string code, string description, string time, string city, string region, string postalCode, string country) => new(
        trackingNumber, Bounded(code, 40), Bounded(description, LongestText), Bounded(time, 40),
        new PlaceRecord("", Bounded(city, 100), Bounded(region, 100), Bounded(postalCode, 20), Country(country)));

    /// <summary>
    /// The scan. A time that cannot be read, that lies in the far past or further ahead than a clock can be wrong is replaced by
    /// the time of receipt; the carrier's own text of it is kept. A time without a zone is taken for UTC.
    /// </summary>
    public Scan ToScan(string carrier, string source, DateTimeOffset now, TimeSpan futureTolerance)
    {
        var meaning = CarrierCodes.MeaningOf(carrier, Code, Description);
        var readable = TryReadTime(LocalTime, out var time);
        return new Scan(
            Scan.IdOf(carrier, TrackingNumber, Code.Length > 0 ? Code : StatusName.Of(meaning.Status), readable ? IdentityOf(time) : LocalTime, Place),
            meaning.Status,
            meaning.Party,
            meaning.ReasonCode,
            meaning.Inferred,
            Code,
            Description,
            readable && time.Year >= EarliestYear && time <= now + futureTolerance ? time.ToUniversalTime() : now,
            LocalTime,
            Place,
            source,
            now)
        {
            Proof = meaning.Status == V1.TrackingStatus.Delivered ? Proof : null,
        };
    }

    // A webhook and a poll may write one time differently ("…:00Z", "…:00.000+00:00"): the scan is the same.
    private static string IdentityOf(DateTimeOffset time) => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    // Only forms that say year, month and day in one order: a lenient reader makes a date of "20:00" by the machine's clock.
    private static bool TryReadTime(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);

    private static ProofRecord? ProofOf(JsonElement json)
    {
        var proof = new ProofRecord(Text(json, "signed_by", 200), Text(json, "photo_reference", LongestText), Degrees(json, "latitude", 90), Degrees(json, "longitude", 180), Text(json, "left_at", 200));
        // Half a position is none.
        if (proof.Latitude is null || proof.Longitude is null)
            proof = proof with { Latitude = null, Longitude = null };
        return proof is { SignedBy: "", PhotoReference: "", LeftAt: "", Latitude: null } ? null : proof;
    }

    private static double? Degrees(JsonElement json, string name, double most) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var degrees) && Math.Abs(degrees) <= most
            ? degrees
            : null;

    // A number that is not quoted is one all the same.
    private static string? TrackingNumberOf(JsonElement json) => Commerce.TrackingNumber.Normalise(Text(json, "tracking_number", 100));

    // Two letters or nothing: the first two of "AUT" are another country.
    private static string Country(string code) =>
        code is [var a, var b] && char.IsAsciiLetter(a) && char.IsAsciiLetter(b) ? $"{a}{b}".ToUpperInvariant() : "";

    private static string Text(JsonElement json, string name, int longest)
    {
        string text;
        try
        {
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out var value))
                return "";
            text = value.ValueKind switch
            {
                JsonValueKind.String => value.GetString() ?? "",
                JsonValueKind.Number => value.GetRawText(),
                _ => "",
            };
        }
        // JSON may escape half a character ("\ud800"); it is found only when the text is asked for.
        catch (InvalidOperationException)
        {
            return "";
        }

        return Bounded(text, longest);
    }

    private static string Bounded(string text, int longest)
    {
        // Postgres stores no NUL, and no terminal should meet another control character.
        text = string.Concat(text.Where(c => !char.IsControl(c))).Trim();
        if (text.Length <= longest)
            return text;
        return char.IsHighSurrogate(text[longest - 1]) ? text[..(longest - 1)] : text[..longest];
    }
}
