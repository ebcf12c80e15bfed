using Commerce.Client;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the client.</summary>
public static class CommerceClientServices
{
    /// <summary>One <see cref="CommerceClient"/> for the process, by its options; wrong ones show when it is first asked for.</summary>
    public static IServiceCollection AddCommerceClient(this IServiceCollection services, Action<CommerceClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<CommerceClientOptions>().Configure(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<CommerceClientOptions>, CommerceClientOptions.Validator>());
        services.TryAddSingleton(provider => new CommerceClient(
            provider.GetRequiredService<IOptions<CommerceClientOptions>>().Value, provider.GetService<TimeProvider>()));
        return services;
    }
}
