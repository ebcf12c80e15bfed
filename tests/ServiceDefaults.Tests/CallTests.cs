using System.Net;
using Commerce.Orders.V1;
using Commerce.Testing;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Commerce.ServiceDefaults.Tests;

/// <summary>Who calls, for how long, and what a call to another service takes along.</summary>
public sealed class CallTests
{
    [Theory]
    [InlineData("shop/acme", "shop/acme")]
    [InlineData("staff/anna@example.org", "staff/anna@example.org")]
    [InlineData(null, "staff/developer")]
    public async Task The_caller_is_who_the_header_says(string? header, string expected)
    {
        await using var service = await TestService.Start(new OrderBehaviour { Get = (_, call) => Task.FromResult(new Order { Name = Principal.Of(call).ToString() }) });
        var headers = new Metadata();
        if (header is not null)
            headers.Add(Principal.Header, header);
        Assert.Equal(expected, (await service.Orders.GetOrderAsync(new GetOrderRequest(), headers)).Name);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/orders/x");
        if (header is not null)
            request.Headers.Add(Principal.Header, header);
        using var response = await service.Rest.SendAsync(request);
        Assert.Contains(expected, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("acme")]
    [InlineData("king/acme")]
    [InlineData("Shop/acme")]
    [InlineData("shop/")]
    [InlineData("shop/a/b")]
    [InlineData("shop/a b")]
    [InlineData("shop/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_malformed_caller_is_nobody(string header)
    {
        await using var service = await TestService.Start();
        var error = await ErrorTests.Refused(() => service.Orders.GetOrderAsync(new GetOrderRequest(), new Metadata { { Principal.Header, header } }).ResponseAsync);
        Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
    }

    [Fact]
    public async Task Outside_development_a_call_needs_a_caller_unless_one_is_configured()
    {
        await using (var strict = await TestService.Start(environment: "Production"))
        {
            var error = await ErrorTests.Refused(() => strict.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync);
            Assert.Equal("UNAUTHENTICATED", error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
            using var rest = await strict.Rest.GetAsync("/v1/orders/x");
            Assert.Equal(HttpStatusCode.Unauthorized, rest.StatusCode);
        }

        await using var open = await TestService.Start(environment: "Production", settings: new() { ["Principal:Default"] = "staff/operator" });
        await open.Orders.GetOrderAsync(new GetOrderRequest());
        await Assert.ThrowsAsync<InvalidOperationException>(() => TestService.Start(settings: new() { ["Principal:Default"] = "nobody" }));
    }

    [Fact]
    public async Task A_call_without_a_deadline_gets_one_and_a_token()
    {
        ServerCallContext? seen = null;
        await using var service = await TestService.Start(new OrderBehaviour
        {
            Get = (_, call) =>
            {
                seen = call;
                return Task.FromResult(new Order());
            },
        });
        await service.Orders.GetOrderAsync(new GetOrderRequest());
        Assert.InRange(seen!.Deadline, TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(20), TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(31));
        Assert.True(seen.CancellationToken.CanBeCanceled);
        (await service.Rest.GetAsync("/v1/orders/x")).Dispose();
        Assert.NotEqual(DateTime.MaxValue, seen.Deadline);
    }

    [Fact]
    public async Task Work_stops_when_the_deadline_passes_or_the_caller_leaves()
    {
        var started = new SemaphoreSlim(0);
        var stopped = new SemaphoreSlim(0);
        await using var service = await TestService.Start(new OrderBehaviour
        {
            Get = async (_, call) =>
            {
                started.Release();
                try
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, call.CancellationToken);
                    return new Order();
                }
                finally
                {
                    stopped.Release();
                }
            },
        });
        var late = await ErrorTests.Refused(() => service.Orders.GetOrderAsync(
            new GetOrderRequest(), deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(300)).ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
        Assert.True(await stopped.WaitAsync(TimeSpan.FromSeconds(10)));
        await started.WaitAsync();

        using var leaves = new CancellationTokenSource();
        var call = service.Orders.GetOrderAsync(new GetOrderRequest(), cancellationToken: leaves.Token);
        await started.WaitAsync();
        await leaves.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await ErrorTests.Refused(() => call.ResponseAsync)).StatusCode);
        Assert.True(await stopped.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Empty(service.Logs.Entries);
    }

    [Fact]
    public async Task A_call_to_another_service_carries_the_caller_and_the_deadline_along()
    {
        (string Principal, DateTime Deadline) seen = default;
        await using var orders = await TestService.Start(new OrderBehaviour
        {
            Get = (_, call) =>
            {
                seen = (Principal.Of(call).ToString(), call.Deadline);
                return Task.FromResult(new Order());
            },
        });
        TestService gateway = null!;
        gateway = await TestService.Start(
            new OrderBehaviour { Get = async (request, _) => await gateway.App.Services.GetRequiredService<OrderService.OrderServiceClient>().GetOrderAsync(request) },
            builder => builder.AddServiceClient<OrderService.OrderServiceClient>("orders"),
            settings: new() { ["services:orders:grpc:0"] = orders.GrpcAddress.ToString() });
        await using (gateway)
        {
            var deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(5);
            await gateway.Orders.GetOrderAsync(new GetOrderRequest(), new Metadata { { Principal.Header, "shopper/42" } }, deadline);
            Assert.Equal("shopper/42", seen.Principal);
            Assert.InRange(seen.Deadline, deadline.AddSeconds(-1), deadline.AddSeconds(1));

            var client = gateway.App.Services.GetRequiredService<OrderService.OrderServiceClient>();
            await client.GetOrderAsync(new GetOrderRequest());
            Assert.Equal("service/orders", seen.Principal);
            Assert.InRange(seen.Deadline, TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(3), TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(11));
        }
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_unavailable_quickly_and_its_reason_reaches_the_caller()
    {
        TestService gateway = null!;
        gateway = await TestService.Start(
            new OrderBehaviour { Get = async (request, _) => await gateway.App.Services.GetRequiredService<OrderService.OrderServiceClient>().GetOrderAsync(request) },
            builder => builder.AddServiceClient<OrderService.OrderServiceClient>("orders"),
            settings: new() { ["services:orders:grpc:0"] = "http://127.0.0.1:1" });
        await using (gateway)
        {
            var start = TimeProvider.System.GetTimestamp();
            var error = await ErrorTests.Refused(() => gateway.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync);
            Assert.Equal("DEPENDENCY_UNAVAILABLE", error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(8));
        }
    }

    [Fact]
    public async Task Only_reads_and_calls_with_a_request_id_are_tried_again()
    {
        var reads = 0;
        var writes = 0;
        await using var orders = await TestService.Start(new OrderBehaviour
        {
            Get = (_, _) => ++reads < 3 ? throw new Failure(Types.V1.ErrorReason.DependencyUnavailable, "Later.") : Task.FromResult(new Order()),
            Place = (_, _) => ++writes < 2 ? throw new Failure(Types.V1.ErrorReason.InvalidField, "No.") : Task.FromResult(new Order()),
        });
        await using var caller = await TestService.Start(
            configure: builder => builder.AddServiceClient<OrderService.OrderServiceClient>("orders"),
            settings: new() { ["services:orders:grpc:0"] = orders.GrpcAddress.ToString() });
        var client = caller.App.Services.GetRequiredService<OrderService.OrderServiceClient>();
        await client.GetOrderAsync(new GetOrderRequest());
        Assert.Equal(3, reads);
        await ErrorTests.Refused(() => client.PlaceOrderAsync(new PlaceOrderRequest()).ResponseAsync);
        Assert.Equal(1, writes);
    }

    [Fact]
    public async Task Health_tells_what_is_up_and_what_is_down_without_telling_why()
    {
        var up = true;
        await using var service = await TestService.Start(environment: "Production", configure: builder => builder.Services.AddHealthChecks()
            .AddCheck("shelf", () => up ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("secret", new InvalidOperationException("secret"))));
        var grpc = new Health.HealthClient(service.Channel);
        Assert.Equal(HttpStatusCode.OK, (await service.Rest.GetAsync("/health")).StatusCode);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await grpc.CheckAsync(new HealthCheckRequest())).Status);

        up = false;
        using var down = await service.Rest.GetAsync("/health");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, down.StatusCode);
        Assert.Equal("""{"status":"Unhealthy","checks":{"self":"Healthy","shelf":"Unhealthy"}}""", await down.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, (await service.Rest.GetAsync("/alive")).StatusCode);
        await Eventually.True(async () => (await grpc.CheckAsync(new HealthCheckRequest())).Status == HealthCheckResponse.Types.ServingStatus.NotServing);
    }
}
