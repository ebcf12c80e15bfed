using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Views;

/// <summary>Reads views: from Redis where its copies can be believed, from the owning services where not.</summary>
internal sealed class ViewReader(
    ViewCache cache, PartSources sources, RedisLink link, IOptions<GatewayOptions> options, TimeProvider time, GatewayTelemetry telemetry)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly GatewayOptions _options = options.Value;

    /// <summary>The view of an order, or null if there is no such order.</summary>
    /// <param name="id">The order.</param>
    /// <param name="minOrderVersion">The order in the view has at least this version of its own.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="Failure">DEPENDENCY_UNAVAILABLE: Orders does not answer and no copy of the order is known; VERSION_NOT_REACHED.</exception>
    public async Task<OrderView?> Read(OrderId id, long minOrderVersion, CancellationToken cancellationToken)
    {
        var cached = await cache.Read(id);
        var now = time.GetUtcNow();
        var wanted = Part.Kinds.Where(kind => !IsFresh(kind)).ToArray();

        var parts = cached.Parts;
        var stale = new List<PartKind>();
        if (wanted.Length > 0)
        {
            parts = [.. parts];
            // Before the services are asked, so that a fact that overtakes their answer finds something to mark.
            var born = cached.Born ?? await cache.Expect(id);
            var answers = await Task.WhenAll(wanted.Select(kind => sources.Ask(kind, id, cancellationToken)));
            var fetched = new List<(PartKind, Part)>(wanted.Length);
            for (var i = 0; i < wanted.Length; i++)
            {
                var kind = wanted[i];
                var part = answers[i];
                // Orders knows nothing of it. A payment or a parcel of an order that is not there cannot be.
                if (kind == PartKind.Order && part is { IsAbsent: true })
                    return null;
                if (part is null)
                {
                    stale.Add(kind);
                    telemetry.StalePart(Part.NameOf(kind));
                    continue;
                }

                // A service never forgets; an older answer than the copy at hand can only come from one that lags behind.
                if (parts[(int)kind] is { } known && known.Version > part.Version)
                    continue;
                parts[(int)kind] = part;
                fetched.Add((kind, part));
            }

            if (born is not null)
                await cache.Store(id, born, fetched);
        }

        telemetry.Read(wanted.Length == 0 ? "hit" : !link.IsUp ? "direct" : cached.Born is null ? "miss" : "partial");
        if (parts[(int)PartKind.Order] is not { IsAbsent: false } order)
        {
            throw new Failure(ErrorReason.DependencyUnavailable, "Orders does not answer, and no copy of this order is known; try again.")
            {
                RetryAfter = RetryAfter,
            };
        }

        if (order.Version < minOrderVersion)
        {
            throw new Failure(ErrorReason.VersionNotReached, $"The order is at version {order.Version}, and at least {minOrderVersion} was asked for; try again.")
            {
                RetryAfter = RetryAfter,
            };
        }

        var view = OrderView.Join(order, parts[(int)PartKind.Payment], parts[(int)PartKind.Shipments], stale);
        // The value alone is the key; the prefix must be the store's too, or it is a code that nobody gave out.
        return string.Equals(view.OrderId, id.ToString(), StringComparison.Ordinal) ? view : null;

        bool IsFresh(PartKind kind)
        {
            if (cached.Parts[(int)kind] is not { } part || cached.Marked[(int)kind] || part.Epoch != link.Epoch)
                return false;
            if (kind == PartKind.Order && part.Version < minOrderVersion)
                return false;
            var most = kind == PartKind.Payment && part.IsAbsent ? _options.MaxAbsenceAge : _options.MaxPartAge;
            return now - part.ReadTime < most;
        }
    }
}
