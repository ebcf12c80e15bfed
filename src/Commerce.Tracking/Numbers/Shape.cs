using System.Numerics;

namespace Commerce.Tracking.Numbers;

/// <summary>
/// What a number of a format looks like, position by position: a letter or digit stands for itself, <c>#</c> for any digit, <c>@</c>
/// for any letter, <c>*</c> for either, <c>[AC1-3]</c> for one of those, <c>{7}</c> behind any of them for seven times; spaces are for
/// the reader. <c>&lt;name: …&gt;</c> names a part: <c>body</c> and <c>check</c> (the check digit and what it is of), <c>service</c>,
/// <c>country</c>, <c>postcode</c>. Every shape has one length, so matching is a walk without a way back.
/// </summary>
internal sealed class Shape
{
    private readonly ulong[] _allowed;
    private readonly Dictionary<string, Range> _parts = [];

    /// <param name="share">Of the format's numbers, how many look so.</param>
    public Shape(string pattern, double share = 1)
    {
        Share = share;
        var allowed = new List<ulong>();
        var open = new Stack<(string Name, int Start)>();
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case ' ':
                    break;
                case '<':
                    var colon = pattern.IndexOf(':', i);
                    open.Push((pattern[(i + 1)..colon], allowed.Count));
                    i = colon;
                    break;
                case '>':
                    var part = open.Pop();
                    _parts.Add(part.Name, part.Start..allowed.Count);
                    break;
                case '[':
                    var end = pattern.IndexOf(']', i);
                    allowed.Add(SetOf(pattern[(i + 1)..end]));
                    i = end;
                    break;
                case '{':
                    var close = pattern.IndexOf('}', i);
                    allowed.AddRange(Enumerable.Repeat(allowed[^1], int.Parse(pattern.AsSpan(i + 1, close - i - 1), System.Globalization.CultureInfo.InvariantCulture) - 1));
                    i = close;
                    break;
                case '#':
                    allowed.Add(Symbols.Digits);
                    break;
                case '@':
                    allowed.Add(Symbols.Letters);
                    break;
                case '*':
                    allowed.Add(Symbols.Digits | Symbols.Letters);
                    break;
                case var literal:
                    allowed.Add(1UL << Symbols.Of(literal));
                    break;
            }
        }

        _allowed = [.. allowed];
        Body = Part("body");
        Check = Part("check") is { } check ? check.Start.Value : null;
        Service = Part("service");
        Country = Part("country");
        Postcode = Part("postcode");
        HasMark = _allowed.Any(set => BitOperations.IsPow2(set) || (set & Symbols.Digits) == 0);
        FreeNumbers = 1;
        for (var i = 0; i < _allowed.Length; i++)
        {
            if (i != Check && !Holds(Service, i) && !Holds(Country, i))
                FreeNumbers *= BitOperations.PopCount(_allowed[i]);
        }
    }

    public double Share { get; }

    public int Length => _allowed.Length;

    public Range? Body { get; }

    /// <summary>Where the check digit is.</summary>
    public int? Check { get; }

    public Range? Service { get; }

    public Range? Country { get; }

    public Range? Postcode { get; }

    /// <summary>It has a symbol of its own somewhere, or letters: not every long figure looks so.</summary>
    public bool HasMark { get; }

    /// <summary>How many numbers of this shape there are, for one service and one country.</summary>
    public double FreeNumbers { get; }

    public bool CanBeginWith(byte symbol) => (_allowed[0] & (1UL << symbol)) != 0;

    public bool Matches(ReadOnlySpan<byte> number)
    {
        for (var i = 0; i < _allowed.Length; i++)
        {
            if ((_allowed[i] & (1UL << number[i])) == 0)
                return false;
        }

        return true;
    }

    /// <summary>A number that looks so, its check digit aside.</summary>
    public byte[] Example(Random random)
    {
        var number = new byte[_allowed.Length];
        for (var i = 0; i < number.Length; i++)
        {
            var among = random.Next(BitOperations.PopCount(_allowed[i]));
            var left = _allowed[i];
            for (; among > 0; among--)
                left &= left - 1;
            number[i] = (byte)BitOperations.TrailingZeroCount(left);
        }

        return number;
    }

    private static ulong SetOf(string members)
    {
        var set = 0UL;
        for (var i = 0; i < members.Length; i++)
        {
            var last = i + 2 < members.Length && members[i + 1] == '-' ? members[i + 2] : members[i];
            for (var c = members[i]; c <= last; c++)
                set |= 1UL << Symbols.Of(c);
            i += last == members[i] ? 0 : 2;
        }

        return set;
    }

    private Range? Part(string name) => _parts.TryGetValue(name, out var range) ? range : null;

    private static bool Holds(Range? range, int index) => range is { } part && index >= part.Start.Value && index < part.End.Value;
}
