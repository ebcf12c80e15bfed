using System.Globalization;
using Commerce.Tracking.Places;
using Commerce.Tracking.Vocabularies;

namespace Commerce.Tracking.Payloads;

/// <summary>A shape with its paths taken apart: reads a tree into scans.</summary>
internal sealed class CompiledShape
{
    private const int LongestCode = 60;
    private const int DeepestGuess = 12;

    private readonly PayloadShape _shape;
    private readonly Field[] _recognise, _parcels, _events;
    private readonly Field[] _carrier, _number, _code, _class, _reason, _status, _detail, _words, _time, _zone;
    private readonly Field[] _locality, _region, _postalCode, _country, _place;
    private readonly Field[] _signedBy, _photo, _latitude, _longitude, _leftAt;
    private readonly Field[] _currentCode, _currentStatus, _currentDetail, _currentWords, _currentTime;
    private readonly HashSet<string> _eventKeys;
    private readonly Vocabulary? _own;

    public CompiledShape(PayloadShape shape)
    {
        _shape = shape;
        (_recognise, _parcels, _events) = (Fields(shape.Recognise), Fields(shape.Parcels), Fields(shape.Events));
        (_carrier, _number, _code, _class, _reason) = (Fields(shape.CarrierField), Fields(shape.Number), Fields(shape.Code), Fields(shape.Class), Fields(shape.Reason));
        (_status, _detail, _words, _time, _zone) = (Fields(shape.Status), Fields(shape.Detail), Fields(shape.Words), Fields(shape.Time), Fields(shape.Zone));
        (_locality, _region, _postalCode, _country, _place) =
            (Fields(shape.Place.Locality), Fields(shape.Place.Region), Fields(shape.Place.PostalCode), Fields(shape.Place.Country), Fields(shape.Place.Text));
        (_signedBy, _photo, _latitude, _longitude, _leftAt) =
            (Fields(shape.Proof.SignedBy), Fields(shape.Proof.Photo), Fields(shape.Proof.Latitude), Fields(shape.Proof.Longitude), Fields(shape.Proof.LeftAt));
        var current = shape.Current ?? new PayloadShape.CurrentFields();
        (_currentCode, _currentStatus, _currentDetail, _currentWords, _currentTime) =
            (Fields(current.Code), Fields(current.Status), Fields(current.Detail), Fields(current.Words), Fields(current.Time));
        _eventKeys = [.. _events.Select(field => field.Paths[0][^1])];
        if (shape.Codes.Count > 0)
            _own = Vocabularies.Vocabulary.OfRows(shape.Codes.Select(code => (code.Key, PayloadShape.MeaningOf(code.Key, code.Value)!.Value)).Select(row => (row.Key, row.Value.Status, row.Value.Reason)));
    }

    public string Name => _shape.Name;

    public string Carrier => _shape.Carrier;

    public string Aggregator => _shape.Aggregator ? _shape.Name : "";

    public bool IsCsv => _shape.Format == "csv";

    public bool Recognises(Node root) => _recognise.Any(field => root.At(field.Paths[0]).Any());

    /// <summary>By where its fields should be, one level off forgiven.</summary>
    public List<ReportedScan> Read(Node root, Context context)
    {
        var scans = new List<ReportedScan>();
        var index = 0;
        foreach (var (parcel, around) in Parcels(root))
        {
            var events = Events(parcel);
            var (carrier, number) = (CarrierOf(parcel, around, context), NumberOf(parcel, around, context));
            foreach (var one in events)
            {
                if (one.IsObject)
                    Add(scans, Scan(one, carrier, NumberIn(one) ?? number, context) with { Proof = ProofOf(one) ?? ProofOf(parcel) }, index, context);
                else
                    context.Reject(index, "It is not an object.");
                index++;
            }

            if (events.Count == 0 && Current(parcel, carrier, number) is { } current)
                Add(scans, current, index++, context);
        }

        return scans;
    }

    /// <summary>Whatever in it has a time and says something, under the number nearest to it.</summary>
    public List<ReportedScan> Guess(Node root, Context context)
    {
        var scans = new List<ReportedScan>();
        var index = 0;
        Visit(root, [], 0);
        return scans;

        bool Visit(Node node, List<Node> around, int depth)
        {
            if (depth > DeepestGuess || node.Text.Length > 0)
                return false;
            if (node.IsList)
                return node.Items.Aggregate(false, (any, item) => Visit(item, around, depth + 1) | any);
            List<Node> inside = [.. around, node];
            var found = node.Members.Aggregate(false, (any, member) => Visit(member.Value, inside, depth + 1) | any);
            // What holds scans is none itself.
            if (found || !LooksLikeScan(node))
                return found;
            Add(scans, Scan(node, CarrierOf(node, around, context), NumberOf(node, around, context), context), index++, context);
            return true;
        }
    }

    // The time must be its own, since what lies around scans has times below it; and be one: names are guessed, formats are not.
    private bool LooksLikeScan(Node node) =>
        _time.Any(field => field.Exact(node) is { Length: > 0 } written && TimeReader.Read(written, "", _shape.TimeFormats, PlaceRecord.Nowhere, "").Local is not null)
        && (Text(node, _words, near: false).Length > 0 || Text(node, _code, near: false).Length > 0 || Text(node, _status, near: false).Length > 0);

    private static void Add(List<ReportedScan> scans, ReportedScan scan, int index, Context context)
    {
        if (scan.TrackingNumber.Length == 0)
        {
            context.Reject(index, "The tracking number is missing or not one (4 to 50 letters and digits).");
            return;
        }

        if (scan.Carrier.Length == 0)
        {
            context.Reject(index, "Nothing says which carrier it is of.");
            return;
        }

        if (scans.Count == PayloadReader.MostScans)
            throw new PayloadException($"The payload tells of more than {PayloadReader.MostScans} scans; send it in several.");
        scans.Add(scan);
    }

    private IEnumerable<(Node Parcel, IReadOnlyList<Node> Around)> Parcels(Node root)
    {
        if (_parcels.Length == 0)
            return root.IsList ? root.Flat().Select(item => (item, (IReadOnlyList<Node>)[])) : [(root, [])];
        foreach (var field in _parcels)
        {
            if (Walk(root, [], field.Paths[0], 0).ToList() is { Count: > 0 } found)
                return found;
        }

        foreach (var field in _parcels)
        {
            if (root.Below(field.Paths[0][^1]) is { Count: > 0 } found)
                return found.SelectMany(node => node.Flat()).Select(node => (node, (IReadOnlyList<Node>)[root]));
        }

        return root.IsList ? root.Flat().Select(item => (item, (IReadOnlyList<Node>)[])) : [(root, [])];
    }

    private static IEnumerable<(Node, IReadOnlyList<Node>)> Walk(Node node, IReadOnlyList<Node> around, string[] path, int at)
    {
        foreach (var one in node.Flat())
        {
            if (at == path.Length)
            {
                yield return (one, around);
                continue;
            }

            foreach (var (name, value) in one.Members)
            {
                if (name != path[at])
                    continue;
                foreach (var found in Walk(value, [.. around, one], path, at + 1))
                    yield return found;
            }
        }
    }

    private List<Node> Events(Node parcel)
    {
        foreach (var field in _events)
        {
            // What stands among scans and is none is refused by its place.
            if (parcel.At(field.Paths[0]).SelectMany(node => node.Items.Count > 0 ? node.Items.SelectMany(item => item is { IsList: true, Items.Count: 0 } ? [item] : item.Flat()) : node.Flat()).ToList() is { Count: > 0 } events && (events.Count > 1 || events.Any(one => one.IsObject)))
                return events;
        }

        foreach (var field in _events)
        {
            if (Objects(parcel.Below(field.Paths[0][^1], 8)) is { Count: > 0 } events)
                return events;
        }

        // A row is its own scan, and so is a scan that lies where its list should.
        return _events.Length == 0 || _time.Any(field => field.Exact(parcel).Length > 0) && (Text(parcel, _code, near: false).Length > 0 || Text(parcel, _words, near: false).Length > 0)
            ? [parcel]
            : [];
    }

    private static List<Node> Objects(IEnumerable<Node> nodes) => [.. nodes.SelectMany(node => node.Flat()).Where(node => node.IsObject)];

    private ReportedScan Scan(Node node, string carrier, string? number, Context context)
    {
        var status = Text(node, _status, LongestCode);
        var detail = Text(node, _detail, LongestCode);
        var words = Text(node, _words);
        var code = Text(node, _code, LongestCode);
        carrier = carrier.Length > 0 ? carrier : context.Carrier;
        var place = PlaceOf(node);
        var time = TimeReader.Read(Text(node, _time, 80), Text(node, _zone, 20), _shape.TimeFormats, ForZone(place), _shape.HomeZone);
        return new ReportedScan(carrier, number ?? "", code, words, time, place, MeaningOf(carrier, status, detail, code, Text(node, _class, LongestCode), Text(node, _reason, LongestCode), words))
        {
            Aggregator = Aggregator,
            AggregatorStatus = StatusText(status, detail),
            CoarseCode = _shape.CoarseCodes,
        };
    }

    private ReportedScan? Current(Node parcel, string carrier, string? number)
    {
        var (status, detail) = (Text(parcel, _currentStatus, LongestCode, near: false), Text(parcel, _currentDetail, LongestCode, near: false));
        var (code, words) = (Text(parcel, _currentCode, LongestCode, near: false), Text(parcel, _currentWords, near: false));
        if (status.Length + code.Length + words.Length == 0)
            return null;
        var time = TimeReader.Read(Text(parcel, _currentTime, 80, near: false), "", _shape.TimeFormats, PlaceRecord.Nowhere with { Country = _shape.HomeCountry }, _shape.HomeZone);
        var meaning = MeaningOf(carrier, status, detail, code, "", "", words);
        // "status: 404" is an error's, not a parcel's.
        if (meaning.Status == V1.TrackingStatus.Unknown && time.Local is null)
            return null;
        return new ReportedScan(carrier, number ?? "", code, words, time, PlaceRecord.Nowhere, meaning)
        {
            Aggregator = Aggregator,
            AggregatorStatus = StatusText(status, detail),
            CoarseCode = _shape.CoarseCodes,
            IsSummary = true,
        };
    }

    private string StatusText(string status, string detail) => !_shape.Aggregator ? "" : detail.Length > 0 ? $"{status}/{detail}" : status;

    private Meaning MeaningOf(string carrier, string status, string detail, string code, string @class, string reason, string words)
    {
        if (_shape.Aggregator && status.Length > 0)
        {
            var told = Vocabularies.Vocabulary.Of(_shape.Name).MeaningOf(status, detail, words);
            // Where the aggregator does not know, the carrier's own code may still say.
            if (told.Status != V1.TrackingStatus.Unknown || code.Length == 0)
                return told;
            var own = Vocabularies.Vocabulary.Of(CarrierNames.VocabularyOf(carrier)).MeaningOf(code, "", words);
            return own.Status == V1.TrackingStatus.Unknown ? told : own;
        }

        if (_own?.Knows(code) == true)
            return _own.MeaningOf(code, "", words);
        var table = Vocabularies.Vocabulary.Of(_shape.Vocabulary.Length > 0 ? _shape.Vocabulary : CarrierNames.VocabularyOf(carrier));
        var meaning = table.Knows(code) || @class.Length == 0 ? table.MeaningOf(code, "", words) : table.MeaningOf(@class, "", words);
        // A code that says why goes before a guess from the words.
        return (meaning.Reason.Length == 0 || meaning.Inferred) && reason.Length > 0 && table.Knows(reason) && table.MeaningOf(reason, "", "") is { Reason.Length: > 0 } why
            ? Reasons.Meaning(meaning.Inferred || meaning.Status == V1.TrackingStatus.Unknown ? why.Status : meaning.Status, why.Reason)
            : meaning;
    }

    private ProofRecord? ProofOf(Node node) => ProofRecord.Of(
        Text(node, _signedBy, 200, near: false), Text(node, _photo, near: false), Degrees(Text(node, _latitude, 30, near: false), 90),
        Degrees(Text(node, _longitude, 30, near: false), 180), Text(node, _leftAt, 200, near: false));

    private static double? Degrees(string text, double most) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var degrees) && Math.Abs(degrees) <= most ? degrees : null;

    private PlaceRecord PlaceOf(Node node) => PlaceReader.Of(
        Text(node, _locality, 100), Text(node, _region, 100), Text(node, _postalCode, 20), Text(node, _country, 60), Text(node, _place, 150), _shape.HomeCountry);

    // A state without a country lies in the carrier's own.
    private PlaceRecord ForZone(PlaceRecord place) => place.Country.Length == 0 && place.Region.Length > 0 ? place with { Country = _shape.HomeCountry } : place;

    private string CarrierOf(Node parcel, IReadOnlyList<Node> around, Context context)
    {
        if (_carrier.Length > 0)
        {
            foreach (var node in around.Reverse().Prepend(parcel))
            {
                if (Text(node, _carrier, LongestCode, near: false) is { Length: > 0 } named)
                    return CarrierNames.Of(named);
            }
        }

        return _shape.Carrier.Length > 0 ? _shape.Carrier : context.Carrier;
    }

    private string? NumberOf(Node parcel, IReadOnlyList<Node> around, Context context)
    {
        string? weak = null;
        foreach (var node in around.Reverse().Prepend(parcel))
        {
            foreach (var text in _number.SelectMany(field => field.All(node)))
            {
                if (Normalised(text, ref weak) is { } number)
                    return number;
            }
        }

        if (context.Number is { } given)
            return given;
        // One level off: below the parcel, but not in its scans.
        foreach (var field in _number)
        {
            foreach (var node in parcel.Below(field.Paths[0][^1], 3, _eventKeys))
            {
                if (Normalised(node.FirstText(), ref weak) is { } number)
                    return number;
            }
        }

        return weak;
    }

    // Where each scan names its parcel itself, that counts, also before a number that was asked for.
    private string? NumberIn(Node node)
    {
        string? weak = null;
        foreach (var text in _number.SelectMany(field => field.All(node)))
        {
            if (Normalised(text, ref weak) is { } number)
                return number;
        }

        return weak;
    }

    // Any word can be a number by its letters; one with a digit is one.
    private static string? Normalised(string text, ref string? weak)
    {
        if (TrackingNumber.Normalise(TextField.Of(text, 100)) is not { } number)
            return null;
        if (number.Any(char.IsAsciiDigit))
            return number;
        weak ??= number;
        return null;
    }

    private static string Text(Node node, Field[] fields, int longest = TextField.Longest, bool near = true)
    {
        foreach (var field in fields)
        {
            if (TextField.Of(field.Exact(node), longest) is { Length: > 0 } text)
                return text;
        }

        // What stands where it belongs and is empty is not looked for elsewhere: a place's description is not the scan's.
        if (!near || fields.Any(field => field.Stands(node)))
            return "";
        foreach (var field in fields)
        {
            if (field.Near(node) is { Length: > 0 } found && TextField.Of(found, longest) is { Length: > 0 } text)
                return text;
        }

        return "";
    }

    private static Field[] Fields(IReadOnlyList<string> paths) => [.. paths.Select(path => new Field(path))];

    /// <summary>One path, or several that are joined.</summary>
    private sealed class Field(string text)
    {
        public string[][] Paths { get; } = [.. text.Split('+').Select(path => path.Split('.').Select(Node.Key).ToArray())];

        public string Exact(Node node)
        {
            if (Paths.Length == 1)
                return First(node.At(Paths[0]));
            // A date without its time is worth more than nothing; a time without its date is not.
            var parts = Paths.Select(path => First(node.At(path))).ToArray();
            return parts[0].Length == 0 ? "" : string.Join(' ', parts.Where(part => part.Length > 0));
        }

        public bool Stands(Node node) => node.At(Paths[0]).Any();

        public IEnumerable<string> All(Node node) => node.At(Paths[0]).SelectMany(found => found.Flat()).Select(found => found.FirstText());

        public string Near(Node node)
        {
            var parts = Paths.Select(path => First(node.Below(path[^1]))).ToArray();
            return parts[0].Length == 0 ? "" : string.Join(' ', parts.Where(part => part.Length > 0));
        }

        private static string First(IEnumerable<Node> nodes)
        {
            foreach (var node in nodes)
            {
                if (node.FirstText() is { Length: > 0 } text)
                    return text;
            }

            return "";
        }
    }
}
