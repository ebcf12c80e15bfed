using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.ChangingDelivery;
using Commerce.Shipments.FindingShipments;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Action = Commerce.Shipments.V1.ResolutionAction;
using RefundState = Commerce.Payments.V1.Refund.Types.State;
using State = Commerce.Shipments.V1.Resolution.Types.State;

namespace Commerce.Shipments.ResolvingExceptions;

/// <summary>
/// Does what somebody wants done about a parcel, with whoever can: Orders sends pieces again, Payments gives money back, the carrier
/// decides a claim. Each is asked under a key made from the resolution, so that killed anywhere it is asked again and done once. What is
/// refused for good ends as failed, with why and what to do instead; nothing is half done then, for each is one call.
/// </summary>
internal sealed partial class CarryOutResolution(
    OrderService.OrderServiceClient orders, PaymentService.PaymentServiceClient payments, ShipmentStore store, CarrierDirectory carriers, ChangeDelivery delivery,
    Npgsql.NpgsqlDataSource database, IOptions<ShipmentsOptions> options, TimeProvider time, ILogger<CarryOutResolution> logger) : IRecover
{
    public const string PointKind = "carry-out-resolution";

    private static readonly TimeSpan FirstClaimPause = TimeSpan.FromSeconds(30);

    public string Kind => PointKind;

    public static RecoveryPoint PointOf(Resolution one) => new(PointKind, string.Create(CultureInfo.InvariantCulture, $"{one.ShipmentId:N}/{one.Number}"));

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var (shipmentId, number) = point.Key.Split('/') is [var id, var digits]
            ? (Guid.ParseExact(id, "N"), int.Parse(digits, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"The recovery point {point.Kind} \"{point.Key}\" names no resolution.");
        if (await store.Find(shipmentId, cancellationToken) is not { } shipment
            || (await ResolutionStore.Of(database, [shipmentId], cancellationToken))[shipmentId].FirstOrDefault(one => one.Number == number) is not { IsOver: false } one)
            return new RecoveryOutcome.Done();
        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        try
        {
            return one.Action switch
            {
                Action.Reship => await Reship(shipment, one, cancellationToken),
                Action.Refund => await Refund(shipment, one, attempt, cancellationToken),
                Action.Claim => await Claim(shipment, one, attempt, cancellationToken),
                Action.Reschedule => await Reschedule(shipment, one, cancellationToken),
                _ => new RecoveryOutcome.Done(),
            };
        }
        catch (RpcException refusal) when (Refusals.IsFinal(refusal.StatusCode))
        {
            return new RecoveryOutcome.Done(context => Settle(one, State.Failed, Why(refusal), context));
        }
        catch (Failure refusal) when (Refusals.IsFinal(refusal.Code))
        {
            return new RecoveryOutcome.Done(context => Settle(one, State.Failed, refusal.Message, context));
        }
    }

    private async Task<RecoveryOutcome> Reschedule(Shipment shipment, Resolution one, CancellationToken cancellationToken)
    {
        var day = one.Day!.Value;
        var request = new RescheduleDeliveryRequest
        {
            Name = ShipmentMessage.NamePrefix + shipment.PublicId,
            RequestId = KeyOf(one),
            PreferredDay = new Google.Type.Date { Year = day.Year, Month = day.Month, Day = day.Day },
        };
        var key = new RequestKey("service/shipments", PointKind, request.RequestId, SHA256.HashData(Encoding.UTF8.GetBytes(one.Name)));
        await delivery.Reschedule(request, key, cancellationToken);
        return new RecoveryOutcome.Done(context => Settle(one, State.Done, $"The carrier is asked for {day:yyyy-MM-dd}; its answer is in the parcel's delivery_change.", context));
    }

    private async Task<RecoveryOutcome> Reship(Shipment shipment, Resolution one, CancellationToken cancellationToken)
    {
        await orders.ReplaceParcelAsync(
            new ReplaceParcelRequest
            {
                Name = "orders/" + shipment.OrderId,
                RequestId = KeyOf(one),
                Shipment = ShipmentMessage.NamePrefix + shipment.PublicId,
                Note = one.Note,
            },
            cancellationToken: cancellationToken);
        // The parcel itself learns of it by the fact that Orders tells.
        return new RecoveryOutcome.Done(context => Settle(one, State.Done, "Orders has its pieces sent again.", context));
    }

    private async Task<RecoveryOutcome> Refund(Shipment shipment, Resolution one, int attempt, CancellationToken cancellationToken)
    {
        if (one.Amount is not { } amount)
        {
            // Which amount that is is stored before it is asked for: a run after a crash must not ask for another one.
            var share = await Share(shipment, cancellationToken);
            return share.Minor > 0
                ? new RecoveryOutcome.Again(time.GetUtcNow(), $"{share} are to be paid back.", context => Change(one, locked => locked with { Amount = share }, context))
                : new RecoveryOutcome.Done(context => Settle(one, State.Failed, "Nothing is left of its payment to give back.", context));
        }

        var refund = one.Outcome.Length == 0
            ? await payments.RefundPaymentAsync(
                new RefundPaymentRequest
                {
                    Name = "payments/" + shipment.OrderId,
                    RequestId = KeyOf(one),
                    Amount = amount.ToProto(),
                    Reason = RefundReason.NotDelivered,
                    Note = one.Note.Length > 0 ? one.Note : $"Parcel {shipment.TrackingNumber} did not arrive.",
                },
                cancellationToken: cancellationToken)
            : await payments.GetRefundAsync(new GetRefundRequest { Name = one.Outcome }, cancellationToken: cancellationToken);
        return refund.State switch
        {
            RefundState.Succeeded => new RecoveryOutcome.Done(context => PaidBack(one, refund.Name, amount, context)),
            RefundState.Failed => new RecoveryOutcome.Done(context => Settle(
                one, State.Failed, $"The refund failed: {string.Join(", ", refund.Parts.Select(part => part.FailureReason).Where(why => why.Length > 0).Distinct())}.", context, refund.Name)),
            _ => new RecoveryOutcome.Again(
                time.GetUtcNow() + options.Value.RetryAfter(attempt), "Payments has not settled it.",
                context => Change(one, locked => locked.Settle(State.Waiting, "The payment provider has not settled it yet.", time.GetUtcNow(), refund.Name), context)),
        };
    }

    private async Task<RecoveryOutcome> Claim(Shipment shipment, Resolution one, int attempt, CancellationToken cancellationToken)
    {
        try
        {
            var carrier = carriers.Of(shipment) ?? throw new HttpRequestException($"{shipment.Carrier} is not among the configured carriers.");
            var amount = one.Amount ?? shipment.Value;
            var claim = one.Outcome.Length == 0
                ? await carrier.FileClaim(shipment, amount, KeyOf(one), cancellationToken)
                : await carrier.FindClaim(one.Outcome, cancellationToken);
            return claim switch
            {
                null => new RecoveryOutcome.Done(context => Settle(one, State.Failed, $"{shipment.Carrier} takes no claims here: call it or use its own site.", context)),
                { Decision: ClaimDecision.Accepted } => Decided(State.Done, $"{shipment.Carrier} pays {claim.Paid ?? amount}.", claim.Id, claim.Paid ?? amount),
                { Decision: ClaimDecision.Rejected } => Decided(State.Failed, $"{shipment.Carrier} rejects the claim: {claim.Why}", claim.Id, null),
                _ => new RecoveryOutcome.Again(
                    time.GetUtcNow() + BackOff.After(attempt, FirstClaimPause, options.Value.ClaimAskedAfter), "The carrier has not decided.",
                    context => Change(
                        one, locked => locked.Settle(State.Waiting, $"{shipment.Carrier} has not decided yet.", time.GetUtcNow(), claim.Id) with { Amount = amount }, context)),
            };

            RecoveryOutcome.Done Decided(State state, string detail, string claimId, Money? paid) =>
                new(context => Change(one, locked => locked.IsOver ? locked : locked.Settle(state, detail, time.GetUtcNow(), claimId) with { Amount = amount, Paid = paid }, context));
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            LogUnanswered(shipment.Carrier!, attempt, exception.GetType().Name);
            return new RecoveryOutcome.Again(time.GetUtcNow() + options.Value.RetryAfter(attempt), $"{shipment.Carrier} does not answer.");
        }
    }

    /// <summary>What the parcel's pieces cost after the order's discounts and without shipping, at most what is left to give back.</summary>
    private async Task<Money> Share(Shipment shipment, CancellationToken cancellationToken)
    {
        var order = await orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + shipment.OrderId }, cancellationToken: cancellationToken);
        var payment = await payments.GetPaymentAsync(new GetPaymentRequest { Name = "payments/" + shipment.OrderId }, cancellationToken: cancellationToken);
        return ParcelShare.Of(
            shipment.Value, ParcelShare.Minor(order.Subtotal), ParcelShare.Minor(order.Total) - ParcelShare.Minor(order.ShippingCharge),
            ParcelShare.Minor(payment.CapturedAmount) - ParcelShare.Minor(payment.RefundedAmount));
    }

    private Task PaidBack(Resolution one, string refund, Money amount, RecoveryContext context) =>
        Settle(one, State.Done, $"{amount} were paid back.", context, refund, shipment => shipment.Settle(Remedy.Refunded, time.GetUtcNow()));

    private Task Settle(Resolution one, State state, string detail, RecoveryContext context, string? outcome = null, Func<Shipment, IShipmentFact?>? change = null) =>
        Change(one, locked => locked.Settle(state, detail, time.GetUtcNow(), outcome), context, change);

    // Under the parcel's lock, as everything that is done about it.
    private async Task Change(Resolution one, Func<Resolution, Resolution> to, RecoveryContext context, Func<Shipment, IShipmentFact?>? change = null)
    {
        if (await ShipmentStore.Lock(context.Connection, context.Transaction, one.ShipmentId, context.CancellationToken) is not { } shipment)
            return;
        var resolutions = await ResolutionStore.Of(context.Connection, context.Transaction, [one.ShipmentId], context.CancellationToken);
        var changed = to(resolutions[one.ShipmentId].Single(locked => locked.Number == one.Number));
        context.Batch.BatchCommands.Add(ResolutionStore.Update(changed));
        // One that was decided later is what whoever waits is told of.
        var decided = DecidedRemedyRecord.Of(changed) is { } now && (shipment.DecidedRemedy is not { } before || before.DecidedAt <= now.DecidedAt) && now.IsNewsAfter(shipment.DecidedRemedy) ? now : null;
        shipment.DecidedRemedy = decided ?? shipment.DecidedRemedy;
        // One version for both.
        if ((change?.Invoke(shipment) ?? (decided is null ? null : shipment.RemedyWasDecided(decided, time.GetUtcNow()))) is not { } fact)
            return;
        context.Tell(fact);
        context.Batch.BatchCommands.Add(ShipmentStore.Update(shipment));
    }

    private static string KeyOf(Resolution one) => string.Create(CultureInfo.InvariantCulture, $"resolution/{one.ShipmentId:N}/{one.Number}");

    private static string Why(RpcException refusal) =>
        refusal.GetRpcStatus()?.GetDetail<ErrorInfo>() is { Reason: "OUT_OF_STOCK" }
            ? $"{refusal.Status.Detail} Pay its pieces back, or send them again when there are some."
            : refusal.Status.Detail;

    [LoggerMessage(LogLevel.Warning, "{Carrier} did not answer attempt {Attempt} at a claim: {Error}.")]
    private partial void LogUnanswered(string carrier, int attempt, string error);
}
