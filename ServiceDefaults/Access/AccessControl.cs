using System.Collections.Frozen;
using System.Reflection;
using Commerce.Types.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Commerce.ServiceDefaults;

/// <summary>Who may call what: every method of this process, as its proto declares it.</summary>
public sealed class AccessControl
{
    private readonly TokenVerifier _tokens;
    private FrozenDictionary<string, MethodRule> _rules = FrozenDictionary<string, MethodRule>.Empty;

    internal AccessControl(TokenVerifier tokens) => _tokens = tokens;

    /// <summary>The methods of this process that ask who calls.</summary>
    public IReadOnlyCollection<MethodDescriptor> Methods { get; private set; } = [];

    /// <summary>
    /// What the interceptor does for the methods of gRPC, for what REST serves by hand: the caller has to be one that may call the
    /// method which the endpoint stands for, and the stores that the request names have to be the caller's.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="method">The method, for example "/commerce.orders.v1.OrderService/ExportOrders".</param>
    /// <param name="request">The request as that method would have it.</param>
    /// <exception cref="Failure">UNAUTHENTICATED, CREDENTIAL_EXPIRED, PERMISSION_DENIED, SCOPE_MISSING, STORE_NOT_ALLOWED, INVALID_FIELD.</exception>
    public Principal Require(HttpContext http, string method, IMessage request)
    {
        var (principal, rule) = Admit(http, method);
        rule.CheckStores(principal, request);
        rule.CheckOrder(principal, request);
        principal.CallsByHand();
        CallTrail.Tell(http, principal, method, request);
        CallTrail.Of(http)?.Opened();
        return principal;
    }

    internal (Principal Principal, MethodRule Rule) Admit(HttpContext http, string method)
    {
        var principal = Principal.Established(http) ?? _tokens.Verify(TokenOf(http.Request));
        if (!_rules.TryGetValue(method, out var rule))
            throw new Failure(ErrorReason.PermissionDenied, "Nobody may call this.");
        rule.Check(principal);
        return (principal, rule);
    }

    /// <summary>Reads what the methods that are mapped declare.</summary>
    /// <exception cref="InvalidOperationException">One of them does not declare who may call it.</exception>
    internal void Load(IEndpointRouteBuilder routes)
    {
        var methods = new Dictionary<string, MethodDescriptor>(StringComparer.Ordinal);
        foreach (var grpc in routes.DataSources.SelectMany(source => source.Endpoints).Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()).OfType<GrpcMethodMetadata>())
        {
            if (!IsOpen(grpc.Method.FullName))
                methods.TryAdd(grpc.Method.FullName, DescriptorOf(grpc));
        }

        _rules = methods.ToFrozenDictionary(one => one.Key, one => MethodRule.Of(one.Value), StringComparer.Ordinal);
        Methods = methods.Values;
    }

    /// <summary>Health and reflection are asked by machinery that is nobody.</summary>
    internal static bool IsOpen(string method) => method.StartsWith("/grpc.", StringComparison.Ordinal);

    private static string TokenOf(HttpRequest request) => request.Headers[InternalToken.Header] switch
    {
        [{ Length: > 0 } token] => token,
        [] => throw new Failure(ErrorReason.Unauthenticated, $"No caller is known: the header {InternalToken.Header} is missing."),
        _ => throw new Failure(ErrorReason.Unauthenticated, $"The header {InternalToken.Header} must be given once."),
    };

    private static MethodDescriptor DescriptorOf(GrpcMethodMetadata grpc)
    {
        if (grpc.ServiceType.GetCustomAttribute<DescribedByAttribute>() is { } described)
            return described.Service.FindMethodByName(grpc.Method.Name);
        // The generated base class of a service says which class describes it.
        for (var type = grpc.ServiceType; type is not null; type = type.BaseType!)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false)?.BindType.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) is ServiceDescriptor service)
                return service.FindMethodByName(grpc.Method.Name);
        }

        throw new InvalidOperationException($"{grpc.Method.FullName} has no descriptor, so nothing says who may call it.");
    }
}

/// <summary>Says which generated class describes a service that is not derived from it.</summary>
/// <param name="service">The generated class, for example <c>typeof(LookupService)</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class DescribedByAttribute(Type service) : Attribute
{
    internal ServiceDescriptor Service { get; } =
        service.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) as ServiceDescriptor ?? throw new ArgumentException($"{service} describes no service.", nameof(service));
}
