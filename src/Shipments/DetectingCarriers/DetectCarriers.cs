using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Tracking.Numbers;
using Carrier = Commerce.Tracking.Numbers.Carrier;

namespace Commerce.Shipments.DetectingCarriers;

/// <summary>Whose numbers they are: a parcel that bears one decides, then the order, then what the number looks like.</summary>
internal sealed class DetectCarriers(ShipmentStore store)
{
    private const int MostParcels = 500;

    /// <param name="numbers">As they were typed.</param>
    /// <param name="orderId">Canonical; empty: not known.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<IReadOnlyList<CarrierDetection>> Of(IReadOnlyList<string> numbers, string orderId, CancellationToken cancellationToken)
    {
        var forms = numbers.Select(TrackingNumber.Normalise).ToList();
        var bearers = await store.Bearers([.. forms.OfType<string>().Distinct()], cancellationToken);
        var ofOrder = orderId.Length == 0
            ? []
            : (await store.Select(ShipmentQuery.OfOrder(orderId, onlyExceptions: false, afterPosition: -1, MostParcels), cancellationToken))
                .Select(found => found.Shipment.Carrier ?? found.Shipment.BuyingCarrier).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return [.. numbers.Zip(forms, (number, form) => Of(number, form is not null && bearers.TryGetValue(form, out var bearer) ? bearer : null, ofOrder))];
    }

    private static CarrierDetection Of(string number, (Guid Id, string Carrier)? bearer, HashSet<string> ofOrder)
    {
        var detection = CarrierDetector.Detect(number);
        if (bearer is { } parcel)
        {
            detection = detection.DecidedBy(CarrierOf(parcel.Carrier));
        }
        else if (detection.Candidates.Select(candidate => candidate.Carrier).Where(carrier => ofOrder.Contains(carrier.Code)).Distinct().ToList() is [var own])
        {
            detection = detection.DecidedBy(own);
        }

        return new CarrierDetection
        {
            Number = number,
            Ambiguous = detection.IsAmbiguous,
            Candidates = { detection.Candidates.Select(CandidateOf) },
            MistypedFormat = detection.Mistyped?.Id ?? "",
            KnownShipment = bearer is { } known ? $"{ShipmentMessage.NamePrefix}{known.Id:N}" : "",
        };
    }

    // A carrier may be configured that no format is known of.
    private static Carrier CarrierOf(string code) => CarrierDetector.FindCarrier(code) ?? new Carrier(code, code);

    private static CarrierCandidate CandidateOf(Candidate candidate) => new()
    {
        Carrier = candidate.Carrier.Code,
        CarrierName = candidate.Carrier.Name,
        Service = candidate.Service?.Name ?? "",
        ServiceCode = candidate.Service?.Code ?? "",
        Confidence = candidate.Confidence,
        Format = candidate.Format,
        CheckDigitVerified = candidate.CheckDigitVerified,
        OriginCountry = candidate.OriginCountry ?? "",
        DestinationCountry = candidate.DestinationCountry ?? "",
        DestinationPostalCode = candidate.DestinationPostcode ?? "",
    };
}
