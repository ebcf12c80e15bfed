using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Commerce.Orders.FindingOrders;

/// <summary>Cuts a text into the words that it is found by: without case, accents and punctuation.</summary>
public static class SearchWords
{
    private const int LongestWord = 40;

    // Letters behind the plain one that people type instead. Made from the canonical decompositions of Unicode 15 (Latin,
    // Greek, Cyrillic), since the runtime decomposes nothing where it is built without ICU.
    private const string Variants =
        "aàáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ bḃḅḇ cçćĉċčḉ dðďđḋḍḏḑḓ eèéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ fḟ gĝğġģǧǵḡ hĥħȟḣḥḧḩḫẖ"
        + " iìíîïĩīĭįıǐȉȋḭḯỉị jĵǰ kķǩḱḳḵ lĺļľłḷḹḻḽ mḿṁṃ nñńņňǹṅṇṉṋ oòóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ pṕṗ rŕŗřȑȓṙṛṝṟ"
        + " sśŝşšſșṡṣṥṧṩẛ tţťŧțṫṭṯṱẗ uùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự vṽṿ wŵẁẃẅẇẉẘ xẋẍ yýÿŷȳẏẙỳỵỷỹ zźżžẑẓẕ æǣǽ øǿ ʒǯ ʹʹ"
        + " αάἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ βϐ εέϵἐἑἒἓἔἕὲέ ηήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ θϑ ιΐίϊἰἱἲἳἴἵἶἷὶίιῐῑῒΐῖῗ κϰ οόὀὁὂὃὄὅὸό πϖ"
        + " ρϱῤῥ ςϲ υΰϋύϒϓϔὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ φϕ ωώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ аӑӓ гѓ еѐёӗ жӂӝ зӟ ийѝӣӥ кќ оӧ уўӯӱӳ чӵ ыӹ эӭ ії"
        + " ѵѷ әӛ өӫ";

    private static readonly FrozenDictionary<char, string> Folded = Variants.Split(' ')
        .SelectMany(group => group.Skip(1), (group, variant) => KeyValuePair.Create(variant, group[..1]))
        .Concat(new[] { ('ß', "ss"), ('æ', "ae"), ('ǣ', "ae"), ('ǽ', "ae"), ('œ', "oe"), ('þ', "th"), ('ĳ', "ij") }.Select(one => KeyValuePair.Create(one.Item1, one.Item2)))
        .ToFrozenDictionary();

    /// <summary>The distinct words, in their order.</summary>
    public static IReadOnlyList<string> Of(params IEnumerable<string?> texts)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var text in texts)
        {
            foreach (var c in text ?? "")
                Add(c);
            End();
        }

        return words;

        void Add(char c)
        {
            var lower = char.ToLowerInvariant(c);
            if (Folded.TryGetValue(lower, out var plain))
                word.Append(plain);
            else if (char.IsLetterOrDigit(lower) || char.IsSurrogate(lower))
                word.Append(lower);
            // An apostrophe parts no words (O'Brien is found as obrien), and an accent of its own belongs to its letter.
            else if (lower is not ('\'' or '’' or 'ʼ') && CharUnicodeInfo.GetUnicodeCategory(lower) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark))
                End();
        }

        void End()
        {
            if (word.Length > LongestWord)
                word.Length = char.IsHighSurrogate(word[LongestWord - 1]) ? LongestWord - 1 : LongestWord;
            if (word.Length > 0 && word.ToString() is var found && !words.Contains(found))
                words.Add(found);
            word.Clear();
        }
    }

    /// <summary>Whether each of the words is the beginning of a word of the text.</summary>
    public static bool Matches(IReadOnlyList<string> wanted, IReadOnlyList<string> words) =>
        wanted.All(beginning => words.Any(word => word.StartsWith(beginning, StringComparison.Ordinal)));
}
