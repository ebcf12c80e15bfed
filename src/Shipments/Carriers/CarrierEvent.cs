using System.Globalization;
using System.Text.Json;

namespace Commerce.Shipments.Carriers;

/// <summary>One event as a carrier tells it, read field by field: what is missing or of a wrong type costs no more than itself.</summary>
internal sealed record CarrierEvent(string TrackingNumber, string Code, string Description, string LocalTime, PlaceRecord Place)
{
    private const int LongestText = 500;

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
            new PlaceRecord("", Text(location, "city", 100), Text(location, "region", 100), Text(location, "postal_code", 20), Text(location, "country_code", 2)));
    }

    /// <summary>
    /// The scan. A time that cannot be read, that lies in the far past or further ahead than a clock can be wrong is replaced by
    /// the time of receipt; the carrier's own text of it is kept.
    /// </summary>
    public Scan ToScan(string carrier, string source, DateTimeOffset now, TimeSpan futureTolerance)
    {
        var meaning = CarrierCodes.MeaningOf(carrier, Code, Description);
        var readable = DateTimeOffset.TryParse(LocalTime, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            && time.Year >= 2000 && time <= now + futureTolerance;
        return new Scan(
            Scan.IdOf(carrier, TrackingNumber, Code.Length > 0 ? Code : StatusName.Of(meaning.Status), LocalTime, Place),
            meaning.Status,
            meaning.Party,
            meaning.ReasonCode,
            meaning.Inferred,
            Code,
            Description,
            readable ? time.ToUniversalTime() : now,
            LocalTime,
            Place,
            source,
            now);
    }

    private static string? TrackingNumberOf(JsonElement json) =>
        json.TryGetProperty("tracking_number", out var number) && number.ValueKind == JsonValueKind.String
            ? Commerce.TrackingNumber.Normalise(number.GetString())
            : null;

    private static string Text(JsonElement json, string name, int longest)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out var value))
            return "";
        var text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString() ?? "",
            JsonValueKind.Number => value.GetRawText(),
            _ => "",
        };
        // Postgres stores no NUL, and no terminal should meet another control character.
        text = string.Concat(text.Where(c => !char.IsControl(c))).Trim();
        return text.Length <= longest ? text : text[..longest];
    }
}
