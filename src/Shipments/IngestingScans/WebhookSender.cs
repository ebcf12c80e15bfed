using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Shipments.IngestingScans;

/// <summary>
/// Who sent a webhook: proved by a signature over its bytes, in the scheme of whoever signs. Ours (Standard Webhooks), Shippo's and
/// ShipEngine's sign the time too, so that an old one is refused; EasyPost's and AfterShip's do not, and there an old body brings scans that are
/// known. The signature is looked at before the time, so only who knows the secret learns that a webhook is stale.
/// </summary>
internal static class WebhookSender
{
    public const string EasyPostHeader = "X-Hmac-Signature";
    public const string AfterShipHeader = "aftership-hmac-sha256";
    public const string ShippoHeader = "Shippo-Auth-Signature";
    public const string ShipEngineHeader = "x-shipengine-rsa-sha256-signature";
    public const string ShipEngineTimestampHeader = "x-shipengine-timestamp";

    private const string EasyPostPrefix = "hmac-sha256-hex=";
    private const int MaxHeader = 4096;

    /// <summary>The text that proves this one delivery, if its scheme makes each delivery another; null otherwise.</summary>
    /// <exception cref="Failure">WEBHOOK_SIGNATURE_INVALID, WEBHOOK_STALE.</exception>
    public static string? Require(IHeaderDictionary headers, byte[] body, WebhookSource source, DateTimeOffset now)
    {
        if (Read(headers, EasyPostHeader) is { } easyPost)
        {
            // The secret in the form that EasyPost's libraries give it: NFKD, then UTF-8.
            var hex = easyPost.StartsWith(EasyPostPrefix, StringComparison.OrdinalIgnoreCase) ? easyPost[EasyPostPrefix.Length..] : easyPost;
            Hmac(source, secret => Decomposition.Nfkd(secret), body, Hex(hex), EasyPostHeader);
            return null;
        }

        if (Read(headers, AfterShipHeader) is { } afterShip)
        {
            Hmac(source, secret => secret, body, Base64(afterShip), AfterShipHeader);
            return null;
        }

        if (Read(headers, ShippoHeader) is { } shippo)
        {
            var parts = shippo.Split(',', StringSplitOptions.TrimEntries).Select(part => part.Split('=', 2)).Where(part => part.Length == 2).ToLookup(part => part[0], part => part[1]);
            var timestamp = parts["t"].FirstOrDefault() ?? "";
            Hmac(source, secret => secret, [.. Encoding.UTF8.GetBytes(timestamp + "."), .. body], Hex(parts["v1"].FirstOrDefault() ?? ""), ShippoHeader);
            RequireFresh(Unix(timestamp), now);
            return shippo;
        }

        if (Read(headers, ShipEngineHeader) is { } shipEngine)
        {
            var timestamp = Read(headers, ShipEngineTimestampHeader) ?? throw Invalid($"Send the header {ShipEngineTimestampHeader} as well.");
            Rsa(source, [.. Encoding.UTF8.GetBytes(timestamp + "."), .. body], Base64(shipEngine));
            RequireFresh(Unix(timestamp) ?? Iso(timestamp), now);
            return shipEngine;
        }

        WebhookSignature.Require(headers, body, now, source.Secrets);
        return headers[WebhookSignature.IdHeader] + " " + headers[WebhookSignature.SignatureHeader];
    }

    private static void Hmac(WebhookSource source, Func<string, string> form, byte[] signed, byte[]? given, string header)
    {
        var fits = false;
        foreach (var secret in source.Secrets)
            fits |= given is not null && CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(Encoding.UTF8.GetBytes(form(secret)), signed), given);
        if (!fits)
            throw Invalid($"{header} does not fit the body; compare the secret that was agreed, and sign the bytes as they are sent.");
    }

    private static void Rsa(WebhookSource source, byte[] signed, byte[]? given)
    {
        foreach (var pem in given is null ? [] : source.PublicKeys)
        {
            using var key = RSA.Create();
            key.ImportFromPem(pem);
            if (key.VerifyData(signed, given!, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
                return;
        }

        throw Invalid($"{ShipEngineHeader} does not fit the body; compare the public key (Webhooks:Sources:shipengine:PublicKeys).");
    }

    private static void RequireFresh(DateTimeOffset? signedAt, DateTimeOffset now)
    {
        if (signedAt is not { } at || (now - at).Duration() > WebhookSignature.Tolerance)
            throw new Failure(ErrorReason.WebhookStale, $"The webhook was signed more than {WebhookSignature.Tolerance.TotalMinutes:0} minutes from now; sign it again when sending it again.");
    }

    private static DateTimeOffset? Unix(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    private static DateTimeOffset? Iso(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;

    private static byte[]? Hex(string text)
    {
        try
        {
            return Convert.FromHexString(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static byte[]? Base64(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : null;
    }

    private static string? Read(IHeaderDictionary headers, string name) => headers[name] is [{ Length: > 0 and <= MaxHeader } value] ? value : null;

    private static Failure Invalid(string why) => new(ErrorReason.WebhookSignatureInvalid, why);
}
