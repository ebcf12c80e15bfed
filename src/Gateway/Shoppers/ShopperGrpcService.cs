using Commerce.Gateway.Access;
using Commerce.Gateway.V1;
using Grpc.Core;

namespace Commerce.Gateway.Shoppers;

/// <summary>commerce.gateway.v1.ShopperService.</summary>
internal sealed class ShopperGrpcService(Journeys journeys, OrderOpening opening) : ShopperService.ShopperServiceBase
{
    public override Task<GetJourneyResponse> GetJourney(GetJourneyRequest request, ServerCallContext context) =>
        journeys.Find(request.Code, ClientAddress.Of(context), context.CancellationToken);

    public override Task<OrderSession> OpenOrder(OpenOrderRequest request, ServerCallContext context) =>
        opening.Open(request, ClientAddress.Of(context), context.CancellationToken);

    public override Task<OrderSession> OpenLink(OpenLinkRequest request, ServerCallContext context) =>
        opening.Open(request, ClientAddress.Of(context), context.CancellationToken);
}
