namespace Commerce.Shipments;

/// <summary>The names that facts use: the proto's, without prefix.</summary>
internal static class StatusName
{
    private static readonly Dictionary<V1.TrackingStatus, string> Statuses = Enum.GetValues<V1.TrackingStatus>()
        .ToDictionary(status => status, status => Screaming(status.ToString()));

    public static string Of(V1.TrackingStatus status) => Statuses[status];

    public static string Of(V1.ShipmentException.Types.Kind kind) => Screaming(kind.ToString());

    public static string Of(V1.DeliveryChange.Types.State state) => Screaming(state.ToString());

    // OutForDelivery → OUT_FOR_DELIVERY
    private static string Screaming(string name) =>
        string.Concat(name.Select((c, i) => i > 0 && char.IsUpper(c) ? "_" + c : char.ToUpperInvariant(c).ToString()));
}
