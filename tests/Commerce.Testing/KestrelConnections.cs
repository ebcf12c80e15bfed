using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Commerce.Testing;

/// <summary>The connections of every server of this process, as the servers count them, by port.</summary>
public sealed class KestrelConnections : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<int, (int Now, int Opened)> _ports = new();

    public KestrelConnections()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "kestrel.active_connections")
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, change, tags, _) =>
        {
            foreach (var tag in tags)
            {
                if (tag is { Key: "server.port", Value: int port })
                    _ports.AddOrUpdate(port, ((int)change, 1), (_, count) => (count.Now + (int)change, count.Opened + (change > 0 ? 1 : 0)));
            }
        });
        _listener.Start();
    }

    public int Now(int port) => _ports.GetValueOrDefault(port).Now;

    public int Opened(int port) => _ports.GetValueOrDefault(port).Opened;

    /// <summary>No more than the test's own client has are open.</summary>
    public Task AreGone(int port, int own, TimeSpan within) => Eventually.True(() => Task.FromResult(Opened(port) > 0 && Now(port) <= own), within);

    public void Dispose() => _listener.Dispose();
}
