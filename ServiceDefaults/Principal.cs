using Grpc.Core;

namespace Commerce.ServiceDefaults;

/// <summary>Who calls.</summary>
public enum PrincipalKind
{
    Service,
    Staff,
    Shop,
    Shopper,
}

/// <summary>The caller, who travels with every call from the first day, in the header "commerce-principal" as "kind/id".</summary>
public sealed record Principal(PrincipalKind Kind, string Id)
{
    public const string Header = "commerce-principal";

    /// <summary>The caller of a gRPC call, as the interceptor established it.</summary>
    public static Principal Of(ServerCallContext context) =>
        context.UserState.TryGetValue(Header, out var principal) ? (Principal)principal! : throw new InvalidOperationException("The call has no principal: the interceptor did not run.");

    /// <summary>For example "shop/acme".</summary>
    public override string ToString() => $"{Kind.ToString().ToLowerInvariant()}/{Id}";
}
