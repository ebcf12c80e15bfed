using System.Collections.Frozen;

namespace Commerce.Tracking.Vocabularies;

/// <summary>What a code or words mean: a status, who caused it and what, and whether words rather than a table said so.</summary>
public sealed record Meaning(V1.TrackingStatus Status, V1.StatusReason.Types.Party Party, string Reason, bool Inferred);

/// <summary>What can have happened to a parcel: reasons.csv.</summary>
public static class Reasons
{
    private static readonly FrozenDictionary<string, (V1.StatusReason.Types.Party Party, bool Action, string Like)> All = Table.Rows("Vocabularies.reasons.csv").ToFrozenDictionary(
        row => row[0],
        row => (row[1].Length > 0 ? Enum.Parse<V1.StatusReason.Types.Party>(row[1], ignoreCase: true) : V1.StatusReason.Types.Party.Unspecified, row[2] == "yes", row[3]));

    /// <summary>Every reason that is known.</summary>
    public static IReadOnlyCollection<string> Codes => All.Keys;

    public static Meaning Meaning(V1.TrackingStatus status, string reason) => new(status, PartyOf(reason), reason, Inferred: false);

    public static V1.StatusReason.Types.Party PartyOf(string reason) => All.GetValueOrDefault(reason).Party;

    /// <summary>A parcel in that state does not go on until somebody does something.</summary>
    public static bool NeedsAction(V1.TrackingStatus status, string reason) => status switch
    {
        V1.TrackingStatus.AvailableForPickup or V1.TrackingStatus.ReturnToSender => true,
        V1.TrackingStatus.DeliveryFailed or V1.TrackingStatus.OnHold => All.GetValueOrDefault(reason).Action,
        _ => false,
    };

    /// <summary>The reason and, ever more general, those that say nearly the same.</summary>
    internal static IEnumerable<string> Alike(string reason)
    {
        var told = new HashSet<string>();
        for (; reason.Length > 0 && told.Add(reason); reason = All.GetValueOrDefault(reason).Like ?? "")
            yield return reason;
    }
}
