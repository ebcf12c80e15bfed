namespace Commerce.Gateway.Shoppers;

/// <summary>What strangers and shoppers need.</summary>
internal static class ShopperModule
{
    public static void AddShoppers(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<ShopperOptions>().BindConfiguration(ShopperOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<Guesses>();
        services.AddSingleton<EndedSessions>();
        services.AddHostedService(provider => provider.GetRequiredService<EndedSessions>());
        services.AddSingleton<OrderSessions>();
        services.AddSingleton<OrderOpening>();
        services.AddSingleton<Journeys>();
        services.AddSingleton<ShopperGrpcService>();
    }
}
