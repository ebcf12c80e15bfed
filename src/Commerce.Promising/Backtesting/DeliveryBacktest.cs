namespace Commerce.Promising.Backtesting;

/// <summary>What was said of a parcel when it started, and what came.</summary>
/// <param name="ExpectedDays">The median of the forecast.</param>
/// <param name="TrailingDays">What a median of the last 45 days' deliveries would have said.</param>
/// <param name="Covered">Whether the p50, p80 and p95 windows held.</param>
/// <param name="Pit">The share of the forecast's distribution below what came: evenly spread if the distribution is right.</param>
/// <param name="Risk">The chance to be late; null without a promise.</param>
public sealed record ScoredDelivery(
    Consignment Consignment, double ActualDays, double ExpectedDays, double TrailingDays, double? PromisedDays, bool[] Covered, double[] WindowDays, double Pit, double? Risk, bool? Late);

/// <summary>
/// Replays journeys in the order of time: at each start the model, which knows what happened before that moment and nothing else,
/// says when the parcel will arrive. Its corrections are fitted anew at the first of each month.
/// </summary>
public static class DeliveryBacktest
{
    private static readonly TimeSpan Trailing = TimeSpan.FromDays(45);

    /// <returns>The parcels that arrived, in the order in which they started.</returns>
    public static IReadOnlyList<ScoredDelivery> Run(IReadOnlyList<Journey> journeys, DeliveryModel model, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        var events = Journey.Events(journeys);
        var scored = new List<ScoredDelivery>(journeys.Count);
        var recent = new TrailingMedian(Trailing);
        DateTimeOffset month = default;
        for (var i = 0; i < events.Count; i++)
        {
            if (i % 1000 == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress?.Report((double)i / events.Count);
            }

            var (at, kind, journey) = events[i];
            if (new DateTimeOffset(at.Year, at.Month, 1, 0, 0, 0, at.Offset) is var first && first > month)
            {
                month = first;
                model.Refit(first > at ? at : first);
            }

            var c = journey.Consignment;
            switch (kind)
            {
                case JourneyEvent.Delivered:
                    model.Delivered(c.Id, at);
                    recent.Add(c.StartedAt, (at - c.StartedAt).TotalDays);
                    break;
                case JourneyEvent.HandedOver:
                    model.HandedOver(c.Id, at);
                    break;
                default:
                    var forecast = model.Started(c);
                    if (journey.DeliveredAt is { } delivered)
                        scored.Add(Score(c, delivered, forecast, recent.At(at)));
                    break;
            }
        }

        progress?.Report(1);
        return scored;
    }

    private static ScoredDelivery Score(Consignment c, DateTimeOffset delivered, Forecast forecast, double trailing)
    {
        var windows = Forecasts.Coverages.Select(coverage => forecast.Window(coverage, c.StartedAt)).ToList();
        return new ScoredDelivery(
            c,
            (delivered - c.StartedAt).TotalDays,
            (forecast.Median(c.StartedAt) - c.StartedAt).TotalDays,
            trailing,
            (c.PromisedAt - c.StartedAt)?.TotalDays,
            [.. windows.Select(window => window.From <= delivered && delivered <= window.Until)],
            [.. windows.Select(window => (window.Until - window.From).TotalDays)],
            forecast.Share(delivered),
            forecast.DelayRisk(c.StartedAt),
            c.PromisedAt is { } promise ? delivered > promise : null);
    }

    // Of parcels that started within the span before and have arrived.
    private sealed class TrailingMedian(TimeSpan span)
    {
        private readonly List<(DateTimeOffset StartedAt, double Days)> _known = [];
        private (DateTimeOffset Day, double Median) _cached = (default, 10);

        public void Add(DateTimeOffset startedAt, double days) => _known.Add((startedAt, days));

        // As of the day's beginning: once a day is often enough for a median.
        public double At(DateTimeOffset now)
        {
            var day = new DateTimeOffset(now.Date, now.Offset);
            if (day == _cached.Day)
                return _cached.Median;
            _known.RemoveAll(one => one.StartedAt < day - span);
            var days = _known.Select(one => one.Days).Order().ToList();
            return (_cached = (day, days.Count > 0 ? days[days.Count / 2] : _cached.Median)).Median;
        }
    }
}
