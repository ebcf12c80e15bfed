using System.Buffers;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Google.Protobuf.Collections;

namespace Commerce.Gateway.Views;

/// <summary>Classes of callers, by what they may see of an order. Each part is kept once for each class that was asked for.</summary>
internal enum Visibility
{
    /// <summary>Staff, the shop's systems and the services: everything.</summary>
    Staff,

    /// <summary>The shopper, with a second factor beside the code: their order, without what is the shop's own business.</summary>
    Shopper,

    /// <summary>Anybody with a code: parcels' journeys.</summary>
    Public,
}

/// <summary>What each class may see.</summary>
internal static class Visibilities
{
    public const int Count = 3;

    private static readonly SearchValues<char> OfTimes = SearchValues.Create("0123456789-T:.+Z");

    // What is between the shop and its carriers.
    private static readonly ShipmentException.Types.Kind[] ShopsOwn =
    [
        ShipmentException.Types.Kind.NoRate, ShipmentException.Types.Kind.LabelRefused, ShipmentException.Types.Kind.CarrierUnavailable, ShipmentException.Types.Kind.RefundNotGranted,
    ];

    /// <summary>As copies are called in Redis.</summary>
    public static string NameOf(Visibility visibility) => visibility switch
    {
        Visibility.Staff => "staff",
        Visibility.Shopper => "shopper",
        _ => "public",
    };

    /// <summary>What of a part's fields a class may see. Items of repeated fields keep their number and order.</summary>
    public static LookupView Reduce(LookupView fields, Visibility visibility)
    {
        switch (visibility)
        {
            case Visibility.Staff:
                return fields;
            case Visibility.Public:
                return new LookupView { Journeys = { fields.Shipments.Select(JourneyOf) } };
        }

        if (fields.Order is { } order)
        {
            order.EraseTime = null;
            foreach (var part in order.PaymentParts)
                part.Token = "";
            if (order.Cancellation is { } cancellation)
            {
                cancellation.Note = "";
                // Nobody is told that they are suspected.
                if (cancellation.Reason == CancelReason.Fraud)
                    cancellation.Reason = CancelReason.Shop;
            }
        }

        if (fields.Payment is { } payment)
        {
            foreach (var part in payment.Parts)
                (part.Provider, part.ProviderReference) = ("", "");
            foreach (var capture in payment.Captures)
                (capture.Actor, capture.FailureReason) = ("", "");
        }

        foreach (var one in fields.Returns)
        {
            (one.RequestedBy, one.WindowOverridden) = ("", false);
            foreach (var refund in one.Refunds)
                (refund.OutsideReference, refund.FailureReason) = ("", "");
            if (one.Replacement?.PaymentPart is { } part)
                part.Token = "";
        }

        foreach (var shipment in fields.Shipments)
            ReduceForShopper(shipment);
        foreach (var notification in fields.Notifications)
            notification.Attempts = 0;
        return fields;
    }

    private static void ReduceForShopper(Shipment shipment)
    {
        (shipment.LabelPrice, shipment.DelayRisk) = (null, null);
        (shipment.Manifest, shipment.SoldBy, shipment.Registered) = ("", "", false);
        if (shipment.Exception is { } exception)
        {
            (exception.Message, exception.Attempts) = ("", 0);
            if (ShopsOwn.Contains(exception.Kind))
                shipment.Exception = null;
        }

        // Something else will be decided.
        if (shipment.DecidedRemedy?.State == DecidedRemedy.Types.State.Failed)
            shipment.DecidedRemedy = null;
        ReduceForShopper(shipment.Scans);
        foreach (var former in shipment.FormerTracking)
        {
            (former.ReplacedBy, former.Note) = ("", "");
            ReduceForShopper(former.Scans);
        }
    }

    private static void ReduceForShopper(RepeatedField<Scan> scans)
    {
        foreach (var scan in scans)
        {
            (scan.Source, scan.Reporter, scan.ReporterStatus, scan.ReceivedTime, scan.Inferred) = ("", "", "", null, false);
            scan.AlsoReportedBy.Clear();
        }
    }

    // Only what is named here is shown: a field that a shipment gets later is nobody's until somebody decides.
    private static Journey JourneyOf(Shipment shipment) => new()
    {
        Carrier = shipment.Carrier,
        TrackingNumber = shipment.TrackingNumber,
        Status = shipment.Status,
        StatusReason = shipment.StatusReason,
        StatusTime = shipment.StatusTime,
        Direction = shipment.Direction,
        ArrivalEstimate = shipment.ArrivalEstimate,
        DeliveredTime = shipment.DeliveredTime,
        Events =
        {
            shipment.Scans.Select(scan => new Journey.Types.Event
            {
                Status = scan.Status,
                Reason = scan.Reason,
                Time = scan.Time,
                // As it was written where it is no time: then it may say anything.
                LocalTime = scan.LocalTime.AsSpan().ContainsAnyExcept(OfTimes) ? "" : scan.LocalTime,
                Place = scan.Place is { } place
                    ? new Place { Locality = place.Locality, AdministrativeArea = place.AdministrativeArea, RegionCode = place.RegionCode }
                    : null,
            }),
        },
    };
}
