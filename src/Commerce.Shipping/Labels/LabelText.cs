using System.Globalization;
using System.Text;
using AnyAscii;

namespace Commerce.Shipping.Labels;

/// <summary>
/// Makes of anybody's text what a label can bear. Latin, Greek and Cyrillic stay as they are; another script is written in Latin
/// letters, which the UPU asks for on parcels that go abroad and every printer has. Nothing turns into empty boxes.
/// </summary>
internal static class LabelText
{
    private const int Longest = 300;

    public static string Clean(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        if (text.Length > Longest)
            text = text[..Longest];
        var clean = new StringBuilder(text.Length);
        // Half a character cannot be normalised.
        foreach (var rune in Whole(text).Normalize(NormalizationForm.FormC).EnumerateRunes())
        {
            switch (Rune.GetUnicodeCategory(rune))
            {
                case UnicodeCategory.Control or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator:
                    clean.Append(' ');
                    break;
                // Among them those that turn the direction of writing round.
                case UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.EnclosingMark:
                case UnicodeCategory.NonSpacingMark when !IsLetterOfAnotherScript(rune):
                    break;
                case UnicodeCategory.OtherSymbol when !LabelFont.Has(rune):
                    break;
                default:
                    clean.Append(IsDrawn(rune) ? rune.ToString() : rune.ToString().Transliterate());
                    break;
            }
        }

        return string.Join(' ', clean.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Every printer's own font has it.</summary>
    public static bool IsWestern(string text) => text.All(c => c is >= ' ' and <= '~' or >= '\u00a1' and <= '\u00ff');

    private static bool IsDrawn(Rune rune) => (rune.Value < 0x530 || rune.Value is >= 0x1e00 and < 0x2190) && LabelFont.Has(rune);

    // Vowel signs of Indian scripts are marks.
    private static bool IsLetterOfAnotherScript(Rune rune) => rune.Value >= 0x530;

    private static string Whole(string text)
    {
        var whole = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune != Rune.ReplacementChar)
                whole.Append(rune);
        }

        return whole.ToString();
    }
}
