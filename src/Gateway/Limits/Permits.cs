using StackExchange.Redis;

namespace Commerce.Gateway.Limits;

/// <summary>Whether a call may go on.</summary>
/// <param name="Granted">It may.</param>
/// <param name="Remaining">About how many more might now.</param>
/// <param name="RetryAfter">If it may not: when one will.</param>
internal readonly record struct Verdict(bool Granted, int Remaining, TimeSpan RetryAfter);

/// <summary>
/// The permits of one caller for one class of calls. Redis counts them for all nodes; a node takes them from there before they are used,
/// several at a time for who calls often, and what it did not use within <see cref="LimitOptions.LeaseFor"/> is lost. So all nodes together
/// never give more than the limit, and at least the limit less one lease of each. While Redis is away, each node counts by itself and gives
/// its share of the limit.
/// </summary>
internal sealed class Permits(RedisKey key, double perSecond, int burst, RateLimits limits)
{
    // Redis itself ends the waiting of whom it refuses. Others are served before long, since the more wait, the more is asked for; this is
    // for a node that is too slow to use what it is given.
    private const int Rounds = 100;

    private readonly Lock _gate = new();
    private readonly int _mostLeased = Math.Max(1, (int)(burst * limits.LeaseShare));
    private int _left;
    private long _until;
    private int _batch = 1;
    private int _waiting;
    private int _remaining;
    private long _refusedUntil;
    private Task? _asking;
    private double _full;

    /// <summary>Calls a second.</summary>
    public double PerSecond => perSecond;

    /// <summary>Most at once.</summary>
    public int Burst => burst;

    /// <summary>Takes a permit. Costs a round trip only for who has called seldom.</summary>
    public ValueTask<Verdict> Take()
    {
        lock (_gate)
        {
            if (Try() is { } verdict)
                return ValueTask.FromResult(verdict);
            _waiting++;
            return new ValueTask<Verdict>(Wait(_asking ??= Ask()));
        }
    }

    /// <summary>Whether none would be given now, as far as this node knows.</summary>
    public bool IsOver
    {
        get
        {
            lock (_gate)
                return limits.Now < _refusedUntil;
        }
    }

    private async Task<Verdict> Wait(Task asked)
    {
        for (var round = 1; ; round++)
        {
            await asked;
            lock (_gate)
            {
                if (Try() is { } verdict)
                {
                    _waiting--;
                    return verdict;
                }

                // As many callers at once took what was there as fast as it came.
                if (round == Rounds)
                {
                    _waiting--;
                    return Refuse(TimeSpan.FromSeconds(1 / perSecond));
                }

                asked = _asking ??= Ask();
            }
        }
    }

    private Verdict? Try()
    {
        var now = limits.Now;
        if (_left > 0 && now < _until)
        {
            _left--;
            // Before the last one is gone, so that who calls often never waits.
            if (_left < _batch / 2 && _asking is null && now >= _refusedUntil)
                _asking = Ask();
            return new Verdict(true, _left + _remaining, default);
        }

        if (now < _refusedUntil)
            return Refuse(limits.Between(now, _refusedUntil));
        return limits.IsUp ? null : Alone(now);
    }

    private async Task Ask()
    {
        // Called under the lock: never to its end before the caller knows of it.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        int wanted;
        lock (_gate)
        {
            // What was left over was too much, and what did not last was too little.
            if (limits.Now >= _until && _left > 0)
                _batch = Math.Max(1, _batch / 2);
            else
                _batch = Math.Min(_mostLeased, _batch * 2);
            wanted = Math.Clamp(_waiting, _batch, Math.Max(_batch, burst));
        }

        var answer = await limits.Lease(key, perSecond, burst, wanted);
        lock (_gate)
        {
            _asking = null;
            // Redis went away: the next try counts here.
            if (answer is not var (given, remaining, wait))
                return;
            var now = limits.Now;
            if (given > 0)
            {
                _left = given + (now < _until ? _left : 0);
                _until = now + limits.Ticks(limits.LeaseFor);
                _full = 0;
            }
            else
            {
                _refusedUntil = now + Math.Max(1, limits.Ticks(wait));
            }

            _remaining = remaining;
        }
    }

    // What the script does in Redis, with this node's share and clock.
    private Verdict Alone(long now)
    {
        var share = limits.Nodes;
        var interval = limits.Ticks(TimeSpan.FromSeconds(1)) / perSecond * share;
        var most = Math.Max(1, burst / share);
        var full = Math.Max(_full, now);
        var free = (int)(most - (full - now) / interval);
        if (free < 1)
        {
            _refusedUntil = now + Math.Max(1, (long)Math.Ceiling(full - now - (most - 1) * interval));
            return Refuse(limits.Between(now, _refusedUntil));
        }

        _full = full + interval;
        return new Verdict(true, free - 1, default);
    }

    private static Verdict Refuse(TimeSpan after) => new(false, 0, after);
}
