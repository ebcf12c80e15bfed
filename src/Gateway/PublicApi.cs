using Commerce.Gateway.V1;
using Commerce.Notifications.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Google.Api;
using Google.Protobuf.Reflection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Commerce.Gateway;

/// <summary>What the suite offers to the outside: the services of the protos, and who implements them.</summary>
internal static class PublicApi
{
    /// <summary>The Gateway, as the owner of services.</summary>
    public const string Own = "gateway";

    /// <summary>The services, the Gateway's own first.</summary>
    public static IReadOnlyList<ServiceDescriptor> Services { get; } =
    [
        .. new[]
        {
            LookupServiceReflection.Descriptor,
            ShopperServiceReflection.Descriptor,
            AccessServiceReflection.Descriptor,
            AuditServiceReflection.Descriptor,
            PrivacyServiceReflection.Descriptor,
            OrderServiceReflection.Descriptor,
            CatalogServiceReflection.Descriptor,
            ReturnServiceReflection.Descriptor,
            ErasureServiceReflection.Descriptor,
            PaymentServiceReflection.Descriptor,
            LedgerServiceReflection.Descriptor,
            InvoiceServiceReflection.Descriptor,
            StoreCreditServiceReflection.Descriptor,
            ShipmentServiceReflection.Descriptor,
            ExceptionServiceReflection.Descriptor,
            CarrierServiceReflection.Descriptor,
            NotificationServiceReflection.Descriptor,
        }.SelectMany(file => file.Services),
    ];

    /// <summary>The full names of the methods that anybody may call without a credential.</summary>
    private static readonly HashSet<string> ForAnybody =
    [
        .. Services.SelectMany(service => service.Methods).Where(method => method.GetOptions()?.GetExtension(AccessExtensions.Access)?.Callers.Contains(Caller.Anybody) == true)
            .Select(method => method.FullName),
    ];

    /// <summary>Whether anybody may call a method without a credential.</summary>
    /// <param name="method">Its full name, for example "commerce.gateway.v1.ShopperService.GetJourney".</param>
    public static bool IsForAnybody(string method) => ForAnybody.Contains(method);

    /// <summary>The process that implements a service, as service discovery calls it: "commerce.orders.v1" is implemented by "orders".</summary>
    public static string OwnerOf(ServiceDescriptor service) => service.File.Package.Split('.')[1];

    /// <summary>The rule of a method's REST form, or null if it has none.</summary>
    public static HttpRule? RuleOf(MethodDescriptor method) => method.GetOptions()?.GetExtension(AnnotationsExtensions.Http);

    /// <summary>The verb and the path template of a rule, for example GET and "/v1/{name=orders/*}".</summary>
    public static (string Verb, string Path) PathOf(HttpRule rule) => rule.PatternCase switch
    {
        HttpRule.PatternOneofCase.Get => ("GET", rule.Get),
        HttpRule.PatternOneofCase.Post => ("POST", rule.Post),
        HttpRule.PatternOneofCase.Put => ("PUT", rule.Put),
        HttpRule.PatternOneofCase.Patch => ("PATCH", rule.Patch),
        HttpRule.PatternOneofCase.Delete => ("DELETE", rule.Delete),
        _ => throw new InvalidOperationException("A rule needs a pattern."),
    };

    /// <summary>The collection that a path begins with, for example "orders" of "/v1/{name=orders/*}:cancel".</summary>
    public static string CollectionOf(string path)
    {
        var rest = path["/v1/".Length..];
        if (rest.StartsWith('{'))
            rest = rest[(rest.IndexOf('=', StringComparison.Ordinal) + 1)..];
        var end = rest.AsSpan().IndexOfAny('/', ':');
        return end < 0 ? rest : rest[..end];
    }
}
