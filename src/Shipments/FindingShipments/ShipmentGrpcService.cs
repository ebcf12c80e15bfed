using System.Globalization;
using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Shipments.ChangingDelivery;
using Commerce.Shipments.CorrectingTracking;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.Manifesting;
using Commerce.Shipments.PrintingLabels;
using Commerce.Shipments.QuotingRates;
using Commerce.Shipments.RegisteringTracking;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Grpc.Core;
using HttpBody = Google.Api.HttpBody;

namespace Commerce.Shipments.FindingShipments;

/// <summary>Parcels by their own name, of an order, and of a store; their numbers, as far as people know better; their labels and how they are delivered.</summary>
internal sealed class ShipmentGrpcService(
    ShipmentStore store, RegisterTracking registering, CorrectTracking correcting, QuoteRates quoteRates, PrintLabels labels, Manifests manifests, ChangeDelivery delivery, ArrivalEstimator estimator)
    : ShipmentService.ShipmentServiceBase
{
    private const int LongestCode = 40;
    private const int LongestNote = 500;
    private const string OrderIdWanted = "It is not an Order ID, or mistyped: compare it with the original, for example ORD-7K3M9QX-T2F8CRW.";
    private const string NumberWanted = "Give a carrier's number: 4 to 50 letters and digits; spaces and dashes are forgiven.";
    private const int MostOnPage = 500;
    private const int DefaultOnPage = 50;

    private static readonly TimeSpan VersionRetry = TimeSpan.FromMilliseconds(50);

    public override async Task<V1.Shipment> GetShipment(GetShipmentRequest request, ServerCallContext context)
    {
        var id = ShipmentMessage.IdOf(request.Name);
        if (request.MinVersion < 0)
            throw Failure.Invalid(new FieldError("min_version", "Give 0 or a version that a fact or an answer named."));

        var found = await Find(id, context.CancellationToken);
        var shipment = found.Shipment;
        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        if (shipment.Version < request.MinVersion)
        {
            throw new Failure(ErrorReason.VersionNotReached, $"Shipment {id:N} is at version {shipment.Version} here, not yet at {request.MinVersion}; try again.")
            {
                RetryAfter = VersionRetry,
                Metadata = new Dictionary<string, string> { ["version"] = shipment.Version.ToString(CultureInfo.InvariantCulture) },
            };
        }

        return Shown(found);
    }

    public override async Task<ListShipmentsResponse> ListShipments(ListShipmentsRequest request, ServerCallContext context)
    {
        var size = request.PageSize switch
        {
            0 => DefaultOnPage,
            >= 1 and <= MostOnPage => request.PageSize,
            _ => throw Failure.Invalid(new FieldError("page_size", $"Give 1 to {MostOnPage}, or 0 for {DefaultOnPage}.")),
        };
        var ofOrder = request.OrderId.Length > 0;
        if (ofOrder == request.StoreId.Length > 0)
            throw Failure.Invalid(new FieldError("order_id", "Give either order_id or store_id, and not both."));

        var query = ofOrder
            ? ShipmentQuery.OfOrder(CanonicalOrderId(request.OrderId), request.OnlyExceptions, AfterPosition(PageToken.Decode(request)), size + 1)
            : ShipmentQuery.OfStore(request.StoreId, request.OnlyExceptions, PageToken.DecodeTimeAndId(request), size + 1);
        var found = await store.Select(query, context.CancellationToken);
        var response = new ListShipmentsResponse();
        response.Shipments.Add(found.Take(size).Select(Shown));
        if (found.Count > size)
        {
            var last = found[size - 1].Shipment;
            response.NextPageToken = ofOrder
                ? PageToken.Encode(request, last.Position.ToString(CultureInfo.InvariantCulture))
                : PageToken.Encode(request, last.CreatedAt, last.Id);
        }

        return response;
    }

    public override Task<HttpBody> GetLabel(GetLabelRequest request, ServerCallContext context) => labels.Get(request, context.CancellationToken);

    public override Task BatchGetLabels(BatchGetLabelsRequest request, IServerStreamWriter<BatchGetLabelsResponse> responseStream, ServerCallContext context) =>
        labels.Batch(request, responseStream, context.CancellationToken);

    public override Task<V1.Shipment> DeclareCustoms(DeclareCustomsRequest request, ServerCallContext context) =>
        labels.Declare(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<Manifest> CreateManifest(CreateManifestRequest request, ServerCallContext context) =>
        manifests.Close(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<Manifest> GetManifest(GetManifestRequest request, ServerCallContext context) => manifests.Get(request.Name, context.CancellationToken);

    public override Task<HttpBody> RenderManifest(RenderManifestRequest request, ServerCallContext context) => manifests.Render(request.Name, context.CancellationToken);

    public override Task<ListManifestsResponse> ListManifests(ListManifestsRequest request, ServerCallContext context) => manifests.List(request, context.CancellationToken);

    public override Task<V1.Shipment> RescheduleDelivery(RescheduleDeliveryRequest request, ServerCallContext context) =>
        delivery.Reschedule(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<V1.Shipment> RedirectDelivery(RedirectDeliveryRequest request, ServerCallContext context) =>
        delivery.Redirect(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<QuoteRatesResponse> QuoteRates(QuoteRatesRequest request, ServerCallContext context) => quoteRates.Quote(request, context.CancellationToken);

    public override async Task<V1.Shipment> RegisterTracking(RegisterTrackingRequest request, ServerCallContext context)
    {
        var errors = new List<FieldError>();
        RequestIds.Check(errors, request.RequestId);
        Code(errors, "carrier", request.Carrier);
        Code(errors, "service", request.Service);
        Guid? shipment = null;
        if (request.Shipment.Length > 0)
        {
            if (ShipmentMessage.TryReadName(request.Shipment, out var id))
                shipment = id;
            else
                errors.Add(new FieldError("shipment", ShipmentMessage.NameWanted));
        }

        if (!OrderId.TryParse(request.OrderId, out var order))
            errors.Add(new FieldError("order_id", OrderIdWanted));
        var number = TrackingNumber.Normalise(request.TrackingNumber);
        if (number is null)
            errors.Add(new FieldError("tracking_number", NumberWanted));
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        var bought = new BoughtElsewhere(order.ToString(), number!, request.Carrier, request.Service, shipment);
        var registered = await registering.Register(bought, RequestKey.For(context, request.RequestId, request), context.CancellationToken);
        return Shown(await Find(registered, context.CancellationToken));
    }

    public override async Task<V1.Shipment> CorrectTracking(CorrectTrackingRequest request, ServerCallContext context)
    {
        var errors = new List<FieldError>();
        RequestIds.Check(errors, request.RequestId);
        Code(errors, "carrier", request.Carrier);
        if (!ShipmentMessage.TryReadName(request.Name, out var id))
            errors.Add(new FieldError("name", ShipmentMessage.NameWanted));
        var number = TrackingNumber.Normalise(request.TrackingNumber);
        if (number is null && request.TrackingNumber.Length > 0)
            errors.Add(new FieldError("tracking_number", NumberWanted));
        if (request.TrackingNumber.Length == 0 && request.Carrier.Length == 0)
            errors.Add(new FieldError("tracking_number", "Give the right number, or the right carrier, or both."));
        if (request.Note.Length > LongestNote || request.Note.Any(char.IsControl))
            errors.Add(new FieldError("note", $"Say why in at most {LongestNote} characters, on one line."));
        if (request.Etag.Length > LongestCode)
            errors.Add(new FieldError("etag", "Is not a shipment's etag."));
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        await correcting.Correct(new Correction(id, number, request.Carrier, request.Note, request.Etag), RequestKey.For(context, request.RequestId, request), context.CancellationToken);
        return Shown(await Find(id, context.CancellationToken));
    }

    private V1.Shipment Shown(FoundShipment found) => ShipmentMessage.Of(found, estimator);

    private async Task<FoundShipment> Find(Guid id, CancellationToken cancellationToken) =>
        await store.Select(ShipmentQuery.ById(id), cancellationToken) is [var found] ? found : throw PrintLabels.NotFound(id);

    private static void Code(List<FieldError> errors, string field, string code)
    {
        if (code.Length > LongestCode || code.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('_' or '-')))
            errors.Add(new FieldError(field, $"Give a code of at most {LongestCode} small letters, digits, '_' and '-', for example canada_post."));
    }

    private static string CanonicalOrderId(string text) => OrderId.TryParse(text, out var id)
        ? id.ToString()
        : throw Failure.Invalid(new FieldError("order_id", OrderIdWanted));

    private static int AfterPosition(string? token)
    {
        if (token is null)
            return -1;
        return int.TryParse(token, CultureInfo.InvariantCulture, out var position) ? position : throw PageToken.Invalid("It is damaged; begin again without it.");
    }
}
