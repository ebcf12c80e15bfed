using System.Globalization;
using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Shipments.FindingBottlenecks;
using Commerce.Shipments.MeasuringCarriers;
using Commerce.Shipments.QuotingRates;
using Commerce.Shipments.RateCards;
using Commerce.Shipments.ReferenceData;
using Commerce.Shipments.Serviceability;
using Commerce.Shipments.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Shipments.Carriers;

/// <summary>commerce.shipments.v1.CarrierService.</summary>
internal sealed class CarrierGrpcService(
    CarrierDirectory carriers, ReferenceBook book, CheckServiceability checkServiceability, UploadServiceability uploadServiceability, LoadPostalCodes loadPostalCodes, RateCardStore rateCards,
    ShippingRulesStore shippingRules, ReadPerformance performance, FindBottlenecks bottlenecks, TimeProvider time) : CarrierService.CarrierServiceBase
{
    private const int MostOnPage = 500;
    private const int DefaultOnPage = 100;

    public override async Task<ListCarriersResponse> ListCarriers(ListCarriersRequest request, ServerCallContext context)
    {
        var size = SizeOf(request.PageSize);
        var after = PageToken.Decode(request) ?? "";
        var reference = await book.Get(context.CancellationToken);
        var found = carriers.All.Select(carrier => carrier.Code).Where(code => string.CompareOrdinal(code, after) > 0).Order(StringComparer.Ordinal).Take(size + 1).ToList();
        var response = new ListCarriersResponse { Carriers = { found.Take(size).Select(code => Of(code, reference)) } };
        if (found.Count > size)
            response.NextPageToken = PageToken.Encode(request, found[size - 1]);
        return response;
    }

    public override Task<V1.Serviceability> GetServiceability(GetServiceabilityRequest request, ServerCallContext context) => checkServiceability.Check(request, context.CancellationToken);

    public override Task<UploadServiceabilityResponse> UploadServiceability(IAsyncStreamReader<UploadServiceabilityRequest> requestStream, ServerCallContext context)
    {
        return uploadServiceability.Upload(requestStream, Principal.Of(context).ToString(), context.CancellationToken);
    }

    public override Task<LoadPostalCodesResponse> LoadPostalCodes(IAsyncStreamReader<LoadPostalCodesRequest> requestStream, ServerCallContext context)
    {
        return loadPostalCodes.Load(requestStream, context.CancellationToken);
    }

    public override Task<RateCard> UploadRateCard(UploadRateCardRequest request, ServerCallContext context)
    {
        return rateCards.Upload(request, RequestKey.For(context, request.RequestId, request), Principal.Of(context).ToString(), context.CancellationToken);
    }

    public override Task<RateCard> GetRateCard(GetRateCardRequest request, ServerCallContext context) => rateCards.Get(request, context.CancellationToken);

    public override async Task<ListRateCardsResponse> ListRateCards(ListRateCardsRequest request, ServerCallContext context)
    {
        if (request.Parent.Split('/') is not ["carriers", { Length: > 0 } carrier])
            throw Failure.Invalid(new FieldError("parent", "Give \"carriers/{carrier}\", or \"carriers/-\" for all."));
        if (carrier != "-")
            carriers.Get(carrier);
        var size = SizeOf(request.PageSize);
        var after = PageToken.Decode(request)?.Split('/') switch { null => ("", ""), [var of, var id] => (of, id), _ => throw PageToken.Invalid("It is damaged; begin again without it.") };
        var found = await rateCards.List(carrier == "-" ? null : carrier, after, size + 1, context.CancellationToken);
        var response = new ListRateCardsResponse { RateCards = { found.Take(size) } };
        if (found.Count > size)
        {
            var (of, id) = RateCardName.Parse("name", found[size - 1].Name);
            response.NextPageToken = PageToken.Encode(request, $"{of}/{id}");
        }

        return response;
    }

    public override Task<ShippingRules> GetShippingRules(GetShippingRulesRequest request, ServerCallContext context) => shippingRules.Get(request.Name, context.CancellationToken);

    public override Task<ShippingRules> UpdateShippingRules(UpdateShippingRulesRequest request, ServerCallContext context)
    {
        return shippingRules.Update(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);
    }

    public override Task<CarrierPerformance> GetCarrierPerformance(GetCarrierPerformanceRequest request, ServerCallContext context) => performance.Read(request, Principal.Of(context).Stores, context.CancellationToken);

    public override Task<Bottlenecks> GetBottlenecks(GetBottlenecksRequest request, ServerCallContext context) => bottlenecks.Find(request, Principal.Of(context).Stores, context.CancellationToken);

    private Carrier Of(string code, ReferenceSnapshot reference)
    {
        var carrier = new Carrier { Name = string.Create(CultureInfo.InvariantCulture, $"carriers/{code}"), Carrier_ = code, RateCards = reference.Cards.Of(code).Count(card => card.CountsAt(time.GetUtcNow())) };
        if (reference.Lists.TryGetValue(code, out var list))
        {
            (carrier.ServiceabilityVersion, carrier.ServiceabilityLines) = (list.Version, list.List.Count);
            carrier.ServiceabilityTime = Timestamp.FromDateTimeOffset(list.UploadedAt);
        }

        return carrier;
    }

    private static int SizeOf(int asked) => asked switch
    {
        0 => DefaultOnPage,
        >= 1 and <= MostOnPage => asked,
        _ => throw Failure.Invalid(new FieldError("page_size", $"Give 1 to {MostOnPage}, or 0 for {DefaultOnPage}.")),
    };
}
