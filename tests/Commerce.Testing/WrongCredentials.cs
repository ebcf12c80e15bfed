using System.Collections.Concurrent;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Commerce.Testing;

/// <summary>A credential, and what a call with it is answered: the code and the reason of the refusal.</summary>
public sealed record WrongCredential(string What, Metadata Headers, StatusCode Code, string Reason, IMessage? Request = null);

/// <summary>Tries methods with credentials that are not good enough, from their descriptors: a new method is tried without a line for it.</summary>
public static class WrongCredentials
{
    private const int AtOnce = 8;

    /// <summary>What a service's own port refuses for a method.</summary>
    public static IEnumerable<WrongCredential> At(string service, MethodDescriptor method)
    {
        Metadata Headers(string token) => new() { { TokenMinter.Header, token } };
        string Signed(TimeSpan life, string secret, string issuer = "gateway") =>
            new InternalToken(issuer, service, "staff/anna", ScopeSet.All, null, TimeProvider.System.GetUtcNow() + life).Sign(System.Text.Encoding.UTF8.GetBytes(secret));
        var minute = TimeSpan.FromMinutes(1);
        var elsewhere = service == "orders" ? "payments" : "orders";
        yield return Nobody("no credential", []);
        yield return Nobody("who one says one is", new Metadata { { "commerce-principal", "staff/developer" } });
        yield return Nobody("a text", Headers("staff/developer"));
        yield return Nobody("a token for another service", TestAccess.As(elsewhere, TestAccess.Admin));
        yield return Nobody("a token that another service signed in the Gateway's name", Headers(Signed(minute, TestAccess.Secret("notifications", service))));
        yield return Nobody("a token of nobody's", Headers(Signed(minute, TestAccess.Secret("notifications", service), "nobody")));
        yield return new("a token that is over", Headers(Signed(-minute, TestAccess.Secret("gateway", service))), StatusCode.Unauthenticated, "CREDENTIAL_EXPIRED");
        foreach (var one in Limited(method, principal => TestAccess.As(service, principal)))
            yield return one;
    }

    /// <summary>What is refused to callers who are known.</summary>
    /// <param name="method">The method.</param>
    /// <param name="headers">How a principal's call looks.</param>
    public static IEnumerable<WrongCredential> Limited(MethodDescriptor method, Func<Principal, Metadata> headers)
    {
        var access = AccessOf(method);
        var allowed = access.Callers.Contains(Caller.Staff) ? PrincipalKind.Staff : PrincipalKind.Shop;
        var less = new ScopeSet(ScopeSet.All.Bits & ~ScopeSet.Of(access.Scope).Bits);
        if (access.Scope != Scope.Unspecified)
            yield return new("every scope but the one", headers(new Principal(allowed, "small", less)), StatusCode.PermissionDenied, "SCOPE_MISSING");
        foreach (var (caller, kind) in new[] { (Caller.Service, PrincipalKind.Service), (Caller.Staff, PrincipalKind.Staff), (Caller.Shop, PrincipalKind.Shop), (Caller.Shopper, PrincipalKind.Shopper) })
        {
            if (!access.Callers.Contains(caller) && !access.Callers.Contains(Caller.Anybody))
                yield return new($"a {kind}", headers(new Principal(kind, "other", ScopeSet.All)), StatusCode.PermissionDenied, "PERMISSION_DENIED");
        }

        if (access.Orders == OrderAccess.Request)
        {
            // Nothing that the request names is of the order that the session is of.
            yield return new("a shopper of another order", headers(new Principal(PrincipalKind.Shopper, OrderId.New("ORD", TimeProvider.System).ToString(), ScopeSet.All)), StatusCode.PermissionDenied, "PERMISSION_DENIED");
        }

        var limited = headers(new Principal(allowed, "limited", ScopeSet.All, ["elsewhere"]));
        if (access.Stores == StoreAccess.Unspecified)
            yield return new("somebody of another store", limited, StatusCode.PermissionDenied, "STORE_NOT_ALLOWED");
        else if (access.Stores == StoreAccess.Request)
            yield return new("somebody of another store", limited, StatusCode.PermissionDenied, "STORE_NOT_ALLOWED", StoreFields.Naming(method.InputType, "main"));
    }

    /// <summary>What a method declares.</summary>
    public static MethodAccess AccessOf(MethodDescriptor method) => method.GetOptions().GetExtension(AccessExtensions.Access);

    /// <summary>Calls each of the methods with each of the credentials; answers what was answered otherwise.</summary>
    public static async Task<IReadOnlyList<string>> Try(CallInvoker calls, IEnumerable<(MethodDescriptor Method, WrongCredential Credential)> all)
    {
        var differing = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (one, _) =>
        {
            var (method, credential) = one;
            var (code, reason) = await Call(calls, method, credential.Headers, credential.Request);
            if ((code, reason) != (credential.Code, credential.Reason))
                differing.Enqueue($"{method.FullName} with {credential.What}: {code} {reason} and not {credential.Code} {credential.Reason}");
        });
        return [.. differing];
    }

    /// <summary>Calls a method with an empty request, or the one given; of a stream only the first answer is waited for.</summary>
    public static async Task<(StatusCode Code, string? Reason)> Call(CallInvoker calls, MethodDescriptor method, Metadata headers, IMessage? request = null)
    {
        var (code, reason, _) = await RawCall.Make(calls, method, headers, request?.ToByteArray());
        return (code, reason);
    }

    private static WrongCredential Nobody(string what, Metadata headers) => new(what, headers, StatusCode.Unauthenticated, "UNAUTHENTICATED");
}
