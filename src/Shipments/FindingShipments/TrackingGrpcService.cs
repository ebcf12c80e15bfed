using Commerce.ServiceDefaults;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.Shipments.FindingShipments;

/// <summary>Parcels by their Tracking ID: of parcels with the same number the newest.</summary>
internal sealed class TrackingGrpcService(ShipmentStore store, ArrivalEstimator estimator) : TrackingService.TrackingServiceBase
{
    private const int MostAtOnce = 500;

    public override async Task<V1.Shipment> GetTracking(GetTrackingRequest request, ServerCallContext context)
    {
        var number = TrackingNumber.Normalise(request.TrackingNumber)
            ?? throw Failure.Invalid(new FieldError("tracking_number", "Give a carrier's number: 4 to 50 letters and digits; spaces and dashes are forgiven."));
        return await store.Select(ShipmentQuery.ByNumbers([number]), context.CancellationToken) is [var (shipment, scans)]
            ? ShipmentMessage.Of(shipment, scans, estimator.Of(shipment, scans))
            : throw new Failure(ErrorReason.TrackingNotFound, "No parcel bears this tracking number; compare it with the original. A new label can take a moment.");
    }

    public override async Task<BatchGetTrackingResponse> BatchGetTracking(BatchGetTrackingRequest request, ServerCallContext context)
    {
        if (request.TrackingNumbers.Count is 0 or > MostAtOnce)
            throw Failure.Invalid(new FieldError("tracking_numbers", $"Has {request.TrackingNumbers.Count} numbers; 1 to {MostAtOnce} are allowed."));

        var asked = request.TrackingNumbers.Select(given => (Given: given, Number: TrackingNumber.Normalise(given))).ToList();
        var found = await store.Select(ShipmentQuery.ByNumbers([.. asked.Select(one => one.Number).OfType<string>().Distinct()]), context.CancellationToken);
        var byNumber = found.ToDictionary(one => one.Shipment.TrackingNumber!, one => ShipmentMessage.Of(one.Shipment, one.Scans, estimator.Of(one.Shipment, one.Scans)), StringComparer.Ordinal);
        var response = new BatchGetTrackingResponse();
        foreach (var (given, number) in asked)
        {
            if (number is not null && byNumber.TryGetValue(number, out var shipment))
                response.Shipments.Add(shipment);
            else
                response.NotFound.Add(given);
        }

        return response;
    }
}
