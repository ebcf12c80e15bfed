using Commerce.Facts;
using Commerce.Orders.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Orders.Tests;

/// <summary>What tests of returns do again and again.</summary>
internal static class ReturnsShop
{
    private static readonly DateTimeOffset Start = TimeProvider.System.GetUtcNow();

    /// <summary>A paid order of which everything was delivered in one parcel.</summary>
    public static Task<V1.Order> Delivered(this OrdersService service, params OrderLine[] lines) => service.Delivered(Request.Order(lines));

    public static async Task<V1.Order> Delivered(this OrdersService service, PlaceOrderRequest request, DateTimeOffset? at = null)
    {
        var order = await service.Paid(request);
        await service.Deliver(order, at, [.. order.Lines.Select(line => new ShipmentLineFact(line.LineNumber, line.Quantity))]);
        return await service.Until(order, o => o.State == OrderState.Completed);
    }

    public static async Task<V1.Order> Paid(this OrdersService service, PlaceOrderRequest request)
    {
        var order = await service.Orders.PlaceOrderAsync(request);
        Assert.True(order.Total.TryToMoney(out var total, out _));
        service.Payments.Captured(order.OrderId, total.Minor);
        await (await service.Shared("payments")).Tell(new PaymentCaptured(order.OrderId, order.StoreId, 1, Start, total));
        return await service.Until(order, o => o.PaymentState == PaymentState.Paid);
    }

    /// <summary>One parcel of it arrives.</summary>
    public static async Task<string> Deliver(this OrdersService service, V1.Order order, DateTimeOffset? at, params ShipmentLineFact[] content)
    {
        var shipment = Guid.NewGuid().ToString("N");
        await (await service.Shared("shipments")).Tell(
            new ShipmentCreated(shipment, order.OrderId, order.StoreId, 1, Start, content),
            new LabelBought(shipment, order.OrderId, order.StoreId, 2, Start, "ups", "ground", "1Z" + shipment[..8], new Commerce.Money(500, "EUR"), null),
            new ParcelTracked(shipment, order.OrderId, order.StoreId, 3, Start, "ups", "1Z" + shipment[..8], "DELIVERED", "PRE_TRANSIT", ["DELIVERED"], at ?? Start, 1));
        await service.Until(order, o => o.Parcels.Any(p => p.Shipment == "shipments/" + shipment && p.State == ParcelState.Delivered));
        return shipment;
    }

    public static Task<V1.Order> Until(this OrdersService service, V1.Order order, Func<V1.Order, bool> accept) =>
        Testing.Eventually.Value(() => service.OrderWith(order.OrderId), accept);

    public static Task<V1.Return> Until(this OrdersService service, V1.Return one, Func<V1.Return, bool> accept) =>
        Testing.Eventually.Value(async () => await service.Returns.GetReturnAsync(new GetReturnRequest { Name = one.Name }), accept);

    /// <summary>Somebody asks for so many pieces of each line.</summary>
    public static async Task<V1.Return> Asked(this OrdersService service, V1.Order order, params (int Line, int Quantity)[] pieces) =>
        await service.Returns.RequestReturnAsync(Ask(order, pieces));

    /// <summary>The same, and the shop says yes.</summary>
    public static async Task<V1.Return> Approved(this OrdersService service, V1.Order order, params (int Line, int Quantity)[] pieces) =>
        await service.Approve(await service.Asked(order, pieces));

    public static async Task<V1.Return> Approve(this OrdersService service, V1.Return one) =>
        await service.Returns.ApproveReturnAsync(new ApproveReturnRequest { Name = one.Name, RequestId = Guid.NewGuid().ToString() });

    public static async Task<V1.Return> Received(this OrdersService service, V1.Return one, bool refund, params (int Line, int Quantity, ReturnCondition Condition)[] items) =>
        await service.Returns.ReceiveReturnAsync(Receive(one, refund, items));

    public static async Task<V1.Return> RefundDue(this OrdersService service, V1.Return one) =>
        await service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = one.Name, RequestId = Guid.NewGuid().ToString() });

    public static RequestReturnRequest Ask(V1.Order order, params (int Line, int Quantity)[] pieces) => new()
    {
        Parent = order.Name,
        RequestId = Guid.NewGuid().ToString(),
        Lines = { pieces.Select(p => new ReturnLine { LineNumber = p.Line, Quantity = p.Quantity, Reason = ReturnReason.ChangedMind }) },
    };

    public static ReceiveReturnRequest Receive(V1.Return one, bool refund, params (int Line, int Quantity, ReturnCondition Condition)[] items) => new()
    {
        Name = one.Name,
        RequestId = Guid.NewGuid().ToString(),
        Refund = refund,
        Items = { items.Select(i => new ReceivedItem { LineNumber = i.Line, Quantity = i.Quantity, Condition = i.Condition }) },
    };

    /// <summary>Another store, so that its policy is its own.</summary>
    public static async Task<Store> StoreWith(this OrdersService service, string id, string prefix, ReturnPolicy policy)
    {
        var store = FindingTests.Shop(id, prefix);
        store.ReturnPolicy = policy;
        return await service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = store });
    }

    public static async Task<Store> SetPolicy(this OrdersService service, Store store, ReturnPolicy policy) => await service.Stores.UpdateStoreAsync(new UpdateStoreRequest
    {
        Store = new Store { Name = store.Name, ReturnPolicy = policy },
        UpdateMask = new FieldMask { Paths = { "return_policy" } },
        RequestId = Guid.NewGuid().ToString(),
    });

    public static RequestReturnRequest With(this RequestReturnRequest request, Action<RequestReturnRequest> change)
    {
        change(request);
        return request;
    }
}
