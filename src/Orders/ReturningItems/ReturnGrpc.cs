using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Grpc.Core;

namespace Commerce.Orders.ReturningItems;

/// <summary>commerce.orders.v1.ReturnService.</summary>
public sealed class ReturnGrpc(RequestReturn requestReturn, DecideReturn decideReturn, ReceiveReturn receiveReturn, FindReturns findReturns)
    : ReturnService.ReturnServiceBase
{
    public override Task<V1.Return> RequestReturn(RequestReturnRequest request, ServerCallContext context) =>
        requestReturn.Request(request, RequestKey.For(context, request.RequestId, request), Principal.Of(context), context.CancellationToken);

    public override Task<V1.Return> GetReturn(GetReturnRequest request, ServerCallContext context) =>
        findReturns.Get(request, context.CancellationToken);

    public override Task<ListReturnsResponse> ListReturns(ListReturnsRequest request, ServerCallContext context) =>
        findReturns.List(request, context.CancellationToken);

    public override Task<V1.Return> ApproveReturn(ApproveReturnRequest request, ServerCallContext context) =>
        decideReturn.Approve(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<V1.Return> RejectReturn(RejectReturnRequest request, ServerCallContext context) =>
        decideReturn.Reject(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<V1.Return> ReceiveReturn(ReceiveReturnRequest request, ServerCallContext context) =>
        receiveReturn.Receive(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<V1.Return> RefundReturn(RefundReturnRequest request, ServerCallContext context) =>
        receiveReturn.Refund(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);

    public override Task<V1.Return> CancelReturn(CancelReturnRequest request, ServerCallContext context) =>
        decideReturn.Cancel(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);
}
