using System.Net;
using System.Net.Sockets;
using Commerce.NativeHosting.State;

namespace Commerce.NativeHosting.Tests;

/// <summary>One suite for the tests that leave it running; a port that it would like is taken.</summary>
public sealed class RunningSuite : IAsyncLifetime
{
    public const int TakenPort = 15991;

    private TcpListener? _occupant;
    private SampleSuite? _suite;

    internal SampleSuite Suite => _suite ?? throw new InvalidOperationException("Not started.");

    public async ValueTask InitializeAsync()
    {
        Machine.HasServers();
        // Where the port is somebody else's already, that does as well.
        if (Ports.IsFree(TakenPort))
        {
            _occupant = new TcpListener(IPAddress.Loopback, TakenPort);
            _occupant.Start();
        }

        _suite = await SampleSuite.StartHealthy(SampleSuite.NewState(), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"));
    }

    public async ValueTask DisposeAsync()
    {
        _occupant?.Dispose();
        if (_suite is not null)
            await _suite.DisposeAsync();
    }
}
