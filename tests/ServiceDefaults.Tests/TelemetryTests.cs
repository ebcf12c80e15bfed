using System.Diagnostics;
using Commerce.Orders.V1;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using StackExchange.Redis;

namespace Commerce.ServiceDefaults.Tests;

/// <summary>What leaves a process over OTLP.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public async Task One_trace_runs_from_the_caller_through_two_services_to_Postgres_and_Redis()
    {
        var servers = await TestServers.Get();
        await using var database = await servers.CreateDatabase();
        await using var receiver = await OtlpReceiver.Start();
        using var source = new ActivitySource("Commerce.Test");

        TestService orders = null!;
        orders = await TestService.Start(
            new OrderBehaviour
            {
                Get = async (_, call) =>
                {
                    await using var command = orders.App.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("SELECT 1");
                    await command.ExecuteScalarAsync(call.CancellationToken);
                    await orders.App.Services.GetRequiredService<IConnectionMultiplexer>().GetDatabase().StringGetAsync("defaults-tests:none");
                    return new Orders.V1.Order();
                },
            },
            builder =>
            {
                builder.AddNpgsqlDataSource("ordersdb");
                builder.AddRedisClient("redis");
            },
            settings: Settings(receiver, new() { ["ConnectionStrings:ordersdb"] = database.ConnectionString, ["ConnectionStrings:redis"] = servers.Redis }));
        await using (orders)
        {
            TestService gateway = null!;
            gateway = await TestService.Start(
                new OrderBehaviour
                {
                    Get = async (request, _) =>
                    {
                        using var activity = source.StartActivity("inside");
                        return await gateway.App.Services.GetRequiredService<OrderService.OrderServiceClient>().GetOrderAsync(request);
                    },
                },
                builder => builder.AddServiceClient<OrderService.OrderServiceClient>("orders"),
                settings: Settings(receiver, new() { ["services:orders:grpc:0"] = orders.GrpcAddress.ToString(), ["OTEL_SERVICE_NAME"] = "gateway" }),
                name: "gateway");
            await using (gateway)
            {
                using var response = await gateway.Rest.GetAsync("/v1/orders/x?min_version=1&email=anna@example.org");
                response.EnsureSuccessStatusCode();
                (await gateway.Rest.GetAsync("/health")).Dispose();

                var flushed = await Eventually.Value(
                    () =>
                    {
                        Flush(orders);
                        Flush(gateway);
                        return Task.FromResult(receiver.Spans);
                    },
                    spans => spans.Any(s => s.Scope == "Npgsql") && spans.Any(s => s.Scope.Contains("StackExchangeRedis", StringComparison.Ordinal)) && spans.Any(s => s.Name == "inside"));

                var redis = flushed.First(s => s.Scope.Contains("StackExchangeRedis", StringComparison.Ordinal) && s.Name.Contains("GET", StringComparison.Ordinal));
                // Both services live in this process and each exports what it hears, so every span comes twice.
                var trace = flushed.Where(s => s.TraceId == redis.TraceId).DistinctBy(s => s.SpanId).ToDictionary(s => s.SpanId);
                Assert.Contains(trace.Values, s => s.Scope == "Npgsql");

                var path = new List<string>();
                for (var span = redis; span is not null; span = trace.GetValueOrDefault(span.ParentSpanId))
                    path.Add(span.Name);
                Assert.Contains("inside", path);
                Assert.True(path.Count >= 4, string.Join(" < ", path));
                // As served: what other tests of this process ask of theirs is a client's span, and heard here, too.
                Assert.DoesNotContain(flushed, s => s.Scope == "Microsoft.AspNetCore" && s.Name.Contains("health", StringComparison.Ordinal));
                Assert.DoesNotContain(flushed.SelectMany(s => s.Attributes.Values), value => value.Contains("anna", StringComparison.Ordinal));
                Assert.Equal(["gateway", "orders"], flushed.Select(s => s.Service).Distinct().Order());
                await Eventually.True(() =>
                {
                    gateway.App.Services.GetRequiredService<MeterProvider>().ForceFlush(1000);
                    return new[] { "http.server.request.duration", "http.client.request.duration" }.All(receiver.Metrics.Contains);
                }, describe: () => string.Join(", ", receiver.Metrics));
            }
        }
    }

    [Fact]
    public async Task Nothing_is_exported_unless_an_endpoint_is_given()
    {
        await using var service = await TestService.Start();
        Assert.DoesNotContain(service.App.Services.GetServices<IHostedService>(), s => s.GetType().Name.Contains("Otlp", StringComparison.Ordinal));
        await service.Orders.GetOrderAsync(new GetOrderRequest());
        Assert.Empty(service.Logs.Entries);
    }

    private static void Flush(TestService service) => service.App.Services.GetRequiredService<TracerProvider>().ForceFlush(1000);

    private static Dictionary<string, string?> Settings(OtlpReceiver receiver, Dictionary<string, string?> more)
    {
        more["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Endpoint.ToString();
        more["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        return more;
    }
}
