using Commerce.Orders.PlacingOrder;

namespace Commerce.Orders.ReturningItems;

/// <summary>A line, as far as its price matters.</summary>
/// <param name="DiscountMinor">Its share of the order's discounts; null: it is not fixed yet.</param>
public sealed record PricedLine(int LineNumber, string Title, int Quantity, long UnitPriceMinor, long? DiscountMinor = null);

/// <summary>
/// What was paid for an order's goods, line by line and piece by piece, in minor units: discounts on the order are shared among
/// the lines by what they cost, and a line among its pieces. Rounded on the running sum: so the lines sum exactly to the goods,
/// and any partial returns of a line exactly to the line. Fees are not part of it.
/// </summary>
public sealed class PaidFor
{
    private readonly Dictionary<int, (long Net, int Quantity)> _lines = [];

    public PaidFor(IReadOnlyList<PricedLine> lines, IReadOnlyList<AdjustmentRow> adjustments, long shippingMinor, long totalMinor)
    {
        Int128 subtotal = 0;
        foreach (var line in lines)
            subtotal += (Int128)line.Quantity * line.UnitPriceMinor;
        var discount = Int128.Min(subtotal, adjustments.Sum(a => Math.Max(0, -a.AmountMinor)));

        Int128 before = 0, sharedBefore = 0;
        foreach (var line in lines)
        {
            var amount = (Int128)line.Quantity * line.UnitPriceMinor;
            before += amount;
            var shared = subtotal == 0 ? 0 : discount * before / subtotal;
            _lines[line.LineNumber] = ((long)(amount - (line.DiscountMinor ?? (shared - sharedBefore))), line.Quantity);
            sharedBefore = shared;
        }

        GoodsMinor = _lines.Values.Sum(line => line.Net);
        // A discount that is more than the goods is on the shipping too.
        ShippingMinor = Math.Clamp(totalMinor - GoodsMinor, 0, shippingMinor);
    }

    /// <summary>All lines, after discounts.</summary>
    public long GoodsMinor { get; }

    /// <summary>What was paid for shipping, after discounts.</summary>
    public long ShippingMinor { get; }

    /// <summary>What was paid for a line, after discounts.</summary>
    public long Line(int lineNumber) => _lines[lineNumber].Net;

    /// <summary>What was paid for pieces of a line, the first <paramref name="before"/> of which came back earlier.</summary>
    public long Pieces(int lineNumber, int before, int pieces) => UpTo(lineNumber, before + pieces) - UpTo(lineNumber, before);

    /// <summary>What was paid for so many pieces of a line.</summary>
    public long UpTo(int lineNumber, int pieces)
    {
        var (net, quantity) = _lines[lineNumber];
        return quantity == 0 ? 0 : (long)((Int128)net * Math.Clamp(pieces, 0, quantity) / quantity);
    }
}
