using Commerce.Tracking.Vocabularies;

namespace Commerce.Tracking.Payloads;

/// <summary>One scan as a payload tells it, read field by field: what is missing or of a wrong type costs no more than itself.</summary>
public sealed record ReportedScan(
    string Carrier,
    string TrackingNumber,
    string Code,
    string Words,
    ReportedTime Time,
    PlaceRecord Place,
    Meaning Meaning)
{
    private const int EarliestYear = 2000;

    /// <summary>The aggregator that told; empty if the carrier itself did.</summary>
    public string Aggregator { get; init; } = "";

    /// <summary>The aggregator's own status and detail, "in_transit/arrived_at_facility".</summary>
    public string AggregatorStatus { get; init; } = "";

    /// <summary>What it says of a delivery; null if nothing.</summary>
    public ProofRecord? Proof { get; init; }

    /// <summary>The parcel's own state, where it has no scans: its time is that of the telling, and the same state told again is the same scan.</summary>
    public bool IsSummary { get; init; }

    /// <summary>The carrier gives one code to many things, so that its words tell one scan from another.</summary>
    public bool CoarseCode { get; init; }

    /// <summary>
    /// The scan. A time that cannot be read, that lies in the far past or further ahead than a clock can be wrong is replaced by the time
    /// of receipt; the carrier's own text of it is kept.
    /// </summary>
    /// <param name="source">How we learned of it, for example "webhook".</param>
    /// <param name="now">When we learned of it.</param>
    /// <param name="futureTolerance">How far ahead a carrier's clock may be.</param>
    public Scan ToScan(string source, DateTimeOffset now, TimeSpan futureTolerance)
    {
        var believed = Time.Instant is { } at && at.Year >= EarliestYear && at <= now + futureTolerance ? at : (DateTimeOffset?)null;
        return new Scan(
            Identity(), Meaning.Status, Meaning.Party, Meaning.Reason, Meaning.Inferred, Code, Words, believed ?? now, Time.Text, Place, source, now)
        {
            TimeBasis = believed is null ? TimeBasis.Received : Time.Basis,
            Reporter = Aggregator.Length > 0 ? Aggregator : Carrier,
            ReporterStatus = AggregatorStatus,
            Proof = Meaning.Status == V1.TrackingStatus.Delivered ? Proof : null,
        };
    }

    private Guid Identity()
    {
        // A webhook and a poll may write one time differently ("…:00Z", "…:00.000+00:00"): the scan is the same.
        var time = IsSummary ? "summary" : Time is { Instant: { } at, Basis: not TimeBasis.Assumed } ? at.UtcDateTime.ToString("O", System.Globalization.CultureInfo.InvariantCulture) : Time.Text;
        var what = IsSummary ? $"{StatusName.Of(Meaning.Status)} {Meaning.Reason}" : Code.Length > 0 && !CoarseCode ? Code : $"{(Code.Length > 0 ? Code : StatusName.Of(Meaning.Status))} {Folded.Of(Words)}".TrimEnd();
        string[] content = [Carrier, TrackingNumber, what, time, Place.Locality, Place.Region, Place.PostalCode, Place.Country];
        return Aggregator.Length > 0 ? Scan.IdOf([.. content, Aggregator]) : Scan.IdOf(content);
    }
}

/// <summary>What a payload says went wrong, or what of it could not be used.</summary>
/// <param name="Code">The carrier's code of it; empty for one of ours.</param>
/// <param name="Message">In words.</param>
public sealed record PayloadProblem(string Code, string Message);

/// <summary>What was read of a payload.</summary>
/// <param name="Shape">Whose payload it is: the name of a shape, or "unknown" if its meaning was guessed.</param>
/// <param name="Scans">Every scan that names its parcel, in the payload's order.</param>
/// <param name="Problems">What the carrier says went wrong, and what could not be used.</param>
public sealed record PayloadReading(string Shape, IReadOnlyList<ReportedScan> Scans, IReadOnlyList<PayloadProblem> Problems)
{
    /// <summary>What stands where scans stand and is none.</summary>
    public IReadOnlyList<RejectedScan> Rejected { get; init; } = [];
}

/// <summary>Something of which no scan could be made.</summary>
/// <param name="Index">Its place among the scans, from 0.</param>
/// <param name="Reason">Why, and what would help.</param>
public sealed record RejectedScan(int Index, string Reason);
