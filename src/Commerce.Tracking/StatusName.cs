using System.Collections.Frozen;

namespace Commerce.Tracking;

/// <summary>The names that facts and tables use: the proto's, without prefix.</summary>
public static class StatusName
{
    private static readonly FrozenDictionary<V1.TrackingStatus, string> Statuses = Enum.GetValues<V1.TrackingStatus>()
        .ToFrozenDictionary(status => status, status => Screaming(status.ToString()));

    private static readonly FrozenDictionary<string, V1.TrackingStatus> ByName = Statuses.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    public static string Of(V1.TrackingStatus status) => Statuses[status];

    public static string Of(V1.ShipmentException.Types.Kind kind) => Screaming(kind.ToString());

    public static string Of(V1.DeliveryChange.Types.State state) => Screaming(state.ToString());

    public static string Of(V1.ArrivalEstimate.Types.Basis basis) => Screaming(basis.ToString());

    public static string Of(V1.DelayCause.Types.Code code) => Screaming(code.ToString());

    /// <exception cref="FormatException">There is no such status.</exception>
    public static V1.TrackingStatus Parse(string name) =>
        ByName.TryGetValue(name, out var status) ? status : throw new FormatException($"There is no status {name}; the statuses are {string.Join(", ", ByName.Keys)}.");

    // OutForDelivery → OUT_FOR_DELIVERY
    private static string Screaming(string name) =>
        string.Concat(name.Select((c, i) => i > 0 && char.IsUpper(c) ? "_" + c : char.ToUpperInvariant(c).ToString()));
}
