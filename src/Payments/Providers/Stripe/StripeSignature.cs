using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Payments.Providers.Stripe;

/// <summary>
/// The header Stripe-Signature: "t=" and Unix seconds, and "v1=" and the hexadecimal HMAC-SHA256 over "{t}.{body}", once for each
/// secret that is valid now.
/// </summary>
internal static class StripeSignature
{
    public const string Header = "Stripe-Signature";

    private const int LongestHeader = 4096;

    /// <exception cref="Failure">WEBHOOK_SIGNATURE_INVALID or WEBHOOK_STALE.</exception>
    public static void Require(IHeaderDictionary headers, ReadOnlySpan<byte> body, DateTimeOffset now, TimeSpan tolerance, string secret)
    {
        var values = headers[Header];
        var given = values.Count == 1 ? values[0] ?? "" : "";
        var parts = given.Length <= LongestHeader ? given.Split(',', StringSplitOptions.TrimEntries) : [];
        if (parts.FirstOrDefault(p => p.StartsWith("t=", StringComparison.Ordinal)) is not { } time
            || !long.TryParse(time.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds())
        {
            throw new Failure(ErrorReason.WebhookSignatureInvalid, $"Send the header {Header} with t=(Unix seconds) and v1=(signature), once.");
        }

        var expected = Encoding.ASCII.GetBytes(Sign(seconds, body, secret));
        var fits = false;
        foreach (var part in parts.Where(p => p.StartsWith("v1=", StringComparison.Ordinal)))
            fits |= CryptographicOperations.FixedTimeEquals(expected, Encoding.ASCII.GetBytes(part[3..].ToLowerInvariant()));
        // The signature is looked at before the time, so only who knows the secret learns that a webhook is stale.
        if (!fits)
            throw new Failure(ErrorReason.WebhookSignatureInvalid, "No signature fits the body; sign \"{t}.{body}\" with the endpoint's secret.");
        if ((now - DateTimeOffset.FromUnixTimeSeconds(seconds)).Duration() > tolerance)
            throw new Failure(ErrorReason.WebhookStale, $"The webhook was signed more than {tolerance.TotalMinutes:0.#} minutes from now; sign it again when sending it again.");
    }

    /// <summary>The hexadecimal signature of a body at a time.</summary>
    public static string Sign(long seconds, ReadOnlySpan<byte> body, string secret)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seconds}.")));
        hash.AppendData(body);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
