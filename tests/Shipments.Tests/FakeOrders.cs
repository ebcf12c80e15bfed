using System.Collections.Concurrent;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;

namespace Commerce.Shipments.Tests;

/// <summary>What Shipments asks of Orders.</summary>
internal sealed class FakeOrders : OrderService.OrderServiceClient
{
    private readonly ConcurrentDictionary<string, Order> _orders = new();

    public Order Add(params string[] locations)
    {
        var id = OrderId.New("ORD", TimeProvider.System).ToString();
        var order = new Order
        {
            Name = $"orders/{id}",
            OrderId = id,
            StoreId = "main",
            ExternalId = $"shop-{id}",
            State = OrderState.Open,
            Version = 3,
            Customer = new Contact { Name = "Ana Souza" },
            ShippingAddress = new PostalAddress { RegionCode = "BR", PostalCode = "01310-100", Locality = "São Paulo", AdministrativeArea = "SP", AddressLines = { "Av. Paulista 1" } },
            PromisedDeliveryTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(30)),
        };
        foreach (var location in locations)
            order.Lines.Add(Line(order.Lines.Count + 1, location));
        return _orders[id] = order;
    }

    /// <summary>The order goes to another address from now on; its fact is the caller's to publish.</summary>
    public Order Readdress(Order order, string line)
    {
        var changed = order.Clone();
        changed.ShippingAddress.AddressLines.Clear();
        changed.ShippingAddress.AddressLines.Add(line);
        changed.Version++;
        return _orders[order.OrderId] = changed;
    }

    /// <summary>The order is another one from now on; its fact is the caller's to publish.</summary>
    public Order Change(Order order, Action<Order> change)
    {
        var changed = order.Clone();
        change(changed);
        changed.Version++;
        return _orders[order.OrderId] = changed;
    }

    /// <summary>Answers with <paramref name="instead"/> from now on; asked for at least a later version, it waits for that one.</summary>
    public void Forget(Order order, Order instead) => _orders[order.OrderId] = instead;

    public override AsyncUnaryCall<Order> GetOrderAsync(GetOrderRequest request, CallOptions options) =>
        new(Answer(request), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });

    /// <summary>What was asked to be sent again: by request_id, the parcel.</summary>
    public ConcurrentDictionary<string, string> Replaced { get; } = new();

    /// <summary>Nothing is left to be sent again.</summary>
    public bool SoldOut { get; set; }

    public override AsyncUnaryCall<Order> ReplaceParcelAsync(ReplaceParcelRequest request, CallOptions options)
    {
        if (!SoldOut)
            Replaced[request.RequestId] = request.Shipment;
        return new(
            SoldOut
                ? Task.FromException<Order>(new Google.Rpc.Status
                {
                    Code = (int)Google.Rpc.Code.FailedPrecondition,
                    Message = "2 pieces of \"sku-1\" are wanted, 0 are available.",
                    Details = { Google.Protobuf.WellKnownTypes.Any.Pack(new Google.Rpc.ErrorInfo { Reason = "OUT_OF_STOCK", Domain = "commerce" }) },
                }.ToRpcException())
                : Task.FromResult(_orders[request.Name["orders/".Length..]]),
            Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
    }

    private async Task<Order> Answer(GetOrderRequest request)
    {
        var id = request.Name["orders/".Length..];
        await Task.Yield();
        if (!_orders.ContainsKey(id))
            throw new RpcException(new Status(StatusCode.NotFound, "No such order."));
        return _orders[id].Version >= request.MinVersion ? _orders[id] : throw new RpcException(new Status(StatusCode.Unavailable, "Not there yet."));
    }

    private static OrderLine Line(int number, string location) => new()
    {
        LineNumber = number,
        Sku = $"sku-{number}",
        Title = "A thing",
        Quantity = 2,
        UnitPrice = new Google.Type.Money { CurrencyCode = "BRL", Units = 10 },
        Amount = new Google.Type.Money { CurrencyCode = "BRL", Units = 20 },
        Dimensions = new Dimensions { WeightGrams = 300, LengthMm = 200, WidthMm = 100, HeightMm = 50 },
        ShipFrom = location.Length == 0 ? null : new Place { LocationId = location, Locality = "Cajamar", AdministrativeArea = "SP", PostalCode = "07750", RegionCode = "BR" },
    };
}

/// <summary>The store, whose own place is where lines without one leave from.</summary>
internal sealed class FakeStores : StoreService.StoreServiceClient
{
    public override AsyncUnaryCall<Store> GetStoreAsync(GetStoreRequest request, CallOptions options) => new(
        Task.FromResult(new Store { StoreId = "main", ShipFrom = new Place { Locality = "Curitiba", AdministrativeArea = "PR", PostalCode = "80010", RegionCode = "BR" } }),
        Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
}
