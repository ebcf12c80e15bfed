using Commerce.Messaging;
using Commerce.Notifications.Consumers;
using Commerce.Notifications.FindingNotifications;
using Commerce.Notifications.SendingMail;
using Commerce.Notifications.Storage;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;

namespace Commerce.Notifications;

/// <summary>Everything that Notifications registers and serves, in one place.</summary>
public static class NotificationsModule
{
    public static IHostApplicationBuilder AddNotifications(this IHostApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource("notificationsdb");
        builder.AddMigrations(typeof(Outbox).Assembly);
        builder.AddMigrations(typeof(NotificationsModule).Assembly);
        // In order: a shopper is told what happened to a parcel as it happened.
        builder.AddMessaging("notifications")
            .Consume<OrderFactsConsumer>("orders", Delivery.InOrder)
            .Consume<ShipmentFactsConsumer>("shipments", Delivery.InOrder)
            // Each fact says how far the money is, so what a newer one has told already is no news.
            .Consume<PaymentFactsConsumer>("payments", Delivery.Latest)
            .Recover<SendMail>();
        builder.AddServiceClient<OrderService.OrderServiceClient>("orders");
        builder.AddServiceClient<StoreService.StoreServiceClient>("orders");
        builder.AddServiceClient<ReturnService.ReturnServiceClient>("orders");
        builder.AddServiceClient<PaymentService.PaymentServiceClient>("payments");

        builder.Services.AddOptions<SmtpOptions>().BindConfiguration("Smtp").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddOptions<OrderLinkOptions>().BindConfiguration(OrderLinkOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<NotificationStore>();
        builder.Services.AddSingleton<StoreBranding>();
        builder.Services.AddSingleton<SmtpConnections>();
        return builder;
    }

    public static WebApplication MapNotifications(this WebApplication app)
    {
        app.MapGrpcService<NotificationGrpcService>();
        app.MapMessaging();
        app.MapServiceDefaults();
        return app;
    }
}
