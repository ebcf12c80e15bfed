using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Grpc.Core;

namespace Commerce.Orders.Stores;

/// <summary>commerce.orders.v1.StoreService.</summary>
public sealed class StoreGrpc(CreateStore createStore, UpdateStore updateStore, StoreBook stores) : StoreService.StoreServiceBase
{
    private const int MostOnPage = 500;
    private const int DefaultOnPage = 50;

    public override Task<Store> CreateStore(CreateStoreRequest request, ServerCallContext context) =>
        createStore.Create(request, request.RequestId.Length == 0 ? null : RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override async Task<Store> GetStore(GetStoreRequest request, ServerCallContext context) =>
        await stores.GetFresh(Names.Store("name", request.Name), context.CancellationToken);

    public override Task<Store> UpdateStore(UpdateStoreRequest request, ServerCallContext context) =>
        updateStore.Update(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override async Task<ListStoresResponse> ListStores(ListStoresRequest request, ServerCallContext context)
    {
        var errors = new FieldErrors();
        errors.Between("page_size", request.PageSize, 0, MostOnPage);
        errors.ThrowIfAny();
        var size = request.PageSize == 0 ? DefaultOnPage : request.PageSize;
        var page = await stores.List(PageToken.Decode(request) ?? "", size + 1, context.CancellationToken);
        return new ListStoresResponse
        {
            Stores = { page.Take(size) },
            NextPageToken = page.Count > size ? PageToken.Encode(request, page[size - 1].StoreId) : "",
        };
    }
}
