using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Commerce.NativeHosting.State;

/// <summary>
/// Hands out loopback ports: the wished one, else the one of the run before, else any free one. A port is this suite's until it is disposed,
/// also while the server behind it starts anew: another suite that took it then would be asked, and refuse, in its name.
/// </summary>
internal sealed class Ports : IDisposable
{
    private const int Lowest = 15_000;
    private const UnixFileMode Everybody = (UnixFileMode)0b1_111_111_111;

    // One file a port, locked by whoever has it, for all suites of the machine; a lock ends with its process, however that ended.
    private static readonly string Locks = Path.Combine(Path.GetTempPath(), "commerce-ports");

    private readonly string _path;
    private readonly int _limit = Limit();
    private readonly Dictionary<string, int> _known;
    private readonly Dictionary<int, FileStream?> _taken = [];

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
            if (port is { } wished && TryTake(key, wished))
                return wished;
        }

        while (true)
        {
            var port = Random.Shared.Next(Lowest, _limit);
            if (TryTake(key, port))
                return port;
        }
    }

    public void Save() => File.WriteAllText(_path, JsonSerializer.Serialize(_known));

    public void Dispose()
    {
        foreach (var held in _taken.Values)
            held?.Dispose();
    }

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

    private bool TryTake(string key, int port)
    {
        if (_taken.ContainsKey(port) || !TryLock(port, out var held))
            return false;
        if (!IsFree(port))
        {
            held?.Dispose();
            return false;
        }

        _taken[port] = held;
        _known[key] = port;
        return true;
    }

    private static bool TryLock(int port, out FileStream? held)
    {
        held = null;
        try
        {
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(Locks);
            else if (!Directory.Exists(Locks))
                File.SetUnixFileMode(Directory.CreateDirectory(Locks).FullName, Everybody);
            held = new FileStream(Path.Combine(Locks, port.ToString(CultureInfo.InvariantCulture)), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            // Another user's file: whether the port is free is all that can be known.
            return true;
        }
        catch (IOException)
        {
            return false;
        }
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
