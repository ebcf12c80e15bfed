using Commerce.Promising.Legs;

namespace Commerce.Promising.Backtesting;

/// <summary>What was said of a leg when it started, and what it took. Minutes.</summary>
/// <param name="TableMinutes">What the corridor's past ratio alone would have said.</param>
public sealed record ScoredLeg(Leg Leg, double Actual, LegForecast Forecast, double TableMinutes);

/// <summary>Replays legs in the order of time: at each start the model knows the corridors' history and the legs that ended before.</summary>
public static class LegBacktest
{
    private const double UsualRatio = 2;

    public static IReadOnlyList<ScoredLeg> Run(
        IReadOnlyList<(Leg Leg, double ActualMinutes)> legs, IReadOnlyList<CorridorHistory> history, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        var model = new LegModel(history);
        var ratios = history.GroupBy(one => (one.Source, one.Destination)).ToDictionary(group => group.Key, group => group.Last().Ratio);
        var ended = new PriorityQueue<(string Id, double Minutes), (DateTimeOffset At, string Id)>();
        var scored = new List<ScoredLeg>(legs.Count);
        foreach (var (leg, actual) in legs.OrderBy(one => one.Leg.StartedAt).ThenBy(one => one.Leg.Id, StringComparer.Ordinal))
        {
            if (scored.Count % 1000 == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress?.Report((double)scored.Count / Math.Max(1, legs.Count));
            }

            while (ended.TryPeek(out var one, out var due) && due.At <= leg.StartedAt)
            {
                ended.Dequeue();
                model.Ended(one.Id, one.Minutes, due.At);
            }

            var forecast = model.Started(leg);
            scored.Add(new ScoredLeg(leg, actual, forecast, leg.RoutedMinutes * ratios.GetValueOrDefault((leg.Source, leg.Destination), UsualRatio)));
            var end = leg.StartedAt.AddMinutes(actual);
            var fair = LegModel.FairFrom(leg, forecast);
            ended.Enqueue((leg.Id, actual), (end > fair ? end : fair, leg.Id));
        }

        progress?.Report(1);
        return scored;
    }
}
