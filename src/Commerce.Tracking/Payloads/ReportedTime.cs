using System.Globalization;
using Commerce.Tracking.Places;

namespace Commerce.Tracking.Payloads;

/// <summary>When, as a carrier says it: the clock at the place, and how sure its offset is.</summary>
/// <param name="Written">As it came.</param>
/// <param name="Local">The clock at the place; null if it cannot be read.</param>
/// <param name="Offset">Of that clock, known or assumed.</param>
/// <param name="Basis">How the offset is known.</param>
public sealed record ReportedTime(string Written, DateTime? Local, TimeSpan Offset, TimeBasis Basis)
{
    /// <summary>Nothing was written.</summary>
    public static readonly ReportedTime None = new("", null, TimeSpan.Zero, TimeBasis.Received);

    /// <summary>Reads a time that was made at a place.</summary>
    public static ReportedTime Read(string written, PlaceRecord place) => TimeReader.Read(written, "", [], place, "");

    /// <summary>The moment; null if it cannot be read.</summary>
    public DateTimeOffset? Instant => Local is { } local && local.Ticks >= Offset.Ticks && local.Ticks - Offset.Ticks <= DateTime.MaxValue.Ticks
        ? new DateTimeOffset(local.Ticks - Offset.Ticks, TimeSpan.Zero)
        : null;

    /// <summary>RFC 3339, with the offset only where it is known: "2026-11-24T10:00:00-03:00", "2026-11-24T10:00:00".</summary>
    public string Text
    {
        get
        {
            if (Local is not { } local)
                return Written;
            var text = local.ToString(local.Ticks % TimeSpan.TicksPerSecond == 0 ? "yyyy-MM-dd'T'HH:mm:ss" : "yyyy-MM-dd'T'HH:mm:ss.FFF", CultureInfo.InvariantCulture);
            return Basis switch
            {
                TimeBasis.Assumed => text,
                _ when Offset == TimeSpan.Zero && Basis == TimeBasis.Carrier => text + "Z",
                _ => string.Create(CultureInfo.InvariantCulture, $"{text}{(Offset < TimeSpan.Zero ? '-' : '+')}{Offset:hh\\:mm}"),
            };
        }
    }
}

/// <summary>Reads times in the forms that carriers use. Only forms that say year, month and day in one order, unless the payload's shape says which.</summary>
internal static class TimeReader
{
    private const int Longest = 80;

    private static readonly TimeSpan WidestOffset = TimeSpan.FromHours(14);

    private static readonly string[] Formats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'h:mm tt", "yyyy-MM-dd'T'h:mm:ss tt", "yyyy-MM-dd'T'HHmmss", "yyyy-MM-dd'T'HHmm", "yyyy-MM-dd",
        "yyyyMMdd'T'HHmmss.FFFFFFF", "yyyyMMdd'T'HHmm", "yyyyMMdd'T'HH:mm:ss", "yyyyMMdd'T'HH:mm", "yyyyMMddHHmmss", "yyyyMMddHHmm", "yyyyMMdd",
        "yyyy/M/d'T'H:mm:ss.FFFFFFF", "yyyy/M/d'T'H:mm", "yyyy/M/d", "yyyy.M.d'T'H:mm:ss", "yyyy.M.d'T'H:mm",
        "d.M.yyyy'T'H:mm:ss", "d.M.yyyy'T'H:mm", "d.M.yyyy", "d.M.yyyy'T'HHmmss", "d.M.yyyy'T'HHmm",
        "d-MMM-yyyy'T'H:mm:ss", "d-MMM-yyyy'T'H:mm", "d-MMM-yyyy", "d-MMM-yyyy'T'h:mm tt", "d-MMMM-yyyy'T'H:mm:ss", "d-MMMM-yyyy'T'H:mm", "d-MMMM-yyyy",
        "MMM-d-yyyy'T'H:mm:ss", "MMM-d-yyyy'T'H:mm", "MMM-d-yyyy'T'h:mm tt", "MMM-d-yyyy'T'h:mm:ss tt", "MMM-d-yyyy",
        "MMMM-d-yyyy'T'H:mm:ss", "MMMM-d-yyyy'T'H:mm", "MMMM-d-yyyy'T'h:mm tt", "MMMM-d-yyyy'T'h:mm:ss tt", "MMMM-d-yyyy",
        "ddd-MMM-d-yyyy'T'H:mm:ss", "ddd-d-MMM-yyyy'T'H:mm:ss",
    ];

    // Those that mean one offset wherever they are written.
    private static readonly Dictionary<string, double> Abbreviations = new(StringComparer.OrdinalIgnoreCase)
    {
        ["UTC"] = 0,
        ["GMT"] = 0,
        ["Z"] = 0,
        ["WET"] = 0,
        ["WEST"] = 1,
        ["CET"] = 1,
        ["CEST"] = 2,
        ["MEZ"] = 1,
        ["MESZ"] = 2,
        ["EET"] = 2,
        ["EEST"] = 3,
        ["MSK"] = 3,
        ["NST"] = -3.5,
        ["NDT"] = -2.5,
        ["ADT"] = -3,
        ["EST"] = -5,
        ["EDT"] = -4,
        ["CDT"] = -5,
        ["MST"] = -7,
        ["MDT"] = -6,
        ["PST"] = -8,
        ["PDT"] = -7,
        ["AKST"] = -9,
        ["AKDT"] = -8,
        ["HST"] = -10,
        ["BRT"] = -3,
        ["JST"] = 9,
        ["KST"] = 9,
        ["HKT"] = 8,
        ["SGT"] = 8,
        ["AWST"] = 8,
        ["ACST"] = 9.5,
        ["ACDT"] = 10.5,
        ["AEST"] = 10,
        ["AEDT"] = 11,
        ["NZST"] = 12,
        ["NZDT"] = 13,
    };

    /// <param name="written">The time, or its date and its time of day separated by a space.</param>
    /// <param name="zone">The offset, where it stands by itself: "-05:00", "EST"; empty otherwise.</param>
    /// <param name="formats">Of the payload's shape, where the order of day and month must be known.</param>
    /// <param name="place">Where it was.</param>
    /// <param name="home">The zone of the carrier's own clocks; empty if it has none.</param>
    public static ReportedTime Read(string written, string zone, IReadOnlyList<string> formats, PlaceRecord place, string home)
    {
        written = TextField.Of(written, Longest);
        if (written.Length == 0)
            return ReportedTime.None;
        var (clock, offset) = Split(written);
        offset ??= zone.Length > 0 ? OffsetOf(zone.Trim()) : null;
        if (Epoch(clock) is { } epoch)
            return new(written, epoch, TimeSpan.Zero, TimeBasis.Carrier);
        if (Clock(clock, formats) is not { } local)
            return new(written, null, TimeSpan.Zero, TimeBasis.Received);
        if (offset is { } given)
            return new(written, local, given, TimeBasis.Carrier);
        if (Zones.Of(place) is { } found)
            return new(written, local, Zones.Offset(found.Zone, local), found.Certain ? TimeBasis.Place : TimeBasis.Assumed);
        return new(written, local, home.Length > 0 ? Zones.Offset(home, local) : TimeSpan.Zero, TimeBasis.Assumed);
    }

    // "2024-01-17 08:00:00 GMT-04:00" → the clock and −4 h.
    private static (string Clock, TimeSpan? Offset) Split(string written)
    {
        var text = written.EndsWith(']') && written.LastIndexOf('[') is > 0 and var bracket ? written[..bracket] : written;
        if (text.EndsWith('Z') && text.Length > 1 && char.IsAsciiDigit(text[^2]))
            return (text[..^1], TimeSpan.Zero);
        if (text.LastIndexOf(' ') is > 0 and var space && OffsetOf(text[(space + 1)..]) is { } named && !IsClock(text[(space + 1)..]))
            return (text[..space], named);
        // A sign behind a time of day is an offset; one in a date is a separator.
        var sign = text.LastIndexOfAny(['+', '-']);
        if (sign > 8 && text.AsSpan(0, sign).ContainsAny(':', 'T') && OffsetOf(text[sign..]) is { } offset)
            return (text[..sign].TrimEnd(), offset);
        return (text, null);
    }

    private static bool IsClock(string text) => text.Contains(':', StringComparison.Ordinal) && text[0] is not ('+' or '-') && char.IsAsciiDigit(text[0]) || text is "AM" or "PM" or "am" or "pm";

    // "+02:00", "-0300", "+02", "GMT-04:00", "EST".
    private static TimeSpan? OffsetOf(string text)
    {
        if (Abbreviations.TryGetValue(text, out var hours))
            return TimeSpan.FromHours(hours);
        if (text.StartsWith("GMT", StringComparison.OrdinalIgnoreCase) || text.StartsWith("UTC", StringComparison.OrdinalIgnoreCase))
            text = text[3..];
        if (text.Length < 2 || text[0] is not ('+' or '-'))
            return null;
        var digits = string.Concat(text.Where(char.IsAsciiDigit));
        if (digits.Length is < 1 or > 4 || text.Any(c => !char.IsAsciiDigit(c) && c is not ('+' or '-' or ':')))
            return null;
        var minutes = digits.Length <= 2 ? int.Parse(digits, CultureInfo.InvariantCulture) * 60 : int.Parse(digits[..^2], CultureInfo.InvariantCulture) * 60 + int.Parse(digits[^2..], CultureInfo.InvariantCulture);
        var offset = TimeSpan.FromMinutes(text[0] == '-' ? -minutes : minutes);
        return offset.Duration() <= WidestOffset ? offset : null;
    }

    private static DateTime? Epoch(string clock)
    {
        if (clock.Length is not (10 or 13) || !long.TryParse(clock, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        var at = clock.Length == 10 ? DateTimeOffset.FromUnixTimeSeconds(number) : DateTimeOffset.FromUnixTimeMilliseconds(number);
        return DateTime.SpecifyKind(at.UtcDateTime, DateTimeKind.Unspecified);
    }

    private static DateTime? Clock(string clock, IReadOnlyList<string> formats)
    {
        if (formats.Count > 0 && DateTime.TryParseExact(clock, [.. formats], CultureInfo.InvariantCulture, DateTimeStyles.AllowWhiteSpaces, out var byShape))
            return byShape;
        return DateTime.TryParseExact(Canonical(clock), Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local) ? local : null;
    }

    // One form for "April 5, 2023, 6:56 pm", "05 Apr 2023 18:56" and "2023-04-05 18:56": date parts joined by the sign that they have, T before the time of day.
    private static string Canonical(string clock)
    {
        if (clock.Length > 10 && clock[10] == 'T')
            return clock;
        var words = clock.Replace(',', ' ').Replace(" at ", " ", StringComparison.OrdinalIgnoreCase).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var time = Array.FindIndex(words, word => word.Contains(':', StringComparison.Ordinal));
        if (time < 0)
        {
            // "20040113 172300": a date and a time of day of digits alone.
            return words is [var date, { Length: 4 or 6 } digits] && digits.All(char.IsAsciiDigit) ? $"{date}T{digits}" : string.Join('-', words);
        }

        var day = string.Join('-', words[..time]);
        return $"{day}T{string.Join(' ', words[time..])}";
    }
}
