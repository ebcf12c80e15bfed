using System.Globalization;

namespace Commerce;

/// <summary>A carrier's own number for a parcel.</summary>
public static class TrackingNumber
{
    /// <summary>Symbols that a number has at most.</summary>
    public const int Longest = 50;

    private const int Shortest = 4;
    private const int MaxText = 100;

    /// <summary>
    /// The form under which a number is stored and looked for: upper-case, without spaces, dashes and what is not printed, 4–50
    /// letters and digits; null when the text is none.
    /// </summary>
    public static string? Normalise(string? text)
    {
        Span<char> number = stackalloc char[Longest];
        var length = Normalise(text.AsSpan(), number);
        if (length == 0)
            return null;
        return number[..length].SequenceEqual(text) ? text : number[..length].ToString();
    }

    /// <summary>The same into <paramref name="number"/>, of <see cref="Longest"/>; how long it is, 0 when the text is none.</summary>
    public static int Normalise(ReadOnlySpan<char> text, Span<char> number)
    {
        if (text.Length > MaxText)
            return 0;

        var length = 0;
        foreach (var c in text)
        {
            if (char.IsAsciiLetterOrDigit(c))
            {
                if (length == Longest)
                    return 0;
                number[length++] = char.ToUpperInvariant(c);
            }
            else if (!IsSeparator(c))
            {
                return 0;
            }
        }

        return length < Shortest ? 0 : length;
    }

    // What is copied from a page or a mail brings hyphens that do not break and marks that nobody sees. What turns the order of
    // symbols round for the eye is not forgiven: it would be another number than the one that was seen.
    private static bool IsSeparator(char c) =>
        c == '-' || char.IsWhiteSpace(c) || c is '\u00ad' or (>= '\u200b' and <= '\u200f') or '\u2060' or '\ufeff'
        || char.GetUnicodeCategory(c) == UnicodeCategory.DashPunctuation;
}
