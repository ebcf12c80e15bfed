using System.Collections.Concurrent;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Commerce.Gateway.Access;

/// <summary>
/// Who a token (JWT) of one of the issuers says that calls. One that was good is remembered, so that the next call with it costs
/// one look-up and not a signature.
/// </summary>
internal sealed class Tokens : IDisposable
{
    private const int MostRemembered = 20_000;

    // A signature that needs no secret ("none") or a secret that everybody knows (HMAC with the public key) would let everybody in.
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    // Then the issuer's keys are asked again whether it still is: one may have been withdrawn.
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };
    private readonly Dictionary<string, (OutsideOptions.Issuer Issuer, IssuerKeys Keys)> _issuers;
    private readonly ConcurrentDictionary<string, Verified> _known = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    public Tokens(IOptions<OutsideOptions> options, IHttpClientFactory http, TimeProvider time)
    {
        _time = time;
        _issuers = options.Value.Issuers.ToDictionary(issuer => issuer.IssuerName, issuer => (issuer, new IssuerKeys(issuer, http, time)), StringComparer.Ordinal);
    }

    /// <exception cref="Failure">UNAUTHENTICATED, CREDENTIAL_EXPIRED, DEPENDENCY_UNAVAILABLE.</exception>
    public ValueTask<Verified> Verify(string token, CancellationToken cancellationToken) =>
        _known.TryGetValue(token, out var known) && _time.GetUtcNow() < known.AskAgain
            ? ValueTask.FromResult(known)
            : new ValueTask<Verified>(Validate(token, cancellationToken));

    /// <summary>Whether it was good before, so that to verify it costs next to nothing.</summary>
    public bool Knows(string token) => _known.ContainsKey(token);

    public void Dispose()
    {
        foreach (var (_, keys) in _issuers.Values)
            keys.Dispose();
    }

    private async Task<Verified> Validate(string text, CancellationToken cancellationToken)
    {
        if (Read(text) is not { } token || !_issuers.TryGetValue(token.Issuer, out var from))
            throw Nobody("It is not a token of an issuer that is known here.");

        var told = await from.Keys.Get(unknownTo: null, cancellationToken);
        var result = await _handler.ValidateTokenAsync(token, Parameters(from.Issuer, told));
        if (result.Exception is SecurityTokenSignatureKeyNotFoundException && await from.Keys.Get(unknownTo: told, cancellationToken) is var newer && newer != told)
            result = await _handler.ValidateTokenAsync(token, Parameters(from.Issuer, newer));
        if (!result.IsValid)
        {
            throw result.Exception is SecurityTokenExpiredException
                ? new Failure(ErrorReason.CredentialExpired, "The token is over; get a new one from its issuer.")
                : Nobody("The token's signature, audience or times are not right.");
        }

        var principal = PrincipalOf(token, from.Issuer);
        var (ends, askAgain) = (new DateTimeOffset(token.ValidTo, TimeSpan.Zero) + Skew, _time.GetUtcNow() + Remembered);
        if (_known.Count >= MostRemembered)
            _known.Clear();
        return _known[text] = new Verified(principal, ends < askAgain ? ends : askAgain, ends);
    }

    private JsonWebToken? Read(string text)
    {
        try
        {
            return _handler.CanReadToken(text) ? _handler.ReadJsonWebToken(text) : null;
        }
        // Whatever somebody sends.
        catch (Exception exception) when (exception is ArgumentException or SecurityTokenException or FormatException)
        {
            return null;
        }
    }

    // Lifetimes are held against the service's clock, so that a test can set it.
    private TokenValidationParameters Parameters(OutsideOptions.Issuer issuer, OpenIdConnectConfiguration told) => new()
    {
        ValidIssuer = told.Issuer,
        ValidAudience = issuer.Audience,
        IssuerSigningKeys = told.SigningKeys,
        ValidAlgorithms = Algorithms,
        ClockSkew = Skew,
        RequireExpirationTime = true,
        RequireSignedTokens = true,
        LifetimeValidator = (notBefore, expires, _, parameters) =>
        {
            var now = _time.GetUtcNow().UtcDateTime;
            if (expires is not { } end || notBefore > now + parameters.ClockSkew)
                return false;
            return end + parameters.ClockSkew > now ? true : throw new SecurityTokenExpiredException();
        },
    };

    private static Principal PrincipalOf(JsonWebToken token, OutsideOptions.Issuer issuer)
    {
        var id = issuer.Prefix + token.Subject;
        if (!Principal.IsId(id))
            throw Nobody("The token's subject must be 1 to 128 letters, digits and -_.:@+|.");
        ScopeSet scopes = default;
        foreach (var role in Values(token, issuer.RoleClaim))
        {
            if (Roles.All.TryGetValue(role, out var ofRole))
                scopes |= ofRole;
        }

        foreach (var name in Values(token, issuer.ScopeClaim).SelectMany(value => value.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            if (ScopeSet.Parse(name) is { } scope)
                scopes |= ScopeSet.Of(scope);
        }

        // An empty list limits to no store at all, which is something else than no list.
        return new Principal(PrincipalKind.Staff, id, scopes, token.TryGetPayloadValue<object>(issuer.StoresClaim, out _) ? Values(token, issuer.StoresClaim) : null);
    }

    private static IEnumerable<string> Values(JsonWebToken token, string claim) => token.Claims.Where(one => one.Type == claim).Select(one => one.Value);

    private static Failure Nobody(string why) => new(ErrorReason.Unauthenticated, "The caller is not known. " + why);
}
