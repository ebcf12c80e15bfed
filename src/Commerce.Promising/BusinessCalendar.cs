namespace Commerce.Promising;

/// <summary>Days on which carriers work. Holidays are computed, where the country's are known: Brazil's. Everywhere else weekends alone count.</summary>
public static class BusinessCalendar
{
    public static bool IsBusinessDay(DateOnly day, string country) =>
        day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday) && !IsHoliday(day, country);

    public static bool IsHoliday(DateOnly day, string country) => country == "BR" && IsBrazilian(day);

    // National holidays, and carnival, Good Friday and Corpus Christi, which move with Easter and on which nothing is carried either.
    private static bool IsBrazilian(DateOnly day)
    {
        if ((day.Month, day.Day) is (1, 1) or (4, 21) or (5, 1) or (9, 7) or (10, 12) or (11, 2) or (11, 15) or (12, 25))
            return true;
        if ((day.Month, day.Day) is (11, 20) && day.Year >= 2024)
            return true;
        return (day.DayNumber - Easter(day.Year).DayNumber) is -48 or -47 or -2 or 60;
    }

    /// <summary>Easter Sunday of the Gregorian calendar (the "anonymous" algorithm, Nature 1876).</summary>
    internal static DateOnly Easter(int year)
    {
        var a = year % 19;
        var (b, c) = (year / 100, year % 100);
        var h = ((19 * a) + b - (b / 4) - ((b - ((b + 8) / 25) + 1) / 3) + 15) % 30;
        var l = (32 + (2 * (b % 4)) + (2 * (c / 4)) - h - (c % 4)) % 7;
        var m = (a + (11 * h) + (22 * l)) / 451;
        var n = h + l - (7 * m) + 114;
        return new DateOnly(year, n / 31, (n % 31) + 1);
    }
}
