using System.Net;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Commerce.Gateway.Passthrough;

/// <summary>
/// Passes every method that the Gateway does not implement on to the service that does, found by service discovery:
/// gRPC by the package of its path, REST by the collection. Derived from the protos, so that a new method is reachable as
/// soon as it is declared; what no proto declares (webhooks, say) is not.
/// </summary>
internal static class PassthroughRoutes
{
    private const string Own = "gateway";

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);
    // A little longer than the services' own deadline for a call that has none, so that theirs is the answer.
    private static readonly TimeSpan ActivityTimeout = TimeSpan.FromSeconds(35);

    public static void AddPassthrough(this IHostApplicationBuilder builder) => builder.Services
        .AddReverseProxy()
        .LoadFromMemory([.. Grpc, .. Rest], [.. Clusters])
        .ConfigureHttpClient((_, handler) => handler.ConnectTimeout = ConnectTimeout)
        .AddServiceDiscoveryDestinationResolver();

    private static IEnumerable<string> Owners => PublicApi.Services.Select(PublicApi.OwnerOf).Where(owner => owner != Own).Distinct();

    private static IEnumerable<RouteConfig> Grpc => PublicApi.Services
        .Where(service => PublicApi.OwnerOf(service) != Own)
        .Select(service => new RouteConfig
        {
            RouteId = service.FullName,
            ClusterId = $"{PublicApi.OwnerOf(service)}-grpc",
            Match = new RouteMatch { Path = $"/{service.FullName}/{{method}}", Methods = [HttpMethods.Post] },
        });

    private static IEnumerable<RouteConfig> Rest => PublicApi.Services
        .Where(service => PublicApi.OwnerOf(service) != Own)
        .SelectMany(service => service.Methods, (service, method) => (Owner: PublicApi.OwnerOf(service), Rule: PublicApi.RuleOf(method)))
        .Where(one => one.Rule is not null)
        .Select(one => (one.Owner, Collection: PublicApi.CollectionOf(PublicApi.PathOf(one.Rule!).Path)))
        .Distinct()
        // A custom verb on the collection itself ("orders:batchGet") is one segment with the collection's name.
        .SelectMany(one => new[] { $"/v1/{one.Collection}/{{**rest}}", $"/v1/{one.Collection}:{{verb}}" }, (one, path) => new RouteConfig
        {
            RouteId = path,
            ClusterId = one.Owner,
            Match = new RouteMatch { Path = path },
        });

    private static IEnumerable<ClusterConfig> Clusters => Owners.SelectMany(owner => new[]
    {
        Cluster($"{owner}-grpc", $"http://_grpc.{owner}", HttpVersion.Version20),
        Cluster(owner, $"http://_http.{owner}", HttpVersion.Version11),
    });

    private static ClusterConfig Cluster(string id, string address, Version version) => new()
    {
        ClusterId = id,
        LoadBalancingPolicy = "PowerOfTwoChoices",
        Destinations = new Dictionary<string, DestinationConfig> { [id] = new() { Address = address } },
        HttpRequest = new ForwarderRequestConfig
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            ActivityTimeout = ActivityTimeout,
        },
    };
}
