using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace Commerce.Tracking.Vocabularies;

/// <summary>
/// Whose words a table holds: a carrier's codes, or the statuses and details of an aggregator. Read in one direction it says what a code
/// means, in the other how a status is told to who speaks that vocabulary. Another vocabulary is another file.
/// </summary>
public sealed class Vocabulary
{
    private static readonly ConcurrentDictionary<string, Vocabulary> Loaded = new(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Names = Table.Names("Vocabularies.Tables", ".csv").ToFrozenSet(StringComparer.Ordinal);

    private static readonly Vocabulary Empty = new([]);

    private readonly FrozenDictionary<(string Code, string Detail), Row> _rows;
    private readonly (string Prefix, Row Row)[] _prefixes;
    private readonly FrozenDictionary<string, string> _reasons;
    private readonly FrozenDictionary<(V1.TrackingStatus, string Reason), Row> _told;

    private Vocabulary(IReadOnlyList<Row> rows)
    {
        Rows = rows;
        _rows = rows.DistinctBy(row => (Key(row.Code), Key(row.Detail))).ToFrozenDictionary(row => (Key(row.Code), Key(row.Detail)));
        _prefixes = [.. rows.Where(row => row.Code.EndsWith('*')).Select(row => (Key(row.Code), row)).OrderByDescending(pair => pair.Item1.Length)];
        _reasons = rows.Where(row => row.Detail.Length > 0).DistinctBy(row => Key(row.Detail)).ToFrozenDictionary(row => Key(row.Detail), row => row.Meaning.Reason);
        // The first row of a status tells it where no reason fits.
        _told = rows.Select(row => ((row.Meaning.Status, row.Meaning.Reason), row)).Concat(rows.Select(row => ((row.Meaning.Status, ""), row)))
            .DistinctBy(pair => pair.Item1).ToFrozenDictionary(pair => pair.Item1, pair => pair.row);
    }

    /// <summary>A row: code and detail as they are written there, the words that go with them, and what they mean.</summary>
    /// <param name="Coarse">One code for several things: the words decide, where they say something.</param>
    public sealed record Row(string Code, string Detail, Meaning Meaning, bool Coarse, string Words);

    /// <summary>Every row, in the table's order.</summary>
    public IReadOnlyList<Row> Rows { get; }

    /// <summary>The names of those that are built in.</summary>
    public static IReadOnlyCollection<string> BuiltIn => Names;

    /// <summary>By name, for example "fedex" or "easypost"; one that is not known is empty, and then words decide everything.</summary>
    public static Vocabulary Of(string name) => Names.Contains(name) ? Loaded.GetOrAdd(name, Load) : Empty;

    /// <summary>What it means: by the table, else by the words, else UNKNOWN; never an error.</summary>
    /// <param name="code">The code.</param>
    /// <param name="detail">What makes the code more precise; empty where there is no such thing.</param>
    /// <param name="words">The carrier's words.</param>
    public Meaning MeaningOf(string code, string detail, string words)
    {
        var row = Find(code, detail) ?? (detail.Length > 0 ? Find(code, "") : null);
        if (row is { Coarse: false })
        {
            // A detail that the table has beside another code still says what happened.
            return row.Meaning.Reason.Length == 0 && detail.Length > 0 && row.Detail.Length == 0 && _reasons.TryGetValue(Key(detail), out var reason)
                ? Reasons.Meaning(row.Meaning.Status, reason)
                : row.Meaning;
        }

        return WordRules.MeaningOf(words)
            ?? row?.Meaning
            // Many codes are words themselves: "OutForDelivery", "IN_TRANSIT".
            ?? WordRules.MeaningOf(Spaced(code))
            ?? WordRules.MeaningOf(Spaced(detail))
            ?? new Meaning(V1.TrackingStatus.Unknown, V1.StatusReason.Types.Party.Unspecified, "", Inferred: true);
    }

    /// <summary>The table knows the code and needs no words for it.</summary>
    public bool Knows(string code, string detail = "") => Find(code, detail) is { Coarse: false };

    /// <summary>How a status is told in this vocabulary: exactly, else by the nearest reason, else by the status alone; null if it has no word for it.</summary>
    public Row? Tell(V1.TrackingStatus status, string reason) =>
        Reasons.Alike(reason).Select(one => _told.GetValueOrDefault((status, one))).FirstOrDefault(row => row is not null) ?? _told.GetValueOrDefault((status, ""));

    /// <summary>A vocabulary of a shop's own: code, status and reason.</summary>
    internal static Vocabulary OfRows(IEnumerable<(string Code, V1.TrackingStatus Status, string Reason)> rows) =>
        new([.. rows.Select(row => new Row(row.Code, "", Reasons.Meaning(row.Status, row.Reason), Coarse: false, ""))]);

    private static Vocabulary Load(string name) => new(
    [
        .. Table.Rows($"Vocabularies.Tables.{name}.csv")
            .Select(row => new Row(row[0], row[1], Reasons.Meaning(StatusName.Parse(row[2].TrimEnd('?')), row[3]), row[2].EndsWith('?'), row[4])),
    ]);

    private Row? Find(string code, string detail)
    {
        if (code.Length == 0)
            return null;
        var (key, detailKey) = (Key(code), Key(detail));
        if (_rows.TryGetValue((key, detailKey), out var row))
            return row;
        // "0174" is 174, unless the table has it with its noughts.
        if (key.Length > 1 && key[0] == '0' && _rows.TryGetValue((key.TrimStart('0'), detailKey), out row))
            return row;
        return detail.Length == 0 ? _prefixes.FirstOrDefault(one => key.StartsWith(one.Prefix, StringComparison.Ordinal)).Row : null;
    }

    private static string Key(string code) => string.Concat(code.Where(char.IsLetterOrDigit)).ToUpperInvariant();

    // "OutForDelivery" → "Out For Delivery".
    private static string Spaced(string code) =>
        string.Concat(code.Select((c, at) => at > 0 && char.IsUpper(c) && char.IsLower(code[at - 1]) ? " " + c : c.ToString()));
}
