using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.BuyingLabels;
using Commerce.Shipments.CancellingShipments;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.ChangingDelivery;
using Commerce.Shipments.Consumers;
using Commerce.Shipments.CorrectingTracking;
using Commerce.Shipments.DetectingCarriers;
using Commerce.Shipments.ErasingCustomers;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.FindingBottlenecks;
using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.FollowingPaths;
using Commerce.Shipments.IngestingScans;
using Commerce.Shipments.Manifesting;
using Commerce.Shipments.MeasuringCarriers;
using Commerce.Shipments.PlanningShipments;
using Commerce.Shipments.PrintingLabels;
using Commerce.Shipments.QuotingRates;
using Commerce.Shipments.RateCards;
using Commerce.Shipments.ReaddressingShipments;
using Commerce.Shipments.RecuttingShipments;
using Commerce.Shipments.ReferenceData;
using Commerce.Shipments.RegisteringTracking;
using Commerce.Shipments.ResolvingExceptions;
using Commerce.Shipments.Returning;
using Commerce.Shipments.Serviceability;
using Commerce.Shipments.Storage;
using Commerce.Shipments.WatchingSilence;
using Commerce.Shipments.WatchingTracking;
using Commerce.Tracking.Payloads;
using Microsoft.Extensions.Options;

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
            .Recover<FollowRefund>()
            .Recover<ReaddressShipments>()
            .Recover<RecutShipments>()
            .Recover<ChangeDelivery>()
            .Recover<WatchSilence>()
            .Recover<CarryOutResolution>();
        builder.AddServiceClient<OrderService.OrderServiceClient>("orders");
        builder.AddServiceClient<StoreService.StoreServiceClient>("orders");
        builder.AddServiceClient<ReturnService.ReturnServiceClient>("orders");
        builder.AddServiceClient<PaymentService.PaymentServiceClient>("payments");

        builder.Services.AddOptions<ShipmentsOptions>().BindConfiguration("Shipments").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddOptions<WebhookOptions>().BindConfiguration("Webhooks").ValidateDataAnnotations().ValidateOnStart();
        builder.AddCarriers();
        builder.Services.AddSingleton<ReferenceBook>();
        builder.Services.AddHostedService<ReferenceRefresher>();
        builder.Services.AddSingleton<CheckServiceability>();
        builder.Services.AddSingleton<UploadServiceability>();
        builder.Services.AddSingleton<LoadPostalCodes>();
        builder.Services.AddSingleton<RateCardStore>();
        builder.Services.AddSingleton<ShippingRulesStore>();
        builder.Services.AddSingleton<CarrierRates>();
        builder.Services.AddSingleton<CarrierRecord>();
        builder.Services.AddSingleton<ReadPerformance>();
        builder.Services.AddHostedService<MeasureCarriers>();
        builder.Services.AddSingleton<FollowPaths>();
        builder.Services.AddHostedService(services => services.GetRequiredService<FollowPaths>());
        builder.Services.AddSingleton<FindBottlenecks>();
        builder.Services.AddSingleton<UsualSilence>();
        builder.Services.AddSingleton<RateShopper>();
        builder.Services.AddSingleton<QuoteRates>();
        builder.Services.AddSingleton<ShipmentStore>();
        builder.Services.AddSingleton<PrintLabels>();
        builder.Services.AddSingleton<ChangeDelivery>();
        builder.Services.AddSingleton<SenderNames>();
        builder.Services.AddSingleton<ManifestStore>();
        builder.Services.AddSingleton<Manifests>();
        builder.Services.AddSingleton<ScanIngestion>();
        builder.Services.AddSingleton<CarrierRest>();
        builder.Services.AddSingleton<BeginResolution>();
        builder.Services.AddSingleton<RecentDeliveries>();
        builder.Services.AddSingleton<IngestReported>();
        builder.Services.AddSingleton<TrackingWatch>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<TrackingWatch>());
        // A shape that cannot be read ends the start: a shop that thinks that its carrier is read should know that it is not.
        builder.Services.AddSingleton(provider =>
            new PayloadReader(provider.GetRequiredService<IOptions<ShipmentsOptions>>().Value.PayloadShapes.Select(file => PayloadShape.Parse(File.ReadAllBytes(file)))));
        builder.Services.AddSingleton<CarrierChoice>();
        builder.Services.AddSingleton<DetectCarriers>();
        builder.Services.AddSingleton<RegisterTracking>();
        builder.Services.AddSingleton<CorrectTracking>();
        builder.Services.AddSingleton<ArrivalEstimator>();
        builder.Services.AddSingleton<DeliveryLearner>();
        builder.Services.AddHostedService(services => services.GetRequiredService<DeliveryLearner>());
        builder.Services.AddHostedService<UnclaimedScanSweeper>();
        builder.Services.AddSingleton<EraseOrder>();
        return builder;
    }

    public static WebApplication MapShipments(this WebApplication app)
    {
        app.MapGrpcService<ShipmentGrpcService>();
        app.MapGrpcService<TrackingGrpcService>();
        app.MapGrpcService<ExceptionGrpcService>();
        app.MapGrpcService<CarrierGrpcService>();
        app.MapCarrierWebhooks();
        app.MapMessaging();
        app.MapServiceDefaults();
        return app;
    }
}
