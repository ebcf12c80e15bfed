namespace Commerce.Sandbox.Carriers;

/// <summary>The check digits of the carriers' own number formats.</summary>
internal static class CheckDigits
{
    private static readonly int[] FedExWeights = [3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1];

    /// <summary>UPS 1Z: the 15 symbols after 1Z, every second one doubled; a letter counts as (its ASCII code − 3) mod 10.</summary>
    public static int Ups(ReadOnlySpan<char> symbols)
    {
        var sum = 0;
        for (var i = 0; i < symbols.Length; i++)
        {
            var value = char.IsAsciiDigit(symbols[i]) ? symbols[i] - '0' : (symbols[i] - 3) % 10;
            sum += i % 2 == 1 ? 2 * value : value;
        }

        return (10 - (sum % 10)) % 10;
    }

    /// <summary>USPS IMpb: mod 10 with weights 3, 1, 3 … from the right.</summary>
    public static int Usps(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var value = digits[^(i + 1)] - '0';
            sum += i % 2 == 0 ? 3 * value : value;
        }

        return (10 - (sum % 10)) % 10;
    }

    /// <summary>FedEx Express, 11 digits: weights 3, 1, 7 …, mod 11, then mod 10.</summary>
    public static int FedEx(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++) sum += FedExWeights[i] * (digits[i] - '0');
        return sum % 11 % 10;
    }

    /// <summary>DHL Express: the serial number mod 7.</summary>
    public static int Dhl(long serial) => (int)(serial % 7);
}
