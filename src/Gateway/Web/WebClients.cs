using System.IO.Compression;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Commerce.Gateway.Web;

/// <summary>
/// What browsers and other callers over the web need: gRPC-Web on the HTTP/1.1 endpoint, CORS for the origins that are
/// configured, and compressed answers.
/// </summary>
internal static class WebClients
{
    public static void AddWebClients(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        // In front of everything, the errors' middleware too: behind it gRPC-Web is gRPC like any other, a page may read a refusal,
        // and a browser that asks whether it may call need not say who it is.
        services.Insert(0, ServiceDescriptor.Transient<IStartupFilter, WebFilter>());

        services.AddCors();
        services.AddOptions<Microsoft.AspNetCore.Cors.Infrastructure.CorsOptions>().Configure<IOptions<GatewayOptions>>((cors, options) =>
        {
            // Nobody is let in by a cookie, so no credentials are allowed: a page must hold a token of its own.
            cors.AddDefaultPolicy(policy => policy
                .WithOrigins([.. options.Value.CorsOrigins])
                .WithMethods(HttpMethods.Get, HttpMethods.Post, HttpMethods.Put, HttpMethods.Patch, HttpMethods.Delete)
                .AllowAnyHeader()
                .WithExposedHeaders(
                    HeaderNames.ETag, HeaderNames.RetryAfter, HeaderNames.WWWAuthenticate, "RateLimit", "RateLimit-Policy",
                    "grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-encoding")
                .SetPreflightMaxAge(TimeSpan.FromHours(1)));
        });

        services.AddResponseCompression(options =>
        {
            options.MimeTypes = ["application/json", "application/problem+json", "text/csv", "text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml"];
            // Safe against BREACH, which needs a victim's browser to send the secret along with the attacker's text: credentials
            // come in headers that a foreign page cannot set, never in cookies, and an answer with a secret in it is no-store.
            options.EnableForHttps = true;
        });
        services.Configure<BrotliCompressionProviderOptions>(options => options.Level = CompressionLevel.Fastest);
        services.Configure<GzipCompressionProviderOptions>(options => options.Level = CompressionLevel.Fastest);
        services.AddSingleton<IResponseCompressionProvider, UsefulCompression>();
    }

    private sealed class WebFilter(IOptions<GatewayOptions> options) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            if (options.Value.CorsOrigins.Count > 0)
                app.UseCors();
            // The text form is for browsers of before streams; its base64 does not get through a proxy that streams.
            app.Use((http, rest) => http.Request.ContentType?.StartsWith("application/grpc-web-text", StringComparison.OrdinalIgnoreCase) == true
                ? BinaryOnly().ExecuteAsync(http)
                : rest(http));
            app.UseGrpcWeb(new GrpcWebOptions { DefaultEnabled = true });
            next(app);
        };

        // Nothing of ours runs before this, so the problem is written here.
        private static IResult BinaryOnly() => Results.Problem(
            "gRPC-Web is spoken in binary here: send application/grpc-web+proto.", statusCode: StatusCodes.Status415UnsupportedMediaType,
            title: "Malformed request", type: "urn:commerce:error:" + ErrorReasons.NameOf(ErrorReason.MalformedRequest),
            extensions: new Dictionary<string, object?> { ["reason"] = ErrorReasons.NameOf(ErrorReason.MalformedRequest) });
    }

    /// <summary>Leaves alone what is small, and what must not be kept: it may hold a secret.</summary>
    private sealed class UsefulCompression(IServiceProvider services, IOptions<ResponseCompressionOptions> options) : ResponseCompressionProvider(services, options)
    {
        private const int UsefulBytes = 1024;

        public override bool ShouldCompressResponse(HttpContext context) =>
            context.Response.ContentLength is not < UsefulBytes
            && !context.Response.Headers.CacheControl.ToString().Contains("no-store", StringComparison.Ordinal)
            && base.ShouldCompressResponse(context);
    }
}
