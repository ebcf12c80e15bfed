using Commerce.ServiceDefaults;
using Commerce.Tracking.Payloads;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.Carriers;

internal static class CarrierRegistration
{
    public const string HttpClient = "carriers";

    /// <summary>
    /// One <see cref="ICarrier"/> for each code of <see cref="ShipmentsOptions.Carriers"/>, for each carrier that
    /// <see cref="ShipmentsOptions.HttpCarriers"/> describes, and EasyPost where it has a key.
    /// </summary>
    public static void AddCarriers(this IHostApplicationBuilder builder)
    {
        builder.AddOutsideClient(HttpClient, "sandbox");
        builder.AddOutsideClient(HttpCarrier.HttpClient, "sandbox");
        builder.AddOutsideClient(EasyPostCarrier.HttpClient, "sandbox");
        builder.Services.AddSingleton<IValidateOptions<ShipmentsOptions>, HttpCarrierValidation>();
        builder.Services.AddSingleton(provider =>
        {
            var clients = provider.GetRequiredService<IHttpClientFactory>();
            var payloads = provider.GetRequiredService<PayloadReader>();
            var options = provider.GetRequiredService<IOptions<ShipmentsOptions>>().Value;
            return new CarrierDirectory(
            [
                .. options.Carriers.Distinct().Select(code => new SandboxCarrier(code, clients, payloads)),
                .. options.HttpCarriers.Select(carrier => new HttpCarrier(carrier, clients)),
                .. options.EasyPost.ApiKey.Length > 0 ? [new EasyPostCarrier(options.EasyPost, clients, payloads)] : Enumerable.Empty<ICarrier>(),
            ]);
        });
    }
}
