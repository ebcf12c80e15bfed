using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Commerce.ServiceDefaults;

/// <summary>Clients of the world outside: carriers and payment providers.</summary>
public static class OutsideClientExtensions
{
    /// <summary>
    /// A named HttpClient for somebody outside: the base address is "Outside:{name}:Address", or the endpoint "http" of
    /// <paramref name="service"/> by service discovery; a call may take "Outside:{name}:Timeout" (10 s), and answers more
    /// than 4 MB are refused. It never tries again by itself: who calls stores the intent first and decides.
    /// </summary>
    public static IHttpClientBuilder AddOutsideClient(this IHostApplicationBuilder builder, string name, string service)
    {
        var section = builder.Configuration.GetSection($"Outside:{name}");
        var address = section["Address"] ?? $"http://_http.{service}";
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new InvalidOperationException($"Outside:{name}:Address must be an http or https URL.");
        var timeout = section.GetValue("Timeout", TimeSpan.FromSeconds(10));
        return builder.Services.AddHttpClient(name, client =>
            {
                client.BaseAddress = uri;
                client.Timeout = timeout;
                client.MaxResponseContentBufferSize = Limits.RequestBytes;
            })
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                ConnectTimeout = TimeSpan.FromSeconds(3),
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
                // A redirect would carry a signed request to somebody else.
                AllowAutoRedirect = false,
            });
    }
}
