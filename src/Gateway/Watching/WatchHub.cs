using System.Threading.Channels;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Watching;

/// <summary>
/// The watches of this node. The change feed tells of changes on every node; a watched order that changed is read
/// once, however many watch it. Because a message may be lost, every watched order is also read again from time to time;
/// while Redis is down, round after round, in a bounded number at a time, so that the load on the services stays the same
/// however many are watched and only the rounds grow longer.
/// </summary>
internal sealed partial class WatchHub(
    ViewReader views, ChangeFeed feed, RedisLink link, IOptions<GatewayOptions> options, TimeProvider time, GatewayTelemetry telemetry, ILogger<WatchHub> logger)
    : BackgroundService
{
    private readonly GatewayOptions _options = options.Value;
    private readonly Dictionary<long, WatchedOrder> _orders = [];
    private readonly Lock _gate = new();
    // Bounded by the number of watched orders: one is queued at most once. Who tells of a change begins to read it, as far as that does not wait.
    private readonly Channel<WatchedOrder> _changed = Channel.CreateUnbounded<WatchedOrder>(new UnboundedChannelOptions { AllowSynchronousContinuations = true });
    private readonly Channel<bool> _sweep = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private int _watchers;

    /// <summary>Takes a place for a watcher, before anything is asked for it: of a flood those that find none cost nothing.</summary>
    /// <exception cref="Failure">LIMIT_REACHED: this node has as many watchers as it takes.</exception>
    public void TakePlace()
    {
        lock (_gate)
        {
            if (_watchers >= _options.MaxWatchers)
            {
                throw new Failure(ErrorReason.LimitReached, "This node has as many watchers as it takes; try again, or look the code up from time to time.")
                {
                    RetryAfter = TimeSpan.FromSeconds(5),
                };
            }

            _watchers++;
        }
    }

    /// <summary>Gives back a place that no watcher came to.</summary>
    public void LeavePlace()
    {
        lock (_gate)
            _watchers--;
    }

    /// <summary>Begins to watch an order, on the place that was taken; dispose to end it, and to give the place back.</summary>
    public Watcher Join(OrderId id, Selection selection)
    {
        lock (_gate)
        {
            if (!_orders.TryGetValue(id.Value, out var order))
                _orders[id.Value] = order = new WatchedOrder(id);
            var watcher = new Watcher(order, selection, Leave);
            order.Add(watcher);
            telemetry.Watchers(1);
            return watcher;
        }
    }

    /// <summary>The order may have changed: it is read again and its watchers are told if it has.</summary>
    public void Changed(OrderId id, DateTimeOffset? at = null)
    {
        WatchedOrder? order;
        lock (_gate)
            _orders.TryGetValue(id.Value, out order);
        if (order?.Request(at) == true)
            _changed.Writer.TryWrite(order);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        feed.OrderChanged += Changed;
        feed.Missed += Sweep;
        try
        {
            var readers = Enumerable.Range(0, _options.WatchParallelism).Select(_ => ReadChanged(stoppingToken));
            await Task.WhenAll([SweepOften(stoppingToken), .. readers]);
        }
        finally
        {
            feed.OrderChanged -= Changed;
            feed.Missed -= Sweep;
        }
    }

    private void Sweep() => _sweep.Writer.TryWrite(true);

    private async Task ReadChanged(CancellationToken cancellationToken)
    {
        await foreach (var order in _changed.Reader.ReadAllAsync(cancellationToken))
        {
            var (requests, since) = order.Requests;
            try
            {
                if (await views.Read(order.Id, new ReadNeeds(order.Selection), cancellationToken) is { } view)
                {
                    order.Tell(view);
                    if (since is { } changed)
                        telemetry.WatchLag(time.GetUtcNow() - changed);
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // The next sweep reads it again.
                if (exception is not Failure)
                    LogNotRead(exception);
            }

            // What was asked for while it was read is read again: the answer may be from before the change.
            if (order.Done(requests))
                _changed.Writer.TryWrite(order);
        }
    }

    private async Task SweepOften(CancellationToken cancellationToken)
    {
        var swept = time.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested)
        {
            var woken = await Woken(cancellationToken);
            if (!woken && link.IsUp && time.GetElapsedTime(swept) < _options.WatchRecheck)
                continue;
            swept = time.GetTimestamp();
            OrderId[] watched;
            lock (_gate)
                watched = [.. _orders.Values.Select(order => order.Id)];
            foreach (var id in watched)
                Changed(id);
        }
    }

    private async Task<bool> Woken(CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(_options.WatchPoll, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await _sweep.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private void Leave(Watcher watcher)
    {
        lock (_gate)
        {
            if (!watcher.Order.Remove(watcher))
                return;
            _watchers--;
            telemetry.Watchers(-1);
            if (watcher.Order.IsEmpty)
                _orders.Remove(watcher.Order.Id.Value);
        }
    }

    [LoggerMessage(LogLevel.Error, "A watched order could not be read.")]
    private partial void LogNotRead(Exception exception);
}
