using System.Collections.Frozen;
using System.Globalization;

namespace Commerce.Shipping.Postal;

/// <summary>A postal code without its spaces and prefixes.</summary>
/// <param name="Canonical">Capital letters and digits, for example "M98AB", "01310100", "1010" (of LV-1010).</param>
/// <param name="Text">As the country writes it, for example "M9 8AB", "01310-100", "LV-1010".</param>
/// <param name="Keys">The whole code, then the parts of it by which lists know it (an outward code, a five-digit ZIP), longest first.</param>
public sealed record NormalisedCode(string Country, string Canonical, string Text, IReadOnlyList<ulong> Keys);

/// <summary>
/// How countries write their postal codes (UPU, postal addressing systems): what is a digit, a letter and mere dress. A country
/// that is not listed takes any code of letters and digits.
/// </summary>
public static class PostalFormats
{
    private const int LongestGiven = 40;

    // ISO 3166-1, and XK, which is in use for Kosovo.
    private static readonly FrozenSet<string> Countries = (
        "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ "
        + "DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
        + "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM "
        + "PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ "
        + "UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW").Split(' ').ToFrozenSet(StringComparer.Ordinal);

    // # a digit, @ a letter; everything else is dress and no part of the canonical code. The first pattern is the usual one. After
    // "/": how many leading symbols lists also know a code by.
    private static readonly FrozenDictionary<string, Format> Formats = Build(
        """
        AD AD###
        AI AI-####
        AR ####,@####@@@
        AT AU BE BG CH CY DK GE GL HU LI LU MK NO NZ PH SI SJ TN ZA AM BD CC CX HM NF GW LR MZ NE PY VE ####
        AZ AZ####
        BB BB#####
        BM @@ ##,@@ @@
        BN @@####
        BR #####-###,#####
        BY CN CO EC IN KG KZ MN MW NG RO RU SG TJ TM TT UZ VN MO HK ######
        CA @#@ #@#,@#@/3
        CL #######
        CR DE DO DZ EE EG ES FI FR GF GP GT HN HR ID IQ IT JO KE KH KR KW LA LK LT MA MC ME MM MQ MX MY NC NI NP PA PE PF PK PM RE RS SA SD SM SN TH TR UA UY VA WF YT ZM AX BA BL BT CU MF MV OM XK #####
        CZ SE SK GR ### ##
        FK GS IO PN SH TC @@@@ #@@
        FO IS LS MG PG ###
        GB GG IM JE GI @@## #@@,@@# #@@,@## #@@,@# #@@,@@#@ #@@,@#@ #@@,@@##,@@#,@##,@#,@@#@,@#@
        HT HT####
        IE @## @*##,@## @#@#,@** ****,@##,@#@/3
        IL #######,#####
        IR #####-#####
        JP ###-####/3
        LV LV-####
        MD MD-####
        MT @@@ ####,@@@ ###,@@@ ##,@@@/3
        NL #### @@,####/4
        NR @@@##
        NU @@@@ ##,####
        PL ##-###
        PR US GU VI AS MP MH FM PW #####,#####-####/5
        PT ####-###,####/4
        SZ @###
        TW ###,###-##,###-###/3
        WS @@ #####,@@####
        """);

    // Letters that stand before a code and are no part of it: the country's own (LT-01100), the car's (D-10115), words.
    private static readonly FrozenDictionary<string, string[]> Prefixes = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["AT"] = ["A"],
        ["BE"] = ["B"],
        ["DE"] = ["D"],
        ["ES"] = ["E"],
        ["FI"] = ["FIN", "SF"],
        ["FR"] = ["F"],
        ["HU"] = ["H"],
        ["IN"] = ["PIN", "PINCODE"],
        ["IT"] = ["I"],
        ["LI"] = ["FL"],
        ["LU"] = ["L"],
        ["NO"] = ["N"],
        ["PT"] = ["P"],
        ["SE"] = ["S"],
        ["US"] = ["ZIP"],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Whether it is a country's ISO 3166-1 alpha-2 code, in capitals.</summary>
    public static bool IsCountry(string? code) => code is not null && Countries.Contains(code);

    /// <summary>How a code of the country looks, for example "#####-###" (# a digit, @ a letter); empty if that is not known.</summary>
    public static string PatternOf(string country) => Formats.TryGetValue(country, out var format) ? format.Patterns[0].Text : "";

    /// <summary>The code without dress; null if it is none of the country.</summary>
    public static NormalisedCode? Normalise(string country, string? given)
    {
        if (!IsCountry(country) || Bare(given) is not { } bare)
            return null;
        if (!Formats.TryGetValue(country, out var format))
            return PostalKey.TryEncode(bare, out var any) ? new NormalisedCode(country, bare, bare, [any]) : null;

        if (Fit(format, bare) is { } fit)
            return Of(country, format, fit);
        // FR: "75008 CEDEX 08" is a big receiver's own code, "75303 SP 07" the army's; the digits alone name it.
        if (bare.Length > 5 && (bare.AsSpan(5).StartsWith("CEDEX") || bare.AsSpan(5).StartsWith("SP")) && Fit(format, bare[..5]) is { } french)
            return Of(country, format, french);
        foreach (var prefix in (string[])[country, .. Prefixes.GetValueOrDefault(country, [])])
        {
            if (bare.StartsWith(prefix, StringComparison.Ordinal) && Fit(format, bare[prefix.Length..]) is { } rest)
                return Of(country, format, rest);
        }

        return null;
    }

    /// <summary>The same, of the beginning of a code: "98", "SW1", "LV-10".</summary>
    /// <returns>Its key, or null if it is longer than a code of the country, or no letters and digits.</returns>
    public static ulong? NormalisePrefix(string country, string? given)
    {
        if (!IsCountry(country) || Bare(given) is not { } bare)
            return null;
        if (Normalise(country, given) is { } whole)
            return whole.Keys[0];
        if (Formats.TryGetValue(country, out var format))
        {
            foreach (var prefix in (string[])["", country, .. Prefixes.GetValueOrDefault(country, [])])
            {
                if (bare.StartsWith(prefix, StringComparison.Ordinal) && format.Patterns.Any(pattern => pattern.Begins(bare[prefix.Length..])) && PostalKey.TryEncode(bare.AsSpan(prefix.Length), out var key))
                    return key;
            }

            return null;
        }

        return PostalKey.TryEncode(bare, out var any) ? any : null;
    }

    /// <summary>Codes that may have been meant by one that is none or is not known: a lost leading nought, a letter for a digit, neighbours exchanged, one symbol wrong.</summary>
    /// <returns>In order of how obvious they are; those of one group are equally so.</returns>
    public static IEnumerable<IReadOnlyList<NormalisedCode>> Meant(string country, string? given)
    {
        if (!Formats.TryGetValue(country, out var format) || Bare(given) is not { Length: <= PostalKey.Longest } bare)
            yield break;
        yield return [.. Candidates("0" + bare, "00" + bare)];
        yield return [.. Candidates([.. format.Patterns.Select(pattern => pattern.Mend(bare)).OfType<string>()])];
        var symbols = bare.ToCharArray();
        yield return [.. Candidates([.. Enumerable.Range(0, Math.Max(bare.Length - 1, 0)).Where(i => symbols[i] != symbols[i + 1]).Select(i => Exchanged(symbols, i))])];
        yield return [.. Candidates([.. Enumerable.Range(0, bare.Length).SelectMany(i => Others(symbols, i))])];

        IEnumerable<NormalisedCode> Candidates(params string[] texts) => texts
            .Where(text => text != bare).Distinct(StringComparer.Ordinal)
            .Select(text => Fit(format, text) is { } fit ? Of(country, format, fit) : null).OfType<NormalisedCode>();

        static string Exchanged(char[] symbols, int at)
        {
            var copy = (char[])symbols.Clone();
            (copy[at], copy[at + 1]) = (copy[at + 1], copy[at]);
            return new string(copy);
        }

        static IEnumerable<string> Others(char[] symbols, int at)
        {
            for (var c = char.IsAsciiDigit(symbols[at]) ? '0' : 'A'; c <= (char.IsAsciiDigit(symbols[at]) ? '9' : 'Z'); c++)
            {
                var copy = (char[])symbols.Clone();
                copy[at] = c;
                yield return new string(copy);
            }
        }
    }

    /// <summary>As the country writes a code that is known by its key.</summary>
    public static string TextOf(string country, ulong key)
    {
        var canonical = PostalKey.Decode(key);
        return Formats.TryGetValue(country, out var format) && format.Patterns.FirstOrDefault(p => p.Canonical(canonical) is not null) is { } pattern ? pattern.Dress(canonical) : canonical;
    }

    // Capital letters and digits alone; null if there is anything that no postal code has.
    private static string? Bare(string? given)
    {
        if (given is null || given.Length is 0 or > LongestGiven)
            return null;
        Span<char> text = stackalloc char[LongestGiven];
        var length = 0;
        foreach (var c in given)
        {
            // Full-width, Arabic and Devanagari digits are digits.
            if (char.IsDigit(c))
                text[length++] = (char)('0' + CharUnicodeInfo.GetDecimalDigitValue(c));
            else if (char.IsAsciiLetter(c))
                text[length++] = char.ToUpperInvariant(c);
            else if (c is >= 'Ａ' and <= 'Ｚ')
                text[length++] = (char)(c - 'Ａ' + 'A');
            else if (!char.IsWhiteSpace(c) && CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.DashPunctuation && c is not ('.' or '_' or '−' or '*'))
                return null;
        }

        return length == 0 ? null : new string(text[..length]);
    }

    private static (Pattern Pattern, string Canonical)? Fit(Format format, string bare)
    {
        foreach (var pattern in format.Patterns)
        {
            if (pattern.Canonical(bare) is { } canonical)
                return (pattern, canonical);
        }

        return null;
    }

    private static NormalisedCode Of(string country, Format format, (Pattern Pattern, string Canonical) fit)
    {
        var canonical = fit.Canonical;
        var keys = new List<ulong>(2);
        Add(canonical);
        // AR: the letter and the block letters of a CPA stand around the old four digits; GB: the inward code is the last three.
        if (country == "AR" && canonical.Length == 8)
            Add(canonical[1..5]);
        else if (fit.Pattern.Text.EndsWith(" #@@", StringComparison.Ordinal))
            Add(canonical[..^3]);
        else if (format.Part > 0 && canonical.Length > format.Part)
            Add(canonical[..format.Part]);
        return new NormalisedCode(country, canonical, fit.Pattern.Dress(canonical), keys);

        void Add(string part)
        {
            if (PostalKey.TryEncode(part, out var key))
                keys.Add(key);
        }
    }

    private static FrozenDictionary<string, Format> Build(string table)
    {
        var formats = new Dictionary<string, Format>(StringComparer.Ordinal);
        foreach (var line in table.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var names = line.Split(' ').TakeWhile(word => IsCountry(word)).ToList();
            var (patterns, part) = line[(names.Count * 3)..].Split('/') is [var list, var length] ? (list, int.Parse(length, CultureInfo.InvariantCulture)) : (line[(names.Count * 3)..], 0);
            foreach (var name in names)
                formats[name] = new Format([.. patterns.Split(',').Select(text => new Pattern(text))], part);
        }

        return formats.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private sealed record Format(Pattern[] Patterns, int Part);

    private sealed class Pattern(string text)
    {
        private readonly string _symbols = string.Concat(text.Where(c => c is '#' or '@' or '*'));
        private readonly string _before = string.Concat(text.TakeWhile(c => c is not ('#' or '@' or '*')).Where(char.IsAsciiLetter));

        public string Text => text;

        /// <summary>The symbols of a code that is written so; null if it is not.</summary>
        public string? Canonical(string bare)
        {
            if (_before.Length > 0 && bare.Length == _before.Length + _symbols.Length && bare.StartsWith(_before, StringComparison.Ordinal))
                bare = bare[_before.Length..];
            return bare.Length == _symbols.Length && Begins(bare) ? bare : null;
        }

        public bool Begins(string bare)
        {
            if (bare.Length > _symbols.Length)
                return false;
            for (var i = 0; i < bare.Length; i++)
            {
                if (!Takes(_symbols[i], bare[i]))
                    return false;
            }

            return true;
        }

        public string Dress(string canonical)
        {
            var at = 0;
            return string.Concat(text.Select(c => c is '#' or '@' or '*' ? canonical[at++] : c));
        }

        // Digits where letters stand that look like them, and the other way round; null if that changes nothing or does not help.
        public string? Mend(string bare)
        {
            if (bare.Length != _symbols.Length)
                return null;
            var mended = bare.ToCharArray();
            for (var i = 0; i < mended.Length; i++)
            {
                if (!Takes(_symbols[i], mended[i]))
                    mended[i] = _symbols[i] == '#' ? mended[i] switch { 'O' or 'Q' => '0', 'I' or 'L' => '1', 'S' => '5', 'B' => '8', 'Z' => '2', var c => c } : mended[i] switch { '0' => 'O', '1' => 'I', '5' => 'S', '8' => 'B', var c => c };
            }

            return new string(mended);
        }

        private static bool Takes(char symbol, char c) => symbol switch { '#' => char.IsAsciiDigit(c), '@' => char.IsAsciiLetterUpper(c), _ => true };
    }
}
