namespace Commerce.Promising.Backtesting;

/// <summary>A parcel as it really went.</summary>
/// <param name="HandedOverAt">When the carrier had it; null if never, or not known.</param>
/// <param name="DeliveredAt">When it arrived; null if it never did.</param>
public sealed record Journey(Consignment Consignment, DateTimeOffset? HandedOverAt, DateTimeOffset? DeliveredAt);

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
        var events = Events(journeys);
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
                case Kind.Delivered:
                    model.Delivered(c.Id, at);
                    recent.Add(c.StartedAt, (at - c.StartedAt).TotalDays);
                    break;
                case Kind.HandedOver:
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

    private static List<(DateTimeOffset At, Kind Kind, Journey Journey)> Events(IReadOnlyList<Journey> journeys)
    {
        var events = new List<(DateTimeOffset At, Kind Kind, Journey Journey)>(journeys.Count * 3);
        foreach (var journey in journeys)
        {
            events.Add((journey.Consignment.StartedAt, Kind.Started, journey));
            if (journey.HandedOverAt is { } handedOver && !(handedOver >= journey.DeliveredAt))
                events.Add((handedOver, Kind.HandedOver, journey));
            if (journey.DeliveredAt is { } delivered)
                events.Add((delivered, Kind.Delivered, journey));
        }

        events.Sort((one, other) => (one.At.CompareTo(other.At), one.Kind.CompareTo(other.Kind)) switch
        {
            (not 0 and var byTime, _) => byTime,
            (_, not 0 and var byKind) => byKind,
            _ => string.CompareOrdinal(one.Journey.Consignment.Id, other.Journey.Consignment.Id),
        });
        return events;
    }

    // What ends at a moment is known to what starts at it.
    private enum Kind
    {
        Delivered,
        HandedOver,
        Started,
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
