using Commerce.Messaging;
using Commerce.Orders.CancellingOrder;
using Commerce.Orders.EditingOrder;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.V1;
using Grpc.Core;

namespace Commerce.Orders;

/// <summary>commerce.orders.v1.OrderService.</summary>
public sealed class OrdersGrpc(PlaceOrder placeOrder, CancelOrder cancelOrder, EditOrder editOrder, FindOrders findOrders, ListOrders listOrders) : OrderService.OrderServiceBase
{
    public override Task<V1.Order> PlaceOrder(PlaceOrderRequest request, ServerCallContext context) =>
        placeOrder.Place(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<V1.Order> GetOrder(GetOrderRequest request, ServerCallContext context) =>
        findOrders.Get(request.Name, request.MinVersion, context.CancellationToken);

    public override Task<BatchGetOrdersResponse> BatchGetOrders(BatchGetOrdersRequest request, ServerCallContext context) =>
        findOrders.BatchGet(request.Names, context.CancellationToken);

    public override Task<ListOrdersResponse> ListOrders(ListOrdersRequest request, ServerCallContext context) =>
        listOrders.List(request, context.CancellationToken);

    public override Task<V1.Order> CancelOrder(CancelOrderRequest request, ServerCallContext context) =>
        cancelOrder.Cancel(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<V1.Order> UpdateOrder(UpdateOrderRequest request, ServerCallContext context) =>
        editOrder.Edit(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<OrderTimeline> GetOrderTimeline(GetOrderTimelineRequest request, ServerCallContext context) =>
        findOrders.Timeline(request.Name, context.CancellationToken);
}
