using Commerce.ServiceDefaults;
using Commerce.Tracking.Payloads;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.Carriers;

internal static class CarrierRegistration
{
    public const string HttpClient = "carriers";

    /// <summary>One <see cref="ICarrier"/> for each code of <see cref="ShipmentsOptions.Carriers"/>.</summary>
    public static void AddCarriers(this IHostApplicationBuilder builder)
    {
        builder.AddOutsideClient(HttpClient, "sandbox");
        builder.Services.AddSingleton(provider =>
        {
            var clients = provider.GetRequiredService<IHttpClientFactory>();
            var codes = provider.GetRequiredService<IOptions<ShipmentsOptions>>().Value.Carriers;
            var payloads = provider.GetRequiredService<PayloadReader>();
            return new CarrierDirectory(codes.Distinct().Select(code => new SandboxCarrier(code, clients, payloads)));
        });
    }
}
