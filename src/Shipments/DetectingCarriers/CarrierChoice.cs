using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Tracking.Numbers;
using Commerce.Types.V1;

namespace Commerce.Shipments.DetectingCarriers;

/// <summary>Whose a number is that somebody registers or corrects: never a guess.</summary>
internal sealed class CarrierChoice(CarrierDirectory carriers)
{
    /// <param name="number">The number in its form.</param>
    /// <param name="given">The carrier that the caller names, which decides; empty: none.</param>
    /// <param name="known">The carrier that it is known to be of otherwise, which decides if the number can be its; null: not known.</param>
    /// <exception cref="Failure">CARRIER_NOT_FOUND, TRACKING_AMBIGUOUS, TRACKING_NOT_RECOGNISED.</exception>
    public string Of(string number, string given, string? known = null)
    {
        if (given.Length > 0)
        {
            return carriers.Find(given) is not null || CarrierDetector.FindCarrier(given) is not null
                ? given
                : throw new Failure(
                    ErrorReason.CarrierNotFound, "There is no carrier of this code; give one such as ups, usps, fedex, dhl or royal_mail, or leave it out.",
                    new FieldError("carrier", "Not a carrier's code."));
        }

        var detection = CarrierDetector.Detect(number);
        if (known is not null && detection.Candidates.Any(candidate => candidate.Carrier.Code == known))
            return known;
        if (detection.Carrier is { } certain)
            return certain.Code;
        if (detection.Candidates.Count == 0)
        {
            var why = detection.Mistyped is { } format
                ? $"It looks like {format.Name}, but its check digit is wrong: compare it with the label."
                : "It has no format that is known: compare it with the label, or name the carrier.";
            throw new Failure(ErrorReason.TrackingNotRecognised, why, new FieldError("tracking_number", why))
            {
                Metadata = new Dictionary<string, string> { ["mistyped_format"] = detection.Mistyped?.Id ?? "" },
            };
        }

        var codes = string.Join(',', detection.Candidates.Select(candidate => candidate.Carrier.Code).Distinct());
        throw new Failure(
            ErrorReason.TrackingAmbiguous,
            detection.IsAmbiguous ? $"The number can be of several carriers ({codes}): name the one." : $"The number may be {codes}'s, which is not certain: name the carrier.",
            new FieldError("carrier", $"Give one of {codes}, or another that is right."))
        {
            Metadata = new Dictionary<string, string> { ["candidates"] = codes },
        };
    }
}
