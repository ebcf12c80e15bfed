using Commerce.Promising;

namespace Commerce.Shipments.EstimatingArrivals;

/// <summary>When a parcel will arrive, as of a moment. Times are by the recipient's clock.</summary>
/// <param name="Risk">The chance to miss the promise; null without one.</param>
internal sealed record ArrivalRecord(
    DateTimeOffset Expected,
    IReadOnlyList<ArrivalWindow> Windows,
    V1.ArrivalEstimate.Types.Basis Basis,
    double Evidence,
    V1.ArrivalEstimate.Types.Stage Stage,
    DateTimeOffset StageStartedAt,
    string TimeZone,
    DateTimeOffset AsOf,
    double? Risk,
    IReadOnlyList<(V1.DelayCause.Types.Code Code, double LogOdds)> Causes);
