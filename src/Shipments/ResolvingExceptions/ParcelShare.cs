namespace Commerce.Shipments.ResolvingExceptions;

/// <summary>What a parcel's pieces cost the shopper: pure.</summary>
internal static class ParcelShare
{
    /// <param name="value">The parcel's pieces at their prices.</param>
    /// <param name="subtotal">All of the order's pieces at their prices, in minor units.</param>
    /// <param name="paidForGoods">What the order costs without shipping: the pieces less discounts, with fees.</param>
    /// <param name="left">What was taken and not given back.</param>
    public static Money Of(Money value, long subtotal, long paidForGoods, long left)
    {
        var share = subtotal > 0 ? Math.Round((decimal)value.Minor * Math.Max(0, paidForGoods) / subtotal, MidpointRounding.AwayFromZero) : value.Minor;
        return new Money((long)Math.Clamp(share, 0, Math.Max(0, left)), value.Currency);
    }

    /// <summary>0 for an amount that is not set.</summary>
    public static long Minor(Google.Type.Money? amount) => amount is not null && amount.TryToMoney(out var money, out _) ? money.Minor : 0;
}
