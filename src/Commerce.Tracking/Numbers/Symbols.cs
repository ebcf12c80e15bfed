namespace Commerce.Tracking.Numbers;

/// <summary>A number as symbols: 0–9 for digits, 10–35 for A–Z.</summary>
internal static class Symbols
{
    public const int Count = 36;
    public const ulong Digits = (1UL << 10) - 1;
    public const ulong Letters = ((1UL << Count) - 1) & ~Digits;

    public static byte Of(char c) => (byte)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);

    public static char ToChar(byte symbol) => (char)(symbol < 10 ? '0' + symbol : 'A' + symbol - 10);

    public static string ToText(ReadOnlySpan<byte> symbols)
    {
        Span<char> text = stackalloc char[TrackingNumber.Longest];
        for (var i = 0; i < symbols.Length; i++)
            text[i] = ToChar(symbols[i]);
        return text[..symbols.Length].ToString();
    }
}
