using Commerce.Gateway.Lookup;
using Commerce.Gateway.OpenApi;
using Commerce.Gateway.Passthrough;
using Commerce.Gateway.Views;
using Commerce.Gateway.Watching;
using Commerce.Gateway.Web;
using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Grpc.Reflection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Commerce.Gateway;

/// <summary>Everything the Gateway registers and serves.</summary>
public static class GatewayModule
{
    public static IHostApplicationBuilder AddGateway(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<GatewayOptions>().BindConfiguration(GatewayOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<GatewayTelemetry>();

        builder.AddServiceClient<OrderService.OrderServiceClient>("orders");
        builder.AddServiceClient<PaymentService.PaymentServiceClient>("payments");
        builder.AddServiceClient<ShipmentService.ShipmentServiceClient>("shipments");
        builder.AddServiceClient<TrackingService.TrackingServiceClient>("shipments");

        builder.AddRedisClient("redis", configureOptions: redis =>
        {
            // A command is for now or not at all: while Redis is away the services are asked, and nothing waits for it.
            redis.BacklogPolicy = BacklogPolicy.FailFast;
            redis.ReconnectRetryPolicy = new LinearRetry(500);
            redis.ConnectTimeout = 2000;
        });
        services.AddSingleton<Func<IConnectionMultiplexer>>(provider => provider.GetRequiredService<IConnectionMultiplexer>);
        services.AddSingleton<RedisLink>();
        services.AddHostedService(provider => provider.GetRequiredService<RedisLink>());
        services.AddSingleton<ViewCache>();
        services.AddSingleton<PartSources>();
        services.AddSingleton<ViewReader>();

        services.AddSingleton<WatchHub>();
        services.AddHostedService(provider => provider.GetRequiredService<WatchHub>());
        services.AddSingleton<Watches>();
        services.AddSingleton<CodeLookup>();
        services.AddSingleton<BatchLookup>();
        services.AddSingleton<LookupGrpcService>();

        builder.AddMessaging("gateway")
            .Observe<ViewObserver>("orders")
            .Observe<ViewObserver>("payments")
            .Observe<ViewObserver>("shipments");

        // Without Redis or the broker the Gateway is slower and later, not down: it must go on getting calls.
        services.PostConfigure<HealthCheckServiceOptions>(health =>
        {
            foreach (var check in health.Registrations.Where(check => !check.Tags.Contains("live")))
                check.FailureStatus = HealthStatus.Degraded;
        });

        builder.AddPassthrough();
        builder.AddWebClients();
        services.AddSingleton<ApiDescription>();
        // Reflection tells of every service that can be called here, not only of those implemented here.
        services.AddSingleton(new ReflectionServiceImpl(PublicApi.Services));
        services.AddSingleton(new ReflectionV1ServiceImpl(PublicApi.Services));
        return builder;
    }

    public static WebApplication MapGateway(this WebApplication app)
    {
        app.UseResponseCompression();
        app.UseMiddleware<OutsideCaller>();
        app.MapGrpcService<LookupGrpcService>();
        app.MapLookupEvents();
        app.UseLongStreams();
        app.MapReverseProxy();
        app.MapApiDescription();
        app.MapMessaging();
        app.MapServiceDefaults();
        return app;
    }
}
