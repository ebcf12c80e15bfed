using Commerce.Gateway.Access;
using Commerce.Gateway.Auditing;
using Commerce.Gateway.Exporting;
using Commerce.Gateway.Limits;
using Commerce.Gateway.Lookup;
using Commerce.Gateway.OpenApi;
using Commerce.Gateway.Passthrough;
using Commerce.Gateway.Shoppers;
using Commerce.Gateway.Views;
using Commerce.Gateway.Watching;
using Commerce.Gateway.Web;
using Commerce.Messaging;
using Commerce.Notifications.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Grpc.AspNetCore.Server.Model;
using Grpc.Reflection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
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
        builder.AddNpgsqlDataSource("gatewaydb");
        builder.AddMigrations(typeof(Outbox).Assembly).AddMigrations(typeof(GatewayModule).Assembly);
        services.AddTrustedProxies();
        builder.AddCallLimits();
        // Before callers are asked who they are: what a browser asks beforehand is nobody's.
        builder.AddWebClients();
        builder.AddAuditing();
        builder.AddAccess();
        builder.AddShoppers();

        // The parts of a view are kept for every caller, so they are read as the Gateway; each caller is shown what it may see.
        builder.AddServiceClient<OrderService.OrderServiceClient>("orders", asItself: true);
        builder.AddServiceClient<PaymentService.PaymentServiceClient>("payments", asItself: true);
        builder.AddServiceClient<ShipmentService.ShipmentServiceClient>("shipments", asItself: true);
        builder.AddServiceClient<TrackingService.TrackingServiceClient>("shipments", asItself: true);
        builder.AddServiceClient<ExceptionService.ExceptionServiceClient>("shipments", asItself: true);
        builder.AddServiceClient<ReturnService.ReturnServiceClient>("orders", asItself: true);
        builder.AddServiceClient<InvoiceService.InvoiceServiceClient>("payments", asItself: true);
        builder.AddServiceClient<ErasureService.ErasureServiceClient>("orders", asItself: true);
        builder.AddServiceClient<NotificationService.NotificationServiceClient>("notifications", asItself: true);

        // What traces the commands keeps each of them for seconds, also where nobody receives traces.
        builder.AddRedisClient("redis", settings => settings.DisableTracing |= !builder.SendsTelemetry(), redis =>
        {
            // A command is for now or not at all: while Redis is away the services are asked, and nothing waits for it.
            redis.BacklogPolicy = BacklogPolicy.FailFast;
            redis.ReconnectRetryPolicy = new LinearRetry(500);
            redis.ConnectTimeout = 2000;
            // The client looks at each beat which commands have waited too long: that costs less than a timer for each of them.
            var timeout = builder.Configuration.GetSection(GatewayOptions.Section).GetValue(nameof(GatewayOptions.RedisTimeout), new GatewayOptions().RedisTimeout);
            redis.AsyncTimeout = redis.SyncTimeout = (int)timeout.TotalMilliseconds;
            redis.HeartbeatInterval = timeout / 4;
            // On threads of its own each answer would be handed over once more.
            redis.SocketManager = SocketManager.ThreadPool;
        });
        services.AddSingleton<Func<IConnectionMultiplexer>>(provider => provider.GetRequiredService<IConnectionMultiplexer>);
        services.AddSingleton<RedisLink>();
        services.AddHostedService(provider => provider.GetRequiredService<RedisLink>());
        services.AddSingleton<Announcements>();
        services.AddSingleton<ChangeFeed>();
        services.AddHostedService(provider => provider.GetRequiredService<ChangeFeed>());
        services.AddSingleton<ViewCache>();
        services.AddSingleton<SetAside>();
        services.AddSingleton<PartSources>();
        services.AddSingleton<ViewReader>();

        services.AddSingleton<WatchHub>();
        services.AddHostedService(provider => provider.GetRequiredService<WatchHub>());
        services.AddSingleton<Watches>();
        services.AddSingleton<CodeBook>();
        services.AddSingleton<HotAnswers>();
        services.AddSingleton<CodeLookup>();
        services.AddSingleton<BatchLookup>();
        services.AddSingleton<LookupGrpcService>();
        services.AddSingleton<LookupWire>();
        services.AddSingleton<IServiceMethodProvider<LookupWire>, LookupWireMethods>();

        builder.AddMessaging("gateway")
            .Observe<ViewObserver>("orders")
            .Observe<ViewObserver>("payments")
            .Observe<ViewObserver>("shipments")
            .Observe<ViewObserver>("notifications");

        // Without Redis or the broker the Gateway is slower and later, not down: it must go on getting calls.
        services.PostConfigure<HealthCheckServiceOptions>(health =>
        {
            foreach (var check in health.Registrations.Where(check => !check.Tags.Contains("live")))
                check.FailureStatus = HealthStatus.Degraded;
        });

        builder.AddPassthrough();
        services.AddSingleton<ApiDescription>();
        // Reflection tells of every service that can be called here, not only of those implemented here.
        services.AddSingleton(new ReflectionServiceImpl(PublicApi.Services));
        services.AddSingleton(new ReflectionV1ServiceImpl(PublicApi.Services));
        return builder;
    }

    private static void AddAuditing(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<AuditOptions>().BindConfiguration(AuditOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<AuditStore>();
        services.AddSingleton<AuditLog>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditLog>());
        services.AddTransient<IStartupFilter, AuditTrailFilter>();
        services.AddSingleton<AuditGrpcService>();
        services.AddSingleton<PrivacyGrpcService>();
    }

    private static void AddAccess(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<OutsideOptions>, OutsideOptionsCheck>();
        services.AddOptions<OutsideOptions>().BindConfiguration(OutsideOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddHttpClient(IssuerKeys.Client, client => client.Timeout = TimeSpan.FromSeconds(5));
        services.AddTransient<IStartupFilter, OutsideCallerFilter>();
        services.AddSingleton<Tokens>();
        services.AddSingleton<Credentials>();
        services.AddSingleton<OpenStreams>();
        services.AddSingleton<ApiKeyStore>();
        services.AddSingleton<ApiKeys>();
        services.AddHostedService(provider => provider.GetRequiredService<ApiKeys>());
        services.AddSingleton<AccessGrpcService>();
    }

    public static WebApplication MapGateway(this WebApplication app)
    {
        app.UseResponseCompression();
        app.MapGrpcService<LookupWire>();
        // It serves REST: where both serve a path, which is gRPC's, the other goes first.
        app.MapGrpcService<LookupGrpcService>().Add(endpoint => ((RouteEndpointBuilder)endpoint).Order = 1);
        app.MapGrpcService<ShopperGrpcService>();
        app.MapGrpcService<AccessGrpcService>();
        app.MapGrpcService<AuditGrpcService>();
        app.MapGrpcService<PrivacyGrpcService>();
        app.MapLookupEvents();
        app.UseLongStreams();
        app.MapReverseProxy();
        app.MapApiDescription();
        app.MapMessaging();
        app.MapServiceDefaults();
        return app;
    }
}
