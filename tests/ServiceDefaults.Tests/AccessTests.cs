using System.Net;
using Commerce.Orders.V1;
using Commerce.Testing;
using Commerce.Types.V1;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Options;

namespace Commerce.ServiceDefaults.Tests;

/// <summary>Who is let in by a service, and as whom.</summary>
public sealed class AccessTests
{
    [Theory]
    [InlineData("shop/acme")]
    [InlineData("staff/anna@example.org")]
    public async Task The_caller_is_who_the_Gateway_says(string principal)
    {
        await using var service = await Telling();
        Assert.Equal(principal, (await service.Orders.GetOrderAsync(new GetOrderRequest(), TestAccess.As("orders", principal))).Name);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/orders/x") { Headers = { { TokenMinter.Header, TestAccess.Token("orders", TestAccess.Somebody(principal)) } } };
        using var response = await service.Rest.SendAsync(request);
        Assert.Contains(principal, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_is_let_in_without_a_token_be_it_development_or_not()
    {
        foreach (var environment in new[] { "Development", "Production" })
        {
            await using var service = await TestService.Start(environment: environment);
            using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(service.GrpcAddress);
            var orders = new OrderService.OrderServiceClient(channel);
            Assert.Equal((StatusCode.Unauthenticated, "UNAUTHENTICATED"), await Refusal(orders, []));
            Assert.Equal((StatusCode.Unauthenticated, "UNAUTHENTICATED"), await Refusal(orders, new Metadata { { "commerce-principal", "staff/developer" } }));
            using var rest = new HttpClient { BaseAddress = service.Rest.BaseAddress };
            using var answer = await rest.GetAsync("/v1/orders/x");
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            using var health = await rest.GetAsync("/health");
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData(".")]
    [InlineData("e30.e30")]
    [InlineData("staff/developer")]
    public async Task What_is_no_token_lets_nobody_in(string token)
    {
        await using var service = await TestService.Start();
        Assert.Equal((StatusCode.Unauthenticated, "UNAUTHENTICATED"), await Refusal(service.Orders, new Metadata { { TokenMinter.Header, token } }));
    }

    [Fact]
    public async Task A_token_of_another_pair_of_services_or_changed_or_over_lets_nobody_in()
    {
        await using var service = await TestService.Start();
        var good = TestAccess.Token("orders", TestAccess.Admin);
        var other = TestAccess.Token("payments", TestAccess.Admin);
        var changed = (char)(good[0] ^ 1) + good[1..];
        var forged = Token("gateway", "orders", TestAccess.Secret("notifications", "orders"), TimeSpan.FromMinutes(1));
        foreach (var token in new[] { other, changed, forged, good + "x", good[..^4] })
            Assert.Equal((StatusCode.Unauthenticated, "UNAUTHENTICATED"), await Refusal(service.Orders, new Metadata { { TokenMinter.Header, token } }));
        var twice = new Metadata { { TokenMinter.Header, good }, { TokenMinter.Header, good } };
        Assert.Equal((StatusCode.Unauthenticated, "UNAUTHENTICATED"), await Refusal(service.Orders, twice));

        var over = Token("gateway", "orders", TestAccess.Secret("gateway", "orders"), TimeSpan.FromMinutes(-1));
        Assert.Equal((StatusCode.Unauthenticated, "CREDENTIAL_EXPIRED"), await Refusal(service.Orders, new Metadata { { TokenMinter.Header, over } }));
    }

    [Fact]
    public async Task A_remembered_token_is_over_when_it_is_over()
    {
        await using var service = await TestService.Start();
        // The clock of the caller may be ten seconds behind.
        var headers = new Metadata { { TokenMinter.Header, Token("gateway", "orders", TestAccess.Secret("gateway", "orders"), TimeSpan.FromSeconds(-8)) } };
        await service.Orders.GetOrderAsync(new GetOrderRequest(), headers);
        await Eventually.True(async () =>
        {
            try
            {
                await service.Orders.GetOrderAsync(new GetOrderRequest(), headers);
                return false;
            }
            catch (RpcException error)
            {
                return error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason == "CREDENTIAL_EXPIRED";
            }
        });
    }

    [Fact]
    public async Task A_service_has_its_own_scopes_whatever_its_token_says()
    {
        await using var service = await TestService.Start(new OrderBehaviour { Get = (_, call) => Task.FromResult(new Order { Name = Principal.Of(call).Scopes.ToString() }) });
        var claims = new InternalToken("payments", "orders", "staff/anna", ScopeSet.All, null, TimeProvider.System.GetUtcNow().AddMinutes(1))
            .Sign(System.Text.Encoding.UTF8.GetBytes(TestAccess.Secret("payments", "orders")));
        var order = await service.Orders.GetOrderAsync(new GetOrderRequest(), new Metadata { { TokenMinter.Header, claims } });
        Assert.Equal("orders.read stores.read", order.Name);
        Assert.Equal((StatusCode.PermissionDenied, "SCOPE_MISSING"), await RefusalOf(service.Orders.PlaceOrderAsync(new PlaceOrderRequest(), new Metadata { { TokenMinter.Header, claims } })));
    }

    [Fact]
    public async Task What_was_not_given_is_said_and_who_is_of_another_kind_stays_outside()
    {
        await using var service = await TestService.Start();
        var reader = new Principal(PrincipalKind.Staff, "reader", ScopeSet.Of(Scope.OrdersRead));
        await service.Orders.GetOrderAsync(new GetOrderRequest(), TestAccess.As("orders", reader));
        var error = await Assert.ThrowsAsync<RpcException>(() => service.Orders.PlaceOrderAsync(new PlaceOrderRequest(), TestAccess.As("orders", reader)).ResponseAsync);
        Assert.Equal(StatusCode.PermissionDenied, error.StatusCode);
        var info = error.GetRpcStatus()!.GetDetail<ErrorInfo>()!;
        Assert.Equal(("SCOPE_MISSING", "orders.write"), (info.Reason, info.Metadata["scope"]));
        Assert.Equal((StatusCode.PermissionDenied, "PERMISSION_DENIED"), await Refusal(service.Orders, TestAccess.As("orders", "shopper/ada")));
    }

    [Fact]
    public async Task Who_is_limited_to_stores_names_only_those()
    {
        PlaceOrderRequest? placed = null;
        await using var service = await TestService.Start(new OrderBehaviour
        {
            Place = (request, _) =>
            {
                placed = request;
                return Task.FromResult(new Order());
            },
        });
        var one = TestAccess.As("orders", new Principal(PrincipalKind.Shop, "one", ScopeSet.All, ["main"]));
        await service.Orders.PlaceOrderAsync(new PlaceOrderRequest { StoreId = "main" }, one);
        Assert.Equal((StatusCode.PermissionDenied, "STORE_NOT_ALLOWED"), await RefusalOf(service.Orders.PlaceOrderAsync(new PlaceOrderRequest { StoreId = "other" }, one)));
        await service.Orders.PlaceOrderAsync(new PlaceOrderRequest(), one);
        Assert.Equal("main", placed!.StoreId);

        var two = TestAccess.As("orders", new Principal(PrincipalKind.Shop, "two", ScopeSet.All, ["main", "other"]));
        await service.Orders.PlaceOrderAsync(new PlaceOrderRequest { StoreId = "other" }, two);
        Assert.Equal((StatusCode.InvalidArgument, "INVALID_FIELD"), await RefusalOf(service.Orders.PlaceOrderAsync(new PlaceOrderRequest(), two)));
    }

    [Fact]
    public async Task Two_secrets_of_a_caller_are_good_while_one_is_changed_for_the_other()
    {
        var (old, next) = (TestAccess.Secret("gateway", "orders"), "the next secret of the gateway for orders".Replace(' ', '-'));
        await using var service = await TestService.Start(settings: new() { ["Access:Callers:gateway"] = $"{old} {next}" });
        foreach (var secret in new[] { old, next })
            await service.Orders.GetOrderAsync(new GetOrderRequest(), new Metadata { { TokenMinter.Header, Token("gateway", "orders", secret, TimeSpan.FromMinutes(1)) } });
    }

    [Theory]
    [InlineData("Access:Callers:gateway", "short")]
    [InlineData("Access:Callers:gateway", "")]
    [InlineData("Access:Callers:nobody", "a-secret-that-is-long-enough-for-anybody")]
    [InlineData("Access:Services:payments", "short")]
    public async Task A_service_with_a_weak_secret_does_not_start(string setting, string value) =>
        await Assert.ThrowsAsync<OptionsValidationException>(() => TestService.Start(settings: new() { [setting] = value }));

    [Fact]
    public async Task A_service_without_the_secret_of_one_that_it_calls_does_not_start() =>
        await Assert.ThrowsAsync<OptionsValidationException>(() => TestService.Start(configure: builder =>
            builder.AddServiceClient<OrderService.OrderServiceClient>("elsewhere")));

    [Fact]
    public void A_method_that_declares_nothing_is_refused_at_the_start()
    {
        var error = Assert.Throws<InvalidOperationException>(() => MethodRule.Of(Health.Descriptor.Methods[0]));
        Assert.Contains("grpc.health.v1.Health.Check", error.Message, StringComparison.Ordinal);
    }

    private static Task<TestService> Telling() =>
        TestService.Start(new OrderBehaviour { Get = (_, call) => Task.FromResult(new Order { Name = Principal.Of(call).ToString() }) });

    private static string Token(string issuer, string audience, string secret, TimeSpan life) =>
        new InternalToken(issuer, audience, "staff/anna", ScopeSet.All, null, TimeProvider.System.GetUtcNow() + life).Sign(System.Text.Encoding.UTF8.GetBytes(secret));

    private static Task<(StatusCode, string?)> Refusal(OrderService.OrderServiceClient orders, Metadata headers) =>
        RefusalOf(orders.GetOrderAsync(new GetOrderRequest(), headers));

    private static async Task<(StatusCode, string?)> RefusalOf(AsyncUnaryCall<Order> call)
    {
        var error = await Assert.ThrowsAsync<RpcException>(async () => await call);
        return (error.StatusCode, error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason);
    }
}
