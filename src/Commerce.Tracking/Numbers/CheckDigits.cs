namespace Commerce.Tracking.Numbers;

/// <summary>
/// The check digits that carriers use. A body is given as symbols: 0–9 for digits, 10–35 for A–Z. Each method gives the symbol
/// that the check digit has to be.
/// </summary>
internal static class CheckDigits
{
    private const int FirstLetter = 10;

    /// <summary>GS1, the check digit of EAN and SSCC: from the right every other digit counts three times.</summary>
    /// <param name="carry">What digits that belong to the number and are not printed add, already weighted.</param>
    public static int Gs1(ReadOnlySpan<byte> body, int carry = 0)
    {
        var sum = carry;
        for (var i = 0; i < body.Length; i++)
            sum += (body.Length - i) % 2 == 1 ? 3 * body[i] : body[i];
        return Complement(sum);
    }

    /// <summary>Luhn: from the right every other digit counts twice, its two digits added up.</summary>
    public static int Luhn(ReadOnlySpan<byte> body)
    {
        var sum = 0;
        for (var i = 0; i < body.Length; i++)
        {
            var value = (body.Length - i) % 2 == 1 ? 2 * body[i] : body[i];
            sum += value > 9 ? value - 9 : value;
        }

        return Complement(sum);
    }

    /// <summary>UPS and OnTrac: from the left every other symbol counts twice; a letter has a digit's value (A is 2).</summary>
    public static int Ups(ReadOnlySpan<byte> body)
    {
        var sum = 0;
        for (var i = 0; i < body.Length; i++)
        {
            var value = body[i] < FirstLetter ? body[i] : (body[i] + 2 - FirstLetter) % 10;
            sum += i % 2 == 1 ? 2 * value : value;
        }

        return Complement(sum);
    }

    /// <summary>DHL and other air waybills: the number's remainder by seven.</summary>
    public static int Mod7(ReadOnlySpan<byte> body)
    {
        var remainder = 0;
        foreach (var digit in body)
            remainder = ((remainder * 10) + digit) % 7;
        return remainder;
    }

    /// <summary>FedEx Express: weights 1, 3, 7 from the right, by eleven, ten written as zero.</summary>
    public static int FedEx(ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> weights = [1, 3, 7];
        var sum = 0;
        for (var i = 0; i < body.Length; i++)
            sum += weights[(body.Length - 1 - i) % 3] * body[i];
        return sum % 11 % 10;
    }

    /// <summary>UPU S10: eight digits by fixed weights.</summary>
    public static int S10(ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> weights = [8, 6, 4, 2, 3, 5, 9, 7];
        var sum = 0;
        for (var i = 0; i < body.Length; i++)
            sum += weights[i % weights.Length] * body[i];
        return (11 - (sum % 11)) switch
        {
            10 => 0,
            11 => 5,
            var digit => digit,
        };
    }

    /// <summary>ISO 7064 mod 37,36: letters and digits, and so is the check character.</summary>
    public static int Mod37And36(ReadOnlySpan<byte> body)
    {
        const int Modulus = 36;
        var product = Modulus;
        foreach (var symbol in body)
        {
            var sum = (product + symbol) % Modulus;
            product = (sum == 0 ? Modulus : sum) * 2 % (Modulus + 1);
        }

        return (Modulus + 1 - product) % Modulus;
    }

    private static int Complement(int sum) => (10 - (sum % 10)) % 10;
}
