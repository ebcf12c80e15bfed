using System.Text.Json;
using Commerce.Messaging;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.IngestingScans;
using Commerce.Shipments.Storage;
using Commerce.Tracking.Payloads;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.WatchingSilence;

/// <summary>
/// A parcel of which nothing was heard for longer than is usual: its carrier is asked, since webhooks get lost; one that sends none is asked all the time. If the carrier knows nothing new
/// either, the silence itself is the exception, which the next scan clears. A watch ends itself when it sees that the parcel's
/// journey is over: whoever removed it under the parcel's lock would meet, the other way round, the watch that takes that lock.
/// </summary>
internal sealed partial class WatchSilence(
    ShipmentStore store, CarrierDirectory carriers, ScanIngestion ingestion, UsualSilence usual, CarrierRest rest, IOptions<ShipmentsOptions> options, TimeProvider time,
    ILogger<WatchSilence> logger) : IRecover
{
    public const string PointKind = "watch-silence";

    private const string Source = "poll";
    private const string Unanswered = "The carrier does not answer when asked where the parcel is.";

    public string Kind => PointKind;

    public static RecoveryPoint PointOf(TrackedParcel parcel, DateTimeOffset dueAt) => new(PointKind, parcel.PublicId, DueAt: dueAt);

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        if (await store.Find(Guid.Parse(point.Key), cancellationToken) is not { TrackingNumber: { } number } shipment || shipment.IsOver)
            return new RecoveryOutcome.Done();
        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        var now = time.GetUtcNow();
        var rules = options.Value;
        var patience = await usual.For(shipment, cancellationToken);
        var next = now + Expectation.AskAgainAfter(shipment, rules, patience, now);
        var ends = patience.EndsAt(shipment.SilentSince);
        // The parcel's next stage may bear less silence than this one.
        var (polled, look) = (rules.IsPolled(shipment), now + rules.SilenceAtLeast);
        // Whoever sends webhooks is asked only when they fail to come.
        if (!polled && ends > now)
            return new RecoveryOutcome.Again(ends < look ? ends : look, "not silent yet");

        // A silence that is borne no longer is shown whether or not its carrier can be asked at this moment.
        var isSilent = ends <= now;
        var rested = rest.Until(AskedOf(shipment));
        if (rested is { } later && (!isSilent || shipment.Exception is not null))
            return new RecoveryOutcome.Again(later, "the carrier does not answer at the moment");

        var answered = rested is null ? "The carrier has nothing new to tell." : Unanswered;
        try
        {
            var own = rested is null ? await Ask(shipment, number, cancellationToken) : [];
            if ((await ingestion.Ingest(Source, own, cancellationToken)).Kept > 0)
            {
                // What it says now decides: one that came to be out for delivery is not asked in hours.
                var news = await store.Find(shipment.Id, cancellationToken) ?? shipment;
                return news.IsOver
                    ? new RecoveryOutcome.Done()
                    : new RecoveryOutcome.Again(polled ? now + Expectation.AskAgainAfter(news, rules, await usual.For(news, cancellationToken), now) : look, "the carrier had news");
            }
        }
        // Silence is silence, whether the carrier says nothing or cannot be asked.
        catch (Exception exception) when (exception is HttpRequestException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            LogUnanswered(shipment.Carrier!, exception.GetType().Name);
            rest.Failed(AskedOf(shipment));
            answered = Unanswered;
        }

        if (!isSilent)
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

    private async Task<IReadOnlyList<ReportedScan>> Ask(Shipment shipment, string number, CancellationToken cancellationToken)
    {
        var carrier = carriers.Of(shipment) ?? throw new HttpRequestException($"{shipment.Carrier} is not among the configured carriers.");
        var scans = await carrier.Track(number, cancellationToken);
        rest.Answered(AskedOf(shipment));
        // It was asked for this parcel, whatever name the answer gives its carrier.
        return [.. scans.Where(scan => scan.TrackingNumber == number).Select(scan => scan with { Carrier = shipment.Carrier! })];
    }

    private string AskedOf(Shipment shipment) => carriers.Of(shipment)?.Code ?? shipment.Carrier!;

    [LoggerMessage(LogLevel.Warning, "{Carrier} did not answer when asked for a parcel: {Error}.")]
    private partial void LogUnanswered(string carrier, string error);
}
