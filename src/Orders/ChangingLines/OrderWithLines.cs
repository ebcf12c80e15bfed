using Commerce.Facts;
using Commerce.Orders.ChangingLines;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;

namespace Commerce.Orders;

/// <summary>How an order's lines change.</summary>
public sealed partial class Order
{
    /// <summary>The kind of the recovery point that withdraws a change whose money does not come.</summary>
    public const string ChangeExpiryKind = "expire-order-change";

    /// <summary>The change that waits for its money; null if none does.</summary>
    public WaitingChange? Pending { get; private set; }

    /// <summary>Changes that were proposed so far.</summary>
    public int Changes { get; private set; }

    /// <summary>The key of the recovery point that withdraws a change.</summary>
    public static string ChangeKey(OrderId id, int change) => Checking.FieldErrors.Text($"{id}/{change}");

    /// <summary>As it was stored.</summary>
    public Order RestoreChanges(int changes, WaitingChange? pending)
    {
        (Changes, Pending) = (changes, pending);
        return this;
    }

    /// <summary>Pieces of a line that are in no parcel that a carrier has, or had: those can still go.</summary>
    public int Removable(int lineNumber)
    {
        var gone = 0L;
        foreach (var parcel in _parcels)
            gone += ParcelStates.IsWithCarrier(parcel.State) ? parcel.PiecesOf(lineNumber) : 0;
        return (int)Math.Max(0, Line(lineNumber).Quantity - gone);
    }

    /// <summary>
    /// Pieces come and go, and the order costs no more than before. Null if nothing does. Where nothing is left it is to be cancelled
    /// (<see cref="Cancel"/>).
    /// </summary>
    public OrderChange? ChangeLines(LinesChange change, string detail, Moment moment)
    {
        if (change.Deltas.Count == 0)
            return null;
        MustAllow(change.Deltas);
        return Changed(change, 0, detail, moment);
    }

    /// <summary>Proposes a change that makes the order dearer: nothing of it counts before its money is there.</summary>
    public OrderChange Propose(LinesChange change, PlacingOrder.PaymentPartRow payment, Moment moment)
    {
        MustAllow(change.Deltas);
        if (change.Before.Imported)
            throw Refused("It was imported: nothing charges it.");
        if (PaymentState is not (PaymentState.Paid or PaymentState.PartlyRefunded))
            throw Refused($"It would cost {change.Difference} more, and is not paid for yet: change it when it is.");

        Changes++;
        Pending = new WaitingChange(Changes, change.Deltas, payment, moment.Time);
        var part = new PaymentPartFact(0, FactName.Of(payment.Method), payment.Token, change.Difference, payment.Instalments);
        return Made(moment, change.Text, version => new OrderChangeProposed(Id.ToString(), StoreId, version, moment.Time, Changes, part)) with { ChangesPending = true };
    }

    /// <summary>
    /// The money of a change is there, and it becomes part of the order; null if it was withdrawn meanwhile. What it takes away may
    /// have left by now: then it is withdrawn, and its money goes back.
    /// </summary>
    public OrderChange? Charged(int number, Func<WaitingChange, LinesChange> change, Moment moment)
    {
        if (Pending is not { } pending || pending.Number != number)
            return null;
        if (pending.Deltas.Any(delta => delta.Pieces < 0 && -delta.Pieces > Removable(delta.LineNumber)))
            return Withdraw(number, "TOO_LATE", moment);
        Pending = null;
        // All was given back of what is on its way already, and now there is something again.
        if (PaymentState == PaymentState.Refunded)
            PaymentState = PaymentState.PartlyRefunded;
        var made = change(pending);
        return Changed(made, number, made.Text, moment) with { ChangesPending = true };
    }

    /// <summary>A change will not be; null if it is not waiting any more.</summary>
    public OrderChange? Withdraw(int number, string reason, Moment moment)
    {
        if (Pending?.Number != number)
            return null;
        var stock = ReleasePending();
        var change = Made(moment, reason, version => new OrderChangeWithdrawn(Id.ToString(), StoreId, version, moment.Time, number, reason), stock);
        return change with { ChangesPending = true, Then = CompleteIfDone(moment) };
    }

    private OrderChange Changed(LinesChange change, int number, string detail, Moment moment)
    {
        var released = change.Deltas.Where(delta => delta.Pieces < 0).ToDictionary(delta => delta.LineNumber, delta => -delta.Pieces);
        var stock = Release(line => Math.Min(line.Held, released.GetValueOrDefault(line.LineNumber)));
        foreach (var delta in change.Deltas)
        {
            if (delta.New)
            {
                Lines = [.. Lines, new HeldLine(delta.LineNumber, delta.Sku, delta.Pieces, delta.Held)];
                continue;
            }

            var line = Line(delta.LineNumber);
            line.Quantity += delta.Pieces;
            line.Held += delta.Held;
        }

        FulfilmentState = FulfilmentStates.Of(Lines, _parcels);
        var made = Made(
            moment,
            detail,
            version => new OrderLinesChanged(
                Id.ToString(), StoreId, version, moment.Time, number,
                new Money(change.Before.TotalMinor, change.Before.Currency), new Money(change.After.TotalMinor, change.After.Currency),
                [.. change.Deltas.Select(delta => delta.ToFact(change.Before.Currency))]),
            stock);
        return made with { Lines = change, Then = CompleteIfDone(moment) };
    }

    /// <summary>Refuses what may not come or go.</summary>
    /// <exception cref="Failure">ORDER_STATE.</exception>
    public void MustAllow(IReadOnlyList<LineDelta> deltas)
    {
        if (State != OrderState.Open)
            throw Refused(State == OrderState.Cancelled ? "It is cancelled." : "It is completed: it was paid for and delivered.");
        if (Pending is { } pending)
            throw Refused(Checking.FieldErrors.Text($"Change {pending.Number} of its lines waits for its payment."));
        foreach (var delta in deltas)
        {
            if (delta.Pieces > 0 && HandedOver is { } parcel)
                throw Refused($"Parcel {parcel.ShipmentId} was handed over to the carrier: nothing can be added.");
            if (delta.Pieces >= 0 || -delta.Pieces <= Removable(delta.LineNumber))
                continue;
            var (left, ordered) = (Removable(delta.LineNumber), Line(delta.LineNumber).Quantity);
            throw Refused(Checking.FieldErrors.Text(
                $"{-delta.Pieces} pieces of line {delta.LineNumber} are to go: it has {ordered}, and {ordered - left} of them are with the carrier."));
        }
    }

    private List<StockMove> ReleasePending()
    {
        if (Pending is not { } pending)
            return [];
        Pending = null;
        // No line holds them: they are only in the stock's own count.
        return [.. pending.Deltas.Where(delta => delta.Held > 0).Select(delta => new StockMove(0, delta.Sku, Shipped: 0, Released: delta.Held))];
    }

    private HeldLine Line(int number)
    {
        foreach (var line in Lines)
        {
            if (line.LineNumber == number)
                return line;
        }

        throw Refused(Checking.FieldErrors.Text($"It has no line {number}."));
    }
}
