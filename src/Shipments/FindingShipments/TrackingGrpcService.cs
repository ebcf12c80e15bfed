using Commerce.ServiceDefaults;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;

namespace Commerce.Shipments.FindingShipments;

/// <summary>Parcels by their Tracking ID: of parcels with the same number the newest.</summary>
internal sealed class TrackingGrpcService(ShipmentStore store, NpgsqlDataSource database) : TrackingService.TrackingServiceBase
{
    private const int MostAtOnce = 500;

    public override async Task<V1.Shipment> GetTracking(GetTrackingRequest request, ServerCallContext context)
    {
        var number = NumberOf(request.TrackingNumber);
        return await store.Select(ShipmentQuery.ByNumbers([number]), context.CancellationToken) is [var (shipment, scans)]
            ? ShipmentMessage.Of(shipment, scans)
            : throw NotFound();
    }

    public override async Task<ProofOfDelivery> GetProofOfDelivery(GetProofOfDeliveryRequest request, ServerCallContext context)
    {
        var number = NumberOf(request.TrackingNumber);
        if (await ProofRows.Find(database, number, context.CancellationToken) is var (shipmentId, deliveredAt, proof))
        {
            return new ProofOfDelivery
            {
                Shipment = ShipmentMessage.NamePrefix + shipmentId.ToString("N"),
                TrackingNumber = number,
                DeliveredTime = Timestamp.FromDateTimeOffset(deliveredAt),
                SignedBy = proof.SignedBy,
                PhotoReference = proof.PhotoReference,
                Position = proof is { Latitude: { } latitude, Longitude: { } longitude } ? new ProofOfDelivery.Types.Position { Latitude = latitude, Longitude = longitude } : null,
                LeftAt = proof.LeftAt,
            };
        }

        throw await store.Select(ShipmentQuery.ByNumbers([number]), context.CancellationToken) is [var (shipment, _)]
            ? new Failure(ErrorReason.ProofOfDeliveryNotFound, shipment.Tracking.DeliveredAt is null
                ? "The parcel is not delivered; there is nothing to prove yet."
                : $"{shipment.Carrier} gave no proof of this delivery; ask it for one.")
            : NotFound();
    }

    public override async Task<BatchGetTrackingResponse> BatchGetTracking(BatchGetTrackingRequest request, ServerCallContext context)
    {
        if (request.TrackingNumbers.Count is 0 or > MostAtOnce)
            throw Failure.Invalid(new FieldError("tracking_numbers", $"Has {request.TrackingNumbers.Count} numbers; 1 to {MostAtOnce} are allowed."));

        var asked = request.TrackingNumbers.Select(given => (Given: given, Number: TrackingNumber.Normalise(given))).ToList();
        var found = await store.Select(ShipmentQuery.ByNumbers([.. asked.Select(one => one.Number).OfType<string>().Distinct()]), context.CancellationToken);
        var byNumber = found.ToDictionary(one => one.Shipment.TrackingNumber!, one => ShipmentMessage.Of(one.Shipment, one.Scans), StringComparer.Ordinal);
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

    private static string NumberOf(string given) => TrackingNumber.Normalise(given)
        ?? throw Failure.Invalid(new FieldError("tracking_number", "Give a carrier's number: 4 to 50 letters and digits; spaces and dashes are forgiven."));

    private static Failure NotFound() => new(ErrorReason.TrackingNotFound, "No parcel bears this tracking number; compare it with the original. A new label can take a moment.");
}
