using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Commerce.Types.V1;
using Microsoft.AspNetCore.Http;

namespace Commerce.ServiceDefaults;

/// <summary>What became of checking a webhook's signature.</summary>
public enum WebhookVerdict
{
    Valid,

    /// <summary>One of the three headers is missing, given twice, or unreadable.</summary>
    Missing,

    /// <summary>No signature of ours fits the body.</summary>
    Invalid,

    /// <summary>Signed more than five minutes before or after now.</summary>
    Stale,
}

/// <summary>
/// Webhook signatures of the Standard Webhooks scheme: headers webhook-id, webhook-timestamp (Unix seconds) and
/// webhook-signature ("v1," and the base64 of HMAC-SHA256 over "{id}.{timestamp}.{body}"; several, separated by spaces).
/// </summary>
public static class WebhookSignature
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    /// <summary>How far a signature's time may be from ours, either way.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    private const string Version = "v1,";
    private const string EncodedPrefix = "whsec_";
    private const int MaxHeader = 4096;

    /// <summary>
    /// Checks a webhook against every secret that is valid now (two while one is being replaced). A secret that begins with
    /// "whsec_" is base64 after it; any other is the UTF-8 bytes of its text. The signature is looked at before the time, so
    /// only who knows the secret learns that a webhook is stale.
    /// </summary>
    public static WebhookVerdict Verify(IHeaderDictionary headers, ReadOnlySpan<byte> body, DateTimeOffset now, params IReadOnlyList<string> secrets)
    {
        if (!TryRead(headers, IdHeader, out var id) || !TryRead(headers, TimestampHeader, out var timestamp) || !TryRead(headers, SignatureHeader, out var signatures)
            || !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            return WebhookVerdict.Missing;

        if (!Fits(id, timestamp, signatures, body, secrets))
            return WebhookVerdict.Invalid;
        return (now - DateTimeOffset.FromUnixTimeSeconds(seconds)).Duration() > Tolerance ? WebhookVerdict.Stale : WebhookVerdict.Valid;
    }

    /// <summary>The same, as a <see cref="Failure"/> with what to do when it is not valid.</summary>
    public static void Require(IHeaderDictionary headers, ReadOnlySpan<byte> body, DateTimeOffset now, params IReadOnlyList<string> secrets)
    {
        switch (Verify(headers, body, now, secrets))
        {
            case WebhookVerdict.Missing:
                throw new Failure(ErrorReason.WebhookSignatureInvalid, $"Send the headers {IdHeader}, {TimestampHeader} (Unix seconds) and {SignatureHeader}, each once.");
            case WebhookVerdict.Invalid:
                throw new Failure(ErrorReason.WebhookSignatureInvalid, "No signature fits the body; sign \"{id}.{timestamp}.{body}\" with the secret that was agreed.");
            case WebhookVerdict.Stale:
                throw new Failure(ErrorReason.WebhookStale, $"The webhook was signed more than {Tolerance.TotalMinutes:0} minutes from now; sign it again when sending it again.");
        }
    }

    /// <summary>The value of the header webhook-signature.</summary>
    /// <exception cref="ArgumentException">The secret is empty or not base64 after "whsec_".</exception>
    public static string Sign(string id, DateTimeOffset timestamp, ReadOnlySpan<byte> body, string secret)
    {
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Compute(id, timestamp.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), body, KeyOf(secret), mac);
        return Version + Convert.ToBase64String(mac);
    }

    private static bool Fits(string id, string timestamp, string signatures, ReadOnlySpan<byte> body, IReadOnlyList<string> secrets)
    {
        var fits = false;
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Span<byte> given = stackalloc byte[HMACSHA256.HashSizeInBytes];
        foreach (var secret in secrets)
        {
            Compute(id, timestamp, body, KeyOf(secret), expected);
            foreach (var part in signatures.AsSpan().Split(' '))
            {
                var signature = signatures.AsSpan()[part];
                if (signature.StartsWith(Version, StringComparison.Ordinal)
                    && signature.Length - Version.Length == Base64.GetMaxEncodedToUtf8Length(expected.Length)
                    && Convert.TryFromBase64Chars(signature[Version.Length..], given, out var length) && length == given.Length)
                    fits |= CryptographicOperations.FixedTimeEquals(expected, given);
            }
        }

        return fits;
    }

    private static void Compute(string id, string timestamp, ReadOnlySpan<byte> body, byte[] key, Span<byte> mac)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hash.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        hash.AppendData(body);
        hash.GetHashAndReset(mac);
    }

    private static byte[] KeyOf(string secret)
    {
        byte[] key;
        try
        {
            key = secret.StartsWith(EncodedPrefix, StringComparison.Ordinal)
                ? Convert.FromBase64String(secret[EncodedPrefix.Length..])
                : Encoding.UTF8.GetBytes(secret);
        }
        catch (FormatException)
        {
            throw new ArgumentException("A webhook secret that begins with whsec_ must be base64 after it.", nameof(secret));
        }

        return key.Length > 0 ? key : throw new ArgumentException("A webhook secret must not be empty: anybody could sign with it.", nameof(secret));
    }

    private static bool TryRead(IHeaderDictionary headers, string name, out string value)
    {
        var values = headers[name];
        value = values.Count == 1 ? values[0] ?? "" : "";
        return value.Length is > 0 and <= MaxHeader;
    }
}
