using Microsoft.AspNetCore.Http.Features;

namespace Commerce.Gateway.Shoppers;

/// <summary>The paths that anybody may call without a credential, as the protos declare it; everything else asks who calls.</summary>
internal static class OpenPaths
{
    private const string Links = "/v1/track/links";

    private static readonly HashSet<string> Grpc = [.. PublicApi.Services.SelectMany(service => service.Methods).Where(method => PublicApi.IsForAnybody(method.FullName)).Select(method => $"/{method.Service.FullName}/{method.Name}")];

    // A collection is either for anybody or for nobody without a credential.
    private static readonly string[] Rest =
    [
        .. PublicApi.Services.SelectMany(service => service.Methods).Where(method => PublicApi.IsForAnybody(method.FullName)).Select(PublicApi.RuleOf)
            .Select(rule => $"/v1/{PublicApi.CollectionOf(PublicApi.PathOf(rule!).Path)}").Distinct(),
    ];

    public static bool Contains(PathString path) =>
        Grpc.Contains(path.Value ?? "") || Array.Exists(Rest, collection => path.StartsWithSegments(collection, StringComparison.OrdinalIgnoreCase));

    /// <summary>What opens an order does not stand in a trace.</summary>
    public static void Redact(HttpContext http)
    {
        if (IsLink(http.Request.Path) && http.Features.Get<IHttpActivityFeature>() is { Activity: { } activity })
            activity.SetTag("url.path", Shown(http.Request.Path).Value);
    }

    /// <summary>A path as it may be written down.</summary>
    public static PathString Shown(PathString path) => IsLink(path) ? Links + "/-" : path;

    private static bool IsLink(PathString path) => path.StartsWithSegments(Links, StringComparison.OrdinalIgnoreCase);
}
