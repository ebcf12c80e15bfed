using System.Globalization;
using System.Text;
using Commerce.Gateway.Access;
using Commerce.Gateway.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Shoppers;

/// <summary>
/// The tokens by which a shopper is known for a while: of one order, and nothing but that. One is "os_" and "order|scopes|end|what it was
/// opened with|how often sessions had been ended", signed with a key that only the Gateway has; nothing of it is stored.
/// </summary>
internal sealed class OrderSessions(EndedSessions ended, IOptions<ShopperOptions> options, TimeProvider time)
{
    private const string Prefix = "os_";
    private const string Purpose = "order-session\n";
    private const int MaxLength = 300;

    private static readonly ScopeSet Reading = ScopeSet.Of(
        Scope.OrdersRead, Scope.ReturnsRead, Scope.PaymentsRead, Scope.DocumentsRead, Scope.ShipmentsRead, Scope.NotificationsRead);

    private readonly byte[][] _secrets = [.. AccessOptions.SecretsOf(options.Value.SessionKey).Select(Encoding.UTF8.GetBytes)];

    /// <summary>Whether a credential has the form of one.</summary>
    public static bool IsOne(string credential) => credential.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>A session of an order, from now on.</summary>
    /// <param name="orderId">The Order ID.</param>
    /// <param name="with">What opens it. With a postal code, goods are not given back.</param>
    /// <param name="learnt">What was known of ended sessions before the order was looked at; see <see cref="EndedSessions.Learnt"/>.</param>
    public OrderSession Open(string orderId, OpenedWith with, long learnt)
    {
        var end = time.GetUtcNow() + options.Value.SessionFor;
        var scopes = with != OpenedWith.PostalCode ? Reading | ScopeSet.Of(Scope.ReturnsWrite) : Reading;
        var before = ended.Of(orderId, with, learnt);
        var payload = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"{orderId}|{scopes.Bits:x}|{end.ToUnixTimeSeconds()}|{(int)with}|{before.OfAll}.{before.OfSame}"));
        return new OrderSession
        {
            Token = Prefix + SignedText.Sign(_secrets[0], Purpose, payload),
            ExpireTime = Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeSeconds(end.ToUnixTimeSeconds())),
            OrderId = orderId,
        };
    }

    /// <exception cref="Failure">UNAUTHENTICATED, CREDENTIAL_EXPIRED, CREDENTIAL_REVOKED, DEPENDENCY_UNAVAILABLE.</exception>
    public Verified Verify(string text)
    {
        if (SignedText.Read(text[Prefix.Length..], Purpose, MaxLength - Prefix.Length, _ => _secrets) is not var (payload, _)
            || Encoding.ASCII.GetString(payload).Split('|') is not [var order, var scopes, var end, var with, var before]
            || !ulong.TryParse(scopes, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits)
            || !long.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || !int.TryParse(with, NumberStyles.None, CultureInfo.InvariantCulture, out var opened)
            || before.Split('.') is not [var all, var same]
            || !long.TryParse(all, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var ofAll)
            || !long.TryParse(same, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var ofSame))
            throw Nobody();
        var ends = DateTimeOffset.FromUnixTimeSeconds(seconds);
        if (ends <= time.GetUtcNow())
            throw new Failure(ErrorReason.CredentialExpired, "The order session is over: open the order again.");
        if (ended.IsEnded(order, (OpenedWith)opened, new Ends(ofAll, ofSame)))
            throw new Failure(ErrorReason.CredentialRevoked, "The order session was ended: open the order again.");
        return new Verified(new Principal(PrincipalKind.Shopper, order, new ScopeSet(bits)), ends, ends);
    }

    private static Failure Nobody() => new(ErrorReason.Unauthenticated, "The caller is not known: the order session is not good.");
}
