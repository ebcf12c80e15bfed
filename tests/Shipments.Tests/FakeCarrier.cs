using System.Collections.Concurrent;
using System.Text;
using Commerce.Shipments.Carriers;
using Commerce.Tracking.Payloads;

namespace Commerce.Shipments.Tests;

/// <summary>A carrier that does as it is told, and keeps the books by which a test judges: one label a key.</summary>
internal sealed class FakeCarrier(string code) : ICarrier
{
    private static int _numbers;

    private readonly ConcurrentDictionary<string, Label> _byKey = new();
    private readonly ConcurrentDictionary<string, bool> _voided = new();
    private int _timeouts;

    public string Code => code;

    public string Name => code.ToUpperInvariant();

    /// <summary>The carrier whose labels it sells; empty: its own.</summary>
    public string SellsFor { get; set; } = "";

    public bool SellsForOthers => SellsFor.Length > 0;

    /// <summary>Why it does not deliver otherwise; null: it does.</summary>
    public string? RefusesChanges { get; set; }

    /// <summary>The changes it was asked for, by key.</summary>
    public ConcurrentDictionary<string, (string LabelId, AddressRecord To, bool Elsewhere)> Changes { get; } = new();

    public long PriceMinor { get; set; } = 1000;

    public int TransitDaysMax { get; set; } = 3;

    /// <summary>Does not answer at all.</summary>
    public bool Down { get; set; }

    public bool Serves { get; set; } = true;

    public bool Refuses { get; set; }

    /// <summary>So many labels are made, but the answer is lost.</summary>
    public int TimeoutsAfterSuccess { get; set; }

    /// <summary>The parcel is with the carrier: labels cannot be voided.</summary>
    public bool HasParcels { get; set; }

    /// <summary>Awaited before a label is made.</summary>
    public Func<Task> BeforeLabel { get; set; } = () => Task.CompletedTask;

    /// <summary>Awaited after a label was made and before that is told.</summary>
    public Func<Label, Task> AfterLabel { get; set; } = _ => Task.CompletedTask;

    public ConcurrentDictionary<string, string> Events { get; } = new();

    public IReadOnlyCollection<Label> Labels => [.. _byKey.Values];

    public IReadOnlyCollection<string> Voided => [.. _voided.Keys];

    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>How the parcels should be delivered, as it was told with their labels.</summary>
    public ConcurrentQueue<(string ShipmentId, WishesRecord? Wishes)> Wished { get; } = new();

    public int Polls;

    /// <summary>What comes of asking for a parcel, instead of an answer; null: it answers.</summary>
    public Func<Exception>? TrackFails { get; set; }

    public Task<IReadOnlyList<Rate>> Rates(RateQuestion question, CancellationToken cancellationToken)
    {
        ThrowIfDown();
        return Task.FromResult<IReadOnlyList<Rate>>(Serves ? [new Rate(code, "ground", new Money(PriceMinor, "BRL"), 1, TransitDaysMax)] : []);
    }

    public async Task<Label> BuyLabel(Shipment shipment, string service, string idempotencyKey, CancellationToken cancellationToken)
    {
        Asked.Enqueue(idempotencyKey);
        Wished.Enqueue((shipment.PublicId, shipment.ShipTo.Wishes));
        await BeforeLabel();
        ThrowIfDown();
        if (Refuses)
            throw new LabelRefusedException("not today");
        var label = _byKey.GetOrAdd(idempotencyKey, key => new Label($"label {key}", $"{code.ToUpperInvariant()}{Interlocked.Increment(ref _numbers):D10}", new Money(PriceMinor, "BRL"), null) { Carrier = SellsFor });
        await AfterLabel(label);
        if (Interlocked.Increment(ref _timeouts) <= TimeoutsAfterSuccess)
            throw new TaskCanceledException("timed out", new TimeoutException());
        return label;
    }

    public Task<VoidOutcome> VoidLabel(string labelId, string idempotencyKey, CancellationToken cancellationToken)
    {
        ThrowIfDown();
        if (HasParcels)
            return Task.FromResult(VoidOutcome.HandedOver);
        _voided[labelId] = true;
        return Task.FromResult(VoidOutcome.Voided);
    }

    public Task<DeliveryChangeOutcome> ChangeDelivery(Shipment shipment, AddressRecord to, bool elsewhere, string idempotencyKey, CancellationToken cancellationToken)
    {
        ThrowIfDown();
        Changes[idempotencyKey] = (shipment.LabelId!, to, elsewhere);
        return Task.FromResult(new DeliveryChangeOutcome(RefusesChanges is null, RefusesChanges ?? "", null));
    }

    public Task<IReadOnlyList<ReportedScan>> Track(string trackingNumber, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref Polls);
        ThrowIfDown();
        if (TrackFails is { } fails)
            throw fails();
        return Task.FromResult(new PayloadReader().Read(Encoding.UTF8.GetBytes($$"""{"events":[{{Events.GetValueOrDefault(trackingNumber)}}]}"""), "sandbox", Code).Scans);
    }

    /// <summary>What it says of every claim.</summary>
    public ClaimDecision Decision { get; set; }

    /// <summary>Keys under which claims were filed.</summary>
    public ConcurrentDictionary<string, Money> Claims { get; } = new();

    public Task<Claim?> FileClaim(Shipment shipment, Money amount, string idempotencyKey, CancellationToken cancellationToken)
    {
        ThrowIfDown();
        Claims.TryAdd(idempotencyKey, amount);
        return FindClaim(idempotencyKey, cancellationToken);
    }

    public Task<Claim?> FindClaim(string claimId, CancellationToken cancellationToken)
    {
        ThrowIfDown();
        return Task.FromResult<Claim?>(new Claim(claimId, Decision, null, Decision == ClaimDecision.Rejected ? "not ours" : ""));
    }

    private void ThrowIfDown()
    {
        if (Down)
            throw new HttpRequestException("connection refused");
    }
}
