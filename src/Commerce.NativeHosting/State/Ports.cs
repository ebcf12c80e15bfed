using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Commerce.NativeHosting.State;

/// <summary>Hands out loopback ports: the wished one, else the one of the run before, else any free one.</summary>
internal sealed class Ports
{
    private const int Lowest = 15_000;

    private readonly string _path;
    private readonly int _limit = Limit();
    private readonly Dictionary<string, int> _known;
    private readonly HashSet<int> _taken = [];

    public Ports(StateDirectory state)
    {
        _path = state.File("ports.json");
        try
        {
            _known = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(_path)) ?? [];
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            _known = [];
        }
    }

    public int Assign(string key, int? preferred = null)
    {
        foreach (var port in new[] { preferred, _known.TryGetValue(key, out var before) ? before : null })
        {
            if (port is { } wished && !_taken.Contains(wished) && IsFree(wished))
                return Take(key, wished);
        }

        while (true)
        {
            var port = Random.Shared.Next(Lowest, _limit);
            if (!_taken.Contains(port) && IsFree(port))
                return Take(key, port);
        }
    }

    public void Save() => File.WriteAllText(_path, JsonSerializer.Serialize(_known));

    /// <summary>Free on both loopbacks: Kestrel takes "localhost" as both.</summary>
    public static bool IsFree(int port) => CanBind(IPAddress.Loopback, port) && (!Socket.OSSupportsIPv6 || CanBind(IPAddress.IPv6Loopback, port));

    /// <summary>
    /// Below the ports that the system gives to outgoing connections. One of those may be in use when its server comes back,
    /// and a client that keeps asking a dead server on such a port ends up connected to itself.
    /// </summary>
    private static int Limit()
    {
        try
        {
            var first = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split('\t', ' ')[0];
            return Math.Clamp(int.Parse(first, CultureInfo.InvariantCulture), Lowest + 1_000, 65_535);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return 32_768;
        }
    }

    private int Take(string key, int port)
    {
        _taken.Add(port);
        _known[key] = port;
        return port;
    }

    private static bool CanBind(IPAddress address, int port)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen();
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            // A machine without ::1 cannot have it taken.
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
