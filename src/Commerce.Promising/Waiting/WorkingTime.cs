namespace Commerce.Promising.Waiting;

/// <summary>Time that passes on the days on which carriers work; all times by the clock of one place.</summary>
public static class WorkingTime
{
    // What is longer needs no calendar.
    private const int MostDays = 400;

    /// <summary>How much of the time between falls on working days. Beyond 400 days: all of it.</summary>
    public static TimeSpan Between(DateTime from, DateTime until, string country)
    {
        if (until <= from)
            return TimeSpan.Zero;
        if ((until - from).TotalDays > MostDays)
            return until - from;
        var working = TimeSpan.Zero;
        for (var at = from; at < until;)
        {
            var next = Earlier(at.Date.AddDays(1), until);
            if (IsWorking(at, country))
                working += next - at;
            at = next;
        }

        return working;
    }

    /// <summary>The earliest moment at which so much working time has passed.</summary>
    public static DateTime After(DateTime from, TimeSpan working, string country)
    {
        // Also on a day on which nobody works, where the next that counts is days away.
        if (working <= TimeSpan.Zero)
            return from;
        var at = from;
        for (var days = 0; days < MostDays; days++)
        {
            var next = at.Date.AddDays(1);
            if (IsWorking(at, country))
            {
                if (working <= next - at)
                    return at + working;
                working -= next - at;
            }

            at = next;
        }

        return at + working;
    }

    private static bool IsWorking(DateTime at, string country) => BusinessCalendar.IsBusinessDay(DateOnly.FromDateTime(at), country);

    private static DateTime Earlier(DateTime one, DateTime other) => one < other ? one : other;
}
