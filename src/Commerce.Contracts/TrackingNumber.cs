namespace Commerce;

/// <summary>A carrier's own number for a parcel.</summary>
public static class TrackingNumber
{
    private const int Shortest = 4;
    private const int Longest = 50;
    private const int MaxText = 100;

    /// <summary>
    /// The form under which a number is stored and looked for: upper-case, without spaces and dashes, 4–50 letters and
    /// digits; null when the text is none.
    /// </summary>
    public static string? Normalise(string? text)
    {
        if (text is null || text.Length > MaxText)
            return null;

        Span<char> number = stackalloc char[Longest];
        var length = 0;
        foreach (var c in text)
        {
            if (c == '-' || char.IsWhiteSpace(c))
                continue;
            if (length == Longest || !char.IsAsciiLetterOrDigit(c))
                return null;
            number[length++] = char.ToUpperInvariant(c);
        }

        if (length < Shortest)
            return null;
        return number[..length].SequenceEqual(text) ? text : number[..length].ToString();
    }
}
