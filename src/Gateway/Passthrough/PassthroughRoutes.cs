using System.Net;
using Commerce.Gateway.Access;
using Commerce.Operations.V1;
using Commerce.ServiceDefaults;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Commerce.Gateway.Passthrough;

/// <summary>
/// Passes every method that the Gateway does not implement on to the service that does, found by service discovery:
/// gRPC by the package of its path, REST by the collection. Derived from the protos, so that a new method is reachable as
/// soon as it is declared; what no proto declares (webhooks, say) is not.
/// </summary>
internal static class PassthroughRoutes
{
    private const string GrpcSuffix = "-grpc";

    /// <summary>Of which service a call to commerce.operations.v1 is meant.</summary>
    private const string ServiceHeader = "commerce-service";

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);
    // A little longer than the services' own deadline for a call that has none, so that theirs is the answer.
    private static readonly TimeSpan ActivityTimeout = TimeSpan.FromSeconds(35);

    public static void AddPassthrough(this IHostApplicationBuilder builder) => builder.Services
        .AddReverseProxy()
        .LoadFromMemory([.. Grpc, .. Queues, .. Rest], [.. Clusters])
        .AddTransforms(PassOn)
        .ConfigureHttpClient((_, handler) => handler.ConnectTimeout = ConnectTimeout)
        .AddServiceDiscoveryDestinationResolver();

    private static IEnumerable<string> Owners => PublicApi.Services.Select(PublicApi.OwnerOf).Where(owner => owner != PublicApi.Own).Distinct();

    // The services know callers by the Gateway's token, and never see what these showed the Gateway.
    private static void PassOn(TransformBuilderContext context)
    {
        var tokens = context.Services.GetRequiredService<TokenMinter>();
        var owner = context.Route.ClusterId!.Replace(GrpcSuffix, "", StringComparison.Ordinal);
        context.AddRequestTransform(call =>
        {
            var caller = Principal.Established(call.HttpContext) ?? throw new InvalidOperationException("A call is passed on of which nobody asked who makes it.");
            var headers = call.ProxyRequest.Headers;
            headers.Remove("Authorization");
            headers.Remove(Credentials.KeyHeader);
            headers.Remove(TokenMinter.Header);
            headers.TryAddWithoutValidation(TokenMinter.Header, tokens.For(caller, owner));
            return ValueTask.CompletedTask;
        });
        // What the call was about is for the audit log, and not for the caller.
        context.AddResponseTransform(call =>
        {
            if (call.ProxyResponse?.Headers.TryGetValues(CallTrail.Header, out var trails) == true)
            {
                call.HttpContext.Response.Headers.Remove(CallTrail.Header);
                CallTrail.Of(call.HttpContext)?.Read(trails.First());
            }

            // A service that dies while it is sent a request ends the reading of it, which looks as if the caller had sent it badly. Callers
            // who are there still are told what it was, and ask again.
            if (call.ProxyResponse is null && call.HttpContext.Features.Get<IForwarderErrorFeature>() is { Error: ForwarderError.RequestBodyClient, Exception: var why }
                && !IsOfCaller(why) && !call.HttpContext.RequestAborted.IsCancellationRequested && !call.HttpContext.Response.HasStarted)
                call.HttpContext.Response.StatusCode = StatusCodes.Status502BadGateway;
            return ValueTask.CompletedTask;
        });
    }

    // Kestrel says so of what callers send too long, too slowly or wrongly.
    private static bool IsOfCaller(Exception? why) => why switch
    {
        BadHttpRequestException => true,
        AggregateException all => all.InnerExceptions.Any(IsOfCaller),
        _ => false,
    };

    private static IEnumerable<RouteConfig> Grpc => PublicApi.Services
        .Where(service => PublicApi.OwnerOf(service) != PublicApi.Own)
        .Select(service => new RouteConfig
        {
            RouteId = service.FullName,
            ClusterId = PublicApi.OwnerOf(service) + GrpcSuffix,
            Match = new RouteMatch { Path = $"/{service.FullName}/{{method}}", Methods = [HttpMethods.Post] },
        });

    // Every service has queues of its own. Before the Gateway's own, which are meant where no service is named.
    private static IEnumerable<RouteConfig> Queues => Owners.Select(owner => new RouteConfig
    {
        RouteId = $"queues of {owner}",
        ClusterId = owner + GrpcSuffix,
        Order = -1,
        Match = new RouteMatch
        {
            Path = $"/{MessagingService.Descriptor.FullName}/{{method}}",
            Methods = [HttpMethods.Post],
            Headers = [new RouteHeader { Name = ServiceHeader, Values = [owner], Mode = HeaderMatchMode.ExactHeader }],
        },
    });

    private static IEnumerable<RouteConfig> Rest => PublicApi.Services
        .Where(service => PublicApi.OwnerOf(service) != PublicApi.Own)
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
        Cluster(owner + GrpcSuffix, $"http://_grpc.{owner}", HttpVersion.Version20),
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
