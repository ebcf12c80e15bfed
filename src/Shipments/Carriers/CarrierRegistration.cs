using Microsoft.Extensions.Options;

namespace Commerce.Shipments.Carriers;

/// <summary>The carriers by code.</summary>
internal sealed class CarrierDirectory(IEnumerable<ICarrier> carriers)
{
    private readonly Dictionary<string, ICarrier> _carriers = carriers.ToDictionary(carrier => carrier.Code, StringComparer.Ordinal);

    public IReadOnlyCollection<ICarrier> All => _carriers.Values;

    public ICarrier? Find(string code) => _carriers.GetValueOrDefault(code);
}

internal static class CarrierRegistration
{
    public const string HttpClient = "carriers";

    /// <summary>One <see cref="ICarrier"/> for each code of <see cref="ShipmentsOptions.Carriers"/>.</summary>
    public static IServiceCollection AddCarriers(this IServiceCollection services)
    {
        services.AddHttpClient(HttpClient, (provider, client) =>
        {
            var options = provider.GetRequiredService<IOptions<CarrierHttpOptions>>().Value;
            client.BaseAddress = options.BaseAddress;
            client.Timeout = options.Timeout;
        });
        services.AddSingleton(provider =>
        {
            var clients = provider.GetRequiredService<IHttpClientFactory>();
            var codes = provider.GetRequiredService<IOptions<ShipmentsOptions>>().Value.Carriers;
            return new CarrierDirectory(codes.Select(code => new SandboxCarrier(code, clients)));
        });
        return services;
    }
}
