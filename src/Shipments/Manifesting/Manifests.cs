using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.PrintingLabels;
using Commerce.Shipments.V1;
using Commerce.Shipping.Labels;
using Commerce.Types.V1;
using Google.Protobuf;
using HttpBody = Google.Api.HttpBody;

namespace Commerce.Shipments.Manifesting;

/// <summary>End-of-day lists: what a carrier takes, each label on one of them.</summary>
internal sealed class Manifests(ManifestStore store, CarrierDirectory carriers, SenderNames senders, TimeProvider time)
{
    private const int MostOnPage = 500;
    private const int DefaultOnPage = 50;

    /// <summary>Closes a list; nothing waits: the answer is the one that was closed last.</summary>
    public async Task<Manifest> Close(CreateManifestRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        if (request.StoreId.Length is 0 or > 40)
            errors.Add(new FieldError("store_id", "Name the store, for example \"main\"."));
        if (request.LocationId.Length > 64)
            errors.Add(new FieldError("location_id", "Is longer than 64 characters."));
        RequestIds.Check(errors, request.RequestId);
        if (errors.Count > 0)
            throw Failure.Invalid(errors);
        if (carriers.Find(request.Carrier) is null)
            throw new Failure(ErrorReason.CarrierNotFound, $"There is no carrier of this code; there are {string.Join(", ", carriers.All.Select(carrier => carrier.Code).Order(StringComparer.Ordinal))}.");
        var id = await store.Close(request.StoreId, request.Carrier, request.LocationId, key, time.GetUtcNow(), cancellationToken)
            ?? throw new Failure(ErrorReason.ManifestEmpty, $"No label of {request.Carrier} waits for a manifest at this place, and none ever did; buy labels first.");
        return ManifestMessage.Of(await Find(id, cancellationToken), withLines: true);
    }

    public async Task<Manifest> Get(string name, CancellationToken cancellationToken) => ManifestMessage.Of(await Find(IdOf(name), cancellationToken), withLines: true);

    public async Task<HttpBody> Render(string name, CancellationToken cancellationToken)
    {
        var manifest = await Find(IdOf(name), cancellationToken);
        var pdf = ManifestPdf.Render(new ManifestSheet(
            carriers.NameOf(manifest.Carrier),
            await senders.Of(manifest.StoreId, cancellationToken),
            manifest.LocationId,
            manifest.Number,
            manifest.ClosedAt,
            [.. manifest.Lines.Select(line => new ManifestRow(line.TrackingNumber, LabelOf.Words(line.Service), line.OrderReference, $"{line.Country} {line.PostalCode}", line.WeightGrams))]));
        return new HttpBody { ContentType = "application/pdf", Data = UnsafeByteOperations.UnsafeWrap(pdf) };
    }

    public async Task<ListManifestsResponse> List(ListManifestsRequest request, CancellationToken cancellationToken)
    {
        var size = request.PageSize switch
        {
            0 => DefaultOnPage,
            >= 1 and <= MostOnPage => request.PageSize,
            _ => throw Failure.Invalid(new FieldError("page_size", $"Give 1 to {MostOnPage}, or 0 for {DefaultOnPage}.")),
        };
        if (request.StoreId.Length is 0 or > 40)
            throw Failure.Invalid(new FieldError("store_id", "Name the store, for example \"main\"."));
        var found = await store.List(request.StoreId, request.Carrier, PageToken.DecodeTimeAndId(request), size + 1, cancellationToken);
        var response = new ListManifestsResponse { Manifests = { found.Take(size).Select(one => ManifestMessage.Of(one, withLines: false)) } };
        if (found.Count > size)
        {
            var last = found[size - 1];
            response.NextPageToken = PageToken.Encode(request, last.ClosedAt, last.Id);
        }

        return response;
    }

    private async Task<ManifestRecord> Find(Guid id, CancellationToken cancellationToken) =>
        await store.Find(id, cancellationToken) is { } found && Principal.CurrentMaySee(found.StoreId) ? found : throw new Failure(ErrorReason.ManifestNotFound, $"There is no manifest {id:N}.");

    private static Guid IdOf(string name) =>
        name.StartsWith(ManifestMessage.NamePrefix, StringComparison.Ordinal) && Guid.TryParseExact(name.AsSpan(ManifestMessage.NamePrefix.Length), "N", out var id)
            ? id
            : throw Failure.Invalid(new FieldError("name", "Give \"manifests/\" and a manifest_id of 32 hexadecimal digits."));
}
