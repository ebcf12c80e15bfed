using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.BuyingLabels;
using Commerce.Shipments.CancellingShipments;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.ChangingDelivery;
using Commerce.Shipments.Consumers;
using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.IngestingScans;
using Commerce.Shipments.Manifesting;
using Commerce.Shipments.PlanningShipments;
using Commerce.Shipments.PrintingLabels;
using Commerce.Shipments.ReaddressingShipments;
using Commerce.Shipments.RecuttingShipments;
using Commerce.Shipments.Returning;
using Commerce.Shipments.Storage;
using Commerce.Shipments.WatchingSilence;

namespace Commerce.Shipments;

/// <summary>Everything that Shipments registers and serves, in one place.</summary>
public static class ShipmentsModule
{
    public static IHostApplicationBuilder AddShipments(this IHostApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource("shipmentsdb");
        builder.AddMigrations(typeof(Outbox).Assembly);
        builder.AddMigrations(typeof(ShipmentsModule).Assembly);
        builder.AddMessaging("shipments")
            .Consume<OrderFactsConsumer>("orders", Delivery.EachOnce)
            .Recover<PlanShipments>()
            .Recover<PlanReturn>()
            .Recover<BuyLabel>()
            .Recover<VoidLabel>()
            .Recover<ReaddressShipments>()
            .Recover<RecutShipments>()
            .Recover<ChangeDelivery>()
            .Recover<WatchSilence>();
        builder.AddServiceClient<OrderService.OrderServiceClient>("orders");
        builder.AddServiceClient<StoreService.StoreServiceClient>("orders");
        builder.AddServiceClient<ReturnService.ReturnServiceClient>("orders");

        builder.Services.AddOptions<ShipmentsOptions>().BindConfiguration("Shipments").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddOptions<WebhookOptions>().BindConfiguration("Webhooks").ValidateDataAnnotations().ValidateOnStart();
        builder.AddCarriers();
        builder.Services.AddSingleton<RateShopper>();
        builder.Services.AddSingleton<ShipmentStore>();
        builder.Services.AddSingleton<PrintLabels>();
        builder.Services.AddSingleton<ChangeDelivery>();
        builder.Services.AddSingleton<SenderNames>();
        builder.Services.AddSingleton<ManifestStore>();
        builder.Services.AddSingleton<Manifests>();
        builder.Services.AddSingleton<ScanIngestion>();
        builder.Services.AddHostedService<UnclaimedScanSweeper>();
        return builder;
    }

    public static WebApplication MapShipments(this WebApplication app)
    {
        app.MapGrpcService<ShipmentGrpcService>();
        app.MapGrpcService<TrackingGrpcService>();
        app.MapCarrierWebhooks();
        app.MapMessaging();
        app.MapServiceDefaults();
        return app;
    }
}
