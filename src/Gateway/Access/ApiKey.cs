using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Commerce.ServiceDefaults;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Gateway.Access;

/// <summary>An API key as it is stored: of its secrets only their hashes.</summary>
internal sealed record ApiKey(
    string Id, string DisplayName, string[] StoreIds, string[] Scopes, byte[] SecretHash, byte[]? FormerHash, DateTimeOffset? FormerUntil,
    DateTimeOffset CreatedAt, string CreatedBy, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt, DateTimeOffset? RevokedAt)
{
    public const string Collection = "apiKeys/";

    private const string Prefix = "ck_";
    private const int SecretBytes = 32;
    private const int SecretLength = 43;

    // Without letters and digits that look alike, for an id is also read out and typed.
    private const string IdCharacters = "abcdefghjkmnpqrstuvwxyz23456789";
    private const int IdLength = 12;

    /// <summary>A scope as its name was when the key was made; one that is gone since gives nothing.</summary>
    public ScopeSet ScopeSet => Scopes.Select(ServiceDefaults.ScopeSet.Parse).OfType<Types.V1.Scope>().Aggregate(default(ScopeSet), (all, one) => all | ServiceDefaults.ScopeSet.Of(one));

    public static string NewId() => RandomNumberGenerator.GetString(IdCharacters, IdLength);

    public static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>The key as it is sent.</summary>
    public static string Text(string id, string secret) => $"{Prefix}{id}_{secret}";

    /// <summary>256 random bits are found by nobody who tries, so a fast hash is as good as a slow one.</summary>
    public static byte[] Hash(ReadOnlySpan<char> secret)
    {
        Span<byte> bytes = stackalloc byte[SecretLength];
        Encoding.ASCII.GetBytes(secret, bytes);
        return SHA256.HashData(bytes);
    }

    /// <summary>Whether a credential has the form of a key.</summary>
    public static bool IsOne(string credential) => credential.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Takes a key apart.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out string? id, out ReadOnlySpan<char> secret)
    {
        id = null;
        secret = default;
        if (text.Length != Prefix.Length + IdLength + 1 + SecretLength || !IsOne(text) || text[Prefix.Length + IdLength] != '_')
            return false;
        secret = text.AsSpan(text.Length - SecretLength);
        if (!Ascii.IsValid(secret))
            return false;
        id = text.Substring(Prefix.Length, IdLength);
        return true;
    }

    /// <summary>The key without its secret, or with it where it was just made.</summary>
    public V1.ApiKey ToProto(DateTimeOffset now, string secret = "") => new()
    {
        Name = Collection + Id,
        DisplayName = DisplayName,
        StoreIds = { StoreIds },
        Scopes = { Scopes },
        CreateTime = Timestamp.FromDateTimeOffset(CreatedAt),
        Creator = CreatedBy,
        ExpireTime = TimestampOf(ExpiresAt),
        LastUseTime = TimestampOf(LastUsedAt),
        RevokeTime = TimestampOf(RevokedAt),
        FormerSecretExpireTime = FormerUntil > now ? TimestampOf(FormerUntil) : null,
        Key = secret.Length == 0 ? "" : Text(Id, secret),
    };

    private static Timestamp? TimestampOf(DateTimeOffset? time) => time is { } one ? Timestamp.FromDateTimeOffset(one) : null;
}
