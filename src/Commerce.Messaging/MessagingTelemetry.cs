using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Commerce.Messaging;

/// <summary>Source and meter "Commerce.Messaging"; docs/telemetry.md says what each means.</summary>
internal sealed class MessagingTelemetry : IDisposable
{
    public const string Name = "Commerce.Messaging";

    public static ActivitySource Source { get; } = new(Name);

    private readonly Meter _meter = new(Name);
    private readonly ConcurrentDictionary<string, uint> _errorQueues = new();

    public MessagingTelemetry()
    {
        _meter.CreateObservableGauge("commerce.outbox.lag", () => OutboxLag, "{fact}", "Facts that the broker has not confirmed yet.");
        _meter.CreateObservableGauge("commerce.outbox.age", () => OutboxAge, "s", "Age of the oldest fact that the broker has not confirmed yet.");
        _meter.CreateObservableGauge("commerce.relay.active", () => RelayActive ? 1 : 0, "{relay}", "1 where this process is the active relay.");
        _meter.CreateObservableGauge("commerce.inbox.parked", () => Parked, "{fact}", "Facts that wait for the one before them.");
        _meter.CreateObservableGauge("commerce.inbox.parked.age", () => ParkedAge, "s", "Age of the oldest fact that waits for the one before it.");
        _meter.CreateObservableGauge("commerce.inbox.failed", () => Failed, "{fact}", "Facts set aside after failures, to be tried again.");
        _meter.CreateObservableGauge("commerce.recovery.due", () => RecoveryDue, "{point}", "Recovery points that are due and not finished.");
        _meter.CreateObservableGauge("commerce.recovery.age", () => RecoveryAge, "s", "How long the oldest of them has been due.");
        _meter.CreateObservableGauge(
            "commerce.inbox.error_queue",
            () => _errorQueues.Select(q => new Measurement<long>(q.Value, new KeyValuePair<string, object?>("queue", q.Key))),
            "{message}",
            "Messages in the error queue, waiting for a person.");
        Relayed = _meter.CreateCounter<long>("commerce.outbox.relayed", "{fact}", "Facts that the broker confirmed.");
        Returned = _meter.CreateCounter<long>("commerce.outbox.returned", "{fact}", "Facts that could not be published and stay in the outbox.");
        Handled = _meter.CreateCounter<long>("commerce.inbox.handled", "{fact}", "Facts that were received, by outcome.");
        Errors = _meter.CreateCounter<long>("commerce.inbox.errors", "{message}", "Messages moved to the error queue.");
        Recovered = _meter.CreateCounter<long>("commerce.recovery.attempts", "{attempt}", "Attempts at recovery points, by kind and outcome.");
    }

    public long OutboxLag { get; set; }

    public double OutboxAge { get; set; }

    public bool RelayActive { get; set; }

    public long Parked { get; set; }

    public double ParkedAge { get; set; }

    public long Failed { get; set; }

    public long RecoveryDue { get; set; }

    public double RecoveryAge { get; set; }

    public Counter<long> Relayed { get; }

    public Counter<long> Returned { get; }

    public Counter<long> Handled { get; }

    public Counter<long> Errors { get; }

    public Counter<long> Recovered { get; }

    public void ErrorQueue(string queue, uint messages) => _errorQueues[queue] = messages;

    public void Dispose() => _meter.Dispose();
}
