using System.Text;

namespace Commerce.ServiceDefaults;

/// <summary>A token, and until when it is handed out.</summary>
internal sealed record MintedToken(string Text, long RenewAtTicks);

/// <summary>Makes the tokens with which this service calls others, for itself and for its callers.</summary>
public sealed class TokenMinter
{
    // Long enough that minting is nothing beside the calls, and short enough that what was taken from a caller is soon gone everywhere.
    internal static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    // What is handed out is good for this long at least: the time of a call and of a clock that is ahead.
    private static readonly TimeSpan Reserve = TimeSpan.FromMinutes(3);

    private readonly string _service;
    private readonly Principal _self;
    private readonly Dictionary<string, byte[]> _secrets;

    /// <param name="service">The service that calls.</param>
    /// <param name="secrets">The secret for each service that it calls, by name.</param>
    public TokenMinter(string service, IReadOnlyDictionary<string, string> secrets)
    {
        _service = service;
        _self = new Principal(PrincipalKind.Service, service);
        _secrets = secrets.ToDictionary(one => one.Key, one => Encoding.UTF8.GetBytes(one.Value), StringComparer.Ordinal);
    }

    /// <summary>The header that carries a token.</summary>
    public static string Header => InternalToken.Header;

    /// <summary>A token for a call to a service.</summary>
    /// <param name="principal">For whom; null: for the service itself.</param>
    /// <param name="audience">The service that is called.</param>
    public string For(Principal? principal, string audience)
    {
        principal ??= _self;
        // Good for the other end of a wire, so it runs on the system's clock even where a test sets the service's.
        var now = TimeProvider.System.GetUtcNow();
        return principal.Tokens.TryGetValue(audience, out var minted) && now.UtcTicks < minted.RenewAtTicks
            ? minted.Text
            : Mint(principal, audience, now);
    }

    private string Mint(Principal principal, string audience, DateTimeOffset now)
    {
        var token = new InternalToken(_service, audience, principal.ToString(), principal.Scopes, principal.Stores, now + Lifetime)
            .Sign(_secrets.TryGetValue(audience, out var secret) ? secret : throw new InvalidOperationException($"There is no secret for calls to {audience}."));
        principal.Tokens[audience] = new MintedToken(token, (now + Lifetime - Reserve).UtcTicks);
        return token;
    }
}
