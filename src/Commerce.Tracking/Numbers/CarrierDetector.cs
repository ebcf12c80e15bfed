using System.Collections.Frozen;

namespace Commerce.Tracking.Numbers;

/// <summary>
/// Names the carriers and formats that a number can belong to, from its form and its check digit alone. Works offline, on any
/// text, in a time that the longest number bounds; what is no number costs no memory.
/// </summary>
public static class CarrierDetector
{
    // How common numbers are that no format of ours explains: of digits alone, and with letters, for each length.
    private const double UnknownDigits = 0.01;
    private const double UnknownLetters = 0.002;

    // Most carriers keep to numbers that fit on a line of a label, and to letters that stand before or behind the digits.
    private const int UsualLength = 18;
    private const double LongerShare = 0.25;
    private const int UsualChanges = 2;
    private const double ChangeShare = 1.0 / 8;

    // A number with a mark of a format's own is that format's as good as certainly, so that a wrong check digit is a slip.
    private const double Distinctive = 50;

    private const int MostMatches = 32;

    private static readonly Entry[] Entries =
    [
        .. NumberFormats.All.SelectMany(format => format.Shapes.Zip(format.Weights, (shape, weight) => (format, shape, weight)))
            .Select((row, order) => new Entry(row.format, row.shape, row.weight, order)),
    ];

    // By length and first symbol: a handful is left to look at.
    private static readonly Entry[][] Index =
    [
        .. Enumerable.Range(0, (TrackingNumber.Longest + 1) * Symbols.Count)
            .Select(at => Entries.Where(entry => entry.Shape.Length == at / Symbols.Count && entry.Shape.CanBeginWith((byte)(at % Symbols.Count))).ToArray()),
    ];

    private static readonly double[] OneOfTen = [.. Enumerable.Range(0, TrackingNumber.Longest + 1).Select(n => Math.Pow(10, -n))];
    private static readonly double[] OneOf26 = [.. Enumerable.Range(0, TrackingNumber.Longest + 1).Select(n => Math.Pow(26, -n))];

    private static readonly FrozenDictionary<string, Carrier> CarriersByCode = NumberFormats.All.Where(format => !format.IsS10)
        .Select(format => format.Carrier).Concat(PostalOperators.All).Distinct().ToFrozenDictionary(carrier => carrier.Code);

    /// <summary>Every format that is recognised.</summary>
    public static IReadOnlyList<NumberFormat> Formats => NumberFormats.All;

    /// <summary>The carrier of a code; null: none whose numbers are recognised.</summary>
    public static Carrier? FindCarrier(string code) => CarriersByCode.GetValueOrDefault(code);

    /// <summary>What the number can be; spaces, dashes and case are forgiven.</summary>
    public static Detection Detect(ReadOnlySpan<char> text)
    {
        Span<char> form = stackalloc char[TrackingNumber.Longest];
        var length = TrackingNumber.Normalise(text, form);
        Span<byte> number = stackalloc byte[length];
        for (var i = 0; i < length; i++)
            number[i] = Symbols.Of(form[i]);
        return length == 0 ? Detection.Nothing : Detect(number);
    }

    private static Detection Detect(ReadOnlySpan<byte> number)
    {
        Span<Match> matches = stackalloc Match[MostMatches];
        var count = 0;
        NumberFormat? mistyped = null;
        var mistypedLikelihood = 0.0;
        foreach (var entry in Index[(number.Length * Symbols.Count) + number[0]])
        {
            if (!entry.Shape.Matches(number))
                continue;
            var likelihood = LikelihoodOf(entry, number);
            if (likelihood == 0)
                continue;
            if (!CheckDigitAgrees(entry, number))
            {
                if (entry.Shape.HasMark && likelihood > mistypedLikelihood)
                    (mistyped, mistypedLikelihood) = (entry.Format, likelihood);
            }
            else if (!Add(matches[..count], entry, likelihood) && count < MostMatches)
            {
                matches[count++] = new Match(entry.Order, likelihood, likelihood);
            }
        }

        var all = LikelihoodOfUnknown(number);
        if (count == 0)
            return mistypedLikelihood > Distinctive * all ? new Detection([], mistyped) : Detection.Nothing;

        matches = matches[..count];
        foreach (var match in matches)
            all += match.Likelihood;
        matches.Sort(static (a, b) => a.Likelihood != b.Likelihood ? b.Likelihood.CompareTo(a.Likelihood) : a.Entry.CompareTo(b.Entry));
        var candidates = new Candidate[count];
        for (var i = 0; i < count; i++)
            candidates[i] = CandidateOf(Entries[matches[i].Entry], number, matches[i].Likelihood / all);
        return new Detection(candidates, null);
    }

    // Two shapes of one format are one candidate; the likelier tells what the number says.
    private static bool Add(Span<Match> matches, Entry entry, double likelihood)
    {
        foreach (ref var match in matches)
        {
            if (Entries[match.Entry].Format != entry.Format)
                continue;
            match = likelihood > match.Strongest
                ? new Match(entry.Order, match.Likelihood + likelihood, likelihood)
                : match with { Likelihood = match.Likelihood + likelihood };
            return true;
        }

        return false;
    }

    /// <summary>How likely a number drawn from all numbers is this one, of this shape.</summary>
    private static double LikelihoodOf(Entry entry, ReadOnlySpan<byte> number)
    {
        var (format, shape) = (entry.Format, entry.Shape);
        var likelihood = entry.Weight;
        if (format.Services is { } services && shape.Service is { } service)
            likelihood *= services.Find(number[service]).Likelihood;
        if (shape.Country is { } country)
            likelihood *= format.IsS10 ? PostalOperators.Likelihood(number[country]) : NumericCountries.Likelihood(number[country]);
        return likelihood;
    }

    private static double LikelihoodOfUnknown(ReadOnlySpan<byte> number)
    {
        var letters = 0;
        var changes = 0;
        for (var i = 0; i < number.Length; i++)
        {
            letters += number[i] > 9 ? 1 : 0;
            changes += i > 0 && number[i] > 9 != number[i - 1] > 9 ? 1 : 0;
        }

        var likelihood = letters == 0 ? UnknownDigits : UnknownLetters;
        if (number.Length > UsualLength)
            likelihood *= LongerShare;
        for (; changes > UsualChanges; changes--)
            likelihood *= ChangeShare;
        return likelihood * OneOf26[letters] * OneOfTen[number.Length - letters];
    }

    private static bool CheckDigitAgrees(Entry entry, ReadOnlySpan<byte> number) =>
        entry.Format.CheckDigit is not { } checkDigit || checkDigit(number[entry.Shape.Body!.Value]) == number[entry.Shape.Check!.Value];

    private static Candidate CandidateOf(Entry entry, ReadOnlySpan<byte> number, double confidence)
    {
        var (format, shape) = (entry.Format, entry.Shape);
        var (carrier, origin, destination) = (format.Carrier, format.Origin, format.Destination);
        if (shape.Country is { } country)
        {
            if (format.IsS10)
                (origin, carrier) = PostalOperators.Find(number[country])!.Value;
            else
                destination = NumericCountries.Find(number[country]) ?? destination;
        }

        string? postcode = null;
        if (shape.Postcode is { } part && format.PostcodeText is { } textOf && textOf(Symbols.ToText(number[part]), destination) is { Length: > 0 } printed)
            (postcode, destination) = (printed, destination ?? format.PostcodeCountry);
        return new Candidate(
            carrier,
            format.Id,
            shape.Service is { } service ? format.Services?.Find(number[service]).Service : format.Service,
            confidence,
            format.CheckDigit is not null,
            origin,
            destination,
            postcode);
    }

    private sealed record Entry(NumberFormat Format, Shape Shape, double Weight, int Order);

    // The entry by its order, so that a match fits on the stack.
    private readonly record struct Match(int Entry, double Likelihood, double Strongest);
}
