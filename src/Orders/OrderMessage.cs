using System.Globalization;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Orders;

/// <summary>An order as the API shows it.</summary>
public static class OrderMessage
{
    /// <summary>The resource name of an order.</summary>
    public static string NameOf(OrderId id) => "orders/" + id;

    /// <summary>The etag of a version (RFC 9110: quoted).</summary>
    public static string EtagOf(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>An order that was just placed, without asking the database for what was just written.</summary>
    public static V1.Order Placed(OrderDraft draft, Order order, OrderChange change)
    {
        var time = change.Moment.Time.ToTimestamp();
        var message = New(order.Id, order.StoreId, order.Version, order.State, order.PaymentState, order.FulfilmentState, order.Cancellation, order.CaptureMode);
        message.ExternalId = draft.ExternalId ?? "";
        message.CustomerId = draft.CustomerId ?? "";
        message.CreateTime = time;
        message.UpdateTime = time;
        message.Subtotal = draft.Amount(draft.SubtotalMinor).ToProto();
        message.ShippingCharge = draft.Amount(draft.ShippingMinor).ToProto();
        message.Total = draft.Amount(draft.TotalMinor).ToProto();
        message.PromisedDeliveryTime = draft.PromisedDeliveryTime?.ToTimestamp();
        message.Customer = draft.Customer;
        message.ShippingAddress = draft.ShippingAddress;
        message.DeliveryWishes = draft.DeliveryWishes is { } wishes && wishes.CalculateSize() > 0 ? wishes : null;
        message.Lines.AddRange(draft.Lines.Select(line => Line(line, draft.Currency)));
        AddParts(message, draft.Currency, draft.Adjustments, draft.PaymentParts);
        return message;
    }

    /// <summary>What follows from the identity and the states.</summary>
    public static V1.Order New(
        OrderId id, string storeId, long version, OrderState state, PaymentState payment, FulfilmentState fulfilment, OrderCancellation? cancellation,
        CaptureMode captureMode) =>
        new()
        {
            Name = NameOf(id),
            OrderId = id.ToString(),
            StoreId = storeId,
            Version = version,
            Etag = EtagOf(version),
            State = state,
            PaymentState = payment,
            FulfilmentState = fulfilment,
            Headline = Headlines.Of(state, payment, fulfilment, cancellation?.Reason, captureMode),
            CaptureMode = captureMode,
            Cancellation = cancellation is null
                ? null
                : new Cancellation { Reason = cancellation.Reason, Note = cancellation.Note, Time = cancellation.Time.ToTimestamp() },
        };

    public static OrderLine Line(DraftLine line, string currency) => new()
    {
        LineNumber = line.LineNumber,
        Sku = line.Sku,
        Title = line.Title,
        Quantity = line.Quantity,
        UnitPrice = new Money(line.UnitPriceMinor, currency).ToProto(),
        PriceAgreed = line.PriceAgreed,
        Amount = (new Money(line.UnitPriceMinor, currency) * line.Quantity).ToProto(),
        Dimensions = line.Dimensions,
        ShipFrom = line.ShipFrom,
        CancelledQuantity = line.Cancelled,
        ReturnedQuantity = line.Returned,
    };

    /// <summary>A change that waits for its money.</summary>
    public static V1.PendingChange? Pending(ChangingLines.WaitingChange? pending, string currency) => pending is null ? null : new V1.PendingChange
    {
        ChangeNumber = pending.Number,
        Lines =
        {
            pending.Deltas.Select(delta => new LineChange
            {
                LineNumber = delta.LineNumber,
                Sku = delta.Sku,
                Pieces = delta.Pieces,
                UnitPrice = new Money(delta.UnitPriceMinor, currency).ToProto(),
            }),
        },
        Difference = new Money(pending.Payment.AmountMinor, currency).ToProto(),
        CreateTime = pending.Time.ToTimestamp(),
    };

    public static void AddParts(V1.Order order, string currency, IEnumerable<AdjustmentRow> adjustments, IEnumerable<PaymentPartRow> parts)
    {
        foreach (var adjustment in adjustments)
            order.Adjustments.Add(new Adjustment { Label = adjustment.Label, Amount = new Money(adjustment.AmountMinor, currency).ToProto() });
        foreach (var part in parts)
        {
            order.PaymentParts.Add(new PaymentPart
            {
                Method = part.Method,
                Token = part.Token,
                Amount = new Money(part.AmountMinor, currency).ToProto(),
                Instalments = part.Instalments,
            });
        }
    }
}
