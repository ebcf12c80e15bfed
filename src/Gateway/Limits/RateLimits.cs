using System.Security.Cryptography;
using BitFaster.Caching.Lru;
using Commerce.Gateway.Access;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Commerce.Gateway.Limits;

/// <summary>How much each caller has left, of each class of calls, over all Gateways.</summary>
internal sealed class RateLimits : BackgroundService
{
    private static readonly string PermitsScript = ViewCache.Script("permits");
    private static readonly string NodesScript = ViewCache.Script("nodes");

    private readonly LimitOptions _options;
    private readonly RedisLink _link;
    private readonly TimeProvider _time;
    private readonly string _prefix;
    private readonly string _self = RandomNumberGenerator.GetHexString(16, lowercase: true);
    private readonly Dictionary<string, double> _factors;

    // Apart, so that however many strangers there are they push out no caller that is known.
    private readonly ConcurrentLru<string, LimitedCaller> _known;
    private readonly ConcurrentLru<string, LimitedCaller> _addresses;
    private int _nodes = 1;
    private long _leases;

    public RateLimits(RedisLink link, IOptions<LimitOptions> options, IOptions<GatewayOptions> gateway, TimeProvider time)
    {
        (_options, _link, _time, _prefix) = (options.Value, link, time, gateway.Value.RedisPrefix + "limit:");
        _factors = _options.Callers.ToDictionary(caller => caller.Principal, caller => caller.Percent / 100.0, StringComparer.Ordinal);
        _known = new ConcurrentLru<string, LimitedCaller>(_options.Remembered);
        _addresses = new ConcurrentLru<string, LimitedCaller>(_options.Remembered);
    }

    public long Now => _time.GetTimestamp();

    public bool IsUp => _link.IsUp;

    public TimeSpan LeaseFor => _options.LeaseFor;

    public double LeaseShare => _options.LeasePercent / 100.0;

    /// <summary>How many Gateways there are, or were when Redis last answered.</summary>
    public int Nodes => Volatile.Read(ref _nodes);

    /// <summary>How often Redis was asked for permits.</summary>
    public long Leases => Interlocked.Read(ref _leases);

    public long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);

    public TimeSpan Between(long from, long to) => _time.GetElapsedTime(from, to);

    /// <summary>Who is limited: a caller that is known by itself, shoppers and strangers by their address.</summary>
    public LimitedCaller Of(Principal principal, HttpContext http)
    {
        if (principal.Kind is PrincipalKind.Shopper or PrincipalKind.Anybody)
            return OfAddress(http);
        var name = principal.ToString();
        return _known.TryGet(name, out var caller)
            ? caller
            : _known.GetOrAdd(name, static (name, self) => new LimitedCaller(name, self._factors.GetValueOrDefault(name, 1), self), this);
    }

    /// <summary>Whoever calls from an address.</summary>
    public LimitedCaller OfAddress(HttpContext http) => _addresses.GetOrAdd(
        "address/" + ClientAddress.Of(http), static (address, self) => new LimitedCaller(address, self._options.ShopperPercent / 100.0, self), this);

    public Permits PermitsOf(string caller, CallClass kind, double factor) => Make(caller, kind.ToString().ToLowerInvariant(), _options.Of(kind), factor);

    public Permits PermitsOfStranger(string caller) => Make(caller, "strangers", _options.Strangers, 1);

    /// <summary>Takes permits from what all nodes share; null: Redis does not answer.</summary>
    public async Task<(int Given, int Remaining, TimeSpan Wait)?> Lease(RedisKey key, double perSecond, int burst, int wanted)
    {
        Interlocked.Increment(ref _leases);
        var answer = await _link.Ask(redis => redis.ScriptEvaluateAsync(PermitsScript, [key], [1_000_000 / perSecond, burst, wanted]));
        return answer is null ? null : ((int)answer[0], (int)answer[1], TimeSpan.FromMicroseconds((double)answer[2]));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_options.NodeBeat, _time);
        do
        {
            if (await _link.Ask(redis => redis.ScriptEvaluateAsync(NodesScript, [_prefix + "nodes"], [_self, (long)(_options.NodeBeat * 4).TotalMilliseconds])) is { } count)
                Volatile.Write(ref _nodes, Math.Max(1, (int)count));
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private Permits Make(string caller, string kind, LimitOptions.Rate rate, double factor) =>
        new(_prefix + kind + ":" + caller, rate.PerSecond * factor, Math.Max(1, (int)(rate.Burst * factor)), this);
}

/// <summary>A caller, or an address, and what it has left.</summary>
internal sealed class LimitedCaller(string name, double factor, RateLimits limits)
{
    private readonly Permits?[] _permits = new Permits?[Enum.GetValues<CallClass>().Length];
    private Permits? _stranger;
    private int _streams;

    /// <summary>What it may try with credentials that are not good.</summary>
    public Permits AsStranger => _stranger ?? Interlocked.CompareExchange(ref _stranger, limits.PermitsOfStranger(name), null) ?? _stranger;

    /// <summary>What it may, as it is told.</summary>
    public IEnumerable<V1.CallLimit> Told => Enum.GetValues<CallClass>()
        .Select(kind => new V1.CallLimit { Calls = RateLimiting.NameOf(kind), PerSecond = this[kind].PerSecond, Burst = this[kind].Burst });

    public Permits this[CallClass kind]
    {
        get
        {
            ref var permits = ref _permits[(int)kind];
            return permits ?? Interlocked.CompareExchange(ref permits, limits.PermitsOf(name, kind, factor), null) ?? permits;
        }
    }

    /// <summary>Opens a stream, if it has fewer than so many open on this node.</summary>
    public bool TryOpen(int most)
    {
        if (Interlocked.Increment(ref _streams) <= most)
            return true;
        Close();
        return false;
    }

    public void Close() => Interlocked.Decrement(ref _streams);
}
