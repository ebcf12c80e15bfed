using System.Text.Json;
using Commerce.Messaging;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.IngestingScans;
using Commerce.Shipments.Storage;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.WatchingSilence;

/// <summary>
/// A parcel of which nothing was heard for longer than is usual: its carrier is asked, since webhooks get lost; one that sends none is asked all the time. If the carrier knows nothing new
/// either, the silence itself is the exception, which the next scan clears. A watch ends itself when it sees that the parcel's
/// journey is over: whoever removed it under the parcel's lock would meet, the other way round, the watch that takes that lock.
/// </summary>
internal sealed partial class WatchSilence(
    ShipmentStore store, CarrierDirectory carriers, ScanIngestion ingestion, UsualSilence usual, IOptions<ShipmentsOptions> options, TimeProvider time, ILogger<WatchSilence> logger) : IRecover
{
    public const string PointKind = "watch-silence";

    private const string Source = "poll";

    public string Kind => PointKind;

    public static RecoveryPoint PointOf(Shipment shipment, DateTimeOffset dueAt) => new(PointKind, shipment.PublicId, DueAt: dueAt);

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        if (await store.Find(Guid.Parse(point.Key), cancellationToken) is not { TrackingNumber: { } number } shipment || shipment.IsOver)
            return new RecoveryOutcome.Done();
        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        var now = time.GetUtcNow();
        var rules = options.Value;
        var patience = await usual.For(shipment, cancellationToken);
        var next = now + Expectation.AskAgainAfter(shipment, rules, patience, now);
        var ends = patience.EndsAt(shipment.LastScanAt ?? shipment.CreatedAt);
        // The parcel's next stage may bear less silence than this one.
        var (polled, look) = (rules.PolledCarriers.Contains(shipment.Carrier), now + rules.SilenceAtLeast);
        // Whoever sends webhooks is asked only when they fail to come.
        if (!polled && ends > now)
            return new RecoveryOutcome.Again(ends < look ? ends : look, "not silent yet");

        var answered = "The carrier has nothing new to tell.";
        try
        {
            var carrier = carriers.Find(shipment.Carrier!) ?? throw new HttpRequestException($"{shipment.Carrier} is not among the configured carriers.");
            var own = (await carrier.Track(number, cancellationToken)).Where(scan => scan.TrackingNumber == number).ToList();
            if ((await ingestion.Ingest(Source, own, cancellationToken)).Kept > 0)
                return new RecoveryOutcome.Again(polled ? next : look, "the carrier had news");
        }
        // Silence is silence, whether the carrier says nothing or cannot be asked.
        catch (Exception exception) when (exception is HttpRequestException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            LogUnanswered(shipment.Carrier!, exception.GetType().Name);
            answered = "The carrier does not answer when asked where the parcel is.";
        }

        if (ends > now)
            return new RecoveryOutcome.Again(next, "nothing new");

        // Whoever has a return label takes their time.
        if (shipment.ReturnNumber > 0 && shipment.LastScanAt is null)
            return new RecoveryOutcome.Again(next, "not handed in yet");
        return new RecoveryOutcome.Again(next, "silent", async context =>
        {
            // A webhook may have come while we asked.
            if (await ShipmentStore.Lock(context.Connection, context.Transaction, shipment.Id, context.CancellationToken) is not { Exception: null, IsOver: false } locked
                || locked.LastScanAt != shipment.LastScanAt
                || locked.Raise(V1.ShipmentException.Types.Kind.Silent, $"{Expectation.WhatSilenceMeans(locked, patience, now)} {answered}", attempt, time.GetUtcNow()) is not { } fact)
                return;
            context.Tell(fact);
            context.Batch.BatchCommands.Add(ShipmentStore.Update(locked));
        });
    }

    [LoggerMessage(LogLevel.Warning, "{Carrier} did not answer when asked for a parcel: {Error}.")]
    private partial void LogUnanswered(string carrier, string error);
}
