using System.Threading.Channels;
using Commerce.Gateway.Views;

namespace Commerce.Gateway.Watching;

/// <summary>An order that somebody on this node watches.</summary>
internal sealed class WatchedOrder(OrderId id)
{
    private readonly HashSet<Watcher> _watchers = [];
    private int _requests;
    private DateTimeOffset? _since;
    private Selection _selection;

    public OrderId Id => id;

    public bool IsEmpty
    {
        get
        {
            lock (_watchers)
                return _watchers.Count == 0;
        }
    }

    /// <summary>How often it was asked to be read and has not been yet, and since when it may be another.</summary>
    public (int Count, DateTimeOffset? Since) Requests
    {
        get
        {
            lock (_watchers)
            {
                var since = _since;
                _since = null;
                return (_requests, since);
            }
        }
    }

    /// <summary>Asks for it to be read; true if it was not waiting for that already.</summary>
    public bool Request(DateTimeOffset? changed)
    {
        lock (_watchers)
        {
            _since ??= changed;
            return ++_requests == 1;
        }
    }

    /// <summary>It was read after the first <paramref name="requests"/> of them; true if more came meanwhile.</summary>
    public bool Done(int requests)
    {
        lock (_watchers)
            return (_requests -= requests) > 0;
    }

    /// <summary>The parts that its watchers want, all together.</summary>
    public Selection Selection
    {
        get
        {
            lock (_watchers)
                return _selection;
        }
    }

    public void Add(Watcher watcher)
    {
        lock (_watchers)
        {
            _watchers.Add(watcher);
            _selection = _selection.With(watcher.Selection);
        }
    }

    public bool Remove(Watcher watcher)
    {
        lock (_watchers)
            return _watchers.Remove(watcher);
    }

    public void Tell(OrderView view)
    {
        lock (_watchers)
        {
            foreach (var watcher in _watchers)
                watcher.Tell(view);
        }
    }
}

/// <summary>One watch. A slow reader finds the newest view only: what it missed is in it.</summary>
internal sealed class Watcher(WatchedOrder order, Selection selection, Action<Watcher> leave) : IDisposable
{
    private readonly Channel<OrderView> _newest = Channel.CreateBounded<OrderView>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    public WatchedOrder Order => order;

    /// <summary>The parts that it wants.</summary>
    public Selection Selection => selection;

    public void Tell(OrderView view) => _newest.Writer.TryWrite(view);

    public ValueTask<OrderView> Next(CancellationToken cancellationToken) => _newest.Reader.ReadAsync(cancellationToken);

    public void Dispose() => leave(this);
}
