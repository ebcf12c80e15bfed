using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Commerce.Gateway.Views;

/// <summary>
/// Redis as the Gateway uses it: never waited for longer than a moment, and left alone while it is down.
/// <para>
/// The epoch answers what happens to marks that could not be set. Every copy of a part carries the epoch of its reading; a
/// copy of another epoch is not believed. A node begins a new epoch whenever Redis answers it again, its own start included,
/// since it, or its predecessor, may have failed to mark a view. All nodes learn of it within one probe. So a copy is stale
/// without a mark for at most: the time a node was cut off from a Redis that others could reach, plus one probe; and, should
/// a Redis forget writes that it confirmed, <see cref="GatewayOptions.MaxPartAge"/>.
/// </para>
/// </summary>
internal sealed partial class RedisLink(
    Func<IConnectionMultiplexer> connect, IOptions<GatewayOptions> options, TimeProvider time, GatewayTelemetry telemetry, ILogger<RedisLink> logger)
    : BackgroundService
{
    private readonly GatewayOptions _options = options.Value;
    private readonly RedisKey _epochKey = options.Value.RedisPrefix + "epoch";
    private Task<IConnectionMultiplexer>? _connecting;
    private IConnectionMultiplexer? _redis;
    private long _epoch;
    private volatile bool _up;
    private bool _toldDown;

    /// <summary>Redis answered last time, so it is asked next time.</summary>
    public bool IsUp => _up;

    /// <summary>Copies of another epoch are not believed.</summary>
    public long Epoch => Interlocked.Read(ref _epoch);

    /// <summary>Redis answers again (or for the first time): what was told meanwhile was not heard.</summary>
    public event Action? CameBack;

    /// <summary>The connection, once there has been one.</summary>
    public IConnectionMultiplexer? Connection => _redis;

    /// <summary>What Redis answers, or null if it is down or too slow, as the connection's own timeout says.</summary>
    public async Task<T?> Ask<T>(Func<IDatabase, Task<T>> command)
        where T : class
    {
        var asked = Begin(command, static (redis, command) => command(redis));
        await End(asked);
        return ResultOf(asked);
    }

    /// <summary>The same for some fields of a hash.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<RedisValue[]?> Read(RedisKey key, RedisValue[] fields)
    {
        var asked = Begin(key, fields);
        await End(asked);
        return ResultOf(asked);
    }

    /// <summary>
    /// The first half of <see cref="Read"/>, for who awaits its <see cref="End"/> and takes its <see cref="ResultOf"/>: every look-up that is
    /// not in memory does, and a state machine more between it and the connection is what it would notice.
    /// </summary>
    public Task<RedisValue[]?> Begin(RedisKey key, RedisValue[] fields) => Begin((key, fields), static (redis, hash) => redis.HashGetAsync(hash.key, hash.fields));

    /// <summary>Awaits what was begun, whatever becomes of it.</summary>
    public static ConfiguredTaskAwaitable End(Task begun) => begun.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>What has come of what was begun and has ended, or null.</summary>
    public T? ResultOf<T>(Task<T?> ended)
        where T : class
    {
        if (ended.IsCompletedSuccessfully)
            return ended.GetAwaiter().GetResult();
        Trip(ended.Exception?.InnerException ?? new TaskCanceledException(ended));
        return null;
    }

    private Task<T?> Begin<TAsked, T>(TAsked asked, Func<IDatabase, TAsked, Task<T>> command)
        where T : class
    {
        if (!_up || _redis is not { } redis)
            return Nothing<T>.Task;
        try
        {
            return command(redis.GetDatabase(), asked)!;
        }
        // Whatever a command throws is Redis's trouble: the client's exceptions have no common kind.
        catch (Exception exception)
        {
            Trip(exception);
            return Nothing<T>.Task;
        }
    }

    /// <summary>One look at Redis; also the only thing that ends an outage.</summary>
    internal async Task Probe()
    {
        if (_redis is null && !await Connect())
            return;
        try
        {
            var database = _redis!.GetDatabase();
            if (_up)
            {
                var current = await database.StringGetAsync(_epochKey).WaitAsync(_options.RedisTimeout, time);
                if (current.TryParse(out long epoch) && epoch != 0)
                    Interlocked.Exchange(ref _epoch, epoch);
                else
                    // Flushed: the copies went with it, so what was put back since can be believed, and the epoch goes on.
                    await database.StringSetAsync(_epochKey, Epoch, when: When.NotExists).WaitAsync(_options.RedisTimeout, time);
                return;
            }

            var next = NewEpoch();
            await database.StringSetAsync(_epochKey, next).WaitAsync(_options.RedisTimeout, time);
            Interlocked.Exchange(ref _epoch, next);
            telemetry.EpochBegan();
            LogUp();
            _up = true;
        }
        catch (Exception exception)
        {
            Trip(exception);
            return;
        }

        CameBack?.Invoke();
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Bounded by the timeout: with Redis there, the first lookup already uses it.
        await Probe();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_options.RedisProbe, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await Probe();
    }

    // Connecting blocks for seconds when nobody listens, which may not hold up the start. Of a wrong configuration it throws,
    // and that may.
    private async Task<bool> Connect()
    {
        try
        {
            _redis = await (_connecting ??= Task.Run(connect)).WaitAsync(_options.RedisTimeout, time);
            return true;
        }
        catch (TimeoutException exception)
        {
            Trip(exception);
            return false;
        }
    }

    private void Trip(Exception exception)
    {
        if (_up || !_toldDown)
            LogDown(exception.GetType().Name);
        _toldDown = true;
        _up = false;
    }

    private static long NewEpoch() => BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))) | 1;

    private static class Nothing<T>
        where T : class
    {
        public static readonly Task<T?> Task = System.Threading.Tasks.Task.FromResult<T?>(null);
    }

    [LoggerMessage(LogLevel.Warning, "Redis does not answer ({Error}); the services are asked directly until it does.")]
    private partial void LogDown(string error);

    [LoggerMessage(LogLevel.Information, "Redis answers; a new epoch of the cached views begins.")]
    private partial void LogUp();
}
