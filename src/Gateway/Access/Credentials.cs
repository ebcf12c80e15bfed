using Commerce.Gateway.Shoppers;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Gateway.Access;

/// <summary>Whom a credential was found to be of.</summary>
/// <param name="Principal">Who calls with it.</param>
/// <param name="AskAgain">Until when that is believed without asking again.</param>
/// <param name="Ends">When it is over for certain; <see cref="DateTimeOffset.MaxValue"/>: not by itself.</param>
internal readonly record struct Verified(Principal Principal, DateTimeOffset AskAgain, DateTimeOffset Ends);

/// <summary>What callers from outside are known by: a token of an issuer, an API key, or an order session.</summary>
internal sealed class Credentials
{
    public const string KeyHeader = "x-api-key";

    private const string Bearer = "Bearer ";

    private readonly Tokens _tokens;
    private readonly ApiKeys _keys;
    private readonly OrderSessions _sessions;

    public Credentials(Tokens tokens, ApiKeys keys, OrderSessions sessions, EndedSessions ended)
    {
        (_tokens, _keys, _sessions) = (tokens, keys, sessions);
        keys.KeyChanged += id => Changed?.Invoke(id is null ? null : new Principal(PrincipalKind.Shop, id).ToString());
        ended.Ended += order => Changed?.Invoke(new Principal(PrincipalKind.Shopper, order).ToString());
    }

    /// <summary>What was known of a principal's credentials may be wrong now; null: of everybody's.</summary>
    public event Action<string?>? Changed;

    /// <summary>The one that comes with a request; null: none.</summary>
    /// <exception cref="Failure">UNAUTHENTICATED: there are several, or it has no form that is known.</exception>
    public static string? Of(HttpRequest request)
    {
        var (authorization, key) = (request.Headers.Authorization, request.Headers[KeyHeader]);
        if (authorization.Count + key.Count > 1)
            throw Nobody("Send one credential, once.");
        if (key.Count == 1)
            return key[0] is { } one && ApiKey.IsOne(one) ? one : throw ApiKeys.Nobody();
        if (authorization.Count == 0)
            return null;
        return authorization[0] is { } text && text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? text[Bearer.Length..] : throw Missing();
    }

    /// <summary>Whether it was good before, or costs no more than a signature of our own, so that to verify it costs next to nothing.</summary>
    public bool Knows(string credential) =>
        OrderSessions.IsOne(credential) || (ApiKey.IsOne(credential) ? _keys.Knows(credential) : _tokens.Knows(credential));

    /// <exception cref="Failure">UNAUTHENTICATED, CREDENTIAL_EXPIRED, CREDENTIAL_REVOKED, DEPENDENCY_UNAVAILABLE.</exception>
    public ValueTask<Verified> Verify(string credential, CancellationToken cancellationToken) =>
        OrderSessions.IsOne(credential) ? ValueTask.FromResult(_sessions.Verify(credential))
        : ApiKey.IsOne(credential) ? _keys.Verify(credential, cancellationToken)
        : _tokens.Verify(credential, cancellationToken);

    /// <summary>There is none.</summary>
    public static Failure Missing() => Nobody("Send a token of a known issuer or an API key as Authorization: Bearer.");

    private static Failure Nobody(string whatToDo) => new(ErrorReason.Unauthenticated, "No caller is known. " + whatToDo);
}
