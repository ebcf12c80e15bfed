using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Access;

/// <summary>
/// Where a call comes from, as far as whoever calls cannot change it at will: of IPv6 a /64, which is what one customer of a network has at
/// the least (RFC 6177). Behind the proxies in <see cref="GatewayOptions.TrustedProxies"/> it is of the one for whom these call.
/// </summary>
internal static class ClientAddress
{
    private const int NetworkBytes = 8;

    public static string Of(ServerCallContext context) => Of(context.GetHttpContext());

    public static string Of(HttpContext http) => Of(http.Connection.RemoteIpAddress);

    public static string Of(IPAddress? address)
    {
        if (address is null)
            return "nowhere";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address.ToString();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[NetworkBytes..].Clear();
        return new IPAddress(bytes) + "/64";
    }

    /// <summary>Before everything else that looks at addresses.</summary>
    public static void AddTrustedProxies(this IServiceCollection services)
    {
        services.Insert(0, ServiceDescriptor.Transient<IStartupFilter, ProxyFilter>());
        // Of nobody else is it believed for whom they call: whoever guesses would come from another address each time.
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<GatewayOptions>>((forwarded, options) =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor;
            // All of the proxies on the way are taken off, from the nearest on, until one is not ours.
            forwarded.ForwardLimit = null;
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var network in options.Value.TrustedProxies)
                forwarded.KnownIPNetworks.Add(TrustedProxiesAttribute.Parse(network)!.Value);
        });
    }

    private sealed class ProxyFilter(IOptions<GatewayOptions> options) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            if (options.Value.TrustedProxies.Count > 0)
                app.UseForwardedHeaders();
            next(app);
        };
    }
}
