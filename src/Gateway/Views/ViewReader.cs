using System.Runtime.CompilerServices;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Commerce.Gateway.Views;

/// <summary>Reads views: from Redis where its copies can be believed, from the owning services where not.</summary>
internal sealed class ViewReader(
    ViewCache cache, SetAside aside, PartSources sources, RedisLink link, ChangeFeed feed, IOptions<GatewayOptions> options, TimeProvider time, GatewayTelemetry telemetry)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly GatewayOptions _options = options.Value;

    /// <summary>Begins to read everything of an order put together for a class of callers; see <see cref="RedisLink.Begin"/>.</summary>
    public Task<RedisValue[]?> BeginAnswer(OrderId id, Visibility audience) => cache.BeginAnswer(id, audience);

    /// <summary>Everything of an order put together, if Redis had that; otherwise whether it had something of the order.</summary>
    public (KeptAnswer? Answer, bool IsKnown) AnswerOf(Task<RedisValue[]?> ended, OrderId id)
    {
        if (link.ResultOf(ended) is not [var kept, var born] || born.IsNull)
            return (null, false);
        if (KeptAnswer.FromBytes(kept, id) is not { } answer || answer.Epoch != link.Epoch || answer.FreshUntil <= time.GetUtcNow())
            return (null, true);
        aside.Passed(id);
        telemetry.Read("hit");
        return (answer, true);
    }

    /// <summary>Keeps what a view was put together to for those who ask next, if Redis has all of it as it is.</summary>
    public Task Keep(OrderView view, Visibility audience, ViewBytes answer) => view.PartOf(PartKind.Order) is { } order && view.IsKept
        ? cache.KeepAnswer(view.Id, audience, new KeptAnswer(answer, view.StoreId, view.FreshUntil, order.Epoch), Part.Kinds.Select(kind => view.PartOf(kind)!))
        : Task.CompletedTask;

    /// <summary>The view of an order, or null if there is no such order.</summary>
    /// <exception cref="Failure">DEPENDENCY_UNAVAILABLE: Orders does not answer and no copy of the order is known; VERSION_NOT_REACHED.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<OrderView?> Read(OrderId id, ReadNeeds needs, CancellationToken cancellationToken)
    {
        var cached = needs.IsUnknown ? CachedView.None : await cache.Read(id, needs.Selection, needs.Head, needs.MinVersions.Count > 0);
        aside.Passed(id, cached.Parts);
        if (needs.TakesAny && Whole(id, needs, cached, time.GetUtcNow()) is { } whole)
        {
            telemetry.Read("hit");
            return whole;
        }

        return await ReadDoubted(id, needs, cached, cancellationToken);
    }

    private async Task<OrderView?> ReadDoubted(OrderId id, ReadNeeds needs, CachedView cached, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var wanted = Part.Kinds.Where(kind => Needs(kind) && !IsFresh(kind)).ToArray();
        var (parts, stale) = wanted.Length == 0 ? (cached.Parts, []) : await Ask(id, needs, cached, wanted, cancellationToken);
        if (parts is null)
            return null;
        // Which part has to grow nobody can say.
        if (needs.MinVersion > 0 && VersionOf(parts) < needs.MinVersion && wanted.Length < Part.Kinds.Length)
        {
            (parts, stale) = await Ask(id, needs, cached, [.. Part.Kinds.Where(kind => needs.Selection.Has(kind))], cancellationToken);
            if (parts is null)
                return null;
        }

        telemetry.Read(wanted.Length == 0 ? "hit" : !link.IsUp ? "direct" : cached.Born is null ? "miss" : "partial");
        if (parts[(int)PartKind.Order] is not { IsAbsent: false } order)
        {
            throw new Failure(ErrorReason.DependencyUnavailable, "Orders does not answer, and no copy of this order is known; try again.")
            {
                RetryAfter = RetryAfter,
            };
        }

        // The value alone is the key; the prefix must be the store's too, or it is a code that nobody gave out.
        if (!string.Equals(PartIndex.OfOrder(order.Index).OrderId, id.ToString(), StringComparison.Ordinal))
            return null;
        if (order.Version < needs.MinOrderVersion)
            throw NotReached($"The order is at version {order.Version}, and at least {needs.MinOrderVersion} was asked for; try again.");
        if (VersionOf(parts) < needs.MinVersion)
            throw NotReached($"The view is at version {VersionOf(parts)}, and at least {needs.MinVersion} was asked for; try again.");
        foreach (var (kind, key, version) in needs.MinVersions)
        {
            if (VersionIn(HasOf(kind), key) is var reached && reached < version)
                throw NotReached($"In {Part.NameOf(kind)}, {key} is at version {reached}, and at least {version} was asked for; try again.");
        }

        var freshUntil = Part.Kinds.Where(kind => needs.Selection.Has(kind) && parts[(int)kind] is not null)
            .Select(kind => parts[(int)kind]!.ReadTime + MostAge(parts[(int)kind]!)).DefaultIfEmpty(now).Min();
        return new OrderView(id, parts, stale, freshUntil);

        bool Needs(PartKind kind) => kind == PartKind.Order || kind == needs.Head || needs.Selection.Has(kind) || needs.MinVersions.Any(one => one.Kind == kind);

        bool IsFresh(PartKind kind)
        {
            if (cached.Parts[(int)kind] is not { } part)
                return false;
            // That there is such an order stays true.
            if (kind == PartKind.Order && !needs.Selection.Has(kind) && needs.MinOrderVersion == 0 && !part.IsAbsent && needs.MinVersions.All(one => one.Kind != kind))
                return true;
            if (cached.IsMarked(kind) || part.Epoch != link.Epoch)
                return false;
            if (kind == PartKind.Order && part.Version < needs.MinOrderVersion)
                return false;
            if (needs.MinVersions.Any(one => one.Kind == kind && VersionIn(cached.Has?[(int)kind], one.Key) < one.Version))
                return false;
            return now - part.ReadTime < MostAge(part);
        }

        long VersionOf(Part?[] all) => all.Where(part => part is not null && needs.Selection.Has(part.Kind)).Sum(part => part!.Version);

        string? HasOf(PartKind kind) => parts[(int)kind] is { Has.Length: > 0 } asked ? asked.Has : cached.Has?[(int)kind];
    }

    /// <summary>What Redis has, if it has all and nothing of it is in doubt: most look-ups end here.</summary>
    private OrderView? Whole(OrderId id, ReadNeeds needs, CachedView cached, DateTimeOffset now)
    {
        if (cached.Parts[(int)PartKind.Order] is not { IsAbsent: false } order)
            return null;
        var (freshUntil, epoch) = (DateTimeOffset.MaxValue, link.Epoch);
        foreach (var kind in Part.Kinds)
        {
            if (!needs.Selection.Has(kind) && kind != needs.Head)
                continue;
            if (cached.Parts[(int)kind] is not { } part || part.Epoch != epoch || cached.IsMarked(kind))
                return null;
            var until = part.ReadTime + MostAge(part);
            if (until < freshUntil)
                freshUntil = until;
        }

        return now < freshUntil && string.Equals(PartIndex.OfOrder(order.Index).OrderId, id.ToString(), StringComparison.Ordinal) ? new OrderView(id, cached.Parts, [], freshUntil) { IsKept = true } : null;
    }

    private TimeSpan MostAge(Part part) => part is { Kind: PartKind.Payment, IsAbsent: true } ? _options.MaxAbsenceAge : _options.MaxPartAge;

    private async Task<(Part?[]? Parts, List<PartKind> Stale)> Ask(
        OrderId id, ReadNeeds needs, CachedView cached, PartKind[] wanted, CancellationToken cancellationToken)
    {
        Part?[] parts = [.. cached.Parts];
        var stale = new List<PartKind>();
        if (needs.Gate is { } gate)
            await gate.WaitAsync(cancellationToken);
        try
        {
            // Before the services are asked, so that a fact that overtakes their answer finds something to mark.
            var born = cached.Born ?? await cache.Expect(id);
            var answers = await Task.WhenAll(wanted.Select(kind => sources.Ask(kind, id, cancellationToken)));
            var fetched = new List<Part>(wanted.Length);
            var newer = false;
            for (var i = 0; i < wanted.Length; i++)
            {
                var kind = wanted[i];
                var part = answers[i];
                // Orders knows nothing of it. A payment or a parcel of an order that is not there cannot be.
                if (kind == PartKind.Order && part is { IsAbsent: true })
                    return (null, stale);
                if (part is null)
                {
                    if (aside.Find(id, kind) is { } last && (parts[(int)kind] is not { } copy || copy.Version < last.Version))
                        parts[(int)kind] = last;
                    stale.Add(kind);
                    telemetry.StalePart(Part.NameOf(kind));
                    continue;
                }

                // A service never forgets; an older answer than the copy at hand can only come from one that lags behind.
                if (parts[(int)kind] is { } known && known.Version > part.Version)
                    continue;
                newer |= parts[(int)kind] is not { } old || old.Version < part.Version;
                parts[(int)kind] = part;
                fetched.Add(part);
            }

            // Before anybody sees it, so that nobody who saw it finds an older one kept.
            if (newer)
                feed.Overtaken(id);
            if (born is not null && await cache.Store(id, born, fetched))
                aside.Passed(id, fetched);
            else
                aside.Put(id, fetched);
            return (parts, stale);
        }
        finally
        {
            needs.Gate?.Release();
        }
    }

    private static long VersionIn(string? has, string key)
    {
        foreach (var pair in (has ?? "").Split('|', ','))
        {
            if (pair.Length > key.Length && pair[key.Length] == '=' && pair.StartsWith(key, StringComparison.Ordinal) && long.TryParse(pair.AsSpan(key.Length + 1), out var version))
                return version;
        }

        return 0;
    }

    private static Failure NotReached(FormattableString message) => new(ErrorReason.VersionNotReached, FormattableString.Invariant(message)) { RetryAfter = RetryAfter };
}
