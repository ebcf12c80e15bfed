using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json.Nodes;
using Commerce.Tracking.Places;

namespace Commerce.Tracking.Vocabularies;

/// <summary>A parcel as it is told to others.</summary>
/// <param name="Carrier">Our code of the carrier.</param>
/// <param name="TrackingNumber">The carrier's number.</param>
/// <param name="State">What its scans together say.</param>
/// <param name="Scans">Its scans, in any order.</param>
/// <param name="EstimatedAt">When it is expected; null if nobody knows.</param>
public sealed record ToldParcel(string Carrier, string TrackingNumber, TrackingState State, IReadOnlyList<Scan> Scans, DateTimeOffset? EstimatedAt);

/// <summary>
/// Tells a parcel in somebody else's vocabulary and shape: the words are that vocabulary's table, the shape its template. "$name" in a
/// template is a field, null where there is nothing; a list that begins with "$oldest" or "$newest" has its second element for each scan
/// in that order, and one with "$newest1" is the newest alone. What came from that vocabulary goes back in its own words.
/// </summary>
public static class Telling
{
    private static readonly FrozenDictionary<string, JsonNode> Templates = Table.Names("Vocabularies.Templates", ".json").ToFrozenDictionary(name => name, name =>
    {
        using var file = Table.Open($"Vocabularies.Templates.{name}.json");
        return JsonNode.Parse(file)!;
    });

    /// <summary>The vocabularies that a parcel can be told in.</summary>
    public static IReadOnlyCollection<string> Names => Templates.Keys;

    /// <summary>The parcel as that vocabulary's users know it.</summary>
    /// <exception cref="ArgumentException">There is no template of that name.</exception>
    public static JsonObject Tell(ToldParcel parcel, string vocabulary)
    {
        if (!Templates.TryGetValue(vocabulary, out var template))
            throw new ArgumentException($"There is no vocabulary {vocabulary}; there are {string.Join(", ", Names)}.", nameof(vocabulary));
        var scans = parcel.Scans.OrderBy(scan => scan.OccurredAt).ThenBy(scan => scan.Id).ToList();
        var teller = new Teller(vocabulary, parcel, scans);
        return (JsonObject)teller.Fill(template, teller.Current())!;
    }

    private sealed class Teller(string vocabulary, ToldParcel parcel, List<Scan> scans)
    {
        private readonly Vocabulary _words = Vocabulary.Of(vocabulary);

        public FrozenDictionary<string, JsonNode?> Current()
        {
            // The scan that made the state what it is, for what it says in its own words.
            var scan = scans.LastOrDefault(scan => scan.Status == parcel.State.Status && scan.ReasonCode == parcel.State.ReasonCode);
            return Values(parcel.State.Status, parcel.State.ReasonCode, scan);
        }

        public JsonNode? Fill(JsonNode? template, FrozenDictionary<string, JsonNode?> values) => template switch
        {
            JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, Fill(member.Value, values)))),
            JsonArray { Count: 2 } list when list[0]?.ToString() is ['$', ..] => Each(list[0]!.ToString(), list[1]!),
            JsonArray items => new JsonArray([.. items.Select(item => Fill(item, values))]),
            JsonValue text when text.ToString() is ['$', .. var name] => values[name]?.DeepClone(),
            _ => template?.DeepClone(),
        };

        private JsonNode? Each(string order, JsonNode each) => order switch
        {
            "$newest1" => scans.Count == 0 ? null : Fill(each, Of(scans[^1])),
            "$newest" => new JsonArray([.. scans.AsEnumerable().Reverse().Select(scan => Fill(each, Of(scan)))]),
            _ => new JsonArray([.. scans.Select(scan => Fill(each, Of(scan)))]),
        };

        private FrozenDictionary<string, JsonNode?> Of(Scan scan) => Values(scan.Status, scan.ReasonCode, scan);

        private FrozenDictionary<string, JsonNode?> Values(V1.TrackingStatus status, string reason, Scan? scan)
        {
            var told = _words.Tell(status, reason);
            var (code, detail, message) = (told?.Code, told?.Detail, told?.Words);
            if (scan?.Reporter == vocabulary && scan.ReporterStatus.Length > 0)
            {
                var own = scan.ReporterStatus.Split('/', 2);
                (code, detail) = (own[0], own.Length > 1 ? own[1] : null);
                message = _words.Rows.FirstOrDefault(row => row.Code == code && row.Detail == detail)?.Words ?? message;
            }

            return new Dictionary<string, JsonNode?>
            {
                ["number"] = Text(parcel.TrackingNumber),
                ["carrier"] = Text(CarrierNames.Tell(parcel.Carrier, vocabulary)),
                ["code"] = Text(code),
                ["detail"] = Text(detail),
                ["message"] = Text(message),
                ["action"] = Reasons.NeedsAction(status, reason),
                ["words"] = Text(scan?.Description),
                ["raw"] = Text(scan?.CarrierCode),
                ["utc"] = Utc(scan?.OccurredAt),
                ["local"] = Text(scan?.LocalTime),
                // The clock at the place, without its offset.
                ["clock"] = Text(scan is null ? null : scan.LocalTime.Length > 19 ? scan.LocalTime[..19] : scan.LocalTime),
                ["city"] = Text(scan?.Place.Locality),
                ["region"] = Text(scan?.Place.Region),
                ["postal"] = Text(scan?.Place.PostalCode),
                ["country"] = Text(scan?.Place.Country),
                ["country3"] = Text(scan is null ? null : Countries.Find(scan.Place.Country)?.Iso3),
                ["place"] = Text(scan is null ? null : string.Join(", ", new[] { scan.Place.Locality, scan.Place.Region, scan.Place.PostalCode, scan.Place.Country }.Where(part => part.Length > 0))),
                ["updated"] = Utc(scans.Count > 0 ? scans.Max(one => one.ReceivedAt) : null),
                ["estimated"] = Utc(parcel.EstimatedAt),
                ["delivered"] = Utc(parcel.State.DeliveredAt),
            }.ToFrozenDictionary();
        }

        private static JsonValue? Text(string? text) => string.IsNullOrEmpty(text) ? null : JsonValue.Create(text);

        private static JsonValue? Utc(DateTimeOffset? at) => Text(at?.UtcDateTime.ToString(at.Value.Ticks % TimeSpan.TicksPerSecond == 0 ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
    }
}
