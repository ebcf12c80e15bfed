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
    private Socket? _listener;

    public TcpGate(IPEndPoint target)
    {
        _target = target;
        Restore();
    }

    public int Port { get; private set; }

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
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        listener.Listen();
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        _listener = listener;
        _ = Accept(listener);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        Cut();
        _end.Dispose();
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
