using Commerce.Facts;
using Commerce.Orders.V1;

namespace Commerce.Orders;

/// <summary>How what was lost on its way is sent again.</summary>
public sealed partial class Order
{
    /// <summary>
    /// The pieces of a parcel that will not arrive are sent again, at no charge; those among them that are still wanted and in no
    /// other parcel. Null if that is under way already. The parcel stays on the order and readable; should it turn up all the same, it counts again.
    /// </summary>
    /// <param name="shipmentId">The parcel that is lost, or on its way back.</param>
    /// <param name="why">In words, for the timeline.</param>
    /// <param name="isCounted">Whether stock is counted of a SKU: then its pieces are reserved.</param>
    /// <param name="moment">Now.</param>
    /// <exception cref="ServiceDefaults.Failure">ORDER_STATE.</exception>
    public OrderChange? ReplaceParcel(string shipmentId, string why, Func<string, bool> isCounted, Moment moment)
    {
        var parcel = Parcel(shipmentId);
        if (parcel.State == ParcelState.Replaced)
            return null;
        if (State == OrderState.Cancelled)
            throw Refused("It is cancelled.");
        if (PaymentState is not (PaymentState.Paid or PaymentState.PartlyRefunded) && !IsConfirmedBy(PaymentState))
            throw Refused(PaymentState == PaymentState.Refunded ? "Its money was given back: nothing is owed any more." : "It is not paid for.");
        if (parcel.State is not (ParcelState.Shipped or ParcelState.Returned))
            throw Refused(parcel.State switch
            {
                ParcelState.Delivered => $"Parcel {shipmentId} was delivered: what is wrong with it is a return or an exchange.",
                ParcelState.Cancelled => $"Parcel {shipmentId} was never sent: its pieces are packed anew by themselves.",
                _ => $"Parcel {shipmentId} is not with the carrier yet: it can still be sent as it is.",
            });

        var replaced = Replace(parcel, parcel with { State = ParcelState.Replaced });
        var holds = new List<StockHold>();
        var missing = 0;
        foreach (var content in parcel.Content)
        {
            var line = Line(content.LineNumber);
            var pieces = Math.Min(content.Quantity, Missing(line));
            missing += Math.Max(0, pieces);
            if (pieces <= 0 || !isCounted(line.Sku))
                continue;
            line.Held += pieces;
            holds.Add(new StockHold(line.LineNumber, line.Sku, pieces));
        }

        if (missing == 0)
        {
            Replace(replaced, parcel);
            throw Refused($"What is in parcel {shipmentId} is in other parcels, or not wanted any more.");
        }

        FulfilmentState = FulfilmentStates.Of(Lines, _parcels);
        var detail = $"shipments/{shipmentId} is sent again" + (why.Length > 0 ? ": " + why : "");
        return Made(moment, detail, version => new ParcelReplaced(Id.ToString(), StoreId, version, moment.Time, shipmentId)) with { Parcel = replaced, Holds = holds };
    }

    // Pieces that no parcel brings, and none is planned for.
    private int Missing(HeldLine line)
    {
        var pieces = line.Quantity;
        foreach (var parcel in _parcels)
            pieces -= parcel.State is ParcelState.Cancelled or ParcelState.Replaced ? 0 : parcel.PiecesOf(line.LineNumber);
        return pieces;
    }

    // A replacement that is not sent, because the lost parcel turned up: nothing can still go that would need its pieces. What is
    // planned may go all the same, until it is known to be cancelled; which of the two is heard first does not matter.
    private List<StockMove> ReleaseWhatCannotGo() => Release(
        line => Math.Max(0, line.Held - Math.Max(Removable(line.LineNumber), _parcels.Where(p => p.State == ParcelState.Planned).Sum(p => p.PiecesOf(line.LineNumber)))));
}

/// <summary>Pieces of a line that are held from now on.</summary>
public sealed record StockHold(int LineNumber, string Sku, int Pieces);
