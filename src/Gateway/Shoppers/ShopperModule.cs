using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Shoppers;

/// <summary>What strangers and shoppers need.</summary>
internal static class ShopperModule
{
    public static void AddShoppers(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<ShopperOptions>().BindConfiguration(ShopperOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<Guesses>();
        services.AddSingleton<OrderSessions>();
        services.AddSingleton<OrderOpening>();
        services.AddSingleton<Journeys>();
        services.AddSingleton<ShopperGrpcService>();

        // Of nobody else is it believed for whom they call: whoever guesses would come from another address each time.
        services.Insert(0, ServiceDescriptor.Transient<IStartupFilter, ProxyFilter>());
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<GatewayOptions>>((forwarded, options) =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor;
            // All of the proxies on the way are taken off, from the nearest on, until one is not ours.
            forwarded.ForwardLimit = null;
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var network in options.Value.TrustedProxies)
                forwarded.KnownIPNetworks.Add(TrustedProxiesAttribute.Parse(network)!.Value);
        });
    }

    private sealed class ProxyFilter(IOptions<GatewayOptions> options) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            if (options.Value.TrustedProxies.Count > 0)
                app.UseForwardedHeaders();
            next(app);
        };
    }
}
