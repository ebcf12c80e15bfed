using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Commerce.Tracking;

/// <summary>
/// Unicode's compatibility decomposition (NFKD), which EasyPost asks of a secret. The suite runs without the platform's culture
/// data, and then <see cref="string.Normalize()"/> leaves everything but ASCII as it is.
/// </summary>
public static class Decomposition
{
    private static readonly FrozenDictionary<char, string> Table = Tracking.Table.Rows("decompositions.csv")
        .ToFrozenDictionary(row => Character(row[0]), row => string.Concat(row[1].Split(' ').Select(Character)));

    /// <summary>Latin, Greek, Cyrillic and the usual symbols decomposed; other scripts as they are.</summary>
    public static string Nfkd(string text)
    {
        var decomposed = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (Table.TryGetValue(c, out var parts))
                decomposed.Append(parts);
            else
                decomposed.Append(c);
        }

        return decomposed.ToString();
    }

    private static char Character(string hex) => (char)int.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
