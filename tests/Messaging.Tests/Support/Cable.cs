using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Commerce.Messaging.Tests;

/// <summary>A cable between a service and the broker, to be cut and mended.</summary>
internal sealed class Cable : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, bool> _ends = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Uri _target;
    private readonly Task _accepting;
    private volatile bool _cut;
    private int _refused;

    public Cable(string broker)
    {
        _target = new Uri(broker);
        _listener.Start();
        Address = new UriBuilder(_target) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri.ToString();
        _accepting = Accept();
    }

    /// <summary>The broker's AMQP URI through this cable.</summary>
    public string Address { get; }

    /// <summary>How often somebody tried to connect while it was cut.</summary>
    public int Refused => _refused;

    public void Cut()
    {
        _cut = true;
        foreach (var end in _ends.Keys)
            end.Dispose();
        _ends.Clear();
    }

    public void Mend() => _cut = false;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Cut();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task Accept()
    {
        while (true)
        {
            var near = await _listener.AcceptTcpClientAsync(_stop.Token);
            if (_cut)
            {
                near.Dispose();
                Interlocked.Increment(ref _refused);
                continue;
            }

            var far = new TcpClient();
            _ends[near] = true;
            _ends[far] = true;
            _ = Carry(near, far);
        }
    }

    private async Task Carry(TcpClient near, TcpClient far)
    {
        try
        {
            await far.ConnectAsync(_target.Host, _target.Port);
            await Task.WhenAny(
                near.GetStream().CopyToAsync(far.GetStream(), _stop.Token),
                far.GetStream().CopyToAsync(near.GetStream(), _stop.Token));
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            // Cut, or closed by one of its ends.
        }
        finally
        {
            near.Dispose();
            far.Dispose();
        }
    }
}
