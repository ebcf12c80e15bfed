using System.Collections.Frozen;

namespace Commerce.Tracking.Vocabularies;

/// <summary>How carriers are called by us and by aggregators: carriers.csv.</summary>
public static class CarrierNames
{
    private const int Longest = 40;

    private static readonly IReadOnlyList<string> Aggregators = ["easypost", "aftership", "shippo", "shipengine"];

    private static readonly FrozenDictionary<string, string[]> Rows = Table.Rows("Vocabularies.carriers.csv").ToFrozenDictionary(row => row[0]);

    private static readonly FrozenDictionary<string, string> ByName = Rows.Values.Select(row => (Name: Key(row[0]), Code: row[0]))
        .Concat(Rows.Values.SelectMany(row => row[2..6].Concat(row[6].Split('|')).Select(name => (Name: Key(name), Code: row[0]))))
        .Where(pair => pair.Name.Length > 0).DistinctBy(pair => pair.Name).ToFrozenDictionary(pair => pair.Name, pair => pair.Code);

    /// <summary>Our code of a carrier, whoever's name it is given by; one that nobody knows is its name in lower-case letters, digits and underscores.</summary>
    public static string Of(string name) => ByName.TryGetValue(Key(name), out var code)
        ? code
        : string.Concat(name.Trim().Take(Longest).Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '_')).Trim('_');

    /// <summary>What an aggregator calls the carrier; our code where it has no name for it.</summary>
    public static string Tell(string carrier, string aggregator)
    {
        var column = 2;
        while (column < 6 && Aggregators[column - 2] != aggregator)
            column++;
        return column < 6 && Rows.TryGetValue(carrier, out var row) && row[column].Length > 0 ? row[column] : carrier;
    }

    /// <summary>It is a carrier's code of ours.</summary>
    public static bool IsKnown(string carrier) => Rows.ContainsKey(carrier);

    /// <summary>The table of the carrier's codes.</summary>
    public static string VocabularyOf(string carrier) => Rows.TryGetValue(carrier, out var row) ? row[1] : carrier;

    private static string Key(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
}
