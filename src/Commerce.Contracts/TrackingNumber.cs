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
            if (CodeCharacters.Fold(c) is var folded && folded != '\0')
            {
                if (length == Longest)
                    return 0;
                number[length++] = folded;
            }
            else if (!CodeCharacters.IsBetween(c))
            {
                return 0;
            }
        }

        return length < Shortest ? 0 : length;
    }
}
