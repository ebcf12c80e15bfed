using System.Collections.Frozen;

namespace Commerce.Tracking.Payloads;

/// <summary>
/// Reads payloads into scans. A payload is read by the shape that is expected; one of another shape is recognised and read by its own; one
/// of none is read by what its fields look like. Nothing in it is believed to be there or of a type.
/// </summary>
public sealed class PayloadReader
{
    /// <summary>A payload with more scans is refused.</summary>
    public const int MostScans = 20_000;

    /// <summary>The shape of what nobody knows.</summary>
    public const string Unknown = "unknown";
    private const int MostProblems = 100;

    private static readonly FrozenDictionary<string, CompiledShape> BuiltIn = Table.Names("Payloads.Shapes", ".json")
        .Select(name => Load($"Payloads.Shapes.{name}.json")).ToFrozenDictionary(shape => shape.Name);

    private static readonly CompiledShape Guess = Load("Payloads.guess.json");

    private readonly FrozenDictionary<string, CompiledShape> _shapes;
    private readonly CompiledShape[] _ordered;

    /// <summary>With the built-in shapes and a shop's own, which go before those of the same name.</summary>
    public PayloadReader(params IEnumerable<PayloadShape> own)
    {
        var all = BuiltIn.ToDictionary();
        foreach (var shape in own)
            all[shape.Name] = new CompiledShape(shape);
        _shapes = all.ToFrozenDictionary();
        // Of two shapes that both know a payload always the same one.
        _ordered = [.. _shapes.Values.OrderBy(shape => shape.Name, StringComparer.Ordinal)];
    }

    /// <summary>The names of the shapes that are known.</summary>
    public IReadOnlyCollection<string> Shapes => _shapes.Keys;

    /// <summary>Whether a source of that name sends statuses of its own for any carrier.</summary>
    public bool IsAggregator(string shape) => _shapes.TryGetValue(shape, out var found) && found.Aggregator.Length > 0;

    /// <summary>Reads the payload.</summary>
    /// <param name="payload">The bytes as they came.</param>
    /// <param name="source">The shape that is expected; one that is not known is no error.</param>
    /// <param name="carrier">The carrier where the payload names none; empty if nobody knows.</param>
    /// <param name="number">The tracking number where the payload names none, because it was asked for; null if nobody knows.</param>
    /// <exception cref="PayloadException">It is not JSON, XML or, where the shape says so, CSV, or beyond the bounds.</exception>
    public PayloadReading Read(ReadOnlySpan<byte> payload, string source, string carrier = "", string? number = null)
    {
        var expected = _shapes.GetValueOrDefault(source);
        var root = expected?.IsCsv == true ? NodeReader.ReadCsv(payload) : NodeReader.Read(payload);
        var shape = expected?.Recognises(root) == true ? expected : _ordered.FirstOrDefault(other => other.Recognises(root)) ?? expected;
        // An aggregator that does not say whose the parcel is stands for the carrier, as on labels that it sold.
        var unnamed = expected is { Carrier.Length: > 0 } ? expected.Carrier : shape is { Aggregator.Length: > 0 } && shape.Recognises(root) ? shape.Aggregator : "";
        var context = new Context(carrier.Length > 0 ? carrier : unnamed, number is null ? null : TrackingNumber.Normalise(number));
        var scans = shape?.Read(root, context) ?? [];
        if (scans.Count == 0)
        {
            shape = expected?.Recognises(root) == true ? expected : shape is not null && shape.Recognises(root) ? shape : null;
            scans = (shape ?? Guess).Guess(root, context);
        }

        var problems = Problems.Of(root, scans.Count > 0).Take(MostProblems).ToList();
        if (scans.Count == 0 && problems.Count == 0 && context.Rejected.Count == 0)
            problems.Add(new PayloadProblem("", "It tells of no scan."));
        return new PayloadReading(shape?.Name ?? Unknown, scans, problems) { Rejected = context.Rejected };
    }

    private static CompiledShape Load(string name)
    {
        using var file = Table.Open(name);
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return new CompiledShape(PayloadShape.Parse(bytes.ToArray()));
    }
}

/// <summary>What the caller knows of a payload, and what was missing in it.</summary>
internal sealed class Context(string carrier, string? number)
{
    public string Carrier => carrier;

    public string? Number => number;

    public List<RejectedScan> Rejected { get; } = [];

    public void Reject(int index, string why)
    {
        if (Rejected.Count < PayloadReader.MostScans)
            Rejected.Add(new RejectedScan(index, why));
    }
}
