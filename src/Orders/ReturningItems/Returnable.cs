using System.Globalization;
using Commerce.Orders.Checking;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.ReturningItems;

/// <summary>Which pieces of an order can come back: what was delivered, is not back, and nobody else asks for.</summary>
public static class Returnable
{
    /// <summary>Pieces of a line that were delivered, each parcel with its time, the newest first.</summary>
    private static List<(DateTimeOffset? At, int Pieces)> Delivered(Order order, HeldLine line)
    {
        var left = line.Quantity;
        var delivered = new List<(DateTimeOffset?, int)>();
        // Its parcels are not known here. What of it came back before is not either: whoever takes it in sees what comes.
        if (order.ImportedDelivery is { } before && order.Parcels.Count == 0)
        {
            var was = order.FulfilmentState is FulfilmentState.Delivered or FulfilmentState.PartlyReturned
                || (order.FulfilmentState == FulfilmentState.Returned && order.Lines.Any(one => one.Returned > 0));
            return was && left > 0 ? [(before, left)] : [];
        }

        foreach (var parcel in order.Parcels.Where(p => p.State == ParcelState.Delivered).OrderByDescending(p => p.DeliveredAt ?? DateTimeOffset.MaxValue))
        {
            var pieces = Math.Min(left, parcel.PiecesOf(line.LineNumber));
            left -= pieces;
            if (pieces > 0)
                delivered.Add((parcel.DeliveredAt, pieces));
        }

        return delivered;
    }

    // The same without what returns take: each took, of what was delivered and in time when it was asked for, the oldest first.
    private static List<(DateTimeOffset? At, int Pieces)> Left(ReturnsOfOrder returns, HeldLine line)
    {
        var left = Delivered(returns.Order, line);
        foreach (var one in returns.Returns)
        {
            var takes = one.Takes(line.LineNumber);
            bool InTime(int i) => left[i].At is not { } at || (at <= one.CreatedAt && IsInTime(at, one.Policy.WindowDays, returns.Zone, one.CreatedAt));
            foreach (var i in Enumerable.Range(0, left.Count).OrderBy(i => !InTime(i)).ThenByDescending(i => i))
            {
                var taken = Math.Min(takes, left[i].Pieces);
                (left[i], takes) = ((left[i].At, left[i].Pieces - taken), takes - taken);
            }
        }

        return left;
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
            if (asked.Quantity > Pieces(returns, line))
                refused.Add(new FieldError($"lines[{i}].quantity", Why(returns, line, asked.Quantity)));
            else if (!overrideWindow && Late(returns, line, asked.Quantity, now) is { } until)
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

    private static bool IsInTime(DateTimeOffset delivered, int windowDays, TimeZoneInfo zone, DateTimeOffset now) =>
        LastDay(delivered, windowDays, zone) >= LastDay(now, 0, zone);

    // Null if so many pieces are in time; otherwise the last day on which they were.
    private static DateOnly? Late(ReturnsOfOrder returns, HeldLine line, int asked, DateTimeOffset now)
    {
        var window = returns.Policy.WindowDays;
        foreach (var (at, pieces) in Left(returns, line))
        {
            asked -= pieces;
            if (asked <= 0)
                return at is not { } time || IsInTime(time, window, returns.Zone, now) ? null : LastDay(time, window, returns.Zone);
        }

        return null;
    }

    private static string Why(ReturnsOfOrder returns, HeldLine line, int asked)
    {
        var delivered = Delivered(returns.Order, line).Sum(d => d.Pieces);
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
