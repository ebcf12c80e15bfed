using System.Text.Json;
using System.Text.Json.Serialization;
using Commerce.Tracking.Vocabularies;

namespace Commerce.Tracking.Payloads;

/// <summary>
/// Where a carrier's or an aggregator's payload keeps what: an adapter as data. A path is names separated by dots ("status.code"); of
/// several paths the first that holds something counts; "date+time" joins two with a space. Lists need no mention: one thing and a list of
/// one are the same. The built-in shapes are files of this form, and a shop can add its own for a carrier that is not known.
/// </summary>
public sealed record PayloadShape
{
    private const int MostPaths = 50;
    private const int LongestPath = 200;
    private const int MostCodes = 2000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        MaxDepth = 8,
    };

    /// <summary>Its name, lower-case: the carrier's code, or the aggregator's.</summary>
    public string Name { get; init; } = "";

    /// <summary>The carrier that the scans are of; empty: <see cref="CarrierField"/> says.</summary>
    public string Carrier { get; init; } = "";

    /// <summary>Where an aggregator names the carrier.</summary>
    public IReadOnlyList<string> CarrierField { get; init; } = [];

    /// <summary>Statuses are the shape's own and not the carrier's: its <see cref="Status"/> is looked up in the table of its name.</summary>
    public bool Aggregator { get; init; }

    /// <summary>The table that knows the carrier's codes; empty: that of the carrier.</summary>
    public string Vocabulary { get; init; } = "";

    /// <summary>"csv" for rows of text; otherwise JSON and XML, whichever comes.</summary>
    public string Format { get; init; } = "";

    /// <summary>Paths of which one is there in every payload of this shape, and in no other's.</summary>
    public IReadOnlyList<string> Recognise { get; init; } = [];

    /// <summary>The parts that are of one parcel each; none: the whole payload is of one.</summary>
    public IReadOnlyList<string> Parcels { get; init; } = [];

    /// <summary>The tracking number, in a parcel or around it.</summary>
    public IReadOnlyList<string> Number { get; init; } = [];

    /// <summary>The scans, in a parcel.</summary>
    public IReadOnlyList<string> Events { get; init; } = [];

    /// <summary>The carrier's code, in a scan.</summary>
    public IReadOnlyList<string> Code { get; init; } = [];

    /// <summary>A code that says less, for where the table does not know <see cref="Code"/>.</summary>
    public IReadOnlyList<string> Class { get; init; } = [];

    /// <summary>A code that says why.</summary>
    public IReadOnlyList<string> Reason { get; init; } = [];

    /// <summary>The aggregator's status.</summary>
    public IReadOnlyList<string> Status { get; init; } = [];

    /// <summary>The aggregator's detail of the status.</summary>
    public IReadOnlyList<string> Detail { get; init; } = [];

    /// <summary>The carrier's words.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>The time.</summary>
    public IReadOnlyList<string> Time { get; init; } = [];

    /// <summary>The offset, where it stands by itself.</summary>
    public IReadOnlyList<string> Zone { get; init; } = [];

    /// <summary>.NET formats of times whose order of day and month must be known.</summary>
    public IReadOnlyList<string> TimeFormats { get; init; } = [];

    /// <summary>The IANA zone of the carrier's clocks, assumed where nothing else tells.</summary>
    public string HomeZone { get; init; } = "";

    /// <summary>The carrier's country (two letters): a place that names a state and no country is in it.</summary>
    public string HomeCountry { get; init; } = "";

    /// <summary>One code for many things: the words tell one scan from another.</summary>
    public bool CoarseCodes { get; init; }

    /// <summary>The place's parts.</summary>
    public PlaceFields Place { get; init; } = new();

    /// <summary>What a scan, or else its parcel, says of the delivery.</summary>
    public ProofFields Proof { get; init; } = new();

    /// <summary>The state of the whole parcel, for payloads without scans.</summary>
    public CurrentFields? Current { get; init; }

    /// <summary>A shop's own table: the carrier's code to a status of ours, or to "STATUS/REASON".</summary>
    public IReadOnlyDictionary<string, string> Codes { get; init; } = new Dictionary<string, string>();

    /// <summary>Where a place's parts are; text: all of it in one line.</summary>
    public sealed record PlaceFields
    {
        public IReadOnlyList<string> Locality { get; init; } = [];

        public IReadOnlyList<string> Region { get; init; } = [];

        public IReadOnlyList<string> PostalCode { get; init; } = [];

        public IReadOnlyList<string> Country { get; init; } = [];

        public IReadOnlyList<string> Text { get; init; } = [];
    }

    /// <summary>Where the parts of a proof of delivery are; a photograph's reference, and a position in degrees.</summary>
    public sealed record ProofFields
    {
        public IReadOnlyList<string> SignedBy { get; init; } = [];

        public IReadOnlyList<string> Photo { get; init; } = [];

        public IReadOnlyList<string> Latitude { get; init; } = [];

        public IReadOnlyList<string> Longitude { get; init; } = [];

        public IReadOnlyList<string> LeftAt { get; init; } = [];
    }

    /// <summary>Where a parcel's own state is.</summary>
    public sealed record CurrentFields
    {
        public IReadOnlyList<string> Code { get; init; } = [];

        public IReadOnlyList<string> Status { get; init; } = [];

        public IReadOnlyList<string> Detail { get; init; } = [];

        public IReadOnlyList<string> Words { get; init; } = [];

        public IReadOnlyList<string> Time { get; init; } = [];
    }

    /// <summary>A shape from its file; what is wrong with it is said, all at once.</summary>
    /// <exception cref="PayloadException">It is not JSON, or not a shape.</exception>
    public static PayloadShape Parse(ReadOnlySpan<byte> json)
    {
        PayloadShape shape;
        try
        {
            shape = JsonSerializer.Deserialize<PayloadShape>(json, Json) ?? throw new PayloadException("The mapping is null.");
        }
        catch (JsonException exception)
        {
            throw new PayloadException($"The mapping is not one (line {exception.LineNumber}, {exception.Path}): {exception.Message}");
        }

        return shape.Problems().ToList() is { Count: > 0 } problems ? throw new PayloadException(string.Join(' ', problems)) : shape;
    }

    /// <summary>What is wrong with it; nothing if it can be used.</summary>
    public IEnumerable<string> Problems()
    {
        if (Name.Length is 0 or > 40 || !Name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'))
            yield return "name: give 1 to 40 lower-case letters, digits and underscores.";
        if (Carrier.Length == 0 && CarrierField.Count == 0)
            yield return "carrier: name the carrier, or where the payload names it (carrierField).";
        if (Number.Count == 0)
            yield return "number: say where the tracking number is.";
        if (Time.Count == 0)
            yield return "time: say where a scan's time is.";
        if (Code.Count == 0 && Words.Count == 0 && Status.Count == 0)
            yield return "code, words: say where a scan's code or words are.";
        if (Format is not ("" or "csv"))
            yield return "format: \"csv\", or nothing for JSON and XML.";
        if (HomeZone.Length > 0 && !TimeZoneInfo.TryFindSystemTimeZoneById(HomeZone, out _))
            yield return $"homeZone: {HomeZone} is not an IANA time zone, for example \"Europe/Berlin\".";
        if (Codes.Count > MostCodes)
            yield return $"codes: at most {MostCodes}.";
        foreach (var (code, meaning) in Codes)
        {
            if (MeaningOf(code, meaning) is null)
                yield return $"codes: \"{code}\" means \"{meaning}\", which is not a status of ours, for example \"DELIVERED\" or \"DELIVERY_FAILED/REFUSED\".";
        }

        foreach (var format in TimeFormats)
        {
            if (format.Length is < 4 or > 60 || !format.Contains('y', StringComparison.Ordinal))
                yield return $"timeFormats: \"{format}\" is not a .NET format with a year, for example \"dd/MM/yyyy HH:mm\".";
        }

        foreach (var paths in (IReadOnlyList<string>[])[CarrierField, Recognise, Parcels, Number, Events, Code, Class, Reason, Status, Detail, Words, Time, Zone, TimeFormats,
            Place.Locality, Place.Region, Place.PostalCode, Place.Country, Place.Text, Proof.SignedBy, Proof.Photo, Proof.Latitude, Proof.Longitude, Proof.LeftAt])
        {
            if (paths.Count > MostPaths || paths.Any(path => path is not { Length: > 0 and <= LongestPath }))
                yield return $"Give at most {MostPaths} paths of 1 to {LongestPath} characters for each field.";
        }
    }

    internal static (V1.TrackingStatus Status, string Reason)? MeaningOf(string code, string meaning)
    {
        if (code.Length == 0 || meaning is null)
            return null;
        var parts = meaning.ToUpperInvariant().Split('/', 2);
        try
        {
            var reason = parts.Length > 1 ? parts[1] : "";
            return reason.Length == 0 || Reasons.Codes.Contains(reason) ? (StatusName.Parse(parts[0]), reason) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
