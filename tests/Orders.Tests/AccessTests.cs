using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Orders.Tests;

/// <summary>Who is let in at the service itself.</summary>
public sealed class AccessTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task Every_method_refuses_every_credential_that_is_not_good_enough()
    {
        var methods = Service.App.Services.GetRequiredService<AccessControl>().Methods;
        using var channel = GrpcChannel.ForAddress(Service.App.Urls.Last());
        var cases = methods.SelectMany(method => WrongCredentials.At("orders", method), (method, wrong) => (method, wrong));
        Assert.NotEmpty(methods);
        var differing = await WrongCredentials.Try(channel.CreateCallInvoker(), cases);
        Assert.True(differing.Count == 0, string.Join("\n", differing));
    }

    [Fact]
    public async Task An_order_of_another_store_does_not_exist()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("others", 1)));
        Metadata Of(string store) => TestAccess.As("orders", new Principal(PrincipalKind.Shop, store, ScopeSet.All, [store]));
        var (own, other) = (Of(order.StoreId), Of("elsewhere"));

        Assert.Equal(order.OrderId, (await Service.Orders.GetOrderAsync(new GetOrderRequest { Name = order.Name }, own)).OrderId);
        Assert.NotEmpty((await Service.Orders.GetOrderTimelineAsync(new GetOrderTimelineRequest { Name = order.Name }, own)).Entries);
        await Refusal.Is("ORDER_NOT_FOUND", Service.Orders.GetOrderAsync(new GetOrderRequest { Name = order.Name }, other));
        await Refusal.Is("ORDER_NOT_FOUND", Service.Orders.GetOrderTimelineAsync(new GetOrderTimelineRequest { Name = order.Name }, other));
        var batch = await Service.Orders.BatchGetOrdersAsync(new BatchGetOrdersRequest { Names = { order.Name } }, other);
        Assert.Equal((0, order.Name), (batch.Orders.Count, Assert.Single(batch.NotFound)));
    }

    [Fact]
    public async Task What_is_a_stores_is_found_and_changed_by_its_own_callers_and_does_not_exist_for_those_of_another()
    {
        var order = await Service.Delivered(Request.Line("apart", 3));
        var other = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("apart", 1)));
        var asked = await Service.Asked(order, (1, 1));
        var refused = await Service.Asked(order, (1, 1));
        using var channel = GrpcChannel.ForAddress(Service.App.Urls.Last());

        var wrong = await OtherStores.Try(
            channel.CreateCallInvoker(), "orders", Service.App.Services.GetRequiredService<AccessControl>().Methods, "main", order.Customer.Email,
            new GetOrderRequest { Name = order.Name },
            new GetOrderTimelineRequest { Name = order.Name },
            new BatchGetOrdersRequest { Names = { order.Name } },
            new UpdateOrderRequest { Order = new V1.Order { Name = other.Name, DeliveryWishes = new Types.V1.DeliveryWishes { SignatureWanted = true } }, UpdateMask = new() { Paths = { "delivery_wishes" } }, RequestId = "apart-1" },
            new ReorderRequest { Name = order.Name, RequestId = "apart-2" },
            new ReplaceParcelRequest { Name = order.Name, RequestId = "apart-3", Shipment = order.Parcels[0].Shipment },
            new CancelOrderRequest { Name = other.Name, RequestId = "apart-4" },
            ReturnsShop.Ask(order, (1, 1)),
            new GetReturnRequest { Name = asked.Name },
            new ApproveReturnRequest { Name = asked.Name, RequestId = "apart-5" },
            new ReceiveReturnRequest { Name = asked.Name, RequestId = "apart-6", Items = { new ReceivedItem { LineNumber = 1, Quantity = 1, Condition = ReturnCondition.AsNew } } },
            new RefundReturnRequest { Name = asked.Name, RequestId = "apart-7" },
            new CancelReturnRequest { Name = asked.Name, RequestId = "apart-8" },
            new RejectReturnRequest { Name = refused.Name, RequestId = "apart-9", Reason = "Used" },
            new ListStoresRequest());

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }
}
