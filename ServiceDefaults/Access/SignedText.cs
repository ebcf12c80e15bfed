using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Commerce.ServiceDefaults;

/// <summary>
/// What is believed because it is signed, and stored nowhere: base64url(payload) "." base64url(HMAC-SHA256 of a purpose and what stands
/// before the point). A purpose keeps what is signed for one thing from being good for another.
/// </summary>
public static class SignedText
{
    /// <summary>The payload with its signature.</summary>
    /// <param name="secret">What it is signed with.</param>
    /// <param name="purpose">ASCII; empty where the secret has one use alone.</param>
    /// <param name="payload">What is said.</param>
    public static string Sign(ReadOnlySpan<byte> secret, string purpose, ReadOnlySpan<byte> payload)
    {
        var text = Base64Url.EncodeToString(payload);
        return text + "." + Base64Url.EncodeToString(Mac(secret, purpose, text));
    }

    /// <summary>The payload, and the secret that it is signed with; null: it is not such a text, or not signed with one of the secrets.</summary>
    /// <param name="text">As it came.</param>
    /// <param name="purpose">As when it was signed.</param>
    /// <param name="longest">Longer ones are none.</param>
    /// <param name="secretsOf">The secrets that are good for a payload, of which nothing else is believed yet; null: none.</param>
    public static (byte[] Payload, byte[] Secret)? Read(string text, string purpose, int longest, Func<byte[], byte[][]?> secretsOf)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        if (point < 0 || text.Length > longest || !Ascii.IsValid(text) || !Base64Url.IsValid(text.AsSpan(0, point)) || !Base64Url.IsValid(text.AsSpan(point + 1)))
            return null;
        var payload = Base64Url.DecodeFromChars(text.AsSpan(0, point));
        if (secretsOf(payload) is not { } secrets)
            return null;
        var (signed, signature) = (text[..point], Base64Url.DecodeFromChars(text.AsSpan(point + 1)));
        foreach (var secret in secrets)
        {
            if (CryptographicOperations.FixedTimeEquals(Mac(secret, purpose, signed), signature))
                return (payload, secret);
        }

        return null;
    }

    private static byte[] Mac(ReadOnlySpan<byte> secret, string purpose, string text) => HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(purpose + text));
}
