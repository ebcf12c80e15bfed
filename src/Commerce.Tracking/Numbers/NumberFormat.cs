namespace Commerce.Tracking.Numbers;

/// <summary>Gives the symbol that the check digit of a body has to be.</summary>
internal delegate int CheckDigit(ReadOnlySpan<byte> body);

/// <summary>One way in which a carrier writes its numbers.</summary>
public sealed class NumberFormat
{
    internal NumberFormat(string id, Carrier carrier, string name, double weight, CheckDigit? checkDigit, params IReadOnlyList<Shape> shapes)
    {
        (Id, Carrier, Name, Weight, CheckDigit, Shapes) = (id, carrier, name, weight, checkDigit, shapes);
        var total = shapes.Sum(shape => shape.Share);
        Weights = [.. shapes.Select(shape => weight * shape.Share / total / shape.FreeNumbers)];
    }

    /// <summary>For example "usps_impb_c".</summary>
    public string Id { get; }

    /// <summary>Whose; of an international post item the country tells, and this is the Universal Postal Union.</summary>
    public Carrier Carrier { get; }

    /// <summary>For people.</summary>
    public string Name { get; }

    /// <summary>Of all numbers that people ask about, roughly the share that have this format.</summary>
    internal double Weight { get; }

    internal CheckDigit? CheckDigit { get; }

    internal IReadOnlyList<Shape> Shapes { get; }

    /// <summary>For each shape, how likely one number of it is.</summary>
    internal IReadOnlyList<double> Weights { get; }

    /// <summary>What the part "service" can be.</summary>
    internal ServiceTable? Services { get; init; }

    /// <summary>The service of every number of this format.</summary>
    internal CarrierService? Service { get; init; }

    /// <summary>The part "country" is the issuing post's (S10) rather than the recipient's (a numeric one, DPD).</summary>
    internal bool IsS10 { get; init; }

    /// <summary>Where every parcel of this format begins its way.</summary>
    internal string? Origin { get; init; }

    /// <summary>Where every parcel of this format goes.</summary>
    internal string? Destination { get; init; }

    /// <summary>Makes of the part "postcode", and the destination if the number has it, what is printed on an envelope.</summary>
    internal Func<string, string?, string>? PostcodeText { get; init; }

    /// <summary>The country of the part "postcode", where the number has no part "country".</summary>
    internal string? PostcodeCountry { get; init; }

    /// <summary>A number of this format, as good as any; null: this one's check digit is none that can be printed.</summary>
    internal string? Example(Random random)
    {
        var shape = Shapes[random.Next(Shapes.Count)];
        var number = shape.Example(random);
        if (IsS10)
            PostalOperators.Example(random).CopyTo(number.AsSpan(shape.Country!.Value));
        if (shape.Check is { } check)
            number[check] = (byte)CheckDigit!(number.AsSpan(shape.Body!.Value));
        return shape.Matches(number) ? Symbols.ToText(number) : null;
    }
}
