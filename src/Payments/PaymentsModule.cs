using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Payments.CapturingPayment;
using Commerce.Payments.CheckingBooks;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.Consumers;
using Commerce.Payments.Documents;
using Commerce.Payments.ErasingCustomers;
using Commerce.Payments.FindingPayments;
using Commerce.Payments.Ledger;
using Commerce.Payments.Providers;
using Commerce.Payments.Providers.Sandbox;
using Commerce.Payments.Providers.StoreCredit;
using Commerce.Payments.Providers.Stripe;
using Commerce.Payments.RefundingPayment;
using Commerce.Payments.Settling;
using Commerce.Payments.Storage;
using Commerce.Payments.StoreCredits;
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
            .Consume<ShipmentFactsConsumer>("shipments", Delivery.EachOnce)
            .Recover<PollPayment>()
            .Recover<CaptureShipments>()
            .Recover<IssueDocuments>();
        foreach (var kind in AdvancePayment.Kinds)
            builder.Services.AddScoped<IRecover>(services => new AdvancePayment(services.GetRequiredService<PaymentDriver>(), kind));

        builder.Services.AddOptions<PaymentsOptions>().BindConfiguration("Payments").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddOptions<WebhookOptions>().BindConfiguration("Webhooks").ValidateDataAnnotations().ValidateOnStart();
        builder.AddServiceClient<OrderService.OrderServiceClient>("orders");
        builder.AddServiceClient<StoreService.StoreServiceClient>("orders");
        builder.AddOutsideClient(SandboxProvider.Client, "sandbox");
        if (builder.Configuration[$"{StripeOptions.Section}:{nameof(StripeOptions.ApiKey)}"] is { Length: > 0 })
            builder.AddStripe();
        builder.Services.AddSingleton<IPaymentProvider, SandboxProvider>();
        builder.Services.AddSingleton<StoreCreditBook>();
        builder.Services.AddSingleton<GrantStoreCredit>();
        builder.Services.AddSingleton<StoreCreditProvider>();
        builder.Services.AddSingleton<IPaymentProvider>(services => services.GetRequiredService<StoreCreditProvider>());
        builder.Services.AddSingleton<PaymentProviders>();
        builder.Services.AddSingleton<PaymentStore>();
        builder.Services.AddSingleton<PaymentDriver>();
        builder.Services.AddSingleton<ReceiveWebhook>();
        builder.Services.AddSingleton<RequestedChanges>();
        builder.Services.AddSingleton<RefundPayment>();
        builder.Services.AddSingleton<CapturePayment>();
        builder.Services.AddSingleton<LedgerStore>();
        builder.Services.AddSingleton<CorrectEntry>();
        builder.Services.AddSingleton<ImportSettlement>();
        builder.Services.AddSingleton<Reconcile>();
        builder.Services.AddSingleton<DocumentStore>();
        builder.Services.AddSingleton<BookCheck>().AddSingleton<OrderCheck>();
        builder.Services.AddHostedService<CheckBooks>();
        builder.Services.AddSingleton<EraseOrder>();
        builder.Services.AddSingleton<RemoveOldDocuments>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<RemoveOldDocuments>());
        return builder;
    }

    private static void AddStripe(this IHostApplicationBuilder builder)
    {
        const string address = $"Outside:{StripeProvider.Client}:Address";
        builder.Configuration[address] ??= "https://api.stripe.com";
        builder.AddOutsideClient(StripeProvider.Client, StripeProvider.Client);
        builder.Services.AddOptions<StripeOptions>().BindConfiguration(StripeOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<IPaymentProvider, StripeProvider>();
    }

    public static WebApplication MapPayments(this WebApplication app)
    {
        app.MapGrpcService<PaymentGrpcService>();
        app.MapGrpcService<LedgerGrpcService>();
        app.MapGrpcService<InvoiceGrpcService>();
        app.MapGrpcService<StoreCreditGrpcService>();
        ReceiveWebhook.Map(app);
        app.MapMessaging();
        app.MapServiceDefaults();
        return app;
    }
}
