using System.Security.Cryptography;
using System.Text;

namespace Commerce.Tracking;

/// <summary>
/// One thing that a carrier saw, as one reporter tells it. Its identity is its content within its reporter, so that the same scan from
/// a webhook and from a poll is one. The words are part of it only where the carrier has no code of its own: they vary by language.
/// </summary>
public sealed record Scan(
    Guid Id,
    V1.TrackingStatus Status,
    V1.StatusReason.Types.Party ReasonParty,
    string ReasonCode,
    bool Inferred,
    string CarrierCode,
    string Description,
    DateTimeOffset OccurredAt,
    string LocalTime,
    PlaceRecord Place,
    string Source,
    DateTimeOffset ReceivedAt)
{
    /// <summary>How <see cref="OccurredAt"/> is known.</summary>
    public TimeBasis TimeBasis { get; init; } = TimeBasis.Carrier;

    /// <summary>Who told us: the carrier ("ups") or an aggregator ("easypost"); empty: the carrier.</summary>
    public string Reporter { get; init; } = "";

    /// <summary>The aggregator's own status and detail, "in_transit/arrived_at_facility"; empty if the carrier told us.</summary>
    public string ReporterStatus { get; init; } = "";

    /// <summary>What the carrier says of the delivery; null if it says nothing, or it is none. Kept apart from the scan.</summary>
    public ProofRecord? Proof { get; init; }

    /// <summary>The time cannot be told from what was written; <see cref="OccurredAt"/> is that of receipt.</summary>
    public bool IsTimeless => TimeBasis == TimeBasis.Received;

    /// <summary>What the status is made from.</summary>
    public Sighting Sighting => new(Id, Status, ReasonParty, ReasonCode, OccurredAt, IsTimeless);

    /// <summary>An identity made of the parts.</summary>
    public static Guid IdOf(params IReadOnlyList<string> parts)
    {
        // Lengths keep neighbours apart: ("ab", "c") is not ("a", "bc").
        var content = new StringBuilder();
        foreach (var part in parts)
            content.Append(part.Length).Append(':').Append(part.ToUpperInvariant());
        return new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(content.ToString())).AsSpan(0, 16), bigEndian: true);
    }
}

/// <summary>As much of a <see cref="Scan"/> as a parcel's status is made from.</summary>
public readonly record struct Sighting(Guid Id, V1.TrackingStatus Status, V1.StatusReason.Types.Party ReasonParty, string ReasonCode, DateTimeOffset OccurredAt, bool IsTimeless);

/// <summary>Proof of a delivery, as a carrier tells it; a photograph is a reference, never bytes. Degrees of latitude and longitude, both or none. Personal data.</summary>
public sealed record ProofRecord(string SignedBy, string PhotoReference, double? Latitude, double? Longitude, string LeftAt)
{
    /// <summary>Null where nothing is said; half a position is none.</summary>
    public static ProofRecord? Of(string signedBy, string photoReference, double? latitude, double? longitude, string leftAt)
    {
        if (latitude is null || longitude is null)
            (latitude, longitude) = (null, null);
        return signedBy.Length == 0 && photoReference.Length == 0 && leftAt.Length == 0 && latitude is null ? null : new ProofRecord(signedBy, photoReference, latitude, longitude, leftAt);
    }
}
