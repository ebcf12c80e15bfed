using Commerce.Types.V1;
using Google.Protobuf;
using Google.Type;

namespace Commerce.Orders.Checking;

/// <summary>How a parcel should be delivered: the same rules when an order is placed and when it is changed.</summary>
public static class Wishes
{
    private const int DaysAhead = 366;

    public static void DeliveryWishes(this FieldErrors errors, string field, DeliveryWishes? wishes, DateTimeOffset now)
    {
        if (wishes is null)
            return;
        errors.Optional(field + ".leave_at", wishes.LeaveAt, 200);
        errors.Optional(field + ".neighbour", wishes.Neighbour, 200);
        errors.Optional(field + ".gift_note", wishes.GiftNote, 500);
        if (wishes.PickupPoint.Length > 64 || !wishes.PickupPoint.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            errors.Add(field + ".pickup_point", "Is not a carrier's code; give at most 64 letters, digits and dashes.");
        if (wishes.PreferredDay is { } day)
        {
            // Somewhere on earth it is still yesterday.
            var today = DateOnly.FromDateTime(now.UtcDateTime);
            if (DayOf(day) is not { } date)
                errors.Add(field + ".preferred_day", "Is not a date; give year, month and day.");
            else if (date < today.AddDays(-1))
                errors.Add(field + ".preferred_day", "Is in the past.");
            else if (date > today.AddDays(DaysAhead))
                errors.Add(field + ".preferred_day", "Is more than a year ahead.");
        }

        if ((wishes.WindowFrom is null) != (wishes.WindowUntil is null))
            errors.Add(field + ".window_until", "Give both ends of the window, or none.");
        foreach (var (name, time) in new[] { (".window_from", wishes.WindowFrom), (".window_until", wishes.WindowUntil) })
        {
            if (time is not null && TimeOf(time) is null)
                errors.Add(field + name, "Is not a time of day; give hours (0 to 23) and minutes (0 to 59).");
        }

        if (wishes.WindowFrom is not null && wishes.WindowUntil is not null && TimeOf(wishes.WindowFrom) >= TimeOf(wishes.WindowUntil))
            errors.Add(field + ".window_until", "Must be later than window_from.");
    }

    /// <summary>As it is stored; null: nothing is wished.</summary>
    public static string? ToJson(DeliveryWishes? wishes) => wishes is null || wishes.CalculateSize() == 0 ? null : JsonFormatter.Default.Format(wishes);

    /// <summary>As it was stored.</summary>
    public static DeliveryWishes? OfJson(string? json) => json is null ? null : JsonParser.Default.Parse<DeliveryWishes>(json);

    private static DateOnly? DayOf(Date day) =>
        day.Year is >= 1 and <= 9999 && day.Month is >= 1 and <= 12 && day.Day >= 1 && day.Day <= System.DateTime.DaysInMonth(day.Year, day.Month)
            ? new DateOnly(day.Year, day.Month, day.Day)
            : null;

    private static TimeOnly? TimeOf(TimeOfDay time) =>
        time is { Hours: >= 0 and <= 23, Minutes: >= 0 and <= 59, Seconds: 0, Nanos: 0 } ? new TimeOnly(time.Hours, time.Minutes) : null;
}
