using Microsoft.AspNetCore.Http.Features;

namespace Commerce.Gateway.Passthrough;

/// <summary>
/// A client stream is as long as the client has something to say: the limit on a request's size is for each of its messages, and
/// the service that reads them has it.
/// </summary>
internal static class LongStreams
{
    public static void UseLongStreams(this IApplicationBuilder app)
    {
        var paths = PublicApi.Services.SelectMany(service => service.Methods).Where(method => method.IsClientStreaming)
            .Select(method => $"/{method.Service.FullName}/{method.Name}").ToHashSet(StringComparer.Ordinal);
        app.Use((http, next) =>
        {
            if (paths.Contains(http.Request.Path.Value ?? ""))
            {
                if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
                    size.MaxRequestBodySize = null;
                // It pauses while the service stores what it has.
                if (http.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>() is { } rate)
                    rate.MinDataRate = null;
            }

            return next(http);
        });
    }
}
