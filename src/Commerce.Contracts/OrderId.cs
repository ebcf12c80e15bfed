using System.Security.Cryptography;

namespace Commerce;

/// <summary>
/// The Order ID: a store's prefix (1–6 letters) and 14 symbols of Crockford base32, for example "ORD-7K3M9QX-T2F8CRW".
/// Twelve symbols carry the 60-bit <see cref="Value"/> (26 bits of time at 16 s, 34 bits random), two are check symbols of a
/// Reed–Solomon code over GF(32) of distance 3: every one- and two-symbol error and every transposition is noticed.
/// </summary>
/// <param name="Prefix">The store's letters, upper-case.</param>
/// <param name="Value">0 to 2^60 − 1; sorts by the time of entry, to 16 s.</param>
public readonly record struct OrderId(string Prefix, long Value) : ISpanFormattable
{
    private const int Symbols = ReedSolomon32.Length;
    private const int MaxPrefix = 6;
    private const int MaxText = 100;
    private const int RandomBits = 34;
    private const long MaxTime = (1L << 26) - 1;
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    // Of '0' to 'Z', which is all that characters fold to.
    private static readonly byte[] SymbolsByCharacter = [.. Enumerable.Range('0', 'Z' - '0' + 1).Select(c => (byte)Alphabet.IndexOf((char)c switch
    {
        'I' or 'L' => '1',
        'O' => '0',
        'U' => 'V',
        var other => other,
    }))];

    /// <summary>
    /// No random code ends in this many digits more often than once in 110,000; the numbers of some carriers (C + 14 digits,
    /// TBA + 12 digits, LP + 14 digits) are letters and then digits, and shaped like an Order ID otherwise.
    /// </summary>
    private const int DigitsOfACarrier = 10;

    /// <summary>Time zero of the 26 bits; at 16 s a step they last until January 2054.</summary>
    public static readonly DateTimeOffset Epoch = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The largest <see cref="Value"/>.</summary>
    public const long MaxValue = (1L << 60) - 1;

    /// <summary>
    /// A new id: the time now in steps of 16 s, and 34 random bits. Two ids of the same 16 s are equal once in 2^34: the
    /// primary key notices, and the caller makes another. A clock outside 2020–2053 counts as the nearest end, so a wrong
    /// clock costs the sorting and not the order.
    /// </summary>
    public static OrderId New(string prefix, TimeProvider time)
    {
        var step = Math.Clamp((time.GetUtcNow() - Epoch).Ticks / (16 * TimeSpan.TicksPerSecond), 0, MaxTime);
        Span<byte> random = stackalloc byte[sizeof(long)];
        RandomNumberGenerator.Fill(random);
        return new OrderId(prefix, (step << RandomBits) | (BitConverter.ToInt64(random) & ((1L << RandomBits) - 1)));
    }

    /// <summary>The start of the 16 s in which the id was made.</summary>
    public DateTimeOffset Time => Epoch + TimeSpan.FromSeconds((Value >> RandomBits) * 16);

    /// <summary>A store's prefix: 1 to 6 letters A–Z, upper-case.</summary>
    public static bool IsPrefix(string? prefix) =>
        prefix is { Length: >= 1 and <= MaxPrefix } && !prefix.AsSpan().ContainsAnyExceptInRange('A', 'Z');

    /// <summary>
    /// Reads what a person typed: case, spaces, dashes and the look-alikes I, L, O, U are forgiven in the last 14 symbols, and letters and
    /// digits of other widths and alphabets everywhere (<see cref="CodeCharacters.Fold"/>).
    /// The code has a fixed length, so the last 14 symbols are the code and all before them is the prefix, wherever dashes
    /// stand or are left out. Where the check symbols disagree, the text ends in ten digits or more and no dash follows the
    /// prefix, it is taken for a carrier's number, not for a mistyped Order ID. Of such numbers one in 1,024 is a valid Order
    /// ID by chance: who finds no order by it should look for a parcel.
    /// </summary>
    public static OrderIdReading Read(string? text)
    {
        if (text is null || text.Length > MaxText)
            return default;

        Span<char> typed = stackalloc char[MaxPrefix + Symbols];
        Span<bool> dashed = stackalloc bool[MaxPrefix + Symbols + 1];
        var length = 0;
        foreach (var c in text)
        {
            if (CodeCharacters.IsBetween(c))
            {
                dashed[length] |= CodeCharacters.IsDash(c);
                continue;
            }

            if (length == typed.Length || CodeCharacters.Fold(c) is var folded && folded == '\0')
                return default;
            typed[length++] = folded;
        }

        var split = length - Symbols;
        if (split < 1 || typed[..split].ContainsAnyExceptInRange('A', 'Z'))
            return default;

        Span<byte> symbols = stackalloc byte[Symbols];
        for (var i = 0; i < Symbols; i++)
            symbols[i] = SymbolsByCharacter[typed[split + i] - '0'];

        var prefix = typed[..split].ToString();
        if (ReedSolomon32.IsCodeword(symbols))
            return new OrderIdReading(OrderIdReadingKind.Valid, new OrderId(prefix, ValueOf(symbols)), null);
        if (!dashed[split] && !typed[(length - DigitsOfACarrier)..length].ContainsAnyExceptInRange('0', '9'))
            return default;

        OrderId? meant = ReedSolomon32.TryCorrect(symbols) ? new OrderId(prefix, ValueOf(symbols)) : null;
        return new OrderIdReading(OrderIdReadingKind.Mistyped, default, meant);
    }

    public static bool TryParse(string? text, out OrderId id)
    {
        var reading = Read(text);
        id = reading.Id;
        return reading.Kind == OrderIdReadingKind.Valid;
    }

    /// <summary>The canonical form.</summary>
    public override string ToString() =>
        string.Create((Prefix?.Length ?? 0) + Symbols + 2, this, static (span, id) => id.TryFormat(span, out _, default, null));

    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    public bool TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        if (Value is < 0 or > MaxValue)
            throw new InvalidOperationException($"The value {Value} of an Order ID is not within 0 and 2^60 - 1.");

        charsWritten = 0;
        var prefix = Prefix.AsSpan();
        if (destination.Length < prefix.Length + Symbols + 2)
            return false;

        Span<byte> symbols = stackalloc byte[Symbols];
        var rest = Value;
        for (var i = ReedSolomon32.Data - 1; i >= 0; i--, rest >>= 5)
            symbols[i] = (byte)(rest & 31);
        ReedSolomon32.AddChecks(symbols);

        prefix.CopyTo(destination);
        var at = prefix.Length;
        for (var i = 0; i < Symbols; i++)
        {
            if (i % (Symbols / 2) == 0)
                destination[at++] = '-';
            destination[at++] = Alphabet[symbols[i]];
        }

        charsWritten = at;
        return true;
    }

    private static long ValueOf(ReadOnlySpan<byte> symbols)
    {
        var value = 0L;
        foreach (var symbol in symbols[..ReedSolomon32.Data])
            value = (value << 5) | symbol;
        return value;
    }
}

/// <summary>What a typed text turned out to be.</summary>
public enum OrderIdReadingKind
{
    /// <summary>Not shaped like an Order ID at all; it may be another code.</summary>
    NotAnOrderId,

    /// <summary>Shaped like one, but its check symbols disagree.</summary>
    Mistyped,

    /// <summary>A valid Order ID.</summary>
    Valid,
}

/// <summary>The outcome of <see cref="OrderId.Read"/>.</summary>
/// <param name="Id">The id, when valid.</param>
/// <param name="Meant">
/// When mistyped: the one code that differs in a single symbol, if there is one. It may belong to nobody: tell it only to
/// callers who may see the order, and only when the order exists.
/// </param>
public readonly record struct OrderIdReading(OrderIdReadingKind Kind, OrderId Id, OrderId? Meant);
