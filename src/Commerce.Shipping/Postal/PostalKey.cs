namespace Commerce.Shipping.Postal;

/// <summary>
/// A postal code of up to 12 letters and digits as one number. Keys sort as the codes do, and the codes that begin alike lie
/// together, so that a prefix and a range are both two keys.
/// </summary>
public static class PostalKey
{
    public const int Longest = 12;

    private const ulong Symbols = 37;

    /// <param name="canonical">Capital letters and digits.</param>
    public static bool TryEncode(ReadOnlySpan<char> canonical, out ulong key)
    {
        key = 0;
        if (canonical.Length is 0 or > Longest)
            return false;
        foreach (var c in canonical)
        {
            var symbol = c is >= '0' and <= '9' ? c - '0' + 1 : c is >= 'A' and <= 'Z' ? c - 'A' + 11 : 0;
            if (symbol == 0)
                return false;
            key = (key * Symbols) + (ulong)symbol;
        }

        for (var i = canonical.Length; i < Longest; i++)
            key *= Symbols;
        return true;
    }

    /// <summary>The last key of those that begin with the code of <paramref name="key"/>.</summary>
    public static ulong LastWithin(ulong key)
    {
        if (key == 0)
            return ulong.MaxValue;
        ulong span = 1;
        while (key / span % Symbols == 0)
            span *= Symbols;
        return key + span - 1;
    }

    /// <summary>The code again.</summary>
    public static string Decode(ulong key)
    {
        Span<char> text = stackalloc char[Longest];
        var length = Longest;
        for (var i = Longest - 1; i >= 0; i--)
        {
            var symbol = (int)(key % Symbols);
            key /= Symbols;
            text[i] = symbol switch { 0 => '\0', <= 10 => (char)('0' + symbol - 1), _ => (char)('A' + symbol - 11) };
            if (symbol == 0)
                length = i;
        }

        return new string(text[..length]);
    }
}
