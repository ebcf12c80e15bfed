using System.Globalization;
using System.Text;

namespace Commerce.Tracking;

/// <summary>Texts as they are compared: lower-case, without accents, words separated by one space.</summary>
internal static class Folded
{
    public static string Of(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var c in Decomposition.Nfkd(text))
        {
            if (char.IsLetterOrDigit(c))
            {
                _ = c switch
                {
                    'ß' => folded.Append("ss"),
                    'ø' or 'Ø' => folded.Append('o'),
                    'æ' or 'Æ' => folded.Append("ae"),
                    'œ' or 'Œ' => folded.Append("oe"),
                    'ł' or 'Ł' => folded.Append('l'),
                    _ => folded.Append(char.ToLowerInvariant(c)),
                };
            }
            // An apostrophe parts two words in French and Italian, and one in English, where both halves are looked for.
            else if (char.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark && folded.Length > 0 && folded[^1] != ' ')
                folded.Append(' ');
        }

        return folded.ToString().TrimEnd();
    }
}
