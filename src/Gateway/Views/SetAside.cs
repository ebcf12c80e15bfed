using BitFaster.Caching.Lru;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Views;

/// <summary>
/// What this node read while Redis could not keep it: the last that it knows of a part whose service is down, when Redis is back with an
/// older copy or with none. It stands no longer than a copy does, and goes with an order that is forgotten. It also goes when Redis has
/// something as new: what is shown from there from then on may be newer, and when Redis is away again this would be older than what was shown.
/// </summary>
internal sealed class SetAside : IDisposable
{
    // Each has some kilobytes.
    private const int MostOrders = 2000;

    private readonly ConcurrentLru<long, Part?[]> _orders = new(MostOrders);
    private readonly ChangeFeed _feed;
    private readonly TimeProvider _time;
    private readonly TimeSpan _most;

    public SetAside(ChangeFeed feed, IOptions<GatewayOptions> options, TimeProvider time)
    {
        (_feed, _time, _most) = (feed, time, options.Value.MaxPartAge);
        _feed.OrderForgotten += Passed;
    }

    /// <summary>Keeps parts that were just read, each unless a newer one is kept.</summary>
    public void Put(OrderId id, IReadOnlyList<Part> parts)
    {
        if (parts.Count == 0)
            return;
        var kept = _orders.GetOrAdd(id.Value, static _ => new Part?[Part.Kinds.Length]);
        lock (kept)
        {
            foreach (var part in parts)
            {
                if (kept[(int)part.Kind] is not { } known || known.Version <= part.Version)
                    kept[(int)part.Kind] = part;
            }
        }
    }

    /// <summary>Redis has these.</summary>
    public void Passed(OrderId id, IEnumerable<Part?> parts)
    {
        if (!_orders.TryGet(id.Value, out var kept))
            return;
        lock (kept)
        {
            foreach (var part in parts)
            {
                if (part is not null && kept[(int)part.Kind] is { } known && known.Version <= part.Version)
                    kept[(int)part.Kind] = null;
            }
        }
    }

    /// <summary>Redis has everything of the order as it is.</summary>
    public void Passed(OrderId id) => _orders.TryRemove(id.Value);

    /// <summary>The last that is known of a part; null: nothing.</summary>
    public Part? Find(OrderId id, PartKind kind)
    {
        if (!_orders.TryGet(id.Value, out var kept))
            return null;
        lock (kept)
            return kept[(int)kind] is { } part && _time.GetUtcNow() - part.ReadTime < _most ? part : null;
    }

    public void Dispose() => _feed.OrderForgotten -= Passed;
}
