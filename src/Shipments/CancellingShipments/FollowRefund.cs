using System.Text.Json;
using Commerce.Messaging;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.Storage;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.CancellingShipments;

/// <summary>
/// A label was voided and its seller decides days later whether its price comes back: it is asked until it has, and somebody
/// sees when it does not. EasyPost says that a refund takes up to 30 days, and that one which was rejected because the label was
/// too young is accepted when it is asked for again.
/// </summary>
internal sealed partial class FollowRefund(ShipmentStore store, CarrierDirectory carriers, IOptions<ShipmentsOptions> options, TimeProvider time, ILogger<FollowRefund> logger) : IRecover
{
    public const string PointKind = "follow-refund";

    // Within hours of the label; a rejection that stands then is meant.
    private const int MostTimesAskedAgain = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromHours(1);

    public string Kind => PointKind;

    /// <summary>One point a label: a parcel may have had several.</summary>
    public static RecoveryPoint PointOf(Shipment shipment, DateTimeOffset now)
    {
        var label = new Refundable((shipment.BuyingCarrier ?? shipment.Carrier)!, shipment.LabelId!, shipment.LabelPrice?.ToString() ?? "its price", now);
        return new RecoveryPoint(PointKind, $"{shipment.PublicId}/{label.LabelId}", JsonSerializer.Serialize(label, JsonSerializerOptions.Web));
    }

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var id = Guid.ParseExact(point.Key[..point.Key.IndexOf('/')], "N");
        var label = JsonSerializer.Deserialize<Refundable>(point.Payload, JsonSerializerOptions.Web)!;
        if (await store.Find(id, cancellationToken) is not { } shipment)
            return new RecoveryOutcome.Done();
        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        var later = time.GetUtcNow() + BackOff.After(attempt, FirstPause, options.Value.RefundAskedAfter);
        // What keeps the parcel itself comes first: there is place for one exception.
        if (shipment.Exception is not null)
            return new RecoveryOutcome.Again(later, "somebody has to see to something else first");

        var isOverdue = time.GetUtcNow() > label.VoidedAt + options.Value.RefundDecidedWithin;
        try
        {
            var carrier = carriers.Find(label.Seller) ?? throw new HttpRequestException($"{label.Seller} is not among the configured carriers.");
            var decision = await carrier.FindRefund(label.LabelId, cancellationToken);
            if (decision == RefundDecision.Rejected && attempt <= MostTimesAskedAgain)
            {
                decision = await carrier.VoidLabel(label.LabelId, $"{point.Key}/{attempt}", cancellationToken) switch
                {
                    VoidOutcome.RefundPending => RefundDecision.Open,
                    VoidOutcome.Voided => RefundDecision.Refunded,
                    _ => RefundDecision.Rejected,
                };
            }

            return decision switch
            {
                RefundDecision.Refunded => new RecoveryOutcome.Done(),
                RefundDecision.Rejected => Shown($"{label.Seller} rejects the refund of the voided label {label.LabelId}, so {label.Price} is not coming back. Ask it why, or leave it be."),
                _ when isOverdue => Shown($"{label.Seller} has not decided the refund of the voided label {label.LabelId} in {options.Value.RefundDecidedWithin.TotalDays:0} days, and is not asked any more. Ask it for {label.Price}."),
                _ => new RecoveryOutcome.Again(later, $"{label.Seller} has not decided"),
            };
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            LogUnanswered(label.Seller, attempt, exception.GetType().Name);
            return isOverdue
                ? Shown($"{label.Seller} does not say what became of the refund of the voided label {label.LabelId}, and is not asked any more. Ask it for {label.Price}.")
                : new RecoveryOutcome.Again(later, $"{label.Seller} does not answer");
        }

        RecoveryOutcome.Done Shown(string message) => new(async context =>
        {
            if (await ShipmentStore.Lock(context.Connection, context.Transaction, id, context.CancellationToken) is not { } locked)
                return;
            if (locked.Exception is not null)
                throw new InvalidOperationException("Somebody has to see to something else first: told at the next attempt.");
            if (locked.Raise(V1.ShipmentException.Types.Kind.RefundNotGranted, message, attempt, time.GetUtcNow()) is not { } fact)
                return;
            context.Tell(fact);
            context.Batch.BatchCommands.Add(ShipmentStore.Update(locked));
        });
    }

    /// <summary>The label, since its parcel may have another one by now.</summary>
    private sealed record Refundable(string Seller, string LabelId, string Price, DateTimeOffset VoidedAt);

    [LoggerMessage(LogLevel.Warning, "{Carrier} did not answer attempt {Attempt} to learn of a refund: {Error}.")]
    private partial void LogUnanswered(string carrier, int attempt, string error);
}
