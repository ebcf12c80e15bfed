using Commerce.ServiceDefaults;
using Commerce.Shipments.DetectingCarriers;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.IngestingScans;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Shipments.WatchingTracking;
using Commerce.Tracking.Vocabularies;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;

namespace Commerce.Shipments.FindingShipments;

/// <summary>Parcels by their Tracking ID: of parcels with the same number the newest.</summary>
internal sealed class TrackingGrpcService(ShipmentStore store, DetectCarriers detecting, IngestReported ingesting, TrackingWatch watching, ArrivalEstimator estimator, NpgsqlDataSource database) : TrackingService.TrackingServiceBase
{
    private const int MostAtOnce = 500;
    private const int LongestText = 200;
    private const int MostBearers = 20;

    public override async Task<V1.Shipment> GetTracking(GetTrackingRequest request, ServerCallContext context) =>
        ShipmentMessage.Of(await Find(request.TrackingNumber, context), estimator);

    public override async Task<Struct> GetTrackingAs(GetTrackingAsRequest request, ServerCallContext context)
    {
        if (!Telling.Names.Contains(request.Vocabulary))
        {
            throw new Failure(ErrorReason.VocabularyNotFound, $"Give one of {string.Join(", ", Telling.Names.Order())}.", new FieldError("vocabulary", "Not a vocabulary that is known."))
            {
                Metadata = new Dictionary<string, string> { ["vocabularies"] = string.Join(',', Telling.Names.Order()) },
            };
        }

        var found = await Find(request.TrackingNumber, context);
        var parcel = new ToldParcel(
            found.Shipment.Carrier ?? "", found.Shipment.TrackingNumber ?? "", found.Shipment.Tracking, [.. ScanMerge.Merge(found.Scans).Select(one => one.Scan)], found.Shipment.EstimatedAt);
        return Struct.Parser.ParseJson(Telling.Tell(parcel, request.Vocabulary).ToJsonString());
    }

    public override async Task<ProofOfDelivery> GetProofOfDelivery(GetProofOfDeliveryRequest request, ServerCallContext context)
    {
        var number = Number(request.TrackingNumber);
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

        throw await store.Select(ShipmentQuery.ByNumber(number), context.CancellationToken) is [{ Shipment: var shipment }]
            ? new Failure(ErrorReason.ProofOfDeliveryNotFound, shipment.Tracking.DeliveredAt is null
                ? "The parcel is not delivered; there is nothing to prove yet."
                : $"{shipment.Carrier} gave no proof of this delivery; ask it for one.")
            : NotFound();
    }

    public override async Task WatchTracking(WatchTrackingRequest request, IServerStreamWriter<V1.Shipment> responseStream, ServerCallContext context)
    {
        if (request.AfterVersion < 0)
            throw Failure.Invalid(new FieldError("after_version", "Give 0 or a version that a fact or an answer named."));
        await foreach (var shipment in watching.Watch(Number(request.TrackingNumber), request.AfterVersion, context.CancellationToken))
            await responseStream.WriteAsync(shipment, context.CancellationToken);
    }

    public override Task<IngestScansResponse> IngestScans(IngestScansRequest request, ServerCallContext context) => ingesting.Ingest(request, context.CancellationToken);

    public override Task<IngestScansResponse> StreamScans(IAsyncStreamReader<StreamScansRequest> requestStream, ServerCallContext context) => ingesting.Ingest(requestStream, context.CancellationToken);

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
                bearers[borne] = ShipmentMessage.Of(one, estimator);
        }

        foreach (var (one, number) in found.SelectMany(one => one.FormerNumbers, (one, number) => (one, number)).OrderBy(row => row.number.ReplacedAt))
            former[number.TrackingNumber] = ShipmentMessage.Of(one, estimator);

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

    public override async Task<LookupParcelsResponse> LookupParcels(LookupParcelsRequest request, ServerCallContext context)
    {
        if (request.TrackingNumbers.Count is 0 or > MostAtOnce)
            throw Failure.Invalid(new FieldError("tracking_numbers", $"Has {request.TrackingNumbers.Count} numbers; 1 to {MostAtOnce} are allowed."));
        var numbers = request.TrackingNumbers.Select(TrackingNumber.Normalise).OfType<string>().Distinct().ToArray();
        return new LookupParcelsResponse { Matches = { await BearerRows.Find(database, numbers, MostBearers, context.CancellationToken) } };
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

    private async Task<FoundShipment> Find(string text, ServerCallContext context) =>
        await store.Select(ShipmentQuery.ByNumber(Number(text)), context.CancellationToken) is [var found]
            ? found
            : throw NotFound();

    private static string Number(string text) => TrackingNumber.Normalise(text)
        ?? throw Failure.Invalid(new FieldError("tracking_number", "Give a carrier's number: 4 to 50 letters and digits; spaces and dashes are forgiven."));

    private static Failure NotFound() => new(ErrorReason.TrackingNotFound, "No parcel bears this tracking number; compare it with the original. A new label can take a moment.");
}
