using System.Collections.Frozen;

namespace Commerce.Tracking.Vocabularies;

/// <summary>How carriers are called by us and by aggregators: carriers.csv.</summary>
public static class CarrierNames
{
    private const int Longest = 40;

    private static readonly FrozenDictionary<string, (string Vocabulary, string Family, FrozenDictionary<string, string> Names)> All;

    private static readonly FrozenDictionary<string, string> ByName;

    static CarrierNames()
    {
        string[] aggregators = ["easypost", "aftership", "shippo", "shipengine"];
        var rows = Table.Rows("Vocabularies.carriers.csv");
        All = rows.ToFrozenDictionary(row => row[0], row => (row[1], row[2], aggregators.Index().ToFrozenDictionary(one => one.Item, one => row[3 + one.Index])));
        ByName = rows.Select(row => (Name: Key(row[0]), Code: row[0]))
            .Concat(rows.SelectMany(row => row[3..7].Concat(row[7].Split('|')).Select(name => (Name: Key(name), Code: row[0]))))
            .Where(pair => pair.Name.Length > 0).DistinctBy(pair => pair.Name).ToFrozenDictionary(pair => pair.Name, pair => pair.Code);
    }

    /// <summary>Our code of a carrier, whoever's name it is given by; one that nobody knows is its name in lower-case letters, digits and underscores.</summary>
    public static string Of(string name)
    {
        if (ByName.TryGetValue(Key(name), out var code))
            return code;
        var own = string.Concat(name.Trim().Take(Longest).Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '_'));
        return own.Trim('_');
    }

    /// <summary>What an aggregator calls the carrier; our code where it has no name for it.</summary>
    public static string Tell(string carrier, string vocabulary) =>
        All.TryGetValue(carrier, out var found) && found.Names.TryGetValue(vocabulary, out var name) && name.Length > 0 ? name : carrier;

    /// <summary>The table of the carrier's codes.</summary>
    public static string VocabularyOf(string carrier) => All.TryGetValue(carrier, out var found) ? found.Vocabulary : carrier;

    /// <summary>Two codes of carriers among whose parcels one number means one parcel: DHL's interfaces are several, its parcels are not.</summary>
    public static bool AreOne(string carrier, string other) => carrier == other || FamilyOf(carrier) == FamilyOf(other);

    /// <summary>Every code under which the carrier's parcels may be kept.</summary>
    public static IReadOnlyList<string> Family(string carrier)
    {
        var family = FamilyOf(carrier);
        return [carrier, .. All.Where(one => one.Value.Family == family && one.Key != carrier).Select(one => one.Key)];
    }

    private static string FamilyOf(string carrier) => All.TryGetValue(carrier, out var found) ? found.Family : carrier;

    private static string Key(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
}
