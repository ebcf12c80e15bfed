using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Commerce.Gateway;

/// <summary>The Gateway's source and meter, "Commerce.Gateway".</summary>
public sealed class GatewayTelemetry : IDisposable
{
    public const string Name = "Commerce.Gateway";

    private readonly Meter _meter;
    private readonly Counter<long> _lookups;
    private readonly Counter<long> _reads;
    private readonly Counter<long> _staleParts;
    private readonly Counter<long> _marksLost;
    private readonly Counter<long> _epochs;
    private readonly Counter<long> _limited;
    private readonly Counter<long> _shed;
    private readonly UpDownCounter<long> _watchers;
    private readonly Counter<long> _audited;
    private readonly Histogram<double> _lag;
    private readonly Histogram<double> _watchLag;
    private readonly Counter<long> _guesses;
    private readonly Counter<long> _guessAlarms;

    public GatewayTelemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        _lookups = _meter.CreateCounter<long>("commerce.gateway.lookups", "{lookup}", "Codes looked up, by what they were and whether they were found.");
        _reads = _meter.CreateCounter<long>("commerce.gateway.view.reads", "{read}", "Views read: memory, hit (all from Redis), partial, miss, or direct (without Redis).");
        _staleParts = _meter.CreateCounter<long>("commerce.gateway.view.stale_parts", "{part}", "Parts shown old or missing because their service did not answer.");
        _marksLost = _meter.CreateCounter<long>("commerce.gateway.view.marks_lost", "{mark}", "Facts that could not mark a view because Redis was down.");
        _epochs = _meter.CreateCounter<long>("commerce.gateway.view.epochs", "{epoch}", "Times that every cached view was put in doubt because marks may have been lost.");
        _limited = _meter.CreateCounter<long>("commerce.gateway.limited", "{call}", "Calls refused because their caller makes too many of their class, has too many streams open, or is a stranger that tries too much.");
        _shed = _meter.CreateCounter<long>("commerce.gateway.shed", "{call}", "Calls refused because there is more to do than can be done in time, by importance and cause (queue: for a thread; in_flight: for a service).");
        _meter.CreateObservableGauge("commerce.gateway.pressure", () => Pressure, "1", "How much is refused under load: the whole number of kinds of calls altogether, the least important first, and the fraction of the next.");
        _watchers = _meter.CreateUpDownCounter<long>("commerce.gateway.watchers", "{watcher}", "Open watches on this node.");
        _audited = _meter.CreateCounter<long>("commerce.gateway.audit.calls", "{call}", "Calls from outside by what became of their entry in the audit log: written, spilled (to the folder, from where it follows), stranger (of nobody, beyond what is kept) or lost.");
        _meter.CreateObservableGauge("commerce.gateway.audit.waiting", () => AuditWaits(), "{call}", "Calls that wait in memory to be written to the audit log.");
        _lag = _meter.CreateHistogram<double>("commerce.gateway.view.lag", "s", "From a change to the mark on its view: how stale a view could be.");
        _watchLag = _meter.CreateHistogram<double>("commerce.gateway.watch.lag", "s", "From a change to the new view at its watchers, as far as this node heard of it.");
        _guesses = _meter.CreateCounter<long>("commerce.gateway.guesses", "{guess}", "Tries at orders by strangers: right, wrong or slowed, and by which limit.");
        _guessAlarms = _meter.CreateCounter<long>("commerce.gateway.guess_alarms", "{alarm}", "Minutes in which more was guessed at a node than Shoppers:AlarmAt.");
    }

    /// <summary>Spans of the Gateway's own work.</summary>
    public static ActivitySource Source { get; } = new(Name);

    public void LookedUp(string codeKind, string outcome) =>
        _lookups.Add(1, new("commerce.code.kind", codeKind), new("commerce.outcome", outcome));

    public void Read(string outcome) => _reads.Add(1, new KeyValuePair<string, object?>("commerce.outcome", outcome));

    public void StalePart(string part) => _staleParts.Add(1, new KeyValuePair<string, object?>("commerce.part", part));

    public void MarkLost() => _marksLost.Add(1);

    public void EpochBegan() => _epochs.Add(1);

    public void Limited(string what) => _limited.Add(1, new KeyValuePair<string, object?>("commerce.call.class", what));

    internal void Shed(Limits.Importance importance, string cause) =>
        _shed.Add(1, new("commerce.call.importance", importance.ToString().ToLowerInvariant()), new("commerce.cause", cause));

    /// <summary>As the last window left it.</summary>
    public double Pressure { get; set; }

    /// <summary>Who knows what waits to be written to the audit log.</summary>
    public Func<int> AuditWaits { get; set; } = () => 0;

    public void AuditCounted(string outcome, int calls = 1) => _audited.Add(calls, new KeyValuePair<string, object?>("commerce.outcome", outcome));

    public void Watchers(int change) => _watchers.Add(change);

    public void Lag(TimeSpan lag) => _lag.Record(Math.Max(0, lag.TotalSeconds));

    public void WatchLag(TimeSpan lag) => _watchLag.Record(Math.Max(0, lag.TotalSeconds));

    public void Guessed(string outcome, string limit) => _guesses.Add(1, new("commerce.outcome", outcome), new("commerce.limit", limit));

    public void GuessAlarm() => _guessAlarms.Add(1);

    public void Dispose() => _meter.Dispose();
}
