using System.Collections.Frozen;

namespace Commerce.Shipping.Postal;

/// <summary>How a code was found.</summary>
public enum PostalMatch
{
    /// <summary>No list of the country is loaded, so that nothing can be said.</summary>
    NoData,

    /// <summary>The list has no such code.</summary>
    Unknown,

    /// <summary>The list has it.</summary>
    Exact,

    /// <summary>The list has the part of it that names a district: an outward code, a five-digit ZIP.</summary>
    Part,

    /// <summary>The list has one code for each town or area, and this code lies in its range.</summary>
    Area,
}

/// <summary>What is known of a postal code.</summary>
/// <param name="Code">Without dress, and as its country writes it.</param>
/// <param name="Entry">What the list says; null for <see cref="PostalMatch.NoData"/> and <see cref="PostalMatch.Unknown"/>.</param>
/// <param name="Near">The code that was obviously meant by one that is unknown; null if none is obvious.</param>
public sealed record PostalAnswer(NormalisedCode Code, PostalMatch Match, PostalEntry? Entry, string? Near);

/// <summary>The postal codes of the countries that are loaded. It never changes: a new list makes a new directory.</summary>
public sealed class PostalDirectory
{
    public static readonly PostalDirectory Empty = new([]);

    // Lists of these countries have one code a town: how many leading symbols a code shares with the one that it belongs to.
    private static readonly FrozenDictionary<string, int> ByArea = new Dictionary<string, int>(StringComparer.Ordinal) { ["BR"] = 1, ["CL"] = 3 }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly FrozenDictionary<string, PostalTable> _tables;

    public PostalDirectory(IEnumerable<PostalTable> tables) => _tables = tables.ToFrozenDictionary(table => table.Country, StringComparer.Ordinal);

    public IReadOnlyCollection<PostalTable> Tables => _tables.Values;

    public int Codes => _tables.Values.Sum(table => table.Count);

    /// <summary>In bytes.</summary>
    public long Size => _tables.Values.Sum(table => table.Size);

    /// <summary>The same with other tables for their countries.</summary>
    public PostalDirectory With(params IEnumerable<PostalTable> changed)
    {
        var tables = new Dictionary<string, PostalTable>(_tables, StringComparer.Ordinal);
        foreach (var table in changed)
            tables[table.Country] = table;
        return new PostalDirectory(tables.Values);
    }

    /// <summary>What is known of the code, or null if it is none of the country: <see cref="Meant"/> may tell what was meant.</summary>
    public PostalAnswer? Find(string country, string? given)
    {
        if (PostalFormats.Normalise(country, given) is not { } code)
            return null;
        if (!_tables.TryGetValue(country, out var table))
            return new PostalAnswer(code, PostalMatch.NoData, null, null);
        for (var i = 0; i < code.Keys.Count; i++)
        {
            if (table.Find(code.Keys[i]) is { } entry)
                return new PostalAnswer(code, i == 0 ? PostalMatch.Exact : PostalMatch.Part, entry, null);
        }

        if (ByArea.TryGetValue(country, out var shared) && PostalKey.TryEncode(code.Canonical.AsSpan(0, shared), out var first) && table.FindBefore(code.Keys[0], first) is { } area)
            return new PostalAnswer(code, PostalMatch.Area, area, null);
        return new PostalAnswer(code, PostalMatch.Unknown, null, Meant(country, given));
    }

    /// <summary>Where a code is; null if that is not known.</summary>
    public Position? PositionOf(NormalisedCode code) => Find(code.Country, code.Canonical)?.Entry?.Position;

    /// <summary>A code that exists and was obviously meant: the only one of the most obvious kind of mistake.</summary>
    public string? Meant(string country, string? given)
    {
        var table = _tables.GetValueOrDefault(country);
        foreach (var group in PostalFormats.Meant(country, given))
        {
            // Without a list only the form can tell.
            var real = group.Where(code => table is null || code.Keys.Any(table.Has)).DistinctBy(code => code.Canonical).Take(2).ToList();
            if (real.Count > 0)
                return real.Count == 1 ? real[0].Text : null;
            if (table is null && group.Count > 1)
                return null;
        }

        return null;
    }
}
