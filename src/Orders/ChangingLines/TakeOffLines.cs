using Commerce.Orders.Checking;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;

namespace Commerce.Orders.ChangingLines;

/// <summary>Takes pieces off an order that no carrier has; the last piece of all cancels the order.</summary>
public static class TakeOffLines
{
    public static void Check(IReadOnlyList<LinePieces> wanted, FieldErrors errors)
    {
        errors.Count("lines", wanted.Count, 0, PlaceOrderCheck.MostLines, "lines");
        var seen = new HashSet<int>();
        for (var i = 0; i < Math.Min(wanted.Count, PlaceOrderCheck.MostLines); i++)
        {
            errors.Between($"lines[{i}].pieces", wanted[i].Pieces, 0, PlaceOrderCheck.MostPieces);
            if (!seen.Add(wanted[i].LineNumber))
                errors.Add($"lines[{i}].line_number", "Is given twice.");
        }
    }

    /// <exception cref="ServiceDefaults.Failure">INVALID_FIELD, ORDER_STATE.</exception>
    public static async Task<OrderChange?> Decide(
        IReadOnlyList<LinePieces> wanted, CancelReason reason, string note, OrderDecision decision, CancellationToken cancellationToken)
    {
        var order = decision.Order;
        if (order.State == OrderState.Cancelled)
            return null;
        var sums = await LineStore.Sums(decision.Connection, decision.Transaction, order.Id, cancellationToken);
        var deltas = Deltas(wanted, sums, order);
        if (deltas.Count == 0)
            return null;

        var name = FactName.Of(reason);
        if (sums.Lines.Sum(line => (long)line.Quantity) + deltas.Sum(delta => (long)delta.Pieces) == 0)
            return order.Cancel(reason, note, decision.Moment);
        // First, so that pieces a line does not have are refused before their share is reckoned.
        order.MustAllow(deltas);
        var change = new LinesChange(deltas, sums, sums.After(deltas));
        return order.ChangeLines(change, note.Length == 0 ? $"{name}: {change.Text}" : $"{name}: {change.Text}: {note}", decision.Moment);
    }

    private static List<LineDelta> Deltas(IReadOnlyList<LinePieces> wanted, OrderSums sums, Order order)
    {
        var errors = new FieldErrors();
        var deltas = new List<LineDelta>(wanted.Count);
        for (var i = 0; i < wanted.Count; i++)
        {
            if (sums.Lines.FirstOrDefault(line => line.LineNumber == wanted[i].LineNumber) is not { } line)
            {
                errors.Add($"lines[{i}].line_number", FieldErrors.Text($"The order has no line {wanted[i].LineNumber}; it has 1 to {sums.Lines.Count}."));
                continue;
            }

            // All that are left, and where that is none because a carrier has them, the refusal says so.
            var pieces = wanted[i].Pieces > 0 ? wanted[i].Pieces : order.Removable(line.LineNumber) is > 0 and var left ? left : line.Quantity;
            if (pieces > 0)
                deltas.Add(LineDelta.Of(line, -pieces, held: 0));
        }

        errors.ThrowIfAny();
        return deltas;
    }
}
