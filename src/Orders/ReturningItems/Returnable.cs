using System.Globalization;
using Commerce.Orders.Checking;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.ReturningItems;

/// <summary>Which pieces of an order can come back: what was delivered, is not back, and nobody else asks for.</summary>
public static class Returnable
{
    /// <summary>Pieces of a line that were delivered, each parcel with its time.</summary>
    private static List<(DateTimeOffset? At, int Pieces)> Delivered(Order order, HeldLine line)
    {
        var left = line.Quantity;
        var delivered = new List<(DateTimeOffset?, int)>();
        // The newest first: what is gone already counts as having been in the older ones, in the shopper's favour.
        foreach (var parcel in order.Parcels.Where(p => p.State == ParcelState.Delivered).OrderByDescending(p => p.DeliveredAt ?? DateTimeOffset.MaxValue))
        {
            var pieces = Math.Min(left, parcel.PiecesOf(line.LineNumber));
            left -= pieces;
            if (pieces > 0)
                delivered.Add((parcel.DeliveredAt, pieces));
        }

        return delivered;
    }

    /// <summary>Pieces of a line that can come back, whenever they were delivered.</summary>
    public static int Pieces(ReturnsOfOrder returns, HeldLine line) =>
        Delivered(returns.Order, line).Sum(d => d.Pieces) - returns.Returns.Sum(r => r.Takes(line.LineNumber));

    /// <summary>Sees that what is asked for can come back now.</summary>
    /// <exception cref="Failure">NOT_RETURNABLE with each line that cannot, RETURN_WINDOW.</exception>
    public static void Require(ReturnsOfOrder returns, IReadOnlyList<ReturnLine> lines, bool overrideWindow, DateTimeOffset now)
    {
        var order = returns.Order;
        var refused = new List<FieldError>();
        var late = new List<(int Index, int LineNumber, DateOnly Until)>();
        for (var i = 0; i < lines.Count; i++)
        {
            var asked = lines[i];
            if (order.Lines.FirstOrDefault(line => line.LineNumber == asked.LineNumber) is not { } line)
            {
                refused.Add(new FieldError($"lines[{i}].line_number", FieldErrors.Text($"Was never bought: order {order.Id} has no line {asked.LineNumber}.")));
                continue;
            }

            if (!returns.Policy.Accepts(asked.Reason))
                refused.Add(new FieldError($"lines[{i}].reason", $"The store takes nothing back because of {FactName.Of(asked.Reason)}; it does for {string.Join(", ", returns.Policy.AcceptedReasons.Select(FactName.Of))}."));
            var delivered = Delivered(order, line);
            if (asked.Quantity > Pieces(returns, line))
                refused.Add(new FieldError($"lines[{i}].quantity", Why(returns, line, delivered.Sum(d => d.Pieces), asked.Quantity)));
            else if (!overrideWindow && Late(returns, line, delivered, asked.Quantity, now) is { } until)
                late.Add((i, line.LineNumber, until));
        }

        if (refused.Count > 0)
        {
            throw new Failure(
                ErrorReason.NotReturnable, $"{refused[0].Field}: {refused[0].Description}" + (refused.Count > 1 ? FieldErrors.Text($" And {refused.Count - 1} more.") : ""),
                [.. refused.Take(FieldErrors.MostNamed)]);
        }

        if (late.Count > 0)
            throw TooLate(order, late);
    }

    /// <summary>The last day on which pieces that were delivered then can be asked for, in the store's time zone.</summary>
    public static DateOnly LastDay(DateTimeOffset delivered, int windowDays, TimeZoneInfo zone) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(delivered, zone).DateTime).AddDays(windowDays);

    // Null if so many pieces are in time; otherwise the last day on which they were.
    private static DateOnly? Late(ReturnsOfOrder returns, HeldLine line, List<(DateTimeOffset? At, int Pieces)> delivered, int asked, DateTimeOffset now)
    {
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, returns.Zone).DateTime);
        var inTime = delivered.Where(d => d.At is not { } at || LastDay(at, returns.Policy.WindowDays, returns.Zone) >= today).Sum(d => d.Pieces);
        if (asked <= Math.Min(inTime, Pieces(returns, line)))
            return null;
        // The parcel with which, going back in time, there would have been enough.
        foreach (var (at, pieces) in delivered)
        {
            asked -= pieces;
            if (asked <= 0 && at is { } time)
                return LastDay(time, returns.Policy.WindowDays, returns.Zone);
        }

        return null;
    }

    private static string Why(ReturnsOfOrder returns, HeldLine line, int delivered, int asked)
    {
        if (delivered == 0)
            return FieldErrors.Text($"{asked} pieces of line {line.LineNumber} are asked for, and none was delivered yet.");
        var taken = returns.Returns.Where(r => r.Takes(line.LineNumber) > 0)
            .Select(r => FieldErrors.Text($"{r.Takes(line.LineNumber)} {(r.IsLive ? "are" : "came back")} in return R{r.Number}"));
        var why = string.Join(", ", taken.Prepend(FieldErrors.Text($"{delivered} of {line.Quantity} pieces of line {line.LineNumber} were delivered")));
        return FieldErrors.Text($"{why}: {Math.Max(0, Pieces(returns, line))} can come back, and {asked} are asked for.");
    }

    private static Failure TooLate(Order order, List<(int Index, int LineNumber, DateOnly Until)> late)
    {
        var first = late.MinBy(one => one.Until);
        var until = first.Until.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return new Failure(
            ErrorReason.ReturnWindow, FieldErrors.Text($"Line {first.LineNumber} of order {order.Id} could be returned until {until}."),
            [.. late.Take(FieldErrors.MostNamed).Select(one => new FieldError(FieldErrors.Text($"lines[{one.Index}]"), FieldErrors.Text($"Could be returned until {one.Until:yyyy-MM-dd}.")))])
        {
            Preconditions = [("RETURN_WINDOW", "orders/" + order.Id, $"The window ended on {until}.")],
            Metadata = new Dictionary<string, string> { ["until"] = until },
        };
    }
}
