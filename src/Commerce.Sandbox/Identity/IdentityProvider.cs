using System.Security.Cryptography;
using Commerce.Sandbox.Books;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Commerce.Sandbox.Identity;

/// <summary>
/// Plays the OpenID Connect provider that staff sign in at: anybody gets the token of one of its users, so nothing but a suite in
/// development may be told of it. Its key lies beside the books, so that a token outlives a restart.
/// </summary>
internal sealed class IdentityProvider
{
    /// <summary>What its tokens say as "iss", wherever it is reached.</summary>
    public const string Issuer = "urn:commerce:sandbox";

    /// <summary>What its tokens say as "aud".</summary>
    public const string Audience = "commerce";

    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private const string KeyFile = "identity.pem";

    private readonly ECDsaSecurityKey _key;
    private readonly TimeProvider _time;

    public IdentityProvider(IOptions<SandboxOptions> options, IHostEnvironment environment, TimeProvider time)
    {
        _time = time;
        var file = Path.Combine(BookKeeper.DirectoryOf(options.Value, environment), KeyFile);
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(file))
            key.ImportFromPem(File.ReadAllText(file));
        else
            Write(file, key.ExportECPrivateKeyPem());
        _key = new ECDsaSecurityKey(key) { KeyId = Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()).AsSpan(0, 8)) };
    }

    /// <summary>Its users, one for each role: "admin" is the user "dev-admin".</summary>
    public static IReadOnlyList<string> Roles { get; } = ["admin", "support", "finance", "warehouse"];

    /// <summary>The public key, as a JSON Web Key.</summary>
    public object PublicKey()
    {
        var point = _key.ECDsa.ExportParameters(includePrivateParameters: false).Q;
        return new { kty = "EC", crv = "P-256", use = "sig", alg = SecurityAlgorithms.EcdsaSha256, kid = _key.KeyId, x = Base64UrlEncoder.Encode(point.X), y = Base64UrlEncoder.Encode(point.Y) };
    }

    /// <summary>A token of the user of a role.</summary>
    public string Token(string role, IReadOnlyCollection<string>? stores)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        var claims = new Dictionary<string, object> { ["sub"] = "dev-" + role, ["roles"] = new[] { role } };
        if (stores is not null)
            claims["stores"] = stores;
        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Audience,
            Claims = claims,
            IssuedAt = now,
            NotBefore = now,
            Expires = now + Lifetime,
            SigningCredentials = new SigningCredentials(_key, SecurityAlgorithms.EcdsaSha256),
        });
    }

    // Nobody else on the machine may sign.
    private static void Write(string file, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(file, options);
        writer.Write(text);
    }
}
