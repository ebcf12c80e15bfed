using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

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

    private const int MaxId = 128;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:@+");

    /// <summary>The caller of a gRPC call, as the interceptor established it.</summary>
    public static Principal Of(ServerCallContext context) =>
        context.UserState.TryGetValue(Header, out var principal) ? (Principal)principal! : throw new InvalidOperationException("The call has no principal: the interceptor did not run.");

    /// <summary>What the interceptor does for the methods of gRPC, for what REST serves by hand: whoever is nobody gets nothing.</summary>
    /// <exception cref="Failure">UNAUTHENTICATED.</exception>
    public static void Require(HttpRequest request, IHostEnvironment environment)
    {
        if (!environment.IsDevelopment() && !TryParse(request.Headers[Header], out _))
            throw new Failure(ErrorReason.Unauthenticated, $"No caller is known: the header {Header} is missing.");
    }

    /// <summary>Reads "kind/id": a kind in lower case, and an id of 1 to 128 letters, digits and -_.:@+.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Principal? principal)
    {
        principal = null;
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 0)
            return false;
        var id = text.AsSpan(slash + 1);
        if (id.Length is 0 or > MaxId || id.ContainsAnyExcept(IdCharacters))
            return false;

        PrincipalKind? kind = text.AsSpan(0, slash) switch
        {
            "service" => PrincipalKind.Service,
            "staff" => PrincipalKind.Staff,
            "shop" => PrincipalKind.Shop,
            "shopper" => PrincipalKind.Shopper,
            _ => null,
        };
        principal = kind is { } known ? new Principal(known, id.ToString()) : null;
        return principal is not null;
    }

    /// <summary>For example "shop/acme".</summary>
    public override string ToString() => $"{Kind.ToString().ToLowerInvariant()}/{Id}";
}
