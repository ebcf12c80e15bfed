using System.Globalization;
using System.Text.RegularExpressions;
using SkiaSharp;
using UglyToad.PdfPig;
using UglyToad.PdfPig.Graphics;
using ZXing;
using ZXing.Common;

namespace Commerce.Shipping.Tests.Labels;

/// <summary>What a scanner reads from a label, in whatever form it comes: everything is painted first, and read from the picture.</summary>
internal static partial class Scanner
{
    public static IReadOnlyList<(BarcodeFormat Format, string Text)> Png(byte[] png)
    {
        using var bitmap = SKBitmap.Decode(png);
        return Read(bitmap);
    }

    /// <summary>A page of a PDF: its filled paths, as another library than ours finds them in the file.</summary>
    public static IReadOnlyList<(BarcodeFormat Format, string Text)> Pdf(byte[] pdf, int page = 1)
    {
        using var bitmap = Painted(pdf, page);
        return Read(bitmap);
    }

    /// <summary>The four quarters of a page, as if it were cut.</summary>
    public static IReadOnlyList<IReadOnlyList<(BarcodeFormat Format, string Text)>> Quarters(byte[] pdf)
    {
        using var sheet = Painted(pdf, page: 1);
        var (width, height) = (sheet.Width / 2, sheet.Height / 2);
        var quarters = new List<IReadOnlyList<(BarcodeFormat, string)>>();
        for (var i = 0; i < 4; i++)
        {
            using var quarter = new SKBitmap(new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque));
            using var canvas = new SKCanvas(quarter);
            canvas.DrawBitmap(sheet, -(i % 2) * width, -(i / 2) * height, SKSamplingOptions.Default);
            quarters.Add(Read(quarter));
        }

        return quarters;
    }

    private static SKBitmap Painted(byte[] pdf, int page)
    {
        const float scale = 4;
        using var document = PdfDocument.Open(pdf);
        var sheet = document.GetPage(page);
        var bitmap = new SKBitmap(new SKImageInfo((int)(sheet.Width * scale), (int)(sheet.Height * scale), SKColorType.Gray8, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.White);
        using var ink = new SKPaint { Color = SKColors.Black };
        foreach (PdfPath path in sheet.Paths.Where(path => path.IsFilled && path.FillColor?.ToRGBValues() == (0, 0, 0)))
        {
            if (path.GetBoundingRectangle() is { } box)
                canvas.DrawRect(new SKRect((float)box.Left * scale, (float)(sheet.Height - box.Top) * scale, (float)box.Right * scale, (float)(sheet.Height - box.Bottom) * scale), ink);
        }

        return bitmap;
    }

    public static string TextOf(byte[] pdf, int page = 1)
    {
        using var document = PdfDocument.Open(pdf);
        return document.GetPage(page).Text;
    }

    public static int PagesOf(byte[] pdf)
    {
        using var document = PdfDocument.Open(pdf);
        return document.NumberOfPages;
    }

    /// <summary>The bars of ^BC and the square of ^BQ, drawn as the printer's manual says.</summary>
    public static IReadOnlyList<(BarcodeFormat Format, string Text)> Zpl(string zpl)
    {
        var read = new List<(BarcodeFormat, string)>();
        foreach (Match bars in Bars().Matches(zpl))
            read.AddRange(Read(Painted(Modules(Symbols(bars.Groups["data"].Value)), int.Parse(bars.Groups["dots"].ValueSpan, CultureInfo.InvariantCulture))));
        foreach (Match square in Square().Matches(zpl))
            read.Add((BarcodeFormat.QR_CODE, square.Groups["data"].Value));
        return read;
    }

    /// <summary>The values of the symbols that ^BC is told, start, check and stop included (the manual's table of invocation codes).</summary>
    public static List<int> Symbols(string data)
    {
        var values = new List<int>();
        var set = ' ';
        for (var i = 0; i < data.Length;)
        {
            if (data[i] == '>')
            {
                var value = data[i + 1] switch { '9' => 103, ':' => 104, ';' => 105, '5' => 99, '6' => 100, '7' => 101, '8' => 102, _ => throw new ArgumentException(data, nameof(data)) };
                set = value switch { 103 or 101 => 'A', 104 or 100 => 'B', 105 or 99 => 'C', _ => set };
                values.Add(value);
                i += 2;
            }
            else if (set == 'C')
            {
                values.Add(int.Parse(data.AsSpan(i, 2), NumberStyles.None, CultureInfo.InvariantCulture));
                i += 2;
            }
            else
            {
                values.Add(data[i++] - ' ');
            }
        }

        values.Add((values[0] + values.Skip(1).Select((value, index) => value * (index + 1)).Sum()) % 103);
        values.Add(106);
        return values;
    }

    // Bars and spaces of each symbol, ISO/IEC 15417.
    private static readonly string[] Widths =
        """
        212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122 123221 223211 221132
        221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313
        231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111
        314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111
        111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 411311 113141
        114131 311141 411131 211412 211214 211232 2331112
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static List<bool> Modules(List<int> symbols) =>
        [.. symbols.SelectMany(symbol => Widths[symbol].SelectMany((width, index) => Enumerable.Repeat(index % 2 == 0, width - '0')))];

    private static SKBitmap Painted(List<bool> modules, int dots)
    {
        const int quiet = 10, height = 100;
        var bitmap = new SKBitmap(new SKImageInfo((modules.Count + (2 * quiet)) * dots, height, SKColorType.Gray8, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        using var ink = new SKPaint { Color = SKColors.Black };
        canvas.Clear(SKColors.White);
        for (var i = 0; i < modules.Count; i++)
        {
            if (modules[i])
                canvas.DrawRect((quiet + i) * dots, 0, dots, height, ink);
        }

        return bitmap;
    }

    private static List<(BarcodeFormat Format, string Text)> Read(SKBitmap bitmap)
    {
        var luminance = new byte[bitmap.Width * bitmap.Height];
        var pixels = bitmap.GetPixelSpan();
        var step = bitmap.BytesPerPixel;
        for (var y = 0; y < bitmap.Height; y++)
        {
            for (var x = 0; x < bitmap.Width; x++)
                luminance[(y * bitmap.Width) + x] = pixels[(y * bitmap.RowBytes) + (x * step)];
        }

        var reader = new BarcodeReaderGeneric
        {
            Options = new DecodingOptions { TryHarder = true, AssumeGS1 = true },
        };
        var source = new RGBLuminanceSource(luminance, bitmap.Width, bitmap.Height, RGBLuminanceSource.BitmapFormat.Gray8);
        var read = new List<(BarcodeFormat, string)>();
        foreach (var format in (BarcodeFormat[])[BarcodeFormat.CODE_128, BarcodeFormat.QR_CODE])
        {
            reader.Options.PossibleFormats = [format];
            if (reader.Decode(source) is { } one)
                read.Add((one.BarcodeFormat, one.Text));
        }

        return read;
    }

    [GeneratedRegex(@"\^BY(?<dots>\d+)\^BCN,\d+,N,N,N,N\^FD(?<data>[^^]*)\^FS")]
    private static partial Regex Bars();

    [GeneratedRegex(@"\^BQN,2,\d+,M\^FDMA,(?<data>[^^]*)\^FS")]
    private static partial Regex Square();
}
