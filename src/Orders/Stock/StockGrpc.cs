using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Grpc.Core;

namespace Commerce.Orders.Stock;

/// <summary>commerce.orders.v1.StockService.</summary>
public sealed class StockGrpc(StockBook stock, AdjustStock adjustStock, WatchStock watchStock) : StockService.StockServiceBase
{
    public override Task<BatchSetStockResponse> BatchSetStock(BatchSetStockRequest request, ServerCallContext context) =>
        stock.Set(request, request.RequestId.Length == 0 ? null : RequestKey.For(context, request.RequestId, request), Principal.Of(context).ToString(), context.CancellationToken);

    public override Task<V1.Stock> AdjustStock(AdjustStockRequest request, ServerCallContext context) =>
        adjustStock.Adjust(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<V1.Stock> SetStockThreshold(SetStockThresholdRequest request, ServerCallContext context) =>
        adjustStock.SetThreshold(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<ListStockResponse> ListStock(ListStockRequest request, ServerCallContext context) =>
        adjustStock.List(request, context.CancellationToken);

    public override Task<ListStockMovementsResponse> ListStockMovements(ListStockMovementsRequest request, ServerCallContext context) =>
        adjustStock.Movements(request, context.CancellationToken);

    public override async Task WatchStock(WatchStockRequest request, IServerStreamWriter<WatchStockResponse> responseStream, ServerCallContext context)
    {
        using var watch = await watchStock.Open(request, context.CancellationToken);
        await foreach (var answer in watch.Read(context.CancellationToken))
            await responseStream.WriteAsync(answer, context.CancellationToken);
    }

    public override Task<V1.Stock> GetStock(GetStockRequest request, ServerCallContext context)
    {
        var (storeId, sku) = Names.Product("name", request.Name, "/stock");
        return stock.Get(storeId, sku, context.CancellationToken);
    }
}
