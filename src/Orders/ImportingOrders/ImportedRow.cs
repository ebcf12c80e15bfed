using System.Security.Cryptography;
using Commerce.Orders.Checking;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf;

namespace Commerce.Orders.ImportingOrders;

/// <summary>An order of a shop's history that is right in itself.</summary>
internal sealed record ImportedRow(
    long Position, OrderDraft Draft, DateTimeOffset PlaceTime, OrderState State, PaymentState PaymentState, FulfilmentState FulfilmentState,
    OrderCancellation? Cancellation, long RefundedMinor, byte[] Hash, DateTimeOffset? DeliverTime)
{
    private const string UnknownToken = "imported";

    /// <summary>
    /// Checked by the rules of an order that is placed, but for what history cannot have any more: a catalogue to price it from,
    /// tokens of means of payment, a promise still to be kept.
    /// </summary>
    /// <exception cref="Failure">INVALID_FIELD or SKU_UNKNOWN with everything that is wrong.</exception>
    public static ImportedRow Check(long position, ImportedOrder order, Store store, DateTimeOffset now)
    {
        var errors = new FieldErrors();
        errors.Required("external_id", order.ExternalId, 64);
        if (!ProtoTime.TryRead(order.PlaceTime, out var placed))
            errors.Add("place_time", "Say when it was placed.");
        else if (placed > now)
            errors.Add("place_time", "Is in the future.");
        DateTimeOffset? delivered = ProtoTime.TryRead(order.DeliverTime, out var deliverTime) ? deliverTime : null;
        if (order.DeliverTime is not null && delivered is null)
            errors.Add("deliver_time", "Is not a time between the years 1 and 9999.");
        if (delivered < placed || delivered > now)
            errors.Add("deliver_time", delivered > now ? "Is in the future." : "Is before it was placed.");
        var (payment, fulfilment) = States(order, errors);
        if (delivered is not null && fulfilment is FulfilmentState.Unfulfilled or FulfilmentState.PartlyShipped or FulfilmentState.Shipped or FulfilmentState.PartlyDelivered)
            errors.Add("deliver_time", "Is given, but not all of the order was delivered.");
        var request = Request(order, store);

        var currency = request.CurrencyCode.Length > 0 ? request.CurrencyCode : store.CurrencyCode;
        var refunded = order.RefundedAmount is null || !Currencies.Exists(currency) ? 0 : errors.Amount("refunded_amount", order.RefundedAmount, currency, 0, PlaceOrderCheck.MostMinor) ?? 0;
        if (payment == PaymentState.PartlyRefunded && order.RefundedAmount is null)
            errors.Add("refunded_amount", "Say how much was given back.");

        OrderDraft draft;
        try
        {
            var amounts = PlaceOrderCheck.Check(request, store, now);
            var total = TotalOf(request, amounts);
            if (amounts.PaymentParts.Count == 0 && total > 0 && total <= PlaceOrderCheck.MostMinor)
                amounts = amounts with { PaymentParts = [new PaymentPartRow(PaymentMethod.Card, UnknownToken, (long)total, 1)] };
            draft = Pricing.Price(request, amounts, store, new Dictionary<string, Catalogue.CatalogueProduct>());
        }
        catch (Failure failure) when (errors.Any)
        {
            foreach (var field in failure.Fields)
                errors.Add(field.Field, field.Description);
            errors.ThrowIfAny();
            throw;
        }

        if (refunded > draft.TotalMinor)
            errors.Add("refunded_amount", $"Is {draft.Amount(refunded)}, but the order came to {draft.Amount(draft.TotalMinor)}.");
        errors.ThrowIfAny();

        var cancellation = order.State != OrderState.Cancelled
            ? null
            : new OrderCancellation(
                order.CancelReason == CancelReason.Unspecified ? CancelReason.Shopper : order.CancelReason, order.CancelNote,
                ProtoTime.TryRead(order.CancelTime, out var cancelled) ? cancelled : placed);
        return new ImportedRow(position, draft, placed, order.State, payment, fulfilment, cancellation, payment == PaymentState.Refunded ? draft.TotalMinor : refunded, HashOf(order), delivered);
    }

    /// <summary>The same order told again has the same hash.</summary>
    public static byte[] HashOf(ImportedOrder order) => SHA256.HashData(order.ToByteArray());

    private static PlaceOrderRequest Request(ImportedOrder order, Store store)
    {
        var request = new PlaceOrderRequest
        {
            RequestId = UnknownToken,
            StoreId = store.StoreId,
            ExternalId = order.ExternalId,
            CustomerId = order.CustomerId,
            Customer = order.Customer,
            ShippingAddress = order.ShippingAddress,
            Lines = { order.Lines },
            Adjustments = { order.Adjustments },
            ShippingCharge = order.ShippingCharge,
            CurrencyCode = order.CurrencyCode,
        };
        foreach (var part in order.PaymentParts)
        {
            var copy = part.Clone();
            if (copy.Token.Length == 0)
                copy.Token = UnknownToken;
            request.PaymentParts.Add(copy);
        }

        return request;
    }

    private static Int128 TotalOf(PlaceOrderRequest request, PlaceOrderCheck.Amounts amounts)
    {
        Int128 total = amounts.Shipping;
        for (var i = 0; i < request.Lines.Count; i++)
            total += (Int128)request.Lines[i].Quantity * (amounts.UnitPrices[i] ?? 0);
        foreach (var adjustment in amounts.Adjustments)
            total += adjustment.AmountMinor;
        return total;
    }

    // What follows from the end of an order need not be said; what contradicts it is refused.
    private static (PaymentState Payment, FulfilmentState Fulfilment) States(ImportedOrder order, FieldErrors errors)
    {
        var (payment, fulfilment) = (order.PaymentState, order.FulfilmentState);
        if (!Enum.IsDefined(order.State) || order.State == OrderState.Unspecified)
            errors.Add("state", "Say how it ended: open, completed or cancelled.");
        if (!Enum.IsDefined(payment))
            errors.Add("payment_state", "Is not a state that is known here.");
        if (!Enum.IsDefined(fulfilment))
            errors.Add("fulfilment_state", "Is not a state that is known here.");
        if (order.State != OrderState.Cancelled && (order.CancelReason != CancelReason.Unspecified || order.CancelNote.Length > 0 || order.CancelTime is not null))
            errors.Add("cancel_reason", "Is given, but the order was not cancelled.");
        if (!Enum.IsDefined(order.CancelReason))
            errors.Add("cancel_reason", "Is not a reason that is known here.");
        errors.Optional("cancel_note", order.CancelNote, 500);
        if (order.CancelTime is not null && !ProtoTime.TryRead(order.CancelTime, out _))
            errors.Add("cancel_time", "Is not a time between the years 1 and 9999.");

        switch (order.State)
        {
            case OrderState.Completed:
                payment = payment == PaymentState.Unspecified ? PaymentState.Paid : payment;
                fulfilment = fulfilment == FulfilmentState.Unspecified ? FulfilmentState.Delivered : fulfilment;
                if (payment is PaymentState.Pending or PaymentState.Authorised or PaymentState.Failed)
                    errors.Add("payment_state", "A completed order was paid for.");
                if (fulfilment is FulfilmentState.Unfulfilled or FulfilmentState.PartlyShipped or FulfilmentState.Shipped)
                    errors.Add("fulfilment_state", "A completed order was delivered.");
                break;
            case OrderState.Cancelled:
                payment = payment == PaymentState.Unspecified ? PaymentState.Refunded : payment;
                fulfilment = fulfilment == FulfilmentState.Unspecified ? FulfilmentState.Unfulfilled : fulfilment;
                break;
            case OrderState.Open when payment == PaymentState.Unspecified:
                errors.Add("payment_state", "Say how far the money of an open order came.");
                break;
            case OrderState.Open when fulfilment == FulfilmentState.Unspecified:
                errors.Add("fulfilment_state", "Say how far the goods of an open order came.");
                break;
            default:
                break;
        }

        return (payment, fulfilment);
    }
}
