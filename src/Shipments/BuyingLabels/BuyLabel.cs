using System.Text.Json;
using Commerce.Messaging;
using Commerce.Shipments.CancellingShipments;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.IngestingScans;
using Commerce.Shipments.QuotingRates;
using Commerce.Shipments.RecuttingShipments;
using Commerce.Shipments.Storage;
using Commerce.Shipments.WatchingSilence;
using Commerce.Shipping.Rates;
using Microsoft.Extensions.Options;
using Kind = Commerce.Shipments.V1.ShipmentException.Types.Kind;

namespace Commerce.Shipments.BuyingLabels;

/// <summary>
/// Buys a parcel's label. The choice of carrier and service is stored before the carrier is asked, and stays until the carrier
/// has answered: whatever happens in between, the same carrier is asked the same under the same key, so there is one label.
/// </summary>
internal sealed partial class BuyLabel(
    ShipmentStore store, RateShopper shopper, CarrierDirectory carriers, ScanIngestion ingestion, ArrivalEstimator estimator, IOptions<ShipmentsOptions> options, TimeProvider time, ILogger<BuyLabel> logger) : IRecover
{
    public const string PointKind = "buy-label";

    public string Kind => PointKind;

    public static RecoveryPoint PointOf(Shipment shipment) => new(PointKind, shipment.PublicId);

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        if (await store.Find(Guid.Parse(point.Key), cancellationToken) is not { LabelId: null, IsRegistered: false } shipment)
            return new RecoveryOutcome.Done();
        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        if (shipment.BuyingCarrier is null)
        {
            if (shipment.CancelRequested)
                return new RecoveryOutcome.Done();
            var offers = await shopper.Ask(ParcelQuestion.Of(shipment, time.GetUtcNow()), shipment.Refused, cancellationToken);
            if (offers.Quotes is not [var best, ..])
            {
                return offers.Unanswered.Count > 0
                    ? Again(shipment, attempt, V1.ShipmentException.Types.Kind.CarrierUnavailable, $"No rate: {string.Join(", ", offers.Unanswered)} did not answer. Asked again by itself.")
                    : Again(shipment, attempt, V1.ShipmentException.Types.Kind.NoRate, "No carrier takes this parcel from its place to its address. Check weight, place and address; asked again by itself.");
            }

            if (!await store.Choose(shipment, best.Quote, cancellationToken))
                return new RecoveryOutcome.Again(time.GetUtcNow(), "The parcel changed while its rates were asked for.");
        }

        return await Buy(shipment, attempt, cancellationToken);
    }

    private async Task<RecoveryOutcome> Buy(Shipment shipment, int attempt, CancellationToken cancellationToken)
    {
        var (carrier, service) = (shipment.BuyingCarrier!, shipment.BuyingService!);
        if (carriers.Find(carrier) is not { } seller)
            return Again(shipment, attempt, V1.ShipmentException.Types.Kind.CarrierUnavailable, $"{carrier} is not among the configured carriers, and may have made a label. Configure it again.");

        var name = Quote.NameOf(carrier, service);
        // A refusal is an answer; asking once more after it is another question, and has another key.
        var question = shipment.Refused.Count(refused => refused == name) + 1;
        var key = shipment.LabelsVoided == 0 ? $"{shipment.PublicId}/{name}/{question}" : $"{shipment.PublicId}/{shipment.LabelsVoided}/{name}/{question}";
        try
        {
            var label = await seller.BuyLabel(shipment, service, key, cancellationToken);
            return new RecoveryOutcome.Done(context => Bought(shipment.Id, label, context));
        }
        catch (LabelRefusedException refusal)
        {
            ShipmentsTelemetry.Refusals.Add(1, new KeyValuePair<string, object?>("commerce.carrier", carrier));
            return Refused(shipment, attempt, name, refusal.Message);
        }
        // The carrier may have made the label and not have told us; only it knows, so it is asked again.
        catch (Exception exception) when (exception is HttpRequestException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            LogUnanswered(carrier, attempt, exception.GetType().Name);
            return Again(shipment, attempt, V1.ShipmentException.Types.Kind.CarrierUnavailable, Said(carrier, exception));
        }
    }

    // What came instead of an answer, in words for staff.
    private static string Said(string carrier, Exception exception) => exception switch
    {
        CarrierFaultException fault => $"{carrier} {fault.Message}. Asked again by itself.",
        JsonException => $"{carrier} answered something that is no label. Asked again by itself.",
        HttpRequestException { StatusCode: { } status } => $"{carrier} answered {(int)status}. Asked again by itself.",
        _ => $"{carrier} does not answer. Asked again by itself.",
    };

    private async Task Bought(Guid id, Label label, RecoveryContext context)
    {
        var now = time.GetUtcNow();
        if (await ShipmentStore.Lock(context.Connection, context.Transaction, id, context.CancellationToken) is not { LabelId: null } shipment)
            return;
        var waiting = await ScanRows.Claim(context.Connection, context.Transaction, label.TrackingNumber, label.Carrier.Length > 0 ? label.Carrier : shipment.BuyingCarrier!, context.CancellationToken);
        context.Tell(shipment.LabelWasBought(label.Carrier, label.Id, label.TrackingNumber, label.Price, label.EstimatedDeliveryAt, now) with { Arrival = ArrivalMessage.FactOf(estimator.Of(shipment, waiting.Select(scan => scan.Sighting))) });
        context.Batch.BatchCommands.Add(ShipmentStore.Update(shipment));
        context.Intend(WatchSilence.PointOf(shipment, now + options.Value.FirstAskAfter(shipment)));
        if (shipment.CancelRequested || shipment.NextShipTo is not null)
            context.Intend(VoidLabel.PointOf(shipment));
        ingestion.Apply(context.Batch, shipment, [], waiting, now);
        ShipmentsTelemetry.Labels.Add(1, new KeyValuePair<string, object?>("commerce.carrier", shipment.Carrier));
    }

    private RecoveryOutcome.Again Refused(Shipment seen, int attempt, string name, string why)
    {
        var all = attempt >= options.Value.LabelAttemptsBeforeException;
        var at = time.GetUtcNow() + (all ? options.Value.RetryAfter(attempt) : TimeSpan.Zero);
        return new RecoveryOutcome.Again(at, $"{name} refused", async context =>
        {
            if (await ShipmentStore.Lock(context.Connection, context.Transaction, seen.Id, context.CancellationToken) is not { LabelId: null } shipment)
                return;
            shipment.WasRefused(name);
            if (shipment.CancelRequested)
            {
                // Refused, so there is no label and none is wanted any more.
                Tell(context, shipment.Cancel(time.GetUtcNow()));
                if (shipment.Recut)
                    context.Intend(RecutShipments.PointOf(shipment.OrderId, 0, shipment.PublicId));
            }
            else if (shipment.NextShipTo is { } next)
                // Nor one for the old address.
                Tell(context, shipment.WasReaddressed(next, time.GetUtcNow()));
            else if (all)
                Tell(context, shipment.Raise(V1.ShipmentException.Types.Kind.LabelRefused, $"{name} refuses: {why} Others are tried by themselves.", attempt, time.GetUtcNow()));
            context.Batch.BatchCommands.Add(ShipmentStore.Update(shipment));
        });
    }

    private RecoveryOutcome.Again Again(Shipment seen, int attempt, Kind kind, string message) => new(
        time.GetUtcNow() + options.Value.RetryAfter(attempt),
        message,
        attempt < options.Value.LabelAttemptsBeforeException ? null : async context =>
        {
            if (await ShipmentStore.Lock(context.Connection, context.Transaction, seen.Id, context.CancellationToken) is not { LabelId: null, IsRegistered: false } shipment
                || shipment.Raise(kind, message, attempt, time.GetUtcNow()) is not { } fact)
                return;
            Tell(context, fact);
            context.Batch.BatchCommands.Add(ShipmentStore.Update(shipment));
        });

    private static void Tell(RecoveryContext context, Facts.IFact? fact)
    {
        if (fact is not null)
            context.Tell(fact);
    }

    [LoggerMessage(LogLevel.Warning, "{Carrier} did not answer attempt {Attempt} at a label: {Error}.")]
    private partial void LogUnanswered(string carrier, int attempt, string error);
}
