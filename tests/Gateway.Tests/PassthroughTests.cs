using System.Net;
using System.Text;
using System.Text.Json;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Google.Rpc;
using Grpc.Core;
using Grpc.Reflection.V1Alpha;

namespace Commerce.Gateway.Tests;

public sealed class PassthroughTests : IAsyncLifetime
{
    private Suite _suite = null!;

    public async ValueTask InitializeAsync() => _suite = await Suite.Start();

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Fact]
    public async Task A_gRPC_call_reaches_the_service_that_implements_it()
    {
        var id = _suite.World.Place();
        var order = await new OrderService.OrderServiceClient(_suite.Node.Channel).GetOrderAsync(new GetOrderRequest { Name = $"orders/{id}" });
        Assert.Equal(id.ToString(), order.OrderId);
    }

    [Fact]
    public async Task A_REST_call_reaches_the_service_that_implements_it()
    {
        var id = _suite.World.Place();
        using var json = JsonDocument.Parse(await _suite.Node.Http.GetStringAsync($"/v1/orders/{id}"));
        Assert.Equal(id.ToString(), json.RootElement.GetProperty("orderId").GetString());
    }

    [Fact]
    public async Task Errors_of_a_service_come_through_with_their_details()
    {
        var orders = new OrderService.OrderServiceClient(_suite.Node.Channel);
        var error = await Assert.ThrowsAsync<RpcException>(async () => await orders.CancelOrderAsync(new CancelOrderRequest { Name = "orders/x", RequestId = "r" }));
        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        Assert.Equal("ORDER_STATE", LookupTests.ReasonOf(error));
        Assert.Equal("shipped", error.GetRpcStatus()!.GetDetail<PreconditionFailure>()!.Violations.Single().Description);

        using var body = new StringContent("{}", Encoding.UTF8, "application/json");
        using var response = await _suite.Node.Http.PostAsync("/v1/orders/x:cancel", body);
        using var problem = await Problem(response, HttpStatusCode.BadRequest);
        Assert.Equal("ORDER_STATE", problem.RootElement.GetProperty("reason").GetString());
        Assert.Equal("It is with the carrier.", problem.RootElement.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_service_that_is_down_is_unavailable_in_both_languages()
    {
        _suite.Payments.Cut();

        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await new PaymentService.PaymentServiceClient(_suite.Node.Channel).GetPaymentAsync(new GetPaymentRequest { Name = "payments/x" }));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Equal("DEPENDENCY_UNAVAILABLE", LookupTests.ReasonOf(error));
        Assert.NotNull(error.GetRpcStatus()!.GetDetail<RetryInfo>());

        using var response = await _suite.Node.Http.GetAsync("/v1/payments/x");
        using var problem = await Problem(response, HttpStatusCode.ServiceUnavailable);
        Assert.Equal("DEPENDENCY_UNAVAILABLE", problem.RootElement.GetProperty("reason").GetString());
        Assert.NotNull(response.Headers.RetryAfter);

        _suite.Payments.Restore();
    }

    [Theory]
    [InlineData("/webhooks/payments/sandbox")]
    [InlineData("/webhooks/carriers/ups")]
    [InlineData("/v1/webhooks/carriers/ups")]
    [InlineData("/v1/ordersx")]
    [InlineData("/v2/orders")]
    public async Task What_no_proto_declares_is_not_passed_on(string path)
    {
        using var response = await _suite.Node.Http.GetAsync(path);
        using var problem = await Problem(response, HttpStatusCode.NotFound);
        Assert.Equal("METHOD_NOT_FOUND", problem.RootElement.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task An_unknown_method_says_so()
    {
        var method = new Method<GetOrderRequest, Order>(
            MethodType.Unary, "commerce.orders.v9.OrderService", "GetOrder",
            Marshallers.Create(message => Google.Protobuf.MessageExtensions.ToByteArray(message), GetOrderRequest.Parser.ParseFrom),
            Marshallers.Create(message => Google.Protobuf.MessageExtensions.ToByteArray(message), Order.Parser.ParseFrom));
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await _suite.Node.Channel.CreateCallInvoker().AsyncUnaryCall(method, null, default, new GetOrderRequest()));
        Assert.Equal(StatusCode.Unimplemented, error.StatusCode);
        Assert.Equal("METHOD_NOT_FOUND", LookupTests.ReasonOf(error));
    }

    [Fact]
    public async Task Reflection_tells_of_every_public_service()
    {
        using var call = new ServerReflection.ServerReflectionClient(_suite.Node.Channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var names = call.ResponseStream.Current.ListServicesResponse.Service.Select(one => one.Name).ToHashSet();
        Assert.Superset(PublicApi.Services.Select(one => one.FullName).ToHashSet(), names);
    }

    [Fact]
    public async Task Without_Redis_the_Gateway_is_degraded_but_not_down()
    {
        _suite.Redis.Cut();
        await Testing.Eventually.Value(() => _suite.Node.Http.GetAsync("/health"), one => one.Content.ReadAsStringAsync().GetAwaiter().GetResult().Contains("Degraded", StringComparison.Ordinal));
        using var response = await _suite.Node.Http.GetAsync("/health");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private static async Task<JsonDocument> Problem(HttpResponseMessage response, HttpStatusCode status)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode}: {body}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return JsonDocument.Parse(body);
    }
}
