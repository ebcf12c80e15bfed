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
        await Refusal.Is("STORE_NOT_ALLOWED", Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = "x" }, own));
    }
}
