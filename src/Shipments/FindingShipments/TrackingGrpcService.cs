using Commerce.ServiceDefaults;
using Commerce.Shipments.DetectingCarriers;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;

namespace Commerce.Shipments.FindingShipments;

/// <summary>Parcels by their Tracking ID: of parcels with the same number the newest.</summary>
internal sealed class TrackingGrpcService(ShipmentStore store, DetectCarriers detecting, NpgsqlDataSource database) : TrackingService.TrackingServiceBase
{
    private const int MostAtOnce = 500;
    private const int LongestText = 200;

    public override async Task<V1.Shipment> GetTracking(GetTrackingRequest request, ServerCallContext context)
    {
        var number = NumberOf(request.TrackingNumber);
        return await store.Select(ShipmentQuery.ByNumbers([number]), context.CancellationToken) is [var found]
            ? ShipmentMessage.Of(found)
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

        throw await store.Select(ShipmentQuery.ByNumbers([number]), context.CancellationToken) is [{ Shipment: var shipment }]
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
        // The newest bearer of a number goes before older ones, and any before whoever was corrected from it.
        var bearers = new Dictionary<string, V1.Shipment>(StringComparer.Ordinal);
        var former = new Dictionary<string, V1.Shipment>(StringComparer.Ordinal);
        foreach (var one in found.OrderBy(one => one.Shipment.CreatedAt))
        {
            if (one.Shipment.TrackingNumber is { } borne)
                bearers[borne] = ShipmentMessage.Of(one);
        }

        foreach (var (one, number) in found.SelectMany(one => one.FormerNumbers, (one, number) => (one, number)).OrderBy(row => row.number.ReplacedAt))
            former[number.TrackingNumber] = ShipmentMessage.Of(one);

        var response = new BatchGetTrackingResponse();
        foreach (var (given, number) in asked)
        {
            if (number is not null && (bearers.GetValueOrDefault(number) ?? former.GetValueOrDefault(number)) is { } shipment)
                response.Shipments.Add(shipment);
            else
                response.NotFound.Add(given);
        }

        return response;
    }

    public override async Task<DetectCarrierResponse> DetectCarrier(DetectCarrierRequest request, ServerCallContext context)
    {
        var errors = new List<FieldError>();
        if (request.TrackingNumbers.Count is 0 or > MostAtOnce)
            errors.Add(new FieldError("tracking_numbers", $"Has {request.TrackingNumbers.Count} numbers; 1 to {MostAtOnce} are allowed."));
        foreach (var (index, number) in request.TrackingNumbers.Index().Where(one => one.Item.Length > LongestText).Take(1))
            errors.Add(new FieldError($"tracking_numbers[{index}]", $"Has {number.Length} characters; at most {LongestText} are looked at."));
        OrderId order = default;
        if (request.OrderId.Length > 0 && !OrderId.TryParse(request.OrderId, out order))
            errors.Add(new FieldError("order_id", "It is not an Order ID, or mistyped: compare it with the original, for example ORD-7K3M9QX-T2F8CRW."));
        if (errors.Count > 0)
            throw Failure.Invalid(errors);
        return new DetectCarrierResponse { Detections = { await detecting.Of(request.TrackingNumbers, request.OrderId.Length > 0 ? order.ToString() : "", context.CancellationToken) } };
    }

    private static string NumberOf(string given) => TrackingNumber.Normalise(given)
        ?? throw Failure.Invalid(new FieldError("tracking_number", "Give a carrier's number: 4 to 50 letters and digits; spaces and dashes are forgiven."));

    private static Failure NotFound() => new(ErrorReason.TrackingNotFound, "No parcel bears this tracking number; compare it with the original. A new label can take a moment.");
}
