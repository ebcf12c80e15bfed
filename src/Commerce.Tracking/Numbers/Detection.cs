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
    public Carrier? Carrier
    {
        get
        {
            if (Candidates.Count == 0)
                return null;
            var best = Candidates[0].Carrier;
            var confidence = 0.0;
            foreach (var candidate in Candidates)
                confidence += candidate.Carrier == best ? candidate.Confidence : 0;
            return confidence >= Certain ? best : null;
        }
    }

    /// <summary>It may be a number of several carriers, or of one or of none that is known: nobody should guess.</summary>
    public bool IsAmbiguous => Candidates.Count > 0 && Carrier is null;
}
