using Commerce.Messaging;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.Consumers;
using Commerce.Payments.FindingPayments;
using Commerce.Payments.Ledger;
using Commerce.Payments.Providers;
using Commerce.Payments.Providers.Sandbox;
using Commerce.Payments.RefundingPayment;
using Commerce.Payments.Storage;
using Commerce.Payments.Webhooks;
using Commerce.ServiceDefaults;

namespace Commerce.Payments;

/// <summary>Everything that Payments registers and serves, in one place.</summary>
public static class PaymentsModule
{
    public static IHostApplicationBuilder AddPayments(this IHostApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource("paymentsdb");
        builder.AddMigrations(typeof(Outbox).Assembly).AddMigrations(typeof(PaymentsModule).Assembly);
        builder.AddMessaging("payments")
            .Consume<OrderFactsConsumer>("orders", Delivery.EachOnce)
            .Recover<CollectPayment>()
            .Recover<ReleasePayment>()
            .Recover<CarryOutRefund>()
            .Recover<PollPayment>();

        builder.Services.AddOptions<PaymentsOptions>().BindConfiguration("Payments").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddOptions<WebhookOptions>().BindConfiguration("Webhooks").ValidateDataAnnotations().ValidateOnStart();
        builder.AddOutsideClient(SandboxProvider.Client, "sandbox");
        builder.Services.AddSingleton<IPaymentProvider, SandboxProvider>();
        builder.Services.AddSingleton<PaymentProviders>();
        builder.Services.AddSingleton<PaymentStore>();
        builder.Services.AddSingleton<PaymentDriver>();
        builder.Services.AddSingleton<ReceiveWebhook>();
        builder.Services.AddSingleton<RefundPayment>();
        builder.Services.AddSingleton<LedgerStore>();
        return builder;
    }

    public static WebApplication MapPayments(this WebApplication app)
    {
        app.MapGrpcService<PaymentGrpcService>();
        app.MapGrpcService<LedgerGrpcService>();
        ReceiveWebhook.Map(app);
        app.MapMessaging();
        app.MapServiceDefaults();
        return app;
    }
}
