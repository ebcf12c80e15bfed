namespace Commerce.Tracking.Numbers;

/// <summary>A carrier: its code, as everywhere in the suite, and what people call it.</summary>
public sealed record Carrier(string Code, string Name);

/// <summary>A carrier's service as a number names it; the code is the part of the number that says so.</summary>
public sealed record CarrierService(string Code, string Name);

/// <summary>One carrier and format that a number can belong to.</summary>
/// <param name="Format">Which format, for example "usps_impb_c".</param>
/// <param name="Service">Null: the number does not tell.</param>
/// <param name="Confidence">
/// Above 0 and at most 1: of numbers that look like this one, the share that are this carrier's (see docs/tracking-numbers.md).
/// </param>
/// <param name="CheckDigitVerified">The number has a check digit, and it agrees. One that does not agree makes no candidate.</param>
/// <param name="OriginCountry">ISO 3166 alpha-2; null: the number does not tell.</param>
/// <param name="DestinationCountry">ISO 3166 alpha-2; null: the number does not tell.</param>
/// <param name="DestinationPostcode">Null: the number does not tell.</param>
public sealed record Candidate(
    Carrier Carrier,
    string Format,
    CarrierService? Service,
    double Confidence,
    bool CheckDigitVerified,
    string? OriginCountry,
    string? DestinationCountry,
    string? DestinationPostcode);

/// <summary>What a number can be.</summary>
/// <param name="Candidates">The likeliest first; empty: no format that is known.</param>
/// <param name="Mistyped">
/// The format that the number has but for its check digit, which is wrong; null unless there is no candidate and the look of the
/// number leaves little doubt.
/// </param>
public readonly record struct Detection(IReadOnlyList<Candidate> Candidates, NumberFormat? Mistyped)
{
    /// <summary>From here on a carrier may be taken for the one.</summary>
    public const double Certain = 0.9;

    /// <summary>Not known.</summary>
    public static Detection Nothing { get; } = new([], null);

    /// <summary>The one carrier that it is, as good as certainly; null otherwise.</summary>
    public Carrier? Carrier => Candidates.Count > 0 && Share(Candidates[0].Carrier) >= Certain ? Candidates[0].Carrier : null;

    /// <summary>
    /// It fits several carriers, and none of them much better than the others: nobody should guess. A number that fits one alone is not
    /// ambiguous, though it need not be certain: it may be one of a carrier that is not known.
    /// </summary>
    public bool IsAmbiguous => Candidates.Count > 0 && Share(Candidates[0].Carrier) < Certain * Candidates.Sum(candidate => candidate.Confidence);

    /// <summary>The same, when it is known whose the number is, from an order for example: then nothing is left to guess.</summary>
    public Detection DecidedBy(Carrier known)
    {
        var own = Candidates.Where(candidate => candidate.Carrier.Code == known.Code).ToList();
        var total = own.Sum(candidate => candidate.Confidence);
        return new Detection(
            own.Count > 0
                ? [.. own.Select(candidate => candidate with { Confidence = candidate.Confidence / total })]
                : [new Candidate(known, "", null, 1, CheckDigitVerified: false, null, null, null)],
            null);
    }

    private double Share(Carrier carrier)
    {
        var share = 0.0;
        foreach (var candidate in Candidates)
            share += candidate.Carrier == carrier ? candidate.Confidence : 0;
        return share;
    }
}
