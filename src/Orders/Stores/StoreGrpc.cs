using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Grpc.Core;

namespace Commerce.Orders.Stores;

/// <summary>commerce.orders.v1.StoreService.</summary>
public sealed class StoreGrpc(CreateStore createStore, StoreBook stores) : StoreService.StoreServiceBase
{
    private const int MostOnPage = 500;
    private const int DefaultOnPage = 50;

    public override Task<Store> CreateStore(CreateStoreRequest request, ServerCallContext context) =>
        createStore.Create(request, request.RequestId.Length == 0 ? null : RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override async Task<Store> GetStore(GetStoreRequest request, ServerCallContext context) =>
        await stores.Get(Names.Store("name", request.Name), context.CancellationToken);

    public override async Task<ListStoresResponse> ListStores(ListStoresRequest request, ServerCallContext context)
    {
        var errors = new FieldErrors();
        errors.Between("page_size", request.PageSize, 0, MostOnPage);
        errors.ThrowIfAny();
        var size = request.PageSize == 0 ? DefaultOnPage : request.PageSize;
        var token = PageToken.For(request, r => r.PageToken = "", r => r.PageSize = 0);

        var page = await stores.List(token.Read<string>(request.PageToken) ?? "", size + 1, context.CancellationToken);
        return new ListStoresResponse
        {
            Stores = { page.Take(size) },
            NextPageToken = page.Count > size ? token.Write(page[size - 1].StoreId) : "",
        };
    }
}
