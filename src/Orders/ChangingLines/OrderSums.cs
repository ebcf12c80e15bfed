using Commerce.Orders.PlacingOrder;

namespace Commerce.Orders.ChangingLines;

/// <summary>A line with what it costs. The discount is its share of the order's; null: the shares are not fixed yet.</summary>
public sealed record PricedLine(int LineNumber, string Sku, string Title, int Quantity, long UnitPriceMinor, bool PriceAgreed, long? DiscountMinor);

/// <summary>
/// What an order costs, in minor units of its currency. Every line bears its share of the order's discounts, as far as they are
/// discounts on goods; pieces that go take their share of it with them, and the last piece of a line all that is left of the
/// line's share: whatever goes in whatever order, what is given back for a line sums to the line. Shipping and fees stay.
/// </summary>
public sealed record OrderSums(
    string Currency, long SubtotalMinor, long ShippingMinor, long TotalMinor, IReadOnlyList<AdjustmentRow> Adjustments, IReadOnlyList<PaymentPartRow> PaymentParts,
    IReadOnlyList<PricedLine> Lines)
{
    /// <summary>The order was brought here from a shop's history: nothing charges it.</summary>
    public bool Imported { get; init; }

    /// <summary>The lines with their shares fixed.</summary>
    public IReadOnlyList<PricedLine> Shared()
    {
        if (Lines.All(line => line.DiscountMinor is not null))
            return Lines;
        // A discount beyond the goods is one on shipping or a fee, and stays with those.
        Int128 discount = 0;
        foreach (var adjustment in Adjustments)
            discount -= Math.Min(adjustment.AmountMinor, 0);
        discount = Int128.Min(discount, SubtotalMinor);

        var lines = new List<PricedLine>(Lines.Count);
        Int128 sofar = 0;
        long given = 0;
        foreach (var line in Lines)
        {
            sofar += (Int128)line.Quantity * line.UnitPriceMinor;
            var until = SubtotalMinor == 0 ? 0 : (long)(discount * sofar / SubtotalMinor);
            lines.Add(line with { DiscountMinor = until - given });
            given = until;
        }

        return lines;
    }

    /// <summary>What it costs once pieces came or went.</summary>
    /// <param name="paid">How the difference was paid where it costs more.</param>
    /// <exception cref="OverflowException">It comes to more than any order may; see <see cref="PlaceOrderCheck.MostMinor"/>.</exception>
    public OrderSums After(IReadOnlyList<LineDelta> deltas, PaymentPartRow? paid = null)
    {
        var lines = Shared().ToList();
        Int128 subtotal = SubtotalMinor;
        long freed = 0;
        foreach (var delta in deltas)
        {
            subtotal += (Int128)delta.Pieces * delta.UnitPriceMinor;
            if (delta.New)
            {
                lines.Add(new PricedLine(delta.LineNumber, delta.Sku, delta.Title, delta.Pieces, delta.UnitPriceMinor, delta.PriceAgreed, 0));
                continue;
            }

            var index = lines.FindIndex(line => line.LineNumber == delta.LineNumber);
            var line = lines[index];
            var share = line.DiscountMinor!.Value;
            var left = delta.Pieces >= 0 ? share : (long)((Int128)share * (line.Quantity + delta.Pieces) / line.Quantity);
            freed += share - left;
            lines[index] = line with { Quantity = line.Quantity + delta.Pieces, DiscountMinor = left };
        }

        var adjustments = Freed(freed);
        var total = subtotal + ShippingMinor;
        foreach (var adjustment in adjustments)
            total += adjustment.AmountMinor;
        if (subtotal > PlaceOrderCheck.MostMinor || total > PlaceOrderCheck.MostMinor)
            throw new OverflowException();
        return this with
        {
            SubtotalMinor = (long)subtotal,
            TotalMinor = (long)total,
            Adjustments = adjustments,
            PaymentParts = Paying((long)total, paid),
            Lines = lines,
        };
    }

    // Each discount gives its share of what is freed.
    private List<AdjustmentRow> Freed(long freed)
    {
        var adjustments = new List<AdjustmentRow>(Adjustments.Count);
        Int128 whole = 0, sofar = 0;
        long given = 0;
        foreach (var adjustment in Adjustments)
            whole -= Math.Min(adjustment.AmountMinor, 0);
        foreach (var adjustment in Adjustments)
        {
            if (adjustment.AmountMinor >= 0)
            {
                adjustments.Add(adjustment);
                continue;
            }

            sofar -= adjustment.AmountMinor;
            var until = (long)(freed * sofar / whole);
            var left = adjustment.AmountMinor + until - given;
            given = until;
            if (left != 0)
                adjustments.Add(adjustment with { AmountMinor = left });
        }

        return adjustments;
    }

    // What goes back goes back to the last part first, as Payments gives it back.
    private List<PaymentPartRow> Paying(long total, PaymentPartRow? paid)
    {
        var parts = PaymentParts.ToList();
        var back = TotalMinor - total;
        for (var i = parts.Count - 1; i >= 0 && back > 0; i--)
        {
            var piece = Math.Min(back, parts[i].AmountMinor);
            back -= piece;
            if (piece == parts[i].AmountMinor)
                parts.RemoveAt(i);
            else
                parts[i] = parts[i] with { AmountMinor = parts[i].AmountMinor - piece };
        }

        if (paid is not null)
            parts.Add(paid);
        return parts;
    }
}
