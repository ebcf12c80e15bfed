using Commerce.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace Commerce.Orders.CheckingGoods;

/// <summary>The standing check of orders, parcels and stock.</summary>
public sealed class CheckGoods(GoodsCheck check, IOptions<OrdersOptions> options, TimeProvider time, ILogger<CheckGoods> logger) : StandingCheck("goods", time, logger)
{
    protected override int Kinds => GoodsCheck.Kinds;

    protected override CheckPace Pace => new(options.Value.CheckEvery, options.Value.CheckSlice, options.Value.CheckPause);

    protected override long Differing
    {
        get => OrdersTelemetry.GoodsDifferences;
        set => OrdersTelemetry.GoodsDifferences = value;
    }

    protected override DateTimeOffset CheckedAt
    {
        set => OrdersTelemetry.GoodsCheckedAt = value;
    }

    protected override Task<(string? Last, IReadOnlyList<Difference> Differences)> Slice(int kind, string after, int size, CancellationToken cancellationToken) =>
        check.Slice(kind, after, size, cancellationToken);
}
