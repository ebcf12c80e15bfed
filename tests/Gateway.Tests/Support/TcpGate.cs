using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Commerce.Gateway.Tests;

/// <summary>A TCP connection to a real server that a test can cut and restore.</summary>
internal sealed class TcpGate : IAsyncDisposable
{
    private readonly IPEndPoint _target;
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private readonly CancellationTokenSource _end = new();
    // Never listens: keeps the port for the gate while that is cut, so that nobody else is given it.
    private readonly Socket _port = Bound(0);
    private Socket? _listener;

    public TcpGate(IPEndPoint target)
    {
        _target = target;
        Port = ((IPEndPoint)_port.LocalEndPoint!).Port;
        Restore();
    }

    public int Port { get; }

    public string Address => $"127.0.0.1:{Port}";

    /// <summary>Closes every connection and refuses new ones.</summary>
    public void Cut()
    {
        _listener?.Dispose();
        _listener = null;
        foreach (var socket in _open.Keys)
            socket.Dispose();
    }

    /// <summary>Takes connections again, at the same port.</summary>
    public void Restore()
    {
        if (_listener is not null)
            return;
        var listener = Bound(Port);
        listener.Listen();
        _listener = listener;
        _ = Accept(listener);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        Cut();
        _port.Dispose();
        _end.Dispose();
    }

    private static Socket Bound(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        return socket;
    }

    private async Task Accept(Socket listener)
    {
        try
        {
            while (true)
                _ = Forward(await listener.AcceptAsync(_end.Token), listener);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
        }
    }

    private async Task Forward(Socket client, Socket listener)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        _open[client] = true;
        try
        {
            // Accepted while the gate was being cut.
            if (_listener != listener)
                return;
            await server.ConnectAsync(_target, _end.Token);
            await Task.WhenAny(Copy(client, server), Copy(server, client));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
        }
        finally
        {
            _open.TryRemove(client, out _);
            client.Dispose();
        }
    }

    private async Task Copy(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _end.Token) is > 0 and var length)
                await to.SendAsync(buffer.AsMemory(0, length), _end.Token);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
        }
    }
}
