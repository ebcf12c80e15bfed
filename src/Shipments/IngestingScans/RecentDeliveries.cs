using System.Security.Cryptography;
using System.Text;

namespace Commerce.Shipments.IngestingScans;

/// <summary>
/// Deliveries that were answered with yes, for as long as their signature is fresh: whoever repeats one byte for byte is not its sender,
/// who signs anew. Kept in memory: behind a restart or on another replica a repeated delivery brings only what is known.
/// </summary>
internal sealed class RecentDeliveries(TimeProvider time)
{
    private const int Most = 100_000;

    // Twice the tolerance: a signature may be from the future.
    private static readonly TimeSpan Kept = ServiceDefaults.WebhookSignature.Tolerance * 2;

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, DateTimeOffset> _seen = [];
    private readonly Queue<(Guid Id, DateTimeOffset At)> _order = new();

    public bool Has(string proof)
    {
        lock (_lock)
            return _seen.TryGetValue(IdOf(proof), out var at) && at + Kept > time.GetUtcNow();
    }

    public void Add(string proof)
    {
        var (id, now) = (IdOf(proof), time.GetUtcNow());
        lock (_lock)
        {
            _seen[id] = now;
            _order.Enqueue((id, now));
            while (_order.TryPeek(out var oldest) && (_order.Count > Most || oldest.At + Kept < now))
            {
                _order.Dequeue();
                if (_seen.TryGetValue(oldest.Id, out var at) && at == oldest.At)
                    _seen.Remove(oldest.Id);
            }
        }
    }

    private static Guid IdOf(string proof) => new(SHA256.HashData(Encoding.UTF8.GetBytes(proof)).AsSpan(0, 16));
}
