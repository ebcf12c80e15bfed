using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Commerce.Gateway.Views;

/// <summary>
/// What one Gateway tells the others at once, through Redis. What is told while Redis is away nobody hears: so what is told is stored first,
/// and who listens asks from time to time as well.
/// </summary>
internal sealed partial class Announcements(RedisLink link, IOptions<GatewayOptions> options, TimeProvider time, ILogger<Announcements> logger)
{
    private readonly GatewayOptions _options = options.Value;

    /// <summary>Tells the others, if that can be.</summary>
    /// <param name="channel">What it is about, without the prefix.</param>
    /// <param name="message">What is told.</param>
    public async Task Tell(string channel, string message)
    {
        if (!link.IsUp || link.Connection is not { } redis)
            return;
        try
        {
            await redis.GetSubscriber().PublishAsync(ChannelOf(channel), message).WaitAsync(_options.RedisTimeout, time);
        }
        // It is stored; the others see it when they ask again.
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            LogNotTold(channel, exception.GetType().Name);
        }
    }

    /// <summary>Listens until it is cancelled.</summary>
    /// <param name="channel">What it is about, without the prefix.</param>
    /// <param name="heard">Something was told.</param>
    /// <param name="missed">Something may have been told that was not heard.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task Listen(string channel, Action<string> heard, Action missed, CancellationToken cancellationToken)
    {
        link.CameBack += missed;
        try
        {
            await Subscribe(channel, heard, missed, cancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }
        finally
        {
            link.CameBack -= missed;
        }
    }

    private async Task Subscribe(string channel, Action<string> heard, Action missed, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_options.RedisProbe, time);
        var first = true;
        do
        {
            try
            {
                if (link.IsUp && link.Connection is { } redis)
                {
                    // The client subscribes again by itself after every break.
                    if (first)
                        redis.ConnectionRestored += (_, _) => missed();
                    first = false;
                    await redis.GetSubscriber().SubscribeAsync(ChannelOf(channel), (_, message) => heard(message.ToString())).WaitAsync(cancellationToken);
                    missed();
                    return;
                }
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                LogNotSubscribed(channel, exception.GetType().Name);
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    private RedisChannel ChannelOf(string channel) => RedisChannel.Literal(_options.RedisPrefix + channel);

    [LoggerMessage(LogLevel.Warning, "The other Gateways could not be told of {Channel} ({Error}); they see it within seconds.")]
    private partial void LogNotTold(string channel, string error);

    [LoggerMessage(LogLevel.Warning, "What other Gateways tell of {Channel} is not heard yet ({Error}).")]
    private partial void LogNotSubscribed(string channel, string error);
}
