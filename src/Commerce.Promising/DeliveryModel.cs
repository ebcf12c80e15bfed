using Commerce.Promising.Learning;

namespace Commerce.Promising;

/// <summary>
/// Learns from parcels as they start, are handed over and arrive, and says when another one will. Everything that it knows came
/// through these calls, in the order of time: nothing of the future can be in a forecast. Not safe for several threads at once.
/// </summary>
/// <remarks>
/// The days that a parcel takes are a product: the network's pace now, times what region, lane, postal zone, sender and carrier add,
/// each a recent mean pulled towards the coarser level. A ridge regression in logarithms corrects that product. Its past errors, as they
/// were made, are the distribution around it: so the windows cover what they say, as long as it errs as it did lately. The chance to be
/// late is what that distribution leaves beyond the promise, corrected by a logistic regression.
/// </remarks>
public sealed class DeliveryModel
{
    // Which of these does best is a matter of data, and their mean does about as well as the best of them.
    private static readonly double[] Penalties = [30, 100, 300];
    private static readonly double[] HalfLives = [90, 180];
    private static readonly (double Penalty, double HalfLife)[] RiskCandidates = [(30, 120), (100, 120), (300, 120), (30, 400), (100, 400), (300, 400)];

    private const int FewestExamples = 150;

    // What was said before so many had arrived was a guess, and its errors say nothing of what is said later.
    private const double WarmAfter = 30;
    private const int MostExamples = 20_000;
    private const int MostRiskExamples = 12_000;
    private const double ForgottenAfterDays = 120;
    private const double FirstScale = 0.4;

    // With errors of the usual size, a promise that is longer by a factor e divides the odds to be late by e to this.
    private const double SlackSlope = 2.5;

    // Errors shrink and grow within weeks; with few deliveries a day, though, a few weeks are too few to tell.
    private const double ErrorHalfLifeDays = 7;
    private const double ErrorHalfLifeDeliveries = 70;
    private const double RateDays = 7;

    private readonly NetworkState _network;
    private readonly DecayedHistogram _errors = new();
    private readonly DecayedMean _spread = new(10);
    private readonly DecayedMeans _spreadRegion = new(20), _spreadLane = new(30);
    private readonly DecayedMean _deliveries = new(RateDays * 0.6931);

    private readonly Dictionary<string, OpenParcel> _open = new(StringComparer.Ordinal);
    private readonly PriorityQueue<OpenParcel, DateTimeOffset> _promises = new();
    private readonly List<Learned> _learned = [];
    private LinearModel[] _locations = [];
    private LinearModel[] _risks = [];
    private DateTimeOffset _clock;

    /// <param name="firstDays">How long a parcel takes, before anything was delivered; a handful of deliveries outweighs it.</param>
    public DeliveryModel(double firstDays = 8)
    {
        _network = new NetworkState(firstDays);
        _errors.Seed(weight: 20, deviation: 1.25);
    }

    /// <summary>How many deliveries it has seen.</summary>
    public long Deliveries { get; private set; }

    /// <summary>When a parcel that starts, or started, would arrive, by what is known now. Changes nothing.</summary>
    public Forecast Forecast(Consignment consignment, DateTimeOffset now) => Open(consignment, now).Forecast;

    /// <summary>How many recent deliveries tell of such a parcel, level by level.</summary>
    public Evidence EvidenceFor(Consignment consignment, DateTimeOffset now) => _network.EvidenceFor(consignment, now);

    /// <summary>
    /// When it would arrive if all that is known were a time that somebody stated: a carrier its estimate, or a shop its promise, which is kept
    /// more often than not.
    /// </summary>
    /// <param name="keptShare">How often what was stated holds: 0.5 for an estimate, more for a promise.</param>
    public static Forecast Stated(Consignment consignment, DateTimeOffset stated, double keptShare)
    {
        var shape = new DecayedHistogram();
        shape.Seed(1, 1.25);
        var distribution = shape.Snapshot();
        var days = Math.Max(0.0001, (stated - consignment.StartedAt).TotalDays);
        return new Forecast(consignment, Math.Log(days) - (FirstScale * distribution.Quantile(keptShare)), FirstScale, distribution, null, 0, []);
    }

    /// <summary>A parcel starts; the forecast for it as of that moment.</summary>
    public Forecast Started(Consignment consignment)
    {
        Advance(consignment.StartedAt);
        var parcel = Open(consignment, consignment.StartedAt);
        if (!_open.TryAdd(consignment.Id, parcel))
            return parcel.Forecast;
        _network.Started(parcel);
        if (consignment.PromisedAt is { } promise)
            _promises.Enqueue(parcel, promise);
        return parcel.Forecast;
    }

    /// <summary>The carrier has it. What never started here is ignored.</summary>
    public void HandedOver(string id, DateTimeOffset at)
    {
        Advance(at);
        if (_open.TryGetValue(id, out var parcel) && parcel.HandedOverAt is null && at >= parcel.Consignment.StartedAt)
            _network.HandedOver(parcel, at);
    }

    /// <summary>It arrived. What never started here is ignored.</summary>
    public void Delivered(string id, DateTimeOffset at)
    {
        Advance(at);
        if (!_open.TryGetValue(id, out var parcel) || at <= parcel.Consignment.StartedAt)
            return;
        _open.Remove(id);
        Deliveries++;
        var c = parcel.Consignment;
        _network.Delivered(parcel, at);
        var days = NetworkState.Logarithm(at - c.StartedAt);
        var error = days - parcel.Location;
        _deliveries.Add(at, 1);
        var perDay = _deliveries.Weight / RateDays;
        if (!parcel.Warm)
            return;
        _errors.Add(at, Math.Clamp(error / parcel.Scale, -3.99, 3.99), Math.Max(ErrorHalfLifeDays, ErrorHalfLifeDeliveries / perDay));
        var size = Math.Abs(error);
        _spread.Add(at, size);
        _spreadRegion.Add(c.To.RegionKey, at, size);
        _spreadLane.Add(NetworkState.LaneOf(c), at, size);
        bool? late = c.PromisedAt is { } promise ? at > promise : null;
        _learned.Add(new Learned(parcel.Features, parcel.RiskFeatures, parcel.Features[Features.Prior], days, late, parcel.LateOffset, c.StartedAt, c.PromisedAt, at));
        if (_learned.Count > MostExamples * 5 / 4)
            _learned.RemoveRange(0, _learned.Count - MostExamples);
    }

    /// <summary>Learns from journeys that have ended, in the order of time.</summary>
    public void Learn(IReadOnlyCollection<Journey> journeys)
    {
        foreach (var (at, kind, journey) in Journey.Events(journeys))
        {
            if (kind == JourneyEvent.Started)
                Started(journey.Consignment);
            else if (kind == JourneyEvent.HandedOver)
                HandedOver(journey.Consignment.Id, at);
            else
                Delivered(journey.Consignment.Id, at);
        }
    }

    /// <summary>Fits the corrections to what has arrived by now. Until the first time, and with few deliveries, the means answer alone.</summary>
    public void Refit(DateTimeOffset now) => PrepareRefit(now)()();

    /// <summary>
    /// The same in three steps, for whoever must not keep others waiting: this one takes what was learned, the call of its result computes
    /// and touches nothing of the model, and the call of that one's puts it to use.
    /// </summary>
    public Func<Action> PrepareRefit(DateTimeOffset now)
    {
        Advance(now);
        var learned = _learned.ToList();
        return learned.Count < FewestExamples ? () => () => { } : () => Fit(learned, now);
    }

    private Action Fit(List<Learned> learned, DateTimeOffset now)
    {
        var locations = new LinearModel[HalfLives.Length][];
        var risks = new LinearModel?[RiskCandidates.Length];
        // An order that arrived early is known before one that will be late: only those whose promise has passed are a fair sample of both.
        var fair = learned.Where(one => one.Late is not null && one.PromisedAt <= now).TakeLast(MostRiskExamples).ToList();
        var riskKnown = fair.Count >= FewestExamples && fair.Exists(one => one.Late == true) && fair.Exists(one => one.Late == false);
        Parallel.For(0, HalfLives.Length + (riskKnown ? RiskCandidates.Length : 0), job =>
        {
            if (job < HalfLives.Length)
            {
                locations[job] = LinearModel.LeastSquares(
                    [.. learned.Select(one => new Example(one.Features, one.Prior, Math.Clamp(one.Days, one.Prior - 2, one.Prior + 2), Decay(now - one.DeliveredAt, HalfLives[job])))],
                    Penalties);
                return;
            }

            var (penalty, halfLife) = RiskCandidates[job - HalfLives.Length];
            risks[job - HalfLives.Length] = LinearModel.Logistic(
                [.. fair.Select(one => new Example(one.RiskFeatures, one.LateOffset, one.Late!.Value ? 1 : 0, Decay(now - one.StartedAt, halfLife)))], penalty);
        });
        return () =>
        {
            _locations = [.. locations.SelectMany(models => models)];
            if (riskKnown)
                _risks = [.. risks.Select(model => model!)];
        };
    }

    private OpenParcel Open(Consignment c, DateTimeOffset now)
    {
        var features = _network.FeaturesOf(c, now);
        var prior = features[Features.Prior];
        var location = _locations.Length == 0 ? prior : Math.Clamp(_locations.Average(model => model.Answer(features, prior)), prior - 1.5, prior + 1.5);
        var lane = NetworkState.LaneOf(c);
        var scale = Math.Max(0.05, _spreadLane.Shrunk(lane, now, _spreadRegion.Shrunk(c.To.RegionKey, now, _spread.Shrunk(now, FirstScale, 20), 20), 20));
        var shape = _errors.Snapshot();

        double? late = null;
        var offset = 0.0;
        double[] riskFeatures = [];
        if (c.PromisedAt is { } promise)
        {
            var slack = location - Math.Log(Math.Clamp((promise - c.StartedAt).TotalDays, 0.5, 200));
            offset = SlackSlope * slack;
            riskFeatures = RiskFeatures(features, slack);
            late = _risks.Length == 0 ? LinearModel.Chance(offset) : _risks.Average(model => model.Answer(riskFeatures, offset));
        }

        var evidence = _network.EvidenceFor(c, now).Lane;
        return new OpenParcel(c, features, new Forecast(c, location, scale, shape, late, evidence, Causes(c, features, riskFeatures)))
        {
            Location = location,
            Scale = scale,
            LateOffset = offset,
            Warm = Deliveries >= WarmAfter,
            RiskFeatures = riskFeatures,
        };
    }

    private static double[] RiskFeatures(double[] features, double slack) => [.. Features.OfRisk.Select(feature => features[feature]), slack];

    private IReadOnlyList<DelayCause> Causes(Consignment c, double[] features, double[] riskFeatures)
    {
        if (c.PromisedAt is null)
            return [];
        var shares = new double[Enum.GetValues<DelayCode>().Length];
        // The means, each compared with the network's; then what the two corrections add.
        shares[(int)DelayCode.SlowLane] += SlackSlope * (features[Features.Lane] + features[Features.Zone3]);
        shares[(int)DelayCode.SlowSender] += SlackSlope * features[Features.Sender];
        shares[(int)DelayCode.SlowCarrier] += SlackSlope * features[Features.Carrier];
        shares[(int)DelayCode.Congestion] += SlackSlope * features[Features.NetworkNow];
        shares[(int)DelayCode.TightPromise] += SlackSlope * (features[Features.NetworkLong] - features[Features.LogPromise] - features[Features.UseNetwork]);
        for (var i = 0; i < features.Length; i++)
        {
            if (_locations.Length > 0)
                shares[(int)Features.Codes[i]] += SlackSlope * _locations.Average(model => model.Share(i, features[i]));
        }

        for (var i = 0; i < riskFeatures.Length && _risks.Length > 0; i++)
        {
            var code = i < Features.OfRisk.Length ? Features.Codes[Features.OfRisk[i]] : DelayCode.TightPromise;
            shares[(int)code] += _risks.Average(model => model.Share(i, riskFeatures[i]));
        }

        return [.. shares.Select((share, code) => new DelayCause((DelayCode)code, share)).Where(cause => cause.LogOdds > 0.15).OrderByDescending(cause => cause.LogOdds).Take(4)];
    }

    private void Advance(DateTimeOffset at)
    {
        if (_clock == default)
            _clock = at;
        while (at >= _clock)
        {
            var midnight = new DateTimeOffset(_clock.Date, _clock.Offset).AddDays(1);
            var until = midnight <= at ? midnight : at;
            while (_promises.TryPeek(out var parcel, out var due) && due < until)
            {
                _promises.Dequeue();
                _network.FellDue(parcel, !_open.ContainsKey(parcel.Consignment.Id), due);
            }

            if (midnight > at)
            {
                _clock = at;
                return;
            }

            _clock = midnight;
            _network.DayPassed(midnight);
            foreach (var lost in _open.Values.Where(parcel => (midnight - parcel.Consignment.StartedAt).TotalDays > ForgottenAfterDays).ToList())
                _open.Remove(lost.Consignment.Id);
        }
    }

    private static double Decay(TimeSpan ago, double halfLifeDays) => Math.Pow(0.5, Math.Max(0, ago.TotalDays) / halfLifeDays);

    private sealed record Learned(double[] Features, double[] RiskFeatures, double Prior, double Days, bool? Late, double LateOffset, DateTimeOffset StartedAt, DateTimeOffset? PromisedAt, DateTimeOffset DeliveredAt);
}
