using System.Globalization;
using System.Text.Json;

namespace Commerce.Shipments.Carriers;

/// <summary>Where in a carrier's answer something stands: names and places with dots between, for example "shipment.rates[0].price"; empty: the whole.</summary>
internal sealed class JsonPath
{
    private readonly IReadOnlyList<(string Name, int Index)> _steps;

    private JsonPath(IReadOnlyList<(string, int)> steps) => _steps = steps;

    /// <summary>Null if it is none.</summary>
    public static JsonPath? TryParse(string text)
    {
        const int mostSteps = 20;
        var steps = new List<(string, int)>();
        foreach (var part in text.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            var rest = part;
            var bracket = rest.IndexOf('[', StringComparison.Ordinal);
            var name = bracket < 0 ? rest : rest[..bracket];
            if (name.Length > 0)
                steps.Add((name, -1));
            rest = bracket < 0 ? "" : rest[bracket..];
            while (rest.Length > 0)
            {
                var end = rest.IndexOf(']', StringComparison.Ordinal);
                if (rest[0] != '[' || end < 2 || !int.TryParse(rest.AsSpan(1, end - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                    return null;
                steps.Add(("", index));
                rest = rest[(end + 1)..];
            }
        }

        return steps.Count <= mostSteps ? new JsonPath(steps) : null;
    }

    /// <summary>Undefined where nothing stands there.</summary>
    public JsonElement Of(JsonElement json)
    {
        foreach (var (name, index) in _steps)
        {
            if (index >= 0)
                json = json.ValueKind == JsonValueKind.Array && index < json.GetArrayLength() ? json[index] : default;
            else
                json = json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : default;
        }

        return json;
    }

    /// <summary>The text or number that stands there; empty if none does.</summary>
    public string Text(JsonElement json) => CarrierAnswer.TryText(Of(json)) ?? "";
}
