using Action = Commerce.Shipments.V1.ResolutionAction;
using Kind = Commerce.Shipments.V1.ShipmentException.Types.Kind;
using Severity = Commerce.Shipments.V1.ExceptionReport.Types.Severity;

namespace Commerce.Shipments.ResolvingExceptions;

/// <summary>How bad what keeps a parcel is, and what can be done about it: pure.</summary>
internal static class Severities
{
    private static readonly HashSet<string> Gone = new(StringComparer.Ordinal) { "LOST", "DAMAGED", "DESTROYED", "STOLEN" };

    public static Severity Of(Kind kind, TrackingState tracking) => kind switch
    {
        Kind.ActionRequired when Gone.Contains(tracking.ReasonCode) || tracking.Status == V1.TrackingStatus.ReturnToSender => Severity.Critical,
        Kind.ArrivedAfterRemedy or Kind.CancelledInTransit or Kind.AddressChangedTooLate => Severity.High,
        Kind.ActionRequired => tracking.Status == V1.TrackingStatus.AvailableForPickup ? Severity.Low : Severity.High,
        Kind.NoRate or Kind.LabelRefused => Severity.High,
        Kind.CarrierUnavailable or Kind.RefundNotGranted => Severity.Low,
        _ => Severity.Medium,
    };

    /// <summary>What can be done about it, the best first.</summary>
    public static IReadOnlyList<Action> Proposed(Shipment shipment)
    {
        if (shipment.Exception is not { } exception)
            return [];
        // Nobody has to do anything about a carrier that is asked again by itself.
        if (exception.Kind is Kind.ArrivedAfterRemedy or Kind.CarrierUnavailable or Kind.NoRate or Kind.LabelRefused or Kind.RefundNotGranted)
            return [Action.Dismiss];
        var actions = new List<Action>();
        var lost = Of(exception.Kind, shipment.Tracking) == Severity.Critical || exception.Kind == Kind.Silent;
        if (lost && shipment is { ReturnNumber: 0, Remedy: Remedy.None } && TrackingStatusRules.WasHandedOver(shipment.Tracking))
            actions.AddRange([Action.Reship, Action.Refund]);
        if (lost && shipment.LabelId is not null && TrackingStatusRules.WasHandedOver(shipment.Tracking))
            actions.Add(Action.Claim);
        if (shipment is { Tracking.Status: V1.TrackingStatus.DeliveryFailed or V1.TrackingStatus.OnHold or V1.TrackingStatus.AvailableForPickup, LabelId: not null, Remedy: Remedy.None } && !lost)
            actions.Insert(0, Action.Reschedule);
        return [.. actions, Action.Dismiss];
    }
}
