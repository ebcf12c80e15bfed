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
        (Principal Principal, DateTime Deadline) seen = (TestAccess.Admin, default);
        await using var payments = await TestService.Start(
            new OrderBehaviour
            {
                Get = (_, call) =>
                {
                    seen = (Principal.Of(call), call.Deadline);
                    return Task.FromResult(new Order());
                },
            },
            name: "payments");
        TestService shipments = null!;
        shipments = await TestService.Start(
            new OrderBehaviour { Get = async (request, _) => await shipments.App.Services.GetRequiredService<OrderService.OrderServiceClient>().GetOrderAsync(request) },
            builder => builder.AddServiceClient<OrderService.OrderServiceClient>("payments"),
            settings: new() { ["services:payments:grpc:0"] = payments.GrpcAddress.ToString() },
            name: "shipments");
        await using (shipments)
        {
            var deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(5);
            await shipments.Orders.GetOrderAsync(new GetOrderRequest(), TestAccess.As("shipments", "staff/42"), deadline);
            Assert.Equal(("staff/42", "shipments"), (seen.Principal.ToString(), seen.Principal.Via));
            Assert.Equal(ServiceScopes.All["shipments"], seen.Principal.Scopes);
            Assert.InRange(seen.Deadline, deadline.AddSeconds(-1), deadline.AddSeconds(1));

            var client = shipments.App.Services.GetRequiredService<OrderService.OrderServiceClient>();
            await client.GetOrderAsync(new GetOrderRequest());
            Assert.Equal(("service/shipments", null), (seen.Principal.ToString(), seen.Principal.Via));
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
            settings: new() { ["services:orders:grpc:0"] = orders.GrpcAddress.ToString() },
            name: "shipments");
        var client = caller.App.Services.GetRequiredService<OrderService.OrderServiceClient>();
        await client.GetOrderAsync(new GetOrderRequest());
        Assert.Equal(3, reads);
        await ErrorTests.Refused(() => client.PlaceOrderAsync(new PlaceOrderRequest()).ResponseAsync);
        Assert.Equal(1, writes);
    }

    [Fact]
    public async Task Calls_go_to_all_instances_of_a_service_in_turns()
    {
        var calls = new int[2];
        Task<TestService> Start(int n) => TestService.Start(new OrderBehaviour
        {
            Get = (_, _) =>
            {
                calls[n]++;
                return Task.FromResult(new Order());
            },
        });
        await using var one = await Start(0);
        await using var other = await Start(1);
        await using var caller = await TestService.Start(
            configure: builder => builder.AddServiceClient<OrderService.OrderServiceClient>("orders"),
            settings: new() { ["services:orders:grpc:0"] = one.GrpcAddress.ToString(), ["services:orders:grpc:1"] = other.GrpcAddress.ToString() },
            name: "shipments");
        var client = caller.App.Services.GetRequiredService<OrderService.OrderServiceClient>();
        for (var call = 0; call < 10; call++)
            await client.GetOrderAsync(new GetOrderRequest());
        Assert.Equal([5, 5], calls);
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
