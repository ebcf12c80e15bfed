using System.Collections.Concurrent;
using System.Globalization;
using Commerce.Orders.V1;
using Grpc.Core;

namespace Commerce.Shipments.Tests;

/// <summary>What Shipments asks of Orders about returns.</summary>
internal sealed class FakeReturns : ReturnService.ReturnServiceClient
{
    private readonly ConcurrentDictionary<string, Return> _returns = new();

    public static int NumberOf(Return one) => int.Parse(one.Name.Split('/')[^1], CultureInfo.InvariantCulture);

    /// <summary>One piece of each line of an order comes back.</summary>
    public Return Add(Order order, int number = 1, bool labelWanted = true)
    {
        var one = new Return
        {
            Name = $"{order.Name}/returns/{number}",
            ReturnNumber = $"{order.OrderId}-R{number}",
            OrderId = order.OrderId,
            StoreId = order.StoreId,
            State = ReturnState.Approved,
            LabelWanted = labelWanted,
            Lines = { order.Lines.Select(line => new ReturnLine { LineNumber = line.LineNumber, Quantity = 1, Sku = line.Sku, Title = line.Title }) },
        };
        return _returns[one.Name] = one;
    }

    public override AsyncUnaryCall<Return> GetReturnAsync(GetReturnRequest request, CallOptions options) => new(
        Task.FromResult(_returns[request.Name].Clone()), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
}
