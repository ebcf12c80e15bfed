using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Grpc.Core;

namespace Commerce.Orders.ErasingCustomers;

/// <summary>commerce.orders.v1.ErasureService.</summary>
public sealed class ErasureGrpc(Customers customers, EraseCustomer eraseCustomer, ErasureStore erasures) : ErasureService.ErasureServiceBase
{
    private const int MostOnPage = 500;
    private const int DefaultOnPage = 50;

    public override async Task<FindCustomerOrdersResponse> FindCustomerOrders(FindCustomerOrdersRequest request, ServerCallContext context) => new()
    {
        Orders = { (await customers.Find(request.StoreId, request.Customer, context.CancellationToken)).Select(OrderMessage.NameOf) },
    };

    public override Task<Erasure> EraseCustomer(EraseCustomerRequest request, ServerCallContext context) =>
        eraseCustomer.Erase(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<Erasure> GetErasure(GetErasureRequest request, ServerCallContext context) => erasures.Get(request.Name, context.CancellationToken);

    public override async Task<ListErasuresResponse> ListErasures(ListErasuresRequest request, ServerCallContext context)
    {
        var errors = new FieldErrors();
        errors.Between("page_size", request.PageSize, 0, MostOnPage);
        errors.ThrowIfAny();
        var size = request.PageSize == 0 ? DefaultOnPage : request.PageSize;
        var found = await erasures.List(PageToken.DecodeTimeAndId(request), size + 1, context.CancellationToken);
        var response = new ListErasuresResponse { Erasures = { found.Take(size) } };
        if (found.Count > size)
            response.NextPageToken = PageToken.Encode(request, found[size - 1].CreateTime.ToDateTimeOffset(), ErasureStore.IdOf(found[size - 1].Name));
        return response;
    }
}
