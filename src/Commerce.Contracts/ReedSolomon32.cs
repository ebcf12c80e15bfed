namespace Commerce;

/// <summary>
/// The Reed–Solomon code [14, 12] over GF(32) of the Order ID. A word c is a codeword when Σ c[i] = 0 and Σ α^p(i) c[i] = 0,
/// where p(i) counts positions from the right. Any two columns (1, α^p) are independent because the powers differ, so the
/// distance is 3: two wrong symbols never make another codeword, and one wrong symbol names its place and its size.
/// </summary>
internal static class ReedSolomon32
{
    public const int Length = 14;
    public const int Data = 12;

    // GF(2^5) by x^5 + x^2 + 1, which is primitive: α = x runs through all 31 elements that are not zero.
    private const int Polynomial = 0b100101;
    private const int Order = 31;
    private static readonly byte[] Powers = new byte[2 * Order];
    private static readonly byte[] Logarithms = new byte[Order + 1];

    static ReedSolomon32()
    {
        var element = 1;
        for (var power = 0; power < Order; power++)
        {
            Powers[power] = Powers[power + Order] = (byte)element;
            Logarithms[element] = (byte)power;
            element <<= 1;
            if (element > Order)
                element ^= Polynomial;
        }
    }

    public static bool IsCodeword(ReadOnlySpan<byte> word) => Syndromes(word) is (0, 0);

    /// <summary>Sets the last two symbols so that the word is a codeword.</summary>
    public static void AddChecks(Span<byte> word)
    {
        word[^2] = word[^1] = 0;
        var (sum, weighted) = Syndromes(word);
        // With checks a (weight α) and b (weight 1): a + b = sum and αa + b = weighted, hence (1 + α)a = sum + weighted.
        word[^2] = Divide(sum ^ weighted, 1 ^ Powers[1]);
        word[^1] = (byte)(sum ^ word[^2]);
    }

    /// <summary>Makes the word the one codeword that differs in a single symbol, if there is one.</summary>
    public static bool TryCorrect(Span<byte> word)
    {
        var (error, weighted) = Syndromes(word);
        if (error == 0 || weighted == 0)
            return false;
        var position = Logarithms[Divide(weighted, error)];
        if (position >= Length)
            return false;
        word[Length - 1 - position] ^= (byte)error;
        return true;
    }

    private static (int Sum, int Weighted) Syndromes(ReadOnlySpan<byte> word)
    {
        var sum = 0;
        var weighted = 0;
        for (var i = 0; i < Length; i++)
        {
            sum ^= word[i];
            if (word[i] != 0)
                weighted ^= Powers[Logarithms[word[i]] + Length - 1 - i];
        }

        return (sum, weighted);
    }

    private static byte Divide(int a, int b) => a == 0 ? (byte)0 : Powers[Logarithms[a] + Order - Logarithms[b]];
}
