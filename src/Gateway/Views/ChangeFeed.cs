using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Commerce.Gateway.Views;

/// <summary>
/// What is told of changes, on this node and by the others through Redis: which orders may have changed, and which codes may lead
/// elsewhere. What was read can be kept in memory together with a <see cref="Mark"/> that was taken before the reading; it stands until
/// something is told that may concern it.
/// </summary>
internal sealed partial class ChangeFeed(RedisLink link, IOptions<GatewayOptions> options, TimeProvider time, ILogger<ChangeFeed> logger) : BackgroundService
{
    private const int Stripes = 1 << 16;

    private readonly GatewayOptions _options = options.Value;
    // Counts of changes. Orders and codes share them: one that is told of by chance for another is only read once more.
    private readonly int[] _counts = new int[Stripes];
    private int _generation;
    private volatile bool _heard;
    private bool _listens;

    /// <summary>The channel between the nodes.</summary>
    public string Channel { get; } = options.Value.RedisPrefix + "changes";

    /// <summary>This node's name on the channel: what it told itself it does not hear again.</summary>
    public string Node { get; } = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(6));

    /// <summary>The others are heard, as far as is known.</summary>
    public bool IsHeard => _heard && link.IsUp;

    /// <summary>An order may have changed; when, if this node heard the fact.</summary>
    public event Action<OrderId, DateTimeOffset?>? OrderChanged;

    /// <summary>Nobody may know anything of an order any more.</summary>
    public event Action<OrderId>? OrderForgotten;

    /// <summary>Changes may have been told that were not heard.</summary>
    public event Action? Missed;

    /// <summary>What is told of the order after this.</summary>
    public Mark MarkOf(OrderId id) => MarkOf(id.Value.GetHashCode());

    /// <summary>What is told of the code after this; the code in the form of <see cref="Lookup.CodeBook.KeyOf"/>.</summary>
    public Mark MarkOf(string code) => MarkOf(string.GetHashCode(code, StringComparison.Ordinal));

    /// <summary>Nothing was told that may concern it.</summary>
    public bool Stands(in Mark mark) => mark.Generation == Volatile.Read(ref _generation) && mark.Count == Volatile.Read(ref _counts[mark.Stripe]);

    /// <summary>Tells this node.</summary>
    public void Changed(OrderId id, DateTimeOffset? at = null)
    {
        Overtaken(id);
        OrderChanged?.Invoke(id, at);
    }

    /// <summary>Tells this node that nothing of the order may be kept.</summary>
    public void Forgotten(OrderId id)
    {
        OrderForgotten?.Invoke(id);
        Changed(id);
    }

    /// <summary>Something newer was read than what may be kept: that stands no more.</summary>
    public void Overtaken(OrderId id) => Interlocked.Increment(ref _counts[MarkOf(id).Stripe]);

    /// <summary>Tells this node.</summary>
    public void Changed(string code) => Interlocked.Increment(ref _counts[MarkOf(code).Stripe]);

    /// <summary>The message that tells the other nodes.</summary>
    public string MessageOf(OrderId id) => $"{Node} {id}";

    /// <inheritdoc cref="MessageOf(OrderId)"/>
    public string ForgettingOf(OrderId id) => $"{Node} -{id}";

    /// <inheritdoc cref="MessageOf(OrderId)"/>
    public string MessageOf(string code) => $"{Node} ={code}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        link.CameBack += Miss;
        try
        {
            using var timer = new PeriodicTimer(_options.RedisProbe, time);
            while (!await Subscribe(stoppingToken))
                await timer.WaitForNextTickAsync(stoppingToken);
        }
        finally
        {
            link.CameBack -= Miss;
        }
    }

    private async Task<bool> Subscribe(CancellationToken cancellationToken)
    {
        if (!link.IsUp || link.Connection is not { } redis)
            return false;
        try
        {
            // The client subscribes again by itself after every break; what was told in the break nobody heard.
            if (!_listens)
            {
                redis.ConnectionFailed += (_, _) => _heard = false;
                redis.ConnectionRestored += (_, _) => Hear();
                _listens = true;
            }

            await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(Channel), OnMessage).WaitAsync(cancellationToken);
            Hear();
            return true;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            LogNotSubscribed(exception.GetType().Name);
            return false;
        }
    }

    private void Hear()
    {
        Miss();
        _heard = true;
    }

    private void Miss()
    {
        Interlocked.Increment(ref _generation);
        Missed?.Invoke();
    }

    private void OnMessage(RedisChannel channel, RedisValue message)
    {
        var text = message.ToString();
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space > 0 && text.AsSpan(0, space).SequenceEqual(Node))
            return;
        // The version before this one says the order alone.
        var what = text[(space + 1)..];
        if (what is ['=', ..])
            Changed(what[1..]);
        else if (what is ['-', ..] && OrderId.TryParse(what[1..], out var forgotten))
            Forgotten(forgotten);
        else if (OrderId.TryParse(what, out var id))
            Changed(id);
    }

    private Mark MarkOf(int hash)
    {
        var stripe = (int)((uint)hash * 0x9E3779B9u >> 16) & (Stripes - 1);
        return new Mark(Volatile.Read(ref _generation), stripe, Volatile.Read(ref _counts[stripe]));
    }

    [LoggerMessage(LogLevel.Warning, "The changes in Redis cannot be heard yet: {Error}.")]
    private partial void LogNotSubscribed(string error);

    /// <summary>How much had been told when it was taken.</summary>
    internal readonly record struct Mark(int Generation, int Stripe, int Count);
}
