using Commerce.Orders.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Orders.ReturningItems;

/// <summary>A return as the API shows it.</summary>
public static class ReturnMessage
{
    /// <summary>What is to be given back: what is due, but not more than was given already and is left of the order's money.</summary>
    public static long RefundMinor(Return one, long leftMinor) => Math.Min(one.DueMinor, one.GivenMinor + leftMinor);

    public static V1.Return Of(ShownReturn shown)
    {
        var (one, content) = (shown.Return, shown.Return.Content);
        var due = RefundMinor(one, shown.LeftMinor);
        return new V1.Return
        {
            Name = ReturnNames.Of(one.OrderId, one.Number),
            ReturnNumber = ReturnNames.NumberOf(one.OrderId, one.Number),
            OrderId = one.OrderId.ToString(),
            StoreId = one.StoreId,
            State = one.State,
            RefundState = one.RefundStateOf(due),
            Lines = { content.Lines.Select(line => Line(one, line)) },
            Note = content.Note,
            Photos = { content.Photos },
            DecisionNote = content.DecisionNote,
            WindowOverridden = content.WindowOverridden,
            ShopperPaysPostage = content.ShopperPays,
            RefundAmount = Amount(due),
            Amounts = new ReturnAmounts
            {
                Goods = Amount(one.GoodsMinor),
                Shipping = Amount(one.ShippingMinor),
                RestockingFee = Amount(one.RestockingMinor),
                ReturnPostage = Amount(one.PostageMinor),
            },
            RefundedAmount = Amount(one.GivenMinor),
            Refunds = { content.Refunds.Select(Refund) },
            Parcels =
            {
                content.Parcels.Select(parcel => new ReturnParcel
                {
                    Shipment = "shipments/" + parcel.ShipmentId,
                    Carrier = parcel.Carrier,
                    TrackingNumber = parcel.TrackingNumber,
                    State = parcel.State,
                }),
            },
            RequestedBy = content.RequestedBy,
            Policy = one.Policy,
            CreateTime = one.CreatedAt.ToTimestamp(),
            UpdateTime = one.UpdatedAt.ToTimestamp(),
            Version = one.Version,
            Etag = OrderMessage.EtagOf(one.Version),
            LabelWanted = content.LabelWanted,
            Outcome = content.Outcome,
            Replacement = content.Replacement is null ? null : Replacement(content.Replacement),
        };

        Google.Type.Money Amount(long minor) => new Commerce.Money(minor, content.Currency).ToProto();

        ReturnRefund Refund(ReturnRefundRow refund) => new()
        {
            Number = refund.Number,
            Refund = refund.Refund,
            Amount = Amount(refund.AmountMinor),
            RefundedAmount = Amount(refund.GivenMinor),
            State = refund.State,
            FailureReason = refund.Failure,
            CreateTime = refund.CreatedAt.ToTimestamp(),
            StoreCredit = refund.ToCredit,
            OutsideReference = refund.Outside,
        };

        Replacement Replacement(ReplacementContent replacement) => new()
        {
            Lines =
            {
                replacement.Lines.Select(line => new ReplacementLine { Sku = line.Sku, Quantity = line.Quantity, Title = line.Title, UnitPrice = Amount(line.UnitPriceMinor) }),
            },
            PaymentPart = replacement.Part is not { } part
                ? null
                : new PaymentPart { Method = part.Method, Token = part.Token, Instalments = part.Instalments, Amount = Amount(Math.Max(0, replacement.TotalMinor - due)) },
            Amount = Amount(replacement.TotalMinor),
            Difference = Amount(replacement.TotalMinor - due),
            ReplacementOrder = replacement.OrderId.Length > 0 ? "orders/" + replacement.OrderId : "",
            FailureReason = replacement.Failure,
        };
    }

    private static ReturnLine Line(Return one, ReturnLineRow line) => new()
    {
        LineNumber = line.LineNumber,
        Quantity = line.Quantity,
        Reason = line.Reason,
        Note = line.Note,
        Sku = line.Sku,
        Title = line.Title,
        AsNewQuantity = line.AsNew,
        DamagedQuantity = line.Damaged,
        MissingQuantity = line.Missing,
        Amount = new Commerce.Money(one.AmountOf(line), one.Content.Currency).ToProto(),
    };
}
