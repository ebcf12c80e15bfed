using System.Collections.Concurrent;
using System.Text;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Finds out who calls by the token of the service that calls. A token that was good is remembered as long as it is good, so that
/// the next call with it costs one look-up.
/// </summary>
internal sealed class TokenVerifier(ServiceIdentity identity, IOptions<AccessOptions> options)
{
    // Some hundred bytes each. A caller has one for some minutes; when it is full everything is verified once more.
    private const int MostRemembered = 20_000;

    /// <summary>How far the clock of a service that calls may be behind.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(10);

    private readonly string _self = identity.Name;

    // Not before it is needed: whoever only migrates has no secrets.
    private readonly Lazy<Dictionary<string, byte[][]>> _secrets = new(() => options.Value.Callers.ToDictionary(
        one => one.Key, one => AccessOptions.SecretsOf(one.Value).Select(Encoding.UTF8.GetBytes).ToArray(), StringComparer.Ordinal));

    // Found by the whole token, the signature included; hashes of strings are seeded, so that the time of a look-up tells nothing.
    private readonly ConcurrentDictionary<string, Verified> _verified = new(StringComparer.Ordinal);

    /// <exception cref="Failure">UNAUTHENTICATED, CREDENTIAL_EXPIRED.</exception>
    public Principal Verify(string token)
    {
        var now = TimeProvider.System.GetUtcNow();
        if (_verified.TryGetValue(token, out var known))
            return now.UtcTicks < known.ExpiresTicks ? known.Principal : throw Expired();

        if (InternalToken.Read(token, issuer => _secrets.Value.GetValueOrDefault(issuer)) is not { } read
            || read.Audience != _self || PrincipalOf(read) is not { } principal)
            throw new Failure(ErrorReason.Unauthenticated, $"The header {InternalToken.Header} is not a token of a service that may call this one.");
        var expires = read.Expires + Skew;
        if (expires <= now)
            throw Expired();

        if (_verified.Count >= MostRemembered)
            _verified.Clear();
        _verified[token] = new Verified(principal, expires.UtcTicks);
        return principal;
    }

    private static Principal? PrincipalOf(InternalToken token)
    {
        if (!Principal.TryParse(token.Subject, out var kind, out var id))
            return null;
        if (kind == PrincipalKind.Service && id == token.Issuer)
            return new Principal(kind, id, ServiceScopes.Of(token.Issuer));
        // The Gateway has authenticated whom it passes on. Another service passes on who was passed to it, and answers for the call itself.
        return token.Issuer == "gateway"
            ? new Principal(kind, id, token.Scopes, token.Stores)
            : new Principal(kind, id, ServiceScopes.Of(token.Issuer), token.Stores, via: token.Issuer);
    }

    private static Failure Expired() => new(ErrorReason.CredentialExpired, "The token is over.");

    private sealed record Verified(Principal Principal, long ExpiresTicks);
}
