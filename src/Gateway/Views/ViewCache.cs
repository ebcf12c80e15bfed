using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Commerce.Gateway.Views;

/// <summary>A view as Redis has it.</summary>
/// <param name="Born">The token of the view's life; null: Redis does not have it.</param>
/// <param name="Parts">By kind; null: not there, or not asked for.</param>
/// <param name="Marks">The names of the parts of which a fact told something that their copies do not have; null: none.</param>
/// <param name="Has">By kind, what the copies have; null: it was not asked for.</param>
internal sealed record CachedView(string? Born, Part?[] Parts, string? Marks, string?[]? Has)
{
    public static readonly CachedView None = new(null, new Part?[Part.Kinds.Length], null, null);

    /// <summary>A fact told of something that the copy does not have.</summary>
    public bool IsMarked(PartKind kind) => Marks is not null && Marks.Contains(Part.NameOf(kind), StringComparison.Ordinal);
}

/// <summary>
/// The views in Redis: one hash an order, "view:{order-id-value}". For each part: its head ("order"), a copy with its head for each class
/// of visibility that was asked for ("order:staff"), which facts the part has ("order#"), and what facts told that it does not have yet
/// ("order!"); which parts have such ("!"); and all parts put together for a class ("answer:staff"), only as long as nothing is told of any
/// and none is replaced. It can be flushed at any moment.
/// </summary>
internal sealed class ViewCache(RedisLink link, ChangeFeed feed, IOptions<GatewayOptions> options)
{
    private static readonly string Common = Script("common");
    private static readonly string ExpectScript = Script("expect");
    private static readonly string StoreScript = Common + Script("store");
    private static readonly string TellScript = Common + Script("tell");
    private static readonly string KeepScript = Script("keep");
    private static readonly string KeepAnswerScript = Script("keep_answer");
    private static readonly string ForgetScript = Script("forget");

    private static readonly ConcurrentDictionary<(int, PartKind?, bool), Layout> Layouts = new();

    private static readonly RedisValue[][] AnswerFields = [.. Enum.GetValues<Visibility>().Select(visibility => new RedisValue[] { AnswerOf(visibility), "born" })];

    private readonly GatewayOptions _options = options.Value;
    private readonly RedisValue _ttl = (long)options.Value.ViewTtl.TotalMilliseconds;
    // Longer than a reader can be away asking the services, retries included.
    private readonly RedisValue _expectTtl = (long)(4 * options.Value.SourceTimeout).TotalMilliseconds;

    /// <summary>One round trip.</summary>
    /// <param name="id">The order.</param>
    /// <param name="selection">The copies that are read. The order's head is always read: it tells that there is such an order.</param>
    /// <param name="head">Another part of which the head is read.</param>
    /// <param name="withHas">Which facts the copies have is read, too.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<CachedView> Read(OrderId id, Selection selection, PartKind? head, bool withHas)
    {
        var layout = Layouts.GetOrAdd((selection.Bits, head, withHas), static key => Layout.Of(new Selection(key.Item1), key.Item2, key.Item3));
        var values = await link.Read(ViewKey(id), layout.Fields);
        if (values is null || values[0].IsNull)
            return CachedView.None;

        var parts = new Part?[Part.Kinds.Length];
        var has = withHas ? new string?[Part.Kinds.Length] : null;
        var at = 2;
        foreach (var (kind, visibilities) in layout.Parts)
        {
            if (has is not null)
                has[(int)kind] = values[at++];
            if (visibilities.Length == 0)
            {
                parts[(int)kind] = Part.FromBytes(kind, values[at++], null);
                continue;
            }

            Part? part = null;
            var missing = false;
            foreach (var visibility in visibilities)
            {
                var copy = Part.FromBytes(kind, values[at++], visibility);
                missing |= copy is null;
                if (part is null)
                    part = copy;
                else if (copy is not null)
                    part.Put(visibility, copy.Copy(visibility));
            }

            parts[(int)kind] = missing ? await Reduced(id, kind, visibilities) : part;
        }

        return new CachedView(values[0], parts, values[1], has);
    }

    /// <summary>Begins to read a <see cref="KeptAnswer"/> for a class, and the token of the view's life; see <see cref="RedisLink.Begin"/>. One round trip.</summary>
    public Task<RedisValue[]?> BeginAnswer(OrderId id, Visibility visibility) => link.Begin(ViewKey(id), AnswerFields[(int)visibility]);

    /// <summary>Keeps what parts that Redis has were put together to, unless one of them is another by now.</summary>
    public Task KeepAnswer(OrderId id, Visibility visibility, KeptAnswer answer, IEnumerable<Part> parts) =>
        link.Ask(redis => redis.ScriptEvaluateAsync(KeepAnswerScript, [ViewKey(id)], [AnswerOf(visibility), answer.ToBytes(), .. parts.SelectMany(part => new RedisValue[] { Part.NameOf(part.Kind), part.HeadToBytes() })]));

    /// <summary>Announces that the services are about to be asked; the token to store under, or null if Redis is down.</summary>
    public async Task<string?> Expect(OrderId id)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(9));
        var born = await link.Ask(redis => redis.ScriptEvaluateAsync(ExpectScript, [ViewKey(id)], [token, _expectTtl]));
        return born is { IsNull: false } ? (string?)born : null;
    }

    /// <summary>Keeps copies; an older one never replaces a newer. False if Redis is down, or has lost the view since it was expected.</summary>
    public async Task<bool> Store(OrderId id, string born, IReadOnlyList<Part> parts)
    {
        if (parts.Count == 0)
            return true;
        var arguments = new List<RedisValue>(4 + (5 * parts.Count)) { born, _ttl, feed.Channel, feed.MessageOf(id) };
        foreach (var part in parts)
            arguments.AddRange([Part.NameOf(part.Kind), part.Version, part.Has, part.HeadToBytes(), part.ToBytes(part.Copy(Visibility.Staff))]);
        return await link.Ask(redis => redis.ScriptEvaluateAsync(StoreScript, [ViewKey(id)], [.. arguments])) is { } stored && (long)stored == 1;
    }

    /// <summary>Marks parts as older than a version of one of their keys, and wakes all nodes' watchers; false if Redis is down.</summary>
    public async Task<bool> Tell(OrderId id, IReadOnlyList<(PartKind Kind, string Key, long Version)> told)
    {
        var arguments = new List<RedisValue>(2 + (3 * told.Count)) { feed.Channel, feed.MessageOf(id) };
        foreach (var (kind, key, version) in told)
            arguments.AddRange([Part.NameOf(kind), key, version]);
        return await link.Ask(redis => redis.ScriptEvaluateAsync(TellScript, [ViewKey(id)], [.. arguments])) is not null;
    }

    /// <summary>
    /// Drops every copy of the order, here and in the memory of all nodes. Where Redis is down they are believed no more, and go with
    /// <see cref="GatewayOptions.ViewTtl"/>.
    /// </summary>
    public Task Forget(OrderId id)
    {
        feed.Forgotten(id);
        return link.Ask(redis => redis.ScriptEvaluateAsync(ForgetScript, [ViewKey(id)], [feed.Channel, feed.ForgettingOf(id)]));
    }

    // The first reader of a class makes its copy of the one for staff, and keeps it for the next.
    private async Task<Part?> Reduced(OrderId id, PartKind kind, Visibility[] visibilities)
    {
        var name = Part.NameOf(kind);
        if (await link.Read(ViewKey(id), [$"{name}:staff"]) is not [var copy] || Part.FromBytes(kind, copy, Visibility.Staff) is not { } part)
            return null;
        foreach (var visibility in visibilities.Where(visibility => visibility != Visibility.Staff))
        {
            var reduced = part.ToBytes(part.Copy(visibility));
            await link.Ask(redis => redis.ScriptEvaluateAsync(KeepScript, [ViewKey(id)], [name, part.HeadToBytes(), Visibilities.NameOf(visibility), reduced]));
        }

        return part;
    }

    private static string AnswerOf(Visibility visibility) => $"answer:{Visibilities.NameOf(visibility)}";

    private RedisKey ViewKey(OrderId id) => $"{_options.RedisPrefix}view:{id.Value}";

    internal static string Script(string name)
    {
        using var stream = typeof(ViewCache).Assembly.GetManifestResourceStream($"Scripts.{name}.lua")
            ?? throw new InvalidOperationException($"The script {name} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Which fields of the hash are read, and what they are.</summary>
    private sealed record Layout(RedisValue[] Fields, (PartKind Kind, Visibility[] Visibilities)[] Parts)
    {
        public static Layout Of(Selection selection, PartKind? head, bool withHas)
        {
            List<RedisValue> fields = ["born", "!"];
            var parts = new List<(PartKind, Visibility[])>();
            foreach (var kind in Part.Kinds.Where(kind => kind == PartKind.Order || kind == head || selection.Has(kind)))
            {
                var visibilities = Enum.GetValues<Visibility>().Where(visibility => selection.Has(kind, visibility)).ToArray();
                var name = Part.NameOf(kind);
                if (withHas)
                    fields.Add(name + "#");
                fields.AddRange(visibilities.Length == 0 ? [name] : visibilities.Select(visibility => (RedisValue)$"{name}:{Visibilities.NameOf(visibility)}"));
                parts.Add((kind, visibilities));
            }

            return new Layout([.. fields], [.. parts]);
        }
    }
}
