using Microsoft.Extensions.Options;

namespace Commerce.Shipments.WatchingSilence;

/// <summary>
/// Leaves a carrier alone that does not answer, or not with what can be read: while it rests, nobody asks it, then one does for all, and the rest grows up
/// to <see cref="ShipmentsOptions.LongestRetryAfter"/>. In memory: behind a restart, each carrier is asked once more than it would have been.
/// </summary>
internal sealed class CarrierRest(IOptions<ShipmentsOptions> options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (int Failures, DateTimeOffset Until)> _resting = [];

    /// <summary>Null: ask it now, and tell how that went; otherwise when to come again.</summary>
    public DateTimeOffset? Until(string carrier)
    {
        lock (_lock)
        {
            if (!_resting.TryGetValue(carrier, out var rest))
                return null;
            var now = time.GetUtcNow();
            // Spread, so that those who waited for it do not come at one moment.
            if (rest.Until > now)
                return rest.Until + options.Value.RetryAfter(rest.Failures);
            // Whoever comes first asks for all; the others wait for how that goes.
            _resting[carrier] = rest with { Until = now + options.Value.RetryAfter(rest.Failures) };
            return null;
        }
    }

    public void Answered(string carrier)
    {
        lock (_lock)
            _resting.Remove(carrier);
    }

    public void Failed(string carrier)
    {
        lock (_lock)
        {
            var failures = _resting.TryGetValue(carrier, out var rest) ? rest.Failures + 1 : 1;
            _resting[carrier] = (failures, time.GetUtcNow() + options.Value.RetryAfter(failures));
        }
    }
}
