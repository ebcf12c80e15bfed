using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Commerce.Testing;

/// <summary>An OpenID Connect provider of the tests, which signs what it is asked to.</summary>
public sealed class TestIssuer : IAsyncDisposable
{
    public const string Audience = "commerce";

    private readonly WebApplication _app;
    private volatile ECDsaSecurityKey _key = NewKey();

    private TestIssuer(WebApplication app) => _app = app;

    /// <summary>The authority, and the issuer of its tokens.</summary>
    public string Authority => _app.Urls.Single();

    /// <summary>How often its keys were asked for.</summary>
    public int Asked { get; private set; }

    public static async Task<TestIssuer> Start()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Path.GetTempPath() });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var issuer = new TestIssuer(app);
        app.MapGet("/.well-known/openid-configuration", () => Results.Json(new { issuer = issuer.Authority, jwks_uri = issuer.Authority + "/jwks" }));
        app.MapGet("/jwks", () =>
        {
            issuer.Asked++;
            var key = JsonWebKeyConverter.ConvertFromECDsaSecurityKey(new ECDsaSecurityKey(ECDsa.Create(issuer._key.ECDsa.ExportParameters(false))) { KeyId = issuer._key.KeyId });
            return Results.Json(new JsonObject { ["keys"] = new JsonArray(new JsonObject { ["kty"] = key.Kty, ["crv"] = key.Crv, ["x"] = key.X, ["y"] = key.Y, ["kid"] = key.Kid, ["use"] = "sig" }) });
        });
        await app.StartAsync();
        return issuer;
    }

    /// <summary>From now on it signs with another key, and tells of the other one only.</summary>
    public void Rotate() => _key = NewKey();

    /// <summary>A token; the scopes and stores as claims, where given.</summary>
    public string Token(
        string subject = "developer", string? role = "admin", string? scope = null, IEnumerable<string>? stores = null, TimeSpan? life = null,
        string audience = Audience, string? issuer = null, SigningCredentials? signedWith = null)
    {
        var claims = new Dictionary<string, object> { ["sub"] = subject };
        if (role is not null)
            claims["roles"] = new[] { role };
        if (scope is not null)
            claims["scope"] = scope;
        if (stores is not null)
            claims["stores"] = stores.ToArray();
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var end = now + (life ?? TimeSpan.FromMinutes(10));
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Authority,
            Audience = audience,
            Claims = claims,
            NotBefore = end < now ? end.AddMinutes(-10) : now.AddMinutes(-1),
            Expires = end,
            SigningCredentials = signedWith ?? new SigningCredentials(_key, SecurityAlgorithms.EcdsaSha256),
        });
    }

    /// <summary>Signs as the issuer would, with a key that is not its own.</summary>
    public SigningCredentials SomebodyElse() => new(new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP256)) { KeyId = _key.KeyId }, SecurityAlgorithms.EcdsaSha256);

    /// <summary>Signs with what everybody knows of the issuer's key as a shared secret.</summary>
    public SigningCredentials PublicKeyAsSecret() => new(new SymmetricSecurityKey(_key.ECDsa.ExportSubjectPublicKeyInfo()) { KeyId = _key.KeyId }, SecurityAlgorithms.HmacSha256);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static ECDsaSecurityKey NewKey() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256)) { KeyId = Guid.NewGuid().ToString("N") };
}
