using Commerce.Shipping.Postal;

namespace Commerce.Shipping.Rates;

/// <summary>One end of a parcel's way.</summary>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
/// <param name="Region">State or province as the address has it; may be empty.</param>
/// <param name="Code">Null where the country has none, or it is none of the country.</param>
/// <param name="Position">Null if it is not known.</param>
public sealed record RatePlace(string Country, string Region, NormalisedCode? Code, Position? Position);

/// <summary>On the scales and outside; 0: not known. Grams and millimetres.</summary>
public readonly record struct ParcelMeasures(int WeightGrams, int LengthMm, int WidthMm, int HeightMm)
{
    public int LongestMm => Math.Max(LengthMm, Math.Max(WidthMm, HeightMm));

    /// <summary>The longest side and twice each of the others.</summary>
    public int LengthAndGirthMm => (2 * (LengthMm + WidthMm + HeightMm)) - LongestMm;

    /// <summary>What its size counts as, in grams: cubic centimetres by <paramref name="divisor"/> are kilograms; rounded up.</summary>
    public long VolumetricGrams(int divisor) => divisor <= 0 ? 0 : (((long)LengthMm * WidthMm * HeightMm) + divisor - 1) / divisor;
}

/// <summary>What a price is asked for.</summary>
/// <param name="Collect">What is to be collected from the recipient; null: nothing.</param>
/// <param name="At">When it is ready to leave.</param>
public sealed record RateRequest(RatePlace From, RatePlace To, ParcelMeasures Parcel, Money? Collect, bool Signature, bool Residential, DateTimeOffset At);

/// <summary>A part of a price.</summary>
/// <param name="Kind">"freight", "fuel", "remote_area", … </param>
/// <param name="Explanation">How it came to be, for example "12.5 % of 8.00 EUR".</param>
public sealed record QuoteLine(string Kind, string Title, Money Amount, string Explanation);

/// <summary>An offer to carry a parcel, with how it came to be.</summary>
public sealed record Quote(string Carrier, string Service, Money Price, DateTimeOffset EarliestAt, DateTimeOffset LatestAt)
{
    /// <summary>The carrier's and the service's name, for example "ups/ground".</summary>
    public string Name => NameOf(Carrier, Service);

    public string Title { get; init; } = "";

    /// <summary>In calendar days from when it is asked for.</summary>
    public int TransitDaysMin { get; init; }

    public int TransitDaysMax { get; init; }

    /// <summary>It arrives on the day on which it is asked for.</summary>
    public bool SameDay { get; init; }

    /// <summary>The zone of the rate card; empty where the carrier itself quotes.</summary>
    public string Zone { get; init; } = "";

    /// <summary>The weight that counts, in grams; 0 where the carrier itself quotes.</summary>
    public long BillableGrams { get; init; }

    /// <summary>What its size counts as, in grams.</summary>
    public long VolumetricGrams { get; init; }

    public IReadOnlyList<QuoteLine> Lines { get; init; } = [];

    /// <summary>The rate card that it is from; empty where the carrier itself quotes.</summary>
    public string CardId { get; init; } = "";

    public long CardVersion { get; init; }

    public static string NameOf(string carrier, string service) => $"{carrier}/{service}";
}
