using System.Globalization;

namespace Commerce;

/// <summary>
/// Characters of codes as people type and paste them: what a code is made of are A–Z and 0–9, whatever alphabet or width they were typed in.
/// </summary>
public static class CodeCharacters
{
    // Cyrillic letters whose capital looks just like a Latin one.
    private const string Cyrillic = "АВЕКМНОРСТУХЅІЈԚԜҮ";
    private const string LikeCyrillic = "ABEKMHOPCTYXSIJQWY";

    // Of Greek the capitals alone: small ones look like others (ν like v).
    private const string Greek = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο";
    private const string LikeGreek = "ABEZHIKMNOPTYXO";

    /// <summary>
    /// The letter A–Z or digit 0–9 that a character is: in upper case, of full width folded, a digit of another script by its value, a
    /// letter of another alphabet that looks like one by its looks; '\0' where it is none.
    /// </summary>
    public static char Fold(char c)
    {
        if (char.IsAsciiLetterOrDigit(c))
            return char.ToUpperInvariant(c);
        if (c < '\u0080')
            return '\0';
        if (c is >= '\uff01' and <= '\uff5e')
            return (char)(c - 0xfee0) is var narrow && char.IsAsciiLetterOrDigit(narrow) ? char.ToUpperInvariant(narrow) : '\0';
        if (CharUnicodeInfo.GetDecimalDigitValue(c) is >= 0 and var digit)
            return (char)('0' + digit);
        if (Cyrillic.IndexOf(char.ToUpperInvariant(c)) is >= 0 and var cyrillic)
            return LikeCyrillic[cyrillic];
        return Greek.IndexOf(c) is >= 0 and var greek ? LikeGreek[greek] : '\0';
    }

    /// <summary>
    /// Stands between the characters of a code without being one: spaces and dashes of all kinds, also of full width, and what nobody sees.
    /// Not what turns the order of characters round for the eye: that would be another code than the one that was seen.
    /// </summary>
    public static bool IsBetween(char c) =>
        c == '-' || char.IsWhiteSpace(c) || c >= '\u0080' && (IsDash(c) || c is '\u00ad' or (>= '\u200b' and <= '\u200f') or '\u2060' or '\ufeff');

    /// <summary>A dash, whatever word processors made of it.</summary>
    public static bool IsDash(char c) => c is '-' or '\u2212' || char.GetUnicodeCategory(c) == UnicodeCategory.DashPunctuation;

    /// <summary>What is in no code that anybody wrote: control characters, what changes the direction of reading, half of a character. Null: nothing.</summary>
    public static string? WrongIn(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            return null;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                if (CharUnicodeInfo.GetUnicodeCategory(text, i) != UnicodeCategory.Format)
                {
                    i++;
                    continue;
                }
            }
            else if (char.IsWhiteSpace(c) || IsBetween(c) || char.GetUnicodeCategory(c) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate))
            {
                continue;
            }

            return string.Create(CultureInfo.InvariantCulture, $"Has a character at position {i + 1} that cannot be seen (U+{(char.IsSurrogatePair(text, i) ? char.ConvertToUtf32(text, i) : c):X4}); type the code instead of pasting it.");
        }

        return null;
    }
}
