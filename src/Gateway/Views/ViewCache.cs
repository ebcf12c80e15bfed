using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Commerce.Gateway.Views;

/// <summary>What Redis has of a view.</summary>
/// <param name="Born">The token of its life in Redis; null: there is none, or Redis is down.</param>
/// <param name="Parts">The copies, by <see cref="PartKind"/>; null where there is none.</param>
/// <param name="Marked">Whether a fact told of something newer than the copy.</param>
internal sealed record CachedView(string? Born, Part?[] Parts, bool[] Marked)
{
    public static readonly CachedView None = new(null, new Part?[3], new bool[3]);
}

/// <summary>
/// The views in Redis: one hash an order, "view:{order-id-value}". For each part: the copy ("order:full"; other classes of
/// visibility would stand beside "full"), the versions in it ("order:full#"), and what facts told that it does not have yet
/// ("order:full!"). It can be flushed at any moment.
/// </summary>
internal sealed class ViewCache(RedisLink link, IOptions<GatewayOptions> options)
{
    /// <summary>The class of visibility that is kept today: everything, for callers who may see everything.</summary>
    private const string Visibility = ":full";

    private static readonly string[] Fields = [.. Part.Kinds.Select(kind => Part.NameOf(kind) + Visibility)];

    private static readonly RedisValue[] ReadFields =
        ["born", .. Fields.Select(field => (RedisValue)field), .. Fields.Select(field => (RedisValue)(field + "!"))];

    private static readonly string Common = Script("common");
    private static readonly string ExpectScript = Script("expect");
    private static readonly string StoreScript = Common + Script("store");
    private static readonly string TellScript = Common + Script("tell");

    private readonly GatewayOptions _options = options.Value;
    private readonly RedisValue _ttl = (long)options.Value.ViewTtl.TotalMilliseconds;
    // Longer than a reader can be away asking the services, retries included.
    private readonly RedisValue _expectTtl = (long)(4 * options.Value.SourceTimeout).TotalMilliseconds;

    /// <summary>The channel that tells all nodes of changes: the Order ID.</summary>
    public RedisChannel Channel { get; } = RedisChannel.Literal(options.Value.RedisPrefix + "changes");

    /// <summary>One round trip.</summary>
    public async Task<CachedView> Read(OrderId id)
    {
        var values = await link.Ask(redis => redis.HashGetAsync(ViewKey(id), ReadFields));
        if (values is null || values[0].IsNull)
            return CachedView.None;

        var view = new CachedView(values[0], new Part?[Fields.Length], new bool[Fields.Length]);
        for (var i = 0; i < Fields.Length; i++)
        {
            view.Parts[i] = Part.FromBytes(values[1 + i]);
            view.Marked[i] = !values[1 + Fields.Length + i].IsNull;
        }

        return view;
    }

    /// <summary>Announces that the services are about to be asked; the token to store under, or null if Redis is down.</summary>
    public async Task<string?> Expect(OrderId id)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(9));
        var born = await link.Ask(redis => redis.ScriptEvaluateAsync(ExpectScript, [ViewKey(id)], [token, _expectTtl]));
        return born is { IsNull: false } ? (string?)born : null;
    }

    /// <summary>Keeps copies; an older one never replaces a newer.</summary>
    public Task Store(OrderId id, string born, IEnumerable<(PartKind Kind, Part Part)> parts)
    {
        var arguments = new List<RedisValue> { born, _ttl };
        foreach (var (kind, part) in parts)
            arguments.AddRange([Fields[(int)kind], part.Versions, part.ToBytes()]);
        return arguments.Count == 2
            ? Task.CompletedTask
            : link.Ask(redis => redis.ScriptEvaluateAsync(StoreScript, [ViewKey(id)], [.. arguments]));
    }

    /// <summary>Marks a part as older than <paramref name="version"/> of the aggregate <paramref name="key"/>, and wakes all nodes' watchers; false if Redis is down.</summary>
    public async Task<bool> Tell(OrderId id, PartKind kind, string key, long version) =>
        await link.Ask(redis => redis.ScriptEvaluateAsync(
            TellScript, [ViewKey(id)], [Channel.ToString(), id.ToString(), Fields[(int)kind], key, version])) is not null;

    /// <summary>The Order ID that a Tracking ID belongs to, as far as Redis knows. One round trip.</summary>
    public async Task<OrderId?> FindOrder(string trackingNumber)
    {
        var values = await link.Ask(redis => redis.StringGetAsync([TrackingKey(trackingNumber)]));
        // The epoch stands before the Order ID: a number that changed hands while nobody could say so is asked for again.
        if (values?[0].ToString().Split('|') is [var epoch, var text]
            && long.TryParse(epoch, out var kept) && kept == link.Epoch && OrderId.TryParse(text, out var id))
            return id;
        return null;
    }

    public Task KeepOrder(string trackingNumber, OrderId id, long epoch) => link.Ask(async redis =>
    {
        await redis.StringSetAsync(TrackingKey(trackingNumber), $"{epoch}|{id}", _options.MaxPartAge);
        return "";
    });

    /// <summary>The number has a new bearer; who is the newest is for Shipments to say.</summary>
    public Task ForgetOrder(string trackingNumber) => link.Ask(async redis =>
    {
        await redis.KeyDeleteAsync(TrackingKey(trackingNumber));
        return "";
    });

    private RedisKey ViewKey(OrderId id) => $"{_options.RedisPrefix}view:{id.Value}";

    private RedisKey TrackingKey(string number) => $"{_options.RedisPrefix}tracking:{number}";

    private static string Script(string name)
    {
        using var stream = typeof(ViewCache).Assembly.GetManifestResourceStream($"Scripts.{name}.lua")
            ?? throw new InvalidOperationException($"The script {name} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
