using Commerce.Promising.Learning;

namespace Commerce.Promising;

/// <summary>A span of time in which a parcel arrives with a stated chance: earlier and later are equally likely.</summary>
/// <param name="Coverage">The chance, between 0 and 1.</param>
public sealed record ArrivalWindow(double Coverage, DateTimeOffset From, DateTimeOffset Until);

/// <summary>What makes a parcel likelier to be late than others.</summary>
/// <param name="Code">For programs.</param>
/// <param name="LogOdds">By how much it raises the chance, in log odds: 0.7 doubles the odds.</param>
public sealed record DelayCause(DelayCode Code, double LogOdds);

/// <summary>What can make a parcel late.</summary>
public enum DelayCode
{
    /// <summary>The promise leaves less time than is usual.</summary>
    TightPromise,

    /// <summary>The lane, or the region or postal zone that it ends in, is slower than others.</summary>
    SlowLane,

    /// <summary>The sender takes longer than others until the carrier has the parcel.</summary>
    SlowSender,

    /// <summary>The carrier or its service is slower than others.</summary>
    SlowCarrier,

    /// <summary>The network is slower than it was: many parcels are overdue.</summary>
    Congestion,

    /// <summary>Weekends or holidays lie ahead.</summary>
    DaysOff,

    /// <summary>Weight, size, value or kind of goods.</summary>
    Goods,

    /// <summary>The payment takes time to be confirmed.</summary>
    Payment,

    /// <summary>It has been under way for longer than most.</summary>
    Overdue,
}

/// <summary>
/// When a parcel will arrive, as of one moment: a whole distribution. It never changes; what is learned later makes another one.
/// </summary>
public sealed class Forecast
{
    private const double SecondsADay = 86400;

    // No journey that ends takes longer, and no date overflows.
    private const double LongestDays = 1000;

    private readonly DateTimeOffset _startedAt;
    private readonly double _location;
    private readonly double _scale;
    private readonly Distribution _shape;
    private readonly double? _lateAtStart;

    internal Forecast(Consignment consignment, double location, double scale, Distribution shape, double? late, double evidence, IReadOnlyList<DelayCause> causes)
    {
        Consignment = consignment;
        (_startedAt, _location, _scale, _shape, _lateAtStart) = (consignment.StartedAt, location, scale, shape, late);
        Evidence = evidence;
        Causes = causes;
    }

    public Consignment Consignment { get; }

    /// <summary>How many recent deliveries of the same lane it rests on (decayed).</summary>
    public double Evidence { get; }

    /// <summary>What raises the chance to be late, the strongest first.</summary>
    public IReadOnlyList<DelayCause> Causes { get; }

    /// <summary>Half of such parcels arrive before.</summary>
    public DateTimeOffset Median(DateTimeOffset now) => At(now, 0.5);

    /// <summary>The window of a coverage for a parcel that has not arrived by now: never before now, and one of a larger coverage encloses it.</summary>
    public ArrivalWindow Window(double coverage, DateTimeOffset now)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(coverage, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(coverage, 1);
        return new ArrivalWindow(coverage, At(now, (1 - coverage) / 2), At(now, (1 + coverage) / 2));
    }

    /// <summary>The chance that a parcel which has not arrived by now arrives after its promise; null without one.</summary>
    public double? DelayRisk(DateTimeOffset now)
    {
        if (Consignment.PromisedAt is not { } promise)
            return null;
        if (now >= promise)
            return 1;
        // Having waited makes late likelier: of those that would have come by now, it is none.
        var late = _lateAtStart ?? 1 - Share(promise);
        return Math.Clamp(late / Math.Max(1 - Share(now), Math.Max(late, 1e-9)), 0, 1);
    }

    /// <summary>The chance to have arrived by a time.</summary>
    internal double Share(DateTimeOffset at)
    {
        var days = (at - _startedAt).TotalDays;
        return days <= 0 ? 0 : _shape.Share((Math.Log(days) - _location) / _scale);
    }

    private DateTimeOffset At(DateTimeOffset now, double share)
    {
        var passed = Share(now);
        var days = Math.Exp(_location + (_scale * _shape.Quantile(passed + (share * (1 - passed)))));
        var at = _startedAt.AddSeconds(Math.Min(days, LongestDays) * SecondsADay);
        return at > now ? at : now;
    }
}

/// <summary>What all forecasts have in common.</summary>
public static class Forecasts
{
    /// <summary>The coverages of the windows that are stated, everywhere.</summary>
    public static IReadOnlyList<double> Coverages { get; } = [0.5, 0.8, 0.95];
}
