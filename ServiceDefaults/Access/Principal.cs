using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Commerce.ServiceDefaults;

/// <summary>What a caller is.</summary>
public enum PrincipalKind
{
    Service,
    Staff,
    Shop,
    Shopper,
    Anybody,
}

/// <summary>
/// The caller: who it is, what it may do, and in which stores. It is established once, at the Gateway or by a service that begins
/// something of its own, and travels with every call that follows from it.
/// </summary>
public sealed class Principal
{
    private const int MaxId = 128;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:@+|");

    private static readonly object Key = new();
    private static readonly AsyncLocal<Principal?> ByHand = new();

    private readonly string _name;

    /// <param name="kind">What it is.</param>
    /// <param name="id">Its id: 1 to 128 letters, digits and -_.:@+|.</param>
    /// <param name="scopes">What it may do.</param>
    /// <param name="stores">The ids of the stores that it is limited to; null: all.</param>
    /// <param name="via">The service that passes it on, and answers for what it does; null: it calls itself.</param>
    public Principal(PrincipalKind kind, string id, ScopeSet scopes = default, IEnumerable<string>? stores = null, string? via = null)
    {
        Kind = kind;
        Id = id;
        Scopes = scopes;
        Stores = stores?.ToFrozenSet(StringComparer.Ordinal);
        Via = via;
        _name = $"{kind.ToString().ToLowerInvariant()}/{id}";
    }

    /// <summary>Whoever calls without a credential. It never travels: only methods that are for anybody let it in.</summary>
    public static Principal Stranger { get; } = new(PrincipalKind.Anybody, "stranger");

    public PrincipalKind Kind { get; }

    public string Id { get; }

    /// <summary>
    /// What it may do here: its own scopes, and where a service passes it on, those of the service, which has checked whether the
    /// caller may have the whole thing done that this call is a part of.
    /// </summary>
    public ScopeSet Scopes { get; }

    /// <summary>The ids of the stores that it is limited to; null: all.</summary>
    public IReadOnlySet<string>? Stores { get; }

    /// <summary>The service that passes it on; null: it calls itself.</summary>
    public string? Via { get; }

    /// <summary>The Order ID that a shopper is limited to; null: it is no shopper.</summary>
    public string? OrderId => Kind == PrincipalKind.Shopper ? Id : null;

    /// <summary>Who calls in the running code; null in background work, which is the service's own.</summary>
    public static Principal? Current =>
        ServedCall.Current is { } call && call.UserState.TryGetValue(Key, out var principal) ? (Principal)principal! : ByHand.Value;

    /// <summary>What the tokens for other services were, so that they are not made anew for each call.</summary>
    internal ConcurrentDictionary<string, MintedToken> Tokens { get; } = new(StringComparer.Ordinal);

    /// <summary>The caller of a gRPC call, as it was established.</summary>
    public static Principal Of(ServerCallContext context) =>
        context.UserState.TryGetValue(Key, out var principal) ? (Principal)principal! : throw new InvalidOperationException("The call has no principal: the interceptor did not run.");

    /// <summary>Whether it may see what belongs to a store.</summary>
    public bool MaySee(string storeId) => Stores is null || Stores.Contains(storeId);

    /// <summary>Whether the running code may show what belongs to a store to whoever calls; in background work always.</summary>
    public static bool CurrentMaySee(string storeId) => Current?.MaySee(storeId) ?? true;

    /// <summary>Says, at the Gateway, who calls from outside; from there on nothing else is asked about it.</summary>
    public static void Establish(HttpContext http, Principal principal) => http.Features.Set(new EstablishedPrincipal(principal));

    /// <summary>Who calls from outside, at the Gateway; null: nobody was asked.</summary>
    public static Principal? Established(HttpContext http) => http.Features.Get<EstablishedPrincipal>()?.Principal;

    /// <summary>Reads "kind/id": a kind in lower case, and an id.</summary>
    public static bool TryParse(string? text, out PrincipalKind kind, [NotNullWhen(true)] out string? id)
    {
        (kind, id) = (default, null);
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 0 || !IsId(text.AsSpan(slash + 1)))
            return false;
        PrincipalKind? known = text.AsSpan(0, slash) switch
        {
            "service" => PrincipalKind.Service,
            "staff" => PrincipalKind.Staff,
            "shop" => PrincipalKind.Shop,
            "shopper" => PrincipalKind.Shopper,
            _ => null,
        };
        if (known is null)
            return false;
        (kind, id) = (known.Value, text![(slash + 1)..]);
        return true;
    }

    /// <summary>Whether a text can be a principal's id.</summary>
    public static bool IsId(ReadOnlySpan<char> id) => id.Length is > 0 and <= MaxId && !id.ContainsAnyExcept(IdCharacters);

    /// <summary>For example "shop/acme".</summary>
    public override string ToString() => _name;

    internal void Calls(ServerCallContext context) => context.UserState[Key] = this;

    // Must not be called from an async method of its own: what it sets would end with that.
    internal void CallsByHand() => ByHand.Value = this;

    private sealed record EstablishedPrincipal(Principal Principal);
}
