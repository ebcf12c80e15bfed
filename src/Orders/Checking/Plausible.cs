using System.Collections.Frozen;

namespace Commerce.Orders.Checking;

/// <summary>
/// Whether a text can be what it claims to be. Only what cannot work is refused: whether an address receives mail, nobody
/// knows before it is tried.
/// </summary>
public static class Plausible
{
    // Universal Postal Union: countries and territories that have no postal codes, or none that is needed.
    private static readonly FrozenSet<string> NoPostalCode =
        ("AE AG AN AO AW BF BI BJ BM BO BQ BS BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GA GD GH GM GN GQ GY HK IE JM KI KM KN KP LC LY "
         + "ML MO MR MW NA NR NU PA QA RW SB SC SL SR SS ST SX SY TD TG TK TL TO TT TV TZ UG VC VU WS YE ZW")
        .Split(' ').ToFrozenSet(StringComparer.Ordinal);

    // City states: the country is the town.
    private static readonly FrozenSet<string> NoLocality = ("GI HK MC MO SG VA").Split(' ').ToFrozenSet(StringComparer.Ordinal);

    public static bool NeedsPostalCode(string regionCode) => !NoPostalCode.Contains(regionCode);

    public static bool NeedsLocality(string regionCode) => !NoLocality.Contains(regionCode);

    public static bool Region(string text) => text.Length == 2 && !text.AsSpan().ContainsAnyExceptInRange('A', 'Z');

    /// <summary>One '@', a local part of 1 to 64 and a domain of labels with a dot between; at most 254 characters (RFC 5321).</summary>
    public static bool Email(string text)
    {
        if (text.Length is < 6 or > 254)
            return false;
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at is < 1 or > 64 || at != text.LastIndexOf('@'))
            return false;
        foreach (var c in text)
        {
            if (char.IsWhiteSpace(c) || char.IsControl(c) || c is '"' or '(' or ')' or ',' or ':' or ';' or '<' or '>' or '[' or ']' or '\\' or '\uFFFD')
                return false;
        }

        var local = text.AsSpan(0, at);
        if (local[0] == '.' || local[^1] == '.' || local.Contains("..", StringComparison.Ordinal))
            return false;
        var labels = text[(at + 1)..].Split('.');
        return labels.Length >= 2 && labels.All(label =>
            label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsLetterOrDigit(c) || c == '-'));
    }

    /// <summary>E.164: '+', a digit that is not 0, and 6 to 14 more.</summary>
    public static bool Phone(string text) =>
        text.Length is >= 8 and <= 16 && text[0] == '+' && text[1] != '0' && !text.AsSpan(1).ContainsAnyExceptInRange('0', '9');

    /// <summary>The shape of a BCP 47 tag: a language of 2 or 3 letters, then subtags of 1 to 8 letters and digits.</summary>
    public static bool Language(string text)
    {
        if (text.Length is < 2 or > 35)
            return false;
        var subtags = text.Split('-');
        return subtags[0].Length is 2 or 3 && subtags[0].All(char.IsAsciiLetter)
            && subtags.Skip(1).All(subtag => subtag.Length is > 0 and <= 8 && subtag.All(char.IsAsciiLetterOrDigit));
    }

    /// <summary>What an e-mail address is found by: people do not mean two addresses by two spellings of one.</summary>
    public static string? EmailKey(string text) => text.Length == 0 ? null : text.ToLowerInvariant();
}
