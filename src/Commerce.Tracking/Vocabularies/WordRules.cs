using System.Collections.Frozen;

namespace Commerce.Tracking.Vocabularies;

/// <summary>What a carrier's words mean where no table knows its code: the first rule of words.csv that fits.</summary>
internal static class WordRules
{
    private const int LongestGap = 5;

    private static readonly IReadOnlyList<Rule> Rules = [.. Table.Rows("Vocabularies.words.csv").Select(Rule.Read)];

    // Rules by the first word of their phrases: most rules share no word with a text.
    private static readonly FrozenDictionary<string, int[]> Exact = Rules.SelectMany((rule, at) => rule.Phrases.Where(phrase => !phrase[0].Prefix).Select(phrase => (phrase[0].Text, at)))
        .GroupBy(pair => pair.Text).ToFrozenDictionary(group => group.Key, group => group.Select(pair => pair.at).Distinct().Order().ToArray());

    private static readonly (string Text, int Rule)[] Prefixes =
        [.. Rules.SelectMany((rule, at) => rule.Phrases.Where(phrase => phrase[0].Prefix).Select(phrase => (phrase[0].Text, at))).Distinct()];

    private static readonly FrozenDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> ExactBySpan = Exact.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Null if no rule fits.</summary>
    public static Meaning? MeaningOf(string text)
    {
        var words = Folded.Of(text).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var candidates = new SortedSet<int>();
        foreach (var word in words)
        {
            if (ExactBySpan.TryGetValue(word, out var rules))
                candidates.UnionWith(rules);
            foreach (var (prefix, rule) in Prefixes)
            {
                if (word.StartsWith(prefix, StringComparison.Ordinal))
                    candidates.Add(rule);
            }
        }

        foreach (var at in candidates)
        {
            if (Rules[at].Fits(words))
                return Rules[at].Meaning;
        }

        return null;
    }

    private sealed record Word(string Text, bool Prefix, bool AfterGap)
    {
        public bool Is(string word) => Prefix ? word.StartsWith(Text, StringComparison.Ordinal) : word == Text;
    }

    private sealed record Rule(Meaning Meaning, IReadOnlyList<Word[]> Phrases)
    {
        public static Rule Read(string[] row) => new(Reasons.Meaning(StatusName.Parse(row[0]), row[1]) with { Inferred = true }, [.. row[2].Split('|').Select(Phrase)]);

        public bool Fits(string[] words)
        {
            foreach (var phrase in Phrases)
            {
                for (var start = 0; start < words.Length; start++)
                {
                    if (phrase[0].Is(words[start]) && Follows(words, start + 1, phrase, 1))
                        return true;
                }
            }

            return false;
        }

        private static bool Follows(string[] words, int at, Word[] phrase, int part)
        {
            if (part == phrase.Length)
                return true;
            var last = Math.Min(words.Length - 1, phrase[part].AfterGap ? at + LongestGap : at);
            for (var next = at; next <= last; next++)
            {
                if (phrase[part].Is(words[next]) && Follows(words, next + 1, phrase, part + 1))
                    return true;
            }

            return false;
        }

        private static Word[] Phrase(string text)
        {
            var words = new List<Word>();
            var gap = false;
            foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (word != "~")
                    words.Add(new Word(word.TrimEnd('*'), word.EndsWith('*'), gap));
                gap = word == "~";
            }

            return [.. words];
        }
    }
}
