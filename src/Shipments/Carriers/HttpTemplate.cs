using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Commerce.Shipments.Carriers;

/// <summary>A text with names in braces. What is filled in cannot leave its place: it is escaped for a URL or for JSON.</summary>
internal sealed partial class HttpTemplate
{
    private static readonly string[] Known =
    [
        "reference", "order_reference", "service", "label_id", "tracking_number",
        "from.city", "from.region", "from.postal_code", "from.country",
        "to.name", "to.line1", "to.line2", "to.city", "to.region", "to.postal_code", "to.country",
        "parcel.weight_grams", "parcel.weight_kg", "parcel.length_mm", "parcel.width_mm", "parcel.height_mm",
        "value.minor", "value.amount", "value.currency",
    ];

    private readonly string _text;

    private HttpTemplate(string text) => _text = text;

    /// <summary>What is wrong with it; null: nothing.</summary>
    public static string? Error(string text, bool isJson)
    {
        var unknown = Names().Matches(text).Select(match => match.Groups[1].Value).FirstOrDefault(name => !Known.Contains(name, StringComparer.Ordinal));
        if (unknown is not null)
            return $"knows no {{{unknown}}}; there are {string.Join(", ", Known)}";
        if (!isJson || text.Length == 0)
            return null;
        try
        {
            // A nought is a number, and within quotes a text.
            using var document = JsonDocument.Parse(Names().Replace(text, "0"));
            return null;
        }
        catch (JsonException exception)
        {
            return $"is no JSON once it is filled in (line {exception.LineNumber}, byte {exception.BytePositionInLine})";
        }
    }

    public static HttpTemplate Of(string text) => new(text);

    public string Url(IReadOnlyDictionary<string, string> values) => Names().Replace(_text, match => Uri.EscapeDataString(values.GetValueOrDefault(match.Groups[1].Value, "")));

    public string Json(IReadOnlyDictionary<string, string> values) => Names().Replace(_text, match => JsonEncodedText.Encode(values.GetValueOrDefault(match.Groups[1].Value, "")).ToString());

    /// <summary>What there is to fill in of what rates are asked for.</summary>
    public static Dictionary<string, string> ValuesOf(RateQuestion question)
    {
        var (from, to, size, value) = question;
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["from.city"] = from.Locality,
            ["from.region"] = from.Region,
            ["from.postal_code"] = from.PostalCode,
            ["from.country"] = from.Country,
            ["to.city"] = to.Locality,
            ["to.region"] = to.Region,
            ["to.postal_code"] = to.PostalCode,
            ["to.country"] = to.Country,
            ["parcel.weight_grams"] = Number(size.WeightGrams),
            ["parcel.weight_kg"] = (size.WeightGrams / 1000m).ToString(CultureInfo.InvariantCulture),
            ["parcel.length_mm"] = Number(size.LengthMm),
            ["parcel.width_mm"] = Number(size.WidthMm),
            ["parcel.height_mm"] = Number(size.HeightMm),
            ["value.minor"] = Number(value.Minor),
            ["value.amount"] = value.ToString().Split(' ')[0],
            ["value.currency"] = value.Currency,
        };

        static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>What there is to fill in of a parcel.</summary>
    public static Dictionary<string, string> ValuesOf(Shipment shipment)
    {
        var to = shipment.ShipTo;
        var values = ValuesOf(new RateQuestion(shipment.ShipFrom, new PlaceRecord("", to.Locality, to.Region, to.PostalCode, to.Country), shipment.Size, shipment.Value));
        values["reference"] = shipment.PublicId;
        values["order_reference"] = shipment.OrderReference;
        values["to.name"] = to.Name;
        values["to.line1"] = to.Lines.ElementAtOrDefault(0) ?? "";
        values["to.line2"] = string.Join(", ", to.Lines.Skip(1));
        return values;
    }

    [GeneratedRegex(@"\{([a-z0-9_.]+)\}")]
    private static partial Regex Names();
}
