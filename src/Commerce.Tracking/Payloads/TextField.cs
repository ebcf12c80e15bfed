using System.Text;

namespace Commerce.Tracking.Payloads;

/// <summary>A text as it is kept: no control characters, no line breaks, bounded, never cut through a character.</summary>
public static class TextField
{
    public const int Longest = 500;

    public static string Of(string text, int longest = Longest)
    {
        if (text.Length == 0)
            return text;
        var kept = new StringBuilder(Math.Min(text.Length, longest + 1));
        foreach (var c in text)
        {
            if (kept.Length > longest)
                break;
            // XML breaks lines where it likes: a break reads as a space.
            if (char.IsWhiteSpace(c))
            {
                if (kept.Length > 0 && kept[^1] != ' ')
                    kept.Append(' ');
            }
            // Postgres stores no NUL, and no terminal should meet another control character.
            else if (!char.IsControl(c))
                kept.Append(c);
        }

        var end = Math.Min(kept.Length, longest);
        if (end > 0 && end < kept.Length && char.IsHighSurrogate(kept[end - 1]))
            end--;
        return kept.ToString(0, end).TrimEnd();
    }
}
