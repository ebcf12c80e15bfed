using System.Globalization;
using Commerce.Messaging;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Google.Rpc;
using Grpc.Core;
using RefundState = Commerce.Payments.V1.Refund.Types.State;

namespace Commerce.Orders.ReturningItems;

/// <summary>
/// Has Payments give back what a return asked for, and follows it until it is settled. Payments is asked under a request_id
/// that names the refund and its amount: however often that is, it promises once.
/// </summary>
public sealed class RefundReturn(PaymentService.PaymentServiceClient payments, ReturnStore returns, ReturnChanges changes, TimeProvider clock) : IRecover
{
    public const string PointKind = "refund-return";

    private const string Actor = "service/payments";

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    public string Kind => PointKind;

    public static RecoveryPoint PointOf(Return one, int refundNumber) =>
        new(PointKind, string.Create(CultureInfo.InvariantCulture, $"{one.OrderId}/{one.Number}/{refundNumber}"));

    /// <summary>Asks once more at once: Payments told that money of the order moved.</summary>
    public static RecoveryPoint PointOf(Return one, int refundNumber, long paymentVersion) =>
        new(PointKind, string.Create(CultureInfo.InvariantCulture, $"{one.OrderId}/{one.Number}/{refundNumber}/{paymentVersion}"));

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var (orderId, number, refundNumber, follows) = Read(point);
        OrdersTelemetry.About(orderId);
        if (await returns.Find(orderId, number, cancellationToken) is not { Return: var one }
            || one.Content.Refunds.FirstOrDefault(r => r.Number == refundNumber) is not { State: ReturnRefund.Types.State.Pending } asked)
            return new RecoveryOutcome.Done();

        Refund refund;
        try
        {
            refund = asked.Refund.Length == 0
                ? await payments.RefundPaymentAsync(Request(one, asked), cancellationToken: cancellationToken)
                : await payments.GetRefundAsync(new GetRefundRequest { Name = asked.Refund }, cancellationToken: cancellationToken);
        }
        catch (RpcException refusal) when (Refusals.IsFinal(refusal.StatusCode))
        {
            return Refused(one, asked, refusal);
        }

        if (refund.State is RefundState.Succeeded or RefundState.Failed)
            return new RecoveryOutcome.Done(context => Settle(orderId, number, refundNumber, refund, context));
        Func<RecoveryContext, Task>? remember = asked.Refund.Length > 0 ? null : context => Promised(orderId, number, refundNumber, refund.Name, context);
        return follows
            ? new RecoveryOutcome.Done(remember)
            : new RecoveryOutcome.Again(clock.GetUtcNow() + BackOff.After(attempt, FirstPause, LongestPause), "Payments has not settled it.", remember);
    }

    private static RefundPaymentRequest Request(Return one, ReturnRefundRow asked) => new()
    {
        Name = "payments/" + one.OrderId,
        RequestId = string.Create(CultureInfo.InvariantCulture, $"return/{ReturnNames.NumberOf(one.OrderId, one.Number)}/{asked.Number}/{asked.Attempt}"),
        Amount = new Money(asked.AmountMinor, one.Content.Currency).ToProto(),
        Reason = one.Content.Lines.All(line => ReturnPolicies.IsShopsFault(line.Reason)) ? RefundReason.Damaged : RefundReason.Return,
        Note = "Return " + ReturnNames.NumberOf(one.OrderId, one.Number),
        Destination = asked.ToCredit ? RefundDestination.StoreCredit : RefundDestination.OriginalMeans,
    };

    private RecoveryOutcome Refused(Return one, ReturnRefundRow asked, RpcException refusal)
    {
        var info = refusal.GetRpcStatus()?.GetDetail<ErrorInfo>();
        // Somebody else had money given back meanwhile. What is left is given, and which amount that is is stored before it is asked for.
        if (info is { Reason: "REFUND_EXCEEDS_PAYMENT" } && Left(info) is var left && left > 0 && left < asked.AmountMinor)
        {
            return new RecoveryOutcome.Again(clock.GetUtcNow(), "Less is left than was asked for.", async context =>
            {
                await Change(one.OrderId, one.Number, context, (locked, now) =>
                    locked.AskLess(asked.Number, left, now) ? $"only {new Money(left, one.Content.Currency)} is left to give back" : null);
            });
        }

        return new RecoveryOutcome.Done(context => Change(one.OrderId, one.Number, context, (locked, now) =>
            locked.Settle(asked.Number, asked.Refund, 0, refusal.Status.Detail, now) ? Failed(asked, one, info?.Reason ?? refusal.StatusCode.ToString()) : null));
    }

    private Task Settle(OrderId orderId, int number, int refundNumber, Refund refund, RecoveryContext context) => Change(orderId, number, context, (one, now) =>
    {
        refund.RefundedAmount.TryToMoney(out var given, out _);
        var asked = one.Content.Refunds.Single(r => r.Number == refundNumber);
        if (refund.State == RefundState.Succeeded)
            return one.Settle(refundNumber, refund.Name, asked.AmountMinor, null, now) ? $"refund of {new Money(asked.AmountMinor, one.Content.Currency)} given back" : null;
        var why = string.Join(", ", refund.Parts.Select(part => part.FailureReason).Where(reason => reason.Length > 0).Distinct());
        why = why.Length > 0 ? why : "failed";
        return one.Settle(refundNumber, refund.Name, given.Minor, why, now) ? Failed(asked, one, why) : null;
    });

    private static string Failed(ReturnRefundRow asked, Return one, string why) =>
        $"refund of {new Money(asked.AmountMinor, one.Content.Currency)} refused: {why}";

    private static async Task Promised(OrderId orderId, int number, int refundNumber, string name, RecoveryContext context)
    {
        if (await OrderStore.Lock(context.Connection, context.Transaction, orderId, context.CancellationToken) is not { } order)
            return;
        var one = (await ReturnStore.Load(context.Connection, context.Transaction, order, context.CancellationToken)).Return(number);
        // Nobody waits for the name: it is kept with the version that there is.
        if (one.Promised(refundNumber, name))
            ReturnStore.Save(context.Batch, one);
    }

    private async Task Change(OrderId orderId, int number, RecoveryContext context, Func<Return, DateTimeOffset, string?> change)
    {
        if (await OrderStore.Lock(context.Connection, context.Transaction, orderId, context.CancellationToken) is not { } order)
            return;
        if (await changes.Progress(order, number, Actor, context.Batch, change, context.CancellationToken) is { ReplacementDue: true } one)
            context.Intend(PlaceReplacement.PointOf(one));
    }

    private static long Left(ErrorInfo info) =>
        info.Metadata.TryGetValue("refundable", out var text) && info.Metadata.TryGetValue("currency", out var currency)
        && decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var units)
        && Currencies.MinorUnits(currency) is { } digits
            ? (long)(units * (decimal)Math.Pow(10, digits))
            : 0;

    private static (OrderId OrderId, int Number, int RefundNumber, bool Follows) Read(RecoveryPoint point) =>
        point.Key.Split('/') is [var order, var number, var refund, .. var rest] && OrderId.TryParse(order, out var id)
            ? (id, int.Parse(number, CultureInfo.InvariantCulture), int.Parse(refund, CultureInfo.InvariantCulture), rest.Length > 0)
            : throw new InvalidOperationException($"The recovery point {point.Kind} \"{point.Key}\" names no refund of a return.");
}
