using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BitFaster.Caching.Lru;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Commerce.Gateway.Shoppers;

/// <summary>
/// Slows guessing down: at one code, from one address, and altogether. A guess is counted before anything is looked at, so that a thousand
/// at once are no way around it, and taken back where it was right. Whether there is what was guessed at changes nothing.
/// <para>
/// All nodes count in Redis, and each remembers what it was told: while Redis is away, and after it forgot everything, a node goes on
/// with that. What a node knows to be slowed costs no question to Redis.
/// </para>
/// </summary>
internal sealed partial class Guesses(RedisLink link, IOptions<ShopperOptions> options, IOptions<GatewayOptions> gateway, TimeProvider time, GatewayTelemetry telemetry, ILogger<Guesses> logger)
{
    // Some hundred bytes each. Who has more addresses than that is slowed by the meter of all.
    private const int MostRemembered = 100_000;

    private static readonly string GuessScript = ViewCache.Script("guess");
    private static readonly string BackScript = ViewCache.Script("guess_back");
    private static readonly string[] Limits = ["all", "code", "address"];

    private readonly ShopperOptions _options = options.Value;
    // Of one slot in a cluster, because one script counts them together.
    private readonly string _prefix = gateway.Value.RedisPrefix + "{guesses}:";
    private readonly byte[] _addressKey = Encoding.UTF8.GetBytes(options.Value.SessionKey);
    private readonly double _between = 1000 / options.Value.GuessesPerSecond;
    private readonly double _ahead = (options.Value.GuessesAtOnce - 1) * (1000 / options.Value.GuessesPerSecond);
    private readonly Lock _gate = new();
    private readonly ConcurrentLru<string, Slowed> _known = new(MostRemembered);
    private double _empty;
    // Of what was taken without Redis, what it was not told of yet: otherwise each time that it is away a little would be free.
    private double _owed;
    private long _minute;
    private int _inMinute;

    /// <summary>A guess at one code.</summary>
    /// <param name="code">In the form in which all spellings of it are one.</param>
    /// <param name="byPostalCode">With a postal code, of which there are few.</param>
    /// <param name="address">Where it comes from; see <see cref="Access.ClientAddress"/>.</param>
    /// <exception cref="Failure">GUESSING_SLOWED.</exception>
    public Task<Guess> AtCode(string code, bool byPostalCode, string address) => Begin(
    [
        new Key("code", $"{(byPostalCode ? "post" : "code")}:{code}", byPostalCode ? _options.PerCodeByPostalCode : _options.PerCode),
        new Key("address", "from:" + NameOf(address), _options.PerAddress),
    ]);

    /// <summary>A guess at any code, or at something else that nobody gave out.</summary>
    /// <exception cref="Failure">GUESSING_SLOWED.</exception>
    public Task<Guess> From(string address) => Begin([new Key("address", "from:" + NameOf(address), _options.PerAddress)]);

    /// <summary>
    /// Where nothing personal can be guessed: what is right costs nothing, and only what is not is counted, by <see cref="From"/>, before it is
    /// said to be.
    /// </summary>
    /// <exception cref="Failure">GUESSING_SLOWED.</exception>
    public void Check(string address)
    {
        if (Knows([new Key("address", "from:" + NameOf(address), _options.PerAddress)], time.GetUtcNow().ToUnixTimeMilliseconds()) is { Limit.Length: > 0 } known)
            throw Refuse(known.Limit, known.Wait);
    }

    private async Task<Guess> Begin(Key[] keys)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (Knows(keys, now) is { Limit.Length: > 0 } known)
            throw Refuse(known.Limit, known.Wait);
        double owed;
        lock (_gate)
            (owed, _owed) = (_owed, 0);
        var told = await link.Ask(redis => redis.ScriptEvaluateAsync(GuessScript, RedisKeys(keys), Arguments(keys, now, owed)));
        var (limit, wait) = told is null ? Take(keys, now, owed) : Learn(keys, now, (long[])told!);
        if (limit.Length > 0)
            throw Refuse(limit, wait);
        return new Guess(this, keys, [.. keys.Select(key => StateOf(key).Next)]);
    }

    /// <summary>It was right, or nothing could be compared: it counts as none.</summary>
    private async Task TakeBack(Key[] keys, long[] nexts)
    {
        lock (_gate)
        {
            _empty -= _between;
            foreach (var (key, next) in keys.Zip(nexts))
            {
                var state = StateOf(key);
                state.Guesses = Math.Max(0, state.Guesses - 1);
                if (state.Next == next)
                    state.Next = 0;
            }
        }

        await link.Ask(redis => redis.ScriptEvaluateAsync(
            BackScript, RedisKeys(keys), [_between.ToString(CultureInfo.InvariantCulture), .. nexts.Select(next => (RedisValue)next)]));
    }

    /// <summary>What this node knows to be slowed.</summary>
    private (string Limit, long Wait) Knows(Key[] keys, long now)
    {
        lock (_gate)
        {
            var (limit, wait) = ("", 0.0);
            if (_empty - now > _ahead)
                (limit, wait) = (Limits[0], _empty - now - _ahead);
            foreach (var key in keys)
            {
                var state = StateOf(key);
                if (now - state.At > key.Rule.ForgetAfter.TotalMilliseconds)
                    (state.Guesses, state.Next) = (0, 0);
                if (state.Next - now > wait)
                    (limit, wait) = (key.Limit, state.Next - now);
            }

            return (limit, (long)Math.Ceiling(wait));
        }
    }

    /// <summary>The same as the script does, without Redis.</summary>
    private (string Limit, long Wait) Take(Key[] keys, long now, double owed)
    {
        lock (_gate)
        {
            _owed += owed;
            if (Knows(keys, now) is { Limit.Length: > 0 } slowed)
                return slowed;
            _empty = Math.Max(_empty, now) + _between;
            // What was taken long ago is paid by time.
            _owed = Math.Min(_owed + _between, _empty - now);
            foreach (var key in keys)
            {
                var state = StateOf(key);
                (state.Guesses, state.At) = (state.Guesses + 1, now);
                var late = state.Guesses - key.Rule.Free;
                state.Next = late <= 0 ? 0 : now + (long)Math.Min(key.Rule.Longest.TotalMilliseconds, key.Rule.First.TotalMilliseconds * Math.Pow(2, Math.Min(late - 1, 40)));
            }

            return ("", 0);
        }
    }

    private (string Limit, long Wait) Learn(Key[] keys, long now, long[] told)
    {
        lock (_gate)
        {
            _empty = told[2];
            foreach (var (i, key) in keys.Index())
            {
                var state = StateOf(key);
                (state.Guesses, state.Next, state.At) = (told[3 + (2 * i)], told[4 + (2 * i)], now);
            }

            return told[0] == 0 ? ("", 0) : (told[0] == 1 ? Limits[0] : keys[told[0] - 2].Limit, told[1]);
        }
    }

    private Failure Refuse(string limit, long wait)
    {
        telemetry.Guessed("slowed", limit);
        Watch();
        var retryAfter = TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(wait / 1000.0)));
        return new Failure(
            ErrorReason.GuessingSlowed,
            string.Create(CultureInfo.InvariantCulture, $"Too many tries {limit switch { "code" => "at this code", "address" => "from this address", _ => "at the moment" }}: the next one is taken in {retryAfter.TotalSeconds:0} s. A link in a message about the order opens it at any time."))
        {
            RetryAfter = retryAfter,
        };
    }

    private void Wrong()
    {
        telemetry.Guessed("wrong", "");
        Watch();
    }

    // One line a minute, however many guess.
    private void Watch()
    {
        var minute = time.GetUtcNow().ToUnixTimeSeconds() / 60;
        lock (_gate)
        {
            if (minute != _minute)
                (_minute, _inMinute) = (minute, 0);
            if (++_inMinute != _options.AlarmAt)
                return;
        }

        telemetry.GuessAlarm();
        LogGuessing(_options.AlarmAt);
    }

    // Who called stands nowhere: all Gateways give an address the same name, which nobody without the key can turn back.
    private string NameOf(string address) => Convert.ToHexStringLower(HMACSHA256.HashData(_addressKey, Encoding.UTF8.GetBytes("address\n" + address)).AsSpan(0, 12));

    private Slowed StateOf(Key key) => _known.GetOrAdd(key.Name, static _ => new Slowed());

    private RedisKey[] RedisKeys(Key[] keys) => [_prefix + "all", .. keys.Select(key => (RedisKey)(_prefix + key.Name))];

    private RedisValue[] Arguments(Key[] keys, long now, double owed)
    {
        lock (_gate)
        {
            return
            [
                now, _between.ToString(CultureInfo.InvariantCulture), _ahead.ToString(CultureInfo.InvariantCulture), owed.ToString(CultureInfo.InvariantCulture),
                .. keys.SelectMany(key => new RedisValue[]
                {
                    key.Rule.Free, (long)key.Rule.First.TotalMilliseconds, (long)key.Rule.Longest.TotalMilliseconds, (long)key.Rule.ForgetAfter.TotalMilliseconds, StateOf(key).Guesses,
                }),
            ];
        }
    }

    [LoggerMessage(LogLevel.Warning, "Somebody guesses at orders: {Count} wrong or slowed tries within this minute. They are slowed; see commerce.gateway.guesses.")]
    private partial void LogGuessing(int count);

    /// <summary>What is counted: of which limit, under which name, by which rule.</summary>
    internal sealed record Key(string Limit, string Name, ShopperOptions.SlowDown Rule);

    /// <summary>A guess that is being looked at. Who forgets to say what became of it has guessed wrong.</summary>
    internal sealed class Guess(Guesses all, Key[] keys, long[] nexts)
    {
        /// <summary>It counts.</summary>
        public void Wrong() => all.Wrong();

        /// <summary>It was none: it was right.</summary>
        public Task Right()
        {
            all.Telemetry.Guessed("right", "");
            return all.TakeBack(keys, nexts);
        }

        /// <summary>Nobody could say.</summary>
        public Task Unanswered() => all.TakeBack(keys, nexts);
    }

    private GatewayTelemetry Telemetry => telemetry;

    private sealed class Slowed
    {
        public long Guesses { get; set; }

        public long Next { get; set; }

        public long At { get; set; }
    }
}
