using System.Collections.Frozen;
using static Commerce.Shipments.V1.StatusReason.Types.Party;
using static Commerce.Shipments.V1.TrackingStatus;
using Party = Commerce.Shipments.V1.StatusReason.Types.Party;

namespace Commerce.Shipments.Carriers;

/// <summary>What a carrier's code means: a status, who caused it and what, and whether the words rather than a table said so.</summary>
internal sealed record CodeMeaning(V1.TrackingStatus Status, Party Party, string ReasonCode, bool Inferred);

/// <summary>
/// The carriers' own event codes. Facts of their public tracking interfaces; another carrier is another block of rows. Where a
/// carrier has one code for many things (UPS "X", FedEx "DE"), the words decide which.
/// </summary>
internal static class CarrierCodes
{
    private static readonly FrozenDictionary<(string Carrier, string Code), CodeMeaning> Table = new Dictionary<(string, string), CodeMeaning>
    {
        [("ups", "M")] = Known(PreTransit),
        [("ups", "MV")] = Known(Cancelled),
        [("ups", "P")] = Known(PickedUp),
        [("ups", "I")] = Known(InTransit),
        [("ups", "O")] = Known(OutForDelivery),
        [("ups", "D")] = Known(V1.TrackingStatus.Delivered),
        [("ups", "DO")] = Known(V1.TrackingStatus.Delivered),
        [("ups", "DD")] = Known(V1.TrackingStatus.Delivered),
        [("ups", "RS")] = Known(ReturnToSender),
        [("usps", "MA")] = Known(PreTransit),
        [("usps", "03")] = Known(PickedUp),
        [("usps", "10")] = Known(InTransit),
        [("usps", "07")] = Known(InTransit),
        [("usps", "14")] = Known(OnHold, Party.Unspecified, "HELD_AT_POST_OFFICE"),
        [("usps", "16")] = Known(AvailableForPickup),
        [("usps", "OF")] = Known(OutForDelivery),
        [("usps", "02")] = Known(DeliveryFailed, Recipient, "RECIPIENT_ABSENT"),
        [("usps", "01")] = Known(V1.TrackingStatus.Delivered),
        [("usps", "09")] = Known(ReturnToSender),
        [("fedex", "OC")] = Known(PreTransit),
        [("fedex", "PU")] = Known(PickedUp),
        [("fedex", "IT")] = Known(InTransit),
        [("fedex", "AR")] = Known(InTransit),
        [("fedex", "DP")] = Known(InTransit),
        [("fedex", "OD")] = Known(OutForDelivery),
        [("fedex", "HL")] = Known(AvailableForPickup),
        [("fedex", "DL")] = Known(V1.TrackingStatus.Delivered),
        [("fedex", "DY")] = Known(Delayed),
        [("fedex", "CD")] = Known(OnHold, Customs, "CLEARANCE_DELAY"),
        [("fedex", "RS")] = Known(ReturnToSender),
        [("fedex", "CA")] = Known(Cancelled),
        [("dhl", "PU")] = Known(PickedUp),
        [("dhl", "PL")] = Known(InTransit),
        [("dhl", "DF")] = Known(InTransit),
        [("dhl", "AF")] = Known(InTransit),
        [("dhl", "AR")] = Known(InTransit),
        [("dhl", "WC")] = Known(OutForDelivery),
        [("dhl", "OK")] = Known(V1.TrackingStatus.Delivered),
        [("dhl", "OH")] = Known(OnHold, Party.Carrier, "ON_HOLD"),
        [("dhl", "NH")] = Known(DeliveryFailed, Recipient, "RECIPIENT_ABSENT"),
        [("dhl", "BA")] = Known(DeliveryFailed, Recipient, "ADDRESS_NOT_FOUND"),
        [("dhl", "RD")] = Known(DeliveryFailed, Recipient, "REFUSED"),
        [("dhl", "RT")] = Known(ReturnToSender),
        // An aggregator has put every carrier's codes into words of its own.
        [("easypost", "PRE_TRANSIT")] = Known(PreTransit),
        [("easypost", "IN_TRANSIT")] = Known(InTransit),
        [("easypost", "OUT_FOR_DELIVERY")] = Known(OutForDelivery),
        [("easypost", "DELIVERED")] = Known(V1.TrackingStatus.Delivered),
        [("easypost", "AVAILABLE_FOR_PICKUP")] = Known(AvailableForPickup),
        [("easypost", "RETURN_TO_SENDER")] = Known(ReturnToSender),
        [("easypost", "FAILURE")] = Known(DeliveryFailed),
        [("easypost", "CANCELLED")] = Known(Cancelled),
    }.ToFrozenDictionary();

    // First match wins, so the narrower words stand first: what is not, or not yet, delivered stands before "delivered", because
    // a parcel that is wrongly said to have arrived completes its order. Words match where a word begins.
    private static readonly (string[] Words, CodeMeaning Meaning)[] Words =
    [
        (["returned to facility", "return to facility", "returned to depot", "return to depot", "returned to station", "returned to terminal"], Inferred(InTransit)),
        (["return to s", "returned to s", "returning", "being returned", "delivered to sender", "delivered to shipper", "back to sender"], Inferred(ReturnToSender)),
        (["out for delivery", "out with courier", "with courier", "vehicle for delivery", "delivery vehicle"], Inferred(OutForDelivery)),
        (["not available", "not home", "absent", "notice left", "no authorized recipient", "business closed"], Inferred(DeliveryFailed, Recipient, "RECIPIENT_ABSENT")),
        (["incorrect address", "address unknown", "bad address", "insufficient address"], Inferred(DeliveryFailed, Recipient, "ADDRESS_NOT_FOUND")),
        (["refused"], Inferred(DeliveryFailed, Recipient, "REFUSED")),
        (["undeliver", "not delivered", "not be delivered", "cannot be delivered", "can't be delivered", "unable to deliver", "delivery failed", "failed delivery", "delivery attempt", "attempted delivery"], Inferred(DeliveryFailed, Party.Carrier, "ATTEMPT_FAILED")),
        (["weather", "snow", "storm", "flood"], Inferred(Delayed, Weather, "WEATHER")),
        (["customs", "clearance"], Inferred(InTransit, Customs, "CLEARANCE")),
        (["damaged"], Inferred(OnHold, Party.Carrier, "DAMAGED")),
        (["delay", "rescheduled"], Inferred(Delayed, Party.Carrier, "DELAYED")),
        (["hold", "held", "onhold"], Inferred(OnHold, Party.Carrier, "ON_HOLD")),
        (["ready for pickup", "available for pickup", "awaiting collection", "delivered to access point", "delivered to locker", "delivered to pickup"], Inferred(AvailableForPickup)),
        (["be delivered", "for final delivery", "delivered to local post office", "delivered to local carrier"], Inferred(InTransit)),
        (["delivered"], Inferred(V1.TrackingStatus.Delivered)),
        (["return"], Inferred(ReturnToSender)),
        (["cancelled", "canceled", "voided"], Inferred(Cancelled)),
        (["label", "shipment information", "electronically", "awaiting item"], Inferred(PreTransit)),
        (["picked up", "pickup scan", "accepted", "collected", "received by carrier"], Inferred(PickedUp)),
        (["depart", "arriv", "transit", "in-transit", "processed", "facility", "sort", "hub", "scan"], Inferred(InTransit)),
    ];

    /// <summary>By the table, else by the words, else UNKNOWN: never an error.</summary>
    public static CodeMeaning MeaningOf(string carrier, string code, string description) =>
        Table.TryGetValue((carrier, code.ToUpperInvariant()), out var meaning)
            ? meaning
            : Words.FirstOrDefault(row => row.Words.Any(words => Says(description, words))).Meaning
                ?? new CodeMeaning(Unknown, Party.Unspecified, "", Inferred: true);

    // "hold" is in "on hold" and not in "household"; "delivered" is not in "undelivered".
    private static bool Says(string description, string words)
    {
        for (var at = 0; (at = description.IndexOf(words, at, StringComparison.OrdinalIgnoreCase)) >= 0; at++)
        {
            if (at == 0 || !char.IsLetter(description[at - 1]))
                return true;
        }

        return false;
    }

    private static CodeMeaning Known(V1.TrackingStatus status, Party party = Party.Unspecified, string reason = "") => new(status, party, reason, Inferred: false);

    private static CodeMeaning Inferred(V1.TrackingStatus status, Party party = Party.Unspecified, string reason = "") => new(status, party, reason, Inferred: true);
}
