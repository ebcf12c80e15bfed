using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Commerce.NativeHosting.State;

/// <summary>Hands out loopback ports: the wished one, else the one of the run before, else any free one.</summary>
internal sealed class Ports
{
    private readonly string _path;
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
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            socket.Close();
            if (!_taken.Contains(port) && IsFree(port))
                return Take(key, port);
        }
    }

    public void Save() => File.WriteAllText(_path, JsonSerializer.Serialize(_known));

    /// <summary>Free on both loopbacks: Kestrel takes "localhost" as both.</summary>
    public static bool IsFree(int port) => CanBind(IPAddress.Loopback, port) && (!Socket.OSSupportsIPv6 || CanBind(IPAddress.IPv6Loopback, port));

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
