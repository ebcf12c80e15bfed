using System.Net;
using System.Net.Sockets;
using Grpc.Core;

namespace Commerce.Gateway.Shoppers;

/// <summary>Where a call comes from, as far as one who guesses cannot change it at will.</summary>
internal static class ClientAddress
{
    // What one customer of a network has at the least (RFC 6177): every address in it is theirs.
    private const int NetworkBytes = 8;

    /// <summary>Of the one who called; of the one for whom, behind the proxies in <see cref="GatewayOptions.TrustedProxies"/>.</summary>
    public static string Of(ServerCallContext context) => Of(context.GetHttpContext().Connection.RemoteIpAddress);

    public static string Of(IPAddress? address) => address switch
    {
        null => "nowhere",
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } => Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, NetworkBytes)),
        _ => address.ToString(),
    };
}
