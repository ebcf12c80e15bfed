using Commerce.Promising.Learning;

namespace Commerce.Promising.Legs;

/// <summary>What is known of a hub-to-hub leg when it starts.</summary>
/// <param name="Id">Tells it from the others.</param>
/// <param name="Source">The hub that it leaves.</param>
/// <param name="Destination">The hub that it goes to.</param>
/// <param name="RouteType">The kind of vehicle, for example "FTL".</param>
/// <param name="StartedAt">By the hub's clock.</param>
/// <param name="RoutedMinutes">What a router (OSRM) says that the way takes without a stop.</param>
public sealed record Leg(string Id, string Source, string Destination, string RouteType, DateTimeOffset StartedAt, double RoutedMinutes);

/// <summary>What a corridor did in the past.</summary>
/// <param name="Legs">How many legs it rests on.</param>
/// <param name="ActualMinutes">Their median.</param>
/// <param name="RoutedMinutes">The median of what the router said of them.</param>
/// <param name="Ratio">The median of one over the other.</param>
public sealed record CorridorHistory(string Source, string Destination, string RouteType, double Legs, double ActualMinutes, double RoutedMinutes, double Ratio);

/// <summary>When a leg ends: minutes, and the window that 80 % of such legs end in.</summary>
public sealed record LegForecast(double Minutes, double From, double Until);

/// <summary>
/// How long legs take. A corridor's own past median tells most; one with little past is pulled towards what its hubs add to the
/// router's time. Four forecasters of that kind are asked, and count by how little they erred so far on legs that have ended.
/// </summary>
public sealed class LegModel
{
    // A corridor's history outweighs its hubs' from its second leg on.
    private const double PriorLegs = 0.7;
    private const double HubLegs = 3;
    private const double FirstRatio = 2;

    // A forecaster that errs a twentieth more than the best one counts a third of it after 1,000 legs.
    private const double LearningRate = 0.02;
    private const double Deviation = 0.35;
    private const double ErrorHalfLifeDays = 10;

    private static readonly double[] FirstWeights = [2, 2, 1, 1];

    private readonly Dictionary<(string, string), CorridorHistory> _corridors = [];
    private readonly Dictionary<string, (double Sum, double Weight)> _from = new(StringComparer.Ordinal), _to = new(StringComparer.Ordinal), _types = new(StringComparer.Ordinal);
    private readonly double[] _losses = new double[FirstWeights.Length];
    private readonly DecayedHistogram _errors = new(), _drift = new();
    private readonly DecayedMeans _recent = new(5);
    private readonly Dictionary<string, (Leg Leg, double[] Logs, double Log)> _open = new(StringComparer.Ordinal);
    private double _meanLoss = 30;

    public LegModel(IEnumerable<CorridorHistory> history)
    {
        _errors.Seed(20, Deviation);
        // A network does not change overnight: a few dozen legs have to say so.
        _drift.Seed(100, Deviation);
        foreach (var corridor in history)
        {
            _corridors[(corridor.Source, corridor.Destination)] = corridor;
            var (value, weight) = (Math.Log(corridor.Ratio), Math.Sqrt(corridor.Legs));
            Add(_from, corridor.Source, value, weight);
            Add(_to, corridor.Destination, value, weight);
            Add(_types, corridor.RouteType, value, weight);
        }

        static void Add(Dictionary<string, (double Sum, double Weight)> means, string key, double value, double weight)
        {
            var (sum, total) = means.GetValueOrDefault(key);
            means[key] = (sum + (value * weight), total + weight);
        }
    }

    /// <summary>A leg starts.</summary>
    public LegForecast Started(Leg leg)
    {
        var logs = Ask(leg);
        var weights = Weights();
        var log = 0.0;
        for (var i = 0; i < logs.Length; i++)
            log += weights[i] * logs[i];
        _open[leg.Id] = (leg, logs, log);
        var errors = _errors.Snapshot();
        return new LegForecast(Math.Exp(log), Math.Exp(log + errors.Quantile(0.1)), Math.Exp(log + errors.Quantile(0.9)));
    }

    /// <summary>
    /// What a leg took is known. Call it when the leg has ended and at least twice its expected time has passed: of legs under way the short
    /// ones end first, and would make the network look faster than it is.
    /// </summary>
    public void Ended(string id, double minutes, DateTimeOffset at)
    {
        if (!_open.Remove(id, out var open))
            return;
        var log = Math.Log(Math.Max(1, minutes));
        for (var i = 0; i < _losses.Length; i++)
            _losses[i] += Math.Abs(minutes - Math.Exp(open.Logs[i])) / _meanLoss;
        _meanLoss += 0.01 * (Math.Abs(minutes - Math.Exp(open.Log)) - _meanLoss);
        _meanLoss = Math.Max(1, _meanLoss);
        _errors.Add(at, Math.Clamp(log - open.Log, -3.99, 3.99), ErrorHalfLifeDays);
        var corridor = Math.Clamp(log - open.Logs[1], -1.5, 1.5);
        _drift.Add(at, corridor, ErrorHalfLifeDays);
        _recent.Add(open.Leg.Source + ">" + open.Leg.Destination, at, corridor);
        _recent.Add(">" + open.Leg.Destination, at, corridor);
    }

    /// <summary>When the outcome of a leg that starts now may be told at the earliest, so that short and long ones are told alike.</summary>
    public static DateTimeOffset FairFrom(Leg leg, LegForecast forecast) => leg.StartedAt.AddMinutes(Math.Min(2 * forecast.Minutes, 30 * 24 * 60));

    private double[] Ask(Leg leg)
    {
        var routed = Math.Log(Math.Max(1, leg.RoutedMinutes));
        var type = Mean(_types, leg.RouteType, Math.Log(FirstRatio), 1);
        var hubs = (Mean(_from, leg.Source, type, HubLegs) + Mean(_to, leg.Destination, type, HubLegs)) / 2;
        var byHubs = routed + hubs;
        var (byRatio, byPast) = (byHubs, byHubs);
        if (_corridors.GetValueOrDefault((leg.Source, leg.Destination)) is { } past)
        {
            byRatio = routed + (((Math.Log(past.Ratio) * past.Legs) + (PriorLegs * hubs)) / (past.Legs + PriorLegs));
            // Another way than usual between the same hubs: half of what the router says of it.
            var detour = 0.5 * (routed - Math.Log(Math.Max(1, past.RoutedMinutes)));
            byPast = (((Math.Log(Math.Max(1, past.ActualMinutes)) + detour) * past.Legs) + (PriorLegs * byHubs)) / (past.Legs + PriorLegs);
        }

        var drift = _drift.Snapshot().Quantile(0.5);
        var hub = _recent.Shrunk(">" + leg.Destination, leg.StartedAt, 0, 20);
        return [byRatio, byPast, byPast + drift, byPast + _recent.Shrunk(leg.Source + ">" + leg.Destination, leg.StartedAt, hub, 6)];
    }

    private double[] Weights()
    {
        var least = _losses.Min();
        var weights = FirstWeights.Zip(_losses, (first, loss) => first * Math.Exp(-LearningRate * (loss - least))).ToArray();
        var sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }

    private static double Mean(Dictionary<string, (double Sum, double Weight)> means, string key, double prior, double strength)
    {
        var (sum, weight) = means.GetValueOrDefault(key);
        return (sum + (strength * prior)) / (weight + strength);
    }
}
