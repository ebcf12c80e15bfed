using System.Security.Cryptography;
using System.Text;

namespace Commerce.Shipments;

/// <summary>
/// One thing that a carrier saw. Its identity is its content: carrier, number, code, local time and place, so that the same
/// scan from a webhook and from a poll is one. The carrier's words are not part of it: they vary by language and channel.
/// </summary>
internal sealed record Scan(
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
    /// <summary>What the carrier says of the delivery; null if it says nothing, or it is none. Kept apart from the scan.</summary>
    public ProofRecord? Proof { get; init; }

    public static Guid IdOf(string carrier, string trackingNumber, string code, string time, PlaceRecord place)
    {
        // Lengths keep neighbours apart: ("ab", "c") is not ("a", "bc").
        var content = new StringBuilder();
        foreach (var part in (string[])[carrier, trackingNumber, code, time, place.Locality, place.Region, place.PostalCode, place.Country])
            content.Append(part.Length).Append(':').Append(part.ToUpperInvariant());
        return new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(content.ToString())).AsSpan(0, 16), bigEndian: true);
    }
}

/// <summary>Proof of a delivery, as a carrier tells it; a photograph is a reference, never bytes. Personal data.</summary>
internal sealed record ProofRecord(string SignedBy, string PhotoReference, double? Latitude, double? Longitude, string LeftAt);
