using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.Orders.Catalogue;

/// <summary>commerce.orders.v1.CatalogService.</summary>
public sealed class CatalogGrpc(UpdateProducts updateProducts, ProductBook products) : CatalogService.CatalogServiceBase
{
    private const int MostOnPage = 1_000;
    private const int DefaultOnPage = 50;

    public override Task<BatchUpdateProductsResponse> BatchUpdateProducts(BatchUpdateProductsRequest request, ServerCallContext context) =>
        updateProducts.Update(request, request.RequestId.Length == 0 ? null : RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override async Task<Product> GetProduct(GetProductRequest request, ServerCallContext context)
    {
        var (storeId, sku) = Names.Product("name", request.Name);
        return (await products.Find(storeId, [sku], context.CancellationToken)).SingleOrDefault()
            ?? throw new Failure(ErrorReason.ProductNotFound, $"Store \"{storeId}\" has no product \"{sku}\".");
    }

    public override async Task<ListProductsResponse> ListProducts(ListProductsRequest request, ServerCallContext context)
    {
        var storeId = Names.Store("parent", request.Parent);
        var errors = new FieldErrors();
        errors.Between("page_size", request.PageSize, 0, MostOnPage);
        errors.ThrowIfAny();
        var size = request.PageSize == 0 ? DefaultOnPage : request.PageSize;
        var page = await products.List(storeId, PageToken.Decode(request) ?? "", size + 1, context.CancellationToken);
        return new ListProductsResponse
        {
            Products = { page.Take(size) },
            NextPageToken = page.Count > size ? PageToken.Encode(request, page[size - 1].Sku) : "",
        };
    }
}
