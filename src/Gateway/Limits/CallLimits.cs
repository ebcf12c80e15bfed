using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Limits;

/// <summary>Registers what limits callers and sheds load.</summary>
internal static class CallLimits
{
    public static void AddCallLimits(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<LimitOptions>, LimitOptionsCheck>();
        services.AddOptions<LimitOptions>().BindConfiguration(LimitOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<RateLimits>();
        services.AddHostedService(provider => provider.GetRequiredService<RateLimits>());
        services.AddSingleton<Strangers>();
        services.AddSingleton<LoadShedder>();
        services.AddHostedService(provider => provider.GetRequiredService<LoadShedder>());
        services.Insert(0, ServiceDescriptor.Transient<IStartupFilter, LoadSheddingFilter>());
    }
}
