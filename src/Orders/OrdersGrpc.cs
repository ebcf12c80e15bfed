using Commerce.Messaging;
using Commerce.Orders.CancellingOrder;
using Commerce.Orders.EditingOrder;
using Commerce.Orders.ExportingOrders;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.ImportingOrders;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.Reordering;
using Commerce.Orders.ReplacingParcels;
using Commerce.Orders.SummingSpend;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf;
using Grpc.Core;

namespace Commerce.Orders;

/// <summary>commerce.orders.v1.OrderService.</summary>
public sealed class OrdersGrpc(
    PlaceOrder placeOrder, CancelOrder cancelOrder, EditOrder editOrder, FindOrders findOrders, ListOrders listOrders, SearchOrders searchOrders,
    ExportOrders exportOrders, SumSpend sumSpend, Reorder reorder, ImportOrders importOrders, ReplaceParcel replaceParcel)
    : OrderService.OrderServiceBase
{
    public override Task<V1.Order> PlaceOrder(PlaceOrderRequest request, ServerCallContext context) =>
        placeOrder.Place(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<V1.Order> GetOrder(GetOrderRequest request, ServerCallContext context) =>
        findOrders.Get(request.Name, request.MinVersion, context.CancellationToken);

    public override Task<BatchGetOrdersResponse> BatchGetOrders(BatchGetOrdersRequest request, ServerCallContext context) =>
        findOrders.BatchGet(request.Names, context.CancellationToken);

    public override Task<LookupOrdersResponse> LookupOrders(LookupOrdersRequest request, ServerCallContext context) =>
        findOrders.Lookup(request, context.CancellationToken);

    public override Task<ListOrdersResponse> ListOrders(ListOrdersRequest request, ServerCallContext context) =>
        listOrders.List(request, context.CancellationToken);

    public override Task<SearchOrdersResponse> SearchOrders(SearchOrdersRequest request, ServerCallContext context) =>
        searchOrders.Search(request, context.CancellationToken);

    public override async Task ExportOrders(ExportOrdersRequest request, IServerStreamWriter<ExportOrdersResponse> responseStream, ServerCallContext context) =>
        await exportOrders.Write(
            await exportOrders.Prepare(request.Filter, context.CancellationToken),
            piece => responseStream.WriteAsync(new ExportOrdersResponse { Data = ByteString.CopyFrom(piece.Span) }, context.CancellationToken),
            context.CancellationToken);

    public override Task<V1.Order> CancelOrder(CancelOrderRequest request, ServerCallContext context) =>
        cancelOrder.Cancel(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<V1.Order> ReplaceParcel(ReplaceParcelRequest request, ServerCallContext context) =>
        replaceParcel.Replace(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<V1.Order> UpdateOrder(UpdateOrderRequest request, ServerCallContext context) =>
        editOrder.Edit(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<ImportOrdersResponse> ImportOrders(IAsyncStreamReader<ImportOrdersRequest> requestStream, ServerCallContext context) =>
        importOrders.Import(requestStream, Principal.Of(context).ToString(), context.CancellationToken);

    public override Task<ReorderResponse> Reorder(ReorderRequest request, ServerCallContext context) =>
        reorder.Quote(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<SpendSummary> GetSpendSummary(GetSpendSummaryRequest request, ServerCallContext context) =>
        sumSpend.Sum(request, context.CancellationToken);

    public override Task<OrderTimeline> GetOrderTimeline(GetOrderTimelineRequest request, ServerCallContext context) =>
        findOrders.Timeline(request.Name, context.CancellationToken);
}
