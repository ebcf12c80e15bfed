using System.Text;
using ZXing;

namespace Commerce.Shipping.Labels;

/// <summary>
/// A tracking number as its carrier's scanners expect it: Code 128, and where the number is one of GS1's (the postal service's
/// IMpb with AI 420 and 91–95, a serial shipping container code with AI 00) GS1-128, which begins with FNC1 and has another
/// after a part of variable length. Digits go in pairs (code set C), which is what makes 34 of them fit on a label.
/// </summary>
public sealed class LabelBarcode
{
    private const char Fnc1 = '\u00f1';

    private readonly string _content;

    private LabelBarcode(string number, string content)
    {
        (Number, _content) = (number, content);
        var bars = new MultiFormatWriter().encode(
            content, BarcodeFormat.CODE_128, 0, 1, new Dictionary<EncodeHintType, object> { [EncodeHintType.MARGIN] = 0, [EncodeHintType.CODE128_COMPACT] = true });
        var modules = new bool[bars.Width];
        for (var i = 0; i < bars.Width; i++)
            modules[i] = bars[i, 0];
        Modules = modules;
    }

    /// <summary>What a person reads and types.</summary>
    public string Number { get; }

    /// <summary>Whether it is GS1-128.</summary>
    public bool IsGs1 => _content[0] == Fnc1;

    /// <summary>The bars, true being black, without a quiet zone: ten modules are needed on either side.</summary>
    public IReadOnlyList<bool> Modules { get; }

    /// <param name="carrier">The carrier's code.</param>
    /// <param name="number">Normalised.</param>
    /// <exception cref="ArgumentException">It is no tracking number.</exception>
    public static LabelBarcode Of(string carrier, string number) => new(
        TrackingNumber.Normalise(number) == number ? number : throw new ArgumentException("It is not a normalised tracking number.", nameof(number)),
        Content(carrier, number));

    /// <summary>The number again from what a scanner says: a separator (GS) is no part of it.</summary>
    public static string NumberOf(string scanned) => string.Concat(scanned.Where(char.IsAsciiLetterOrDigit));

    /// <summary>The number as a QR code, true being black, without a quiet zone: four modules are needed around it.</summary>
    public bool[,] Square()
    {
        var matrix = ZXing.QrCode.Internal.Encoder.encode(Number, ZXing.QrCode.Internal.ErrorCorrectionLevel.M).Matrix;
        var square = new bool[matrix.Height, matrix.Width];
        for (var y = 0; y < matrix.Height; y++)
        {
            for (var x = 0; x < matrix.Width; x++)
                square[y, x] = matrix[x, y] == 1;
        }

        return square;
    }

    /// <summary>Field data for ^BC in mode N, with the code sets said: what a printer chooses by itself differs by its age.</summary>
    public string Zpl()
    {
        var zpl = new StringBuilder();
        var inPairs = default(bool?);
        for (var i = 0; i < _content.Length;)
        {
            // A change of code set costs a symbol: it pays for four digits, and for any even rest of at least two when C is on.
            var digits = DigitsAt(i);
            var pairs = inPairs == true ? digits >= 2 : digits >= 4 && (digits % 2 == 0 || inPairs is not null || i > 0) || digits >= 4;
            if (_content[i] == Fnc1)
            {
                if (inPairs is null)
                {
                    inPairs = DigitsAt(i + 1) >= 2;
                    zpl.Append(inPairs == true ? ">;" : ">:");
                }

                zpl.Append(">8");
                i++;
                continue;
            }

            if (inPairs != pairs)
            {
                zpl.Append((inPairs, pairs) switch
                {
                    (null, true) => ">;",
                    (null, false) => ">:",
                    (_, true) => ">5",
                    (_, false) => ">6",
                });
                inPairs = pairs;
            }

            var length = pairs ? 2 : 1;
            zpl.Append(_content, i, length);
            i += length;
        }

        return zpl.ToString();
    }

    private static string Content(string carrier, string number)
    {
        if (!number.All(char.IsAsciiDigit))
            return number;
        if (number.Length == 20 && number.StartsWith("00", StringComparison.Ordinal))
            return Fnc1 + number;
        if (carrier is not ("usps" or "usps_international"))
            return number;
        // 420 and the postal code of destination, 5 or 9 digits, before the package identifier of 22 or 26 digits.
        if (number.StartsWith("420", StringComparison.Ordinal) && number.Length is 30 or 34)
        {
            var postal = number.Length == 30 || (number[8] == '9' && number[9] is >= '1' and <= '5') ? 8 : 12;
            return Fnc1 + number[..postal] + Fnc1 + number[postal..];
        }

        return number.Length is 22 or 26 && number[0] == '9' && number[1] is >= '1' and <= '5' ? Fnc1 + number : number;
    }

    private int DigitsAt(int from)
    {
        var to = from;
        while (to < _content.Length && char.IsAsciiDigit(_content[to]))
            to++;
        return to - from;
    }
}
