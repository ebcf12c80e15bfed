using BitFaster.Caching.Lru;
using Commerce.Gateway.Views;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Lookup;

/// <summary>
/// Answers that were given a moment ago and that nothing was told of since: they are given again without asking Redis. One stands at most
/// <see cref="GatewayOptions.HotAge"/>, in case that what was told did not arrive; without Redis none does, since nobody tells.
/// </summary>
internal sealed class HotAnswers(ChangeFeed feed, RedisLink link, IOptions<GatewayOptions> options, TimeProvider time)
{
    private readonly ConcurrentLru<Key, Answer>? _answers = options.Value.HotAnswers == 0 ? null : new ConcurrentLru<Key, Answer>(Math.Max(3, options.Value.HotAnswers));
    private readonly GatewayOptions _options = options.Value;

    /// <summary>The answer, if it stands.</summary>
    public Answer? Find(in Key key)
    {
        if (_answers is null || !_answers.TryGet(key, out var answer))
            return null;
        return feed.IsHeard && answer.Epoch == link.Epoch && time.GetTimestamp() < answer.Until && feed.Stands(answer.OfOrder) && (answer.OfCode is not { } code || feed.Stands(code))
            ? answer
            : null;
    }

    /// <summary>Keeps an answer for the next who asks.</summary>
    /// <param name="key">What was asked.</param>
    /// <param name="storeId">The store that the order belongs to.</param>
    /// <param name="freshUntil">Until when nobody needs to ask for its parts.</param>
    /// <param name="found">What the code led to.</param>
    /// <param name="bytes">The answer.</param>
    /// <param name="marks">Taken before order and code were read.</param>
    public void Keep(in Key key, string storeId, DateTimeOffset freshUntil, Located found, ViewBytes bytes, Marks marks)
    {
        if (_answers is null || marks.Epoch == 0 || !feed.IsHeard || bytes.Bytes.Length > _options.HotAnswerBytes)
            return;
        var stands = freshUntil - time.GetUtcNow();
        if (stands > _options.HotAge)
            stands = _options.HotAge;
        if (stands > TimeSpan.Zero)
            _answers.AddOrUpdate(key, new Answer(bytes, found, storeId, marks.OfOrder, marks.OfCode, marks.Epoch, time.GetTimestamp() + (long)(stands.TotalSeconds * time.TimestampFrequency)));
    }

    /// <summary>What was asked.</summary>
    internal readonly record struct Key(string Code, string StoreId, int Selection, Visibility Class, bool NamesOthers);

    /// <summary>How much had been told before it was read.</summary>
    internal readonly record struct Marks(ChangeFeed.Mark OfOrder, ChangeFeed.Mark? OfCode, long Epoch);

    /// <summary>What was answered.</summary>
    internal sealed record Answer(ViewBytes Bytes, Located Found, string StoreId, ChangeFeed.Mark OfOrder, ChangeFeed.Mark? OfCode, long Epoch, long Until);
}
