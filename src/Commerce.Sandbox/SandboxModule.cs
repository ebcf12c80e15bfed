using Commerce.Sandbox.Books;
using Commerce.Sandbox.Carriers;
using Commerce.Sandbox.Control;
using Commerce.Sandbox.Http;
using Commerce.Sandbox.Identity;
using Commerce.Sandbox.Mailbox;
using Commerce.Sandbox.Payments;
using Commerce.Sandbox.Webhooks;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Commerce.Sandbox;

/// <summary>What the Sandbox is made of.</summary>
internal static class SandboxModule
{
    public static WebApplicationBuilder AddSandbox(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.Configure<SandboxOptions>(builder.Configuration.GetSection("Sandbox"));
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<Agenda>().AddSingleton<BookKeeper>().AddSingleton<KnobBoard>().AddSingleton<Chance>();
        services.AddSingleton<WebhookBook>().AddSingleton<PaymentProvider>().AddSingleton<JourneyPlanner>().AddSingleton<LabelDesk>().AddSingleton<ClaimDesk>().AddSingleton<MailStore>();
        services.AddSingleton<WebhookSender>().AddHostedService(s => s.GetRequiredService<WebhookSender>());
        services.AddSingleton<MailboxServer>().AddHostedService(s => s.GetRequiredService<MailboxServer>());
        services.AddSingleton<IdentityProvider>();
        services.AddHostedService<Dispatcher>();
        services.AddHttpClient(WebhookSender.Client, client => client.Timeout = TimeSpan.FromSeconds(10));
        services.AddHealthChecks();
        return builder;
    }

    public static WebApplication MapSandbox(this WebApplication app)
    {
        app.UseMiddleware<Problems>();
        app.MapHealthChecks("/health");
        app.MapHealthChecks("/alive");
        app.MapOverview();
        app.MapPayments();
        app.MapCarriers();
        app.MapMailbox();
        app.MapControl();
        app.MapBooks();
        app.MapIdentity();
        return app;
    }
}
