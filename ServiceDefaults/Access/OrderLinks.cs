using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Commerce.ServiceDefaults;

/// <summary>
/// The links in messages about an order, by which whoever got the message opens it. A link is "order|end|contact|when it was signed", signed: good for that order, until its end, and only while the order still has the contact that
/// the message went to, so that another address, or none after an erasure, ends it. Nothing of it is stored.
/// </summary>
public sealed class OrderLinks
{
    private const string Purpose = "order-link\n";
    private const string ContactPurpose = "order-link-contact\n";
    private const int ContactBytes = 12;
    private const int MaxLength = 300;

    private readonly byte[][] _secrets;

    /// <param name="secrets">What links are signed with; two of them, separated by a space, while one is changed for the other: the first signs, both are good.</param>
    public OrderLinks(string secrets) => _secrets = [.. AccessOptions.SecretsOf(secrets).Select(Encoding.UTF8.GetBytes)];

    /// <summary>Whether a setting is strong enough to sign with.</summary>
    public static bool AreSecrets(string setting) => AccessOptions.SecretsOf(setting) is [_, ..] all && all.All(secret => secret.Length >= AccessOptions.ShortestSecret);

    /// <summary>A link for the order, for whoever reads the mail of an address.</summary>
    public string Sign(string orderId, string email, DateTimeOffset now, DateTimeOffset end) => SignedText.Sign(_secrets[0], Purpose, Encoding.ASCII.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{orderId}|{end.ToUnixTimeSeconds()}|{Base64Url.EncodeToString(ContactOf(_secrets[0], orderId, email))}|{now.ToUnixTimeSeconds()}")));

    /// <summary>Reads a link that is of one of the secrets and not over; null: it is none.</summary>
    public OrderLink? Read(string text, DateTimeOffset now) =>
        SignedText.Read(text, Purpose, MaxLength, _ => _secrets) is var (payload, secret) && Parse(payload, secret) is { } link && now < link.End ? link : null;

    /// <summary>Whether the order still has the contact that the link was sent to.</summary>
    public static bool IsFor(OrderLink link, string email) =>
        email.Length > 0 && CryptographicOperations.FixedTimeEquals(ContactOf(link.Secret, link.OrderId, email), link.Contact);

    // The version before this one did not say when.
    private static OrderLink? Parse(byte[] payload, byte[] secret) =>
        Encoding.ASCII.GetString(payload).Split('|') is [var order, var end, var contact, .. var signed]
        && long.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? new OrderLink(
                order, DateTimeOffset.FromUnixTimeSeconds(seconds), Base64Url.DecodeFromChars(contact), secret,
                signed is [var at] && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var signedAt) ? DateTimeOffset.FromUnixTimeSeconds(signedAt) : null)
            : null;

    private static byte[] ContactOf(byte[] secret, string orderId, string email) =>
        HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{ContactPurpose}{orderId}\n{email.Trim().ToLowerInvariant()}"))[..ContactBytes];
}

/// <summary>A link that was read: of which order, until when, whom it was sent to as far as the secret tells, and when it was signed; null: it does not say.</summary>
public sealed record OrderLink(string OrderId, DateTimeOffset End, byte[] Contact, byte[] Secret, DateTimeOffset? Since);
