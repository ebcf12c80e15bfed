using System.Globalization;
using System.Text;
using SkiaSharp;

namespace Commerce.Shipping.Labels;

/// <summary>
/// Sides in the language of label printers (ZPL II). Every text goes through a field with hexadecimal escapes, in which ^, ~ and the
/// escape itself cannot stand: whatever a shopper is called, it is printed and not obeyed. What printers' own fonts lack is sent as a
/// picture of it.
/// </summary>
internal static class LabelZpl
{
    private const double MillimetresAnInch = 25.4;
    private const double PaperWidth = 101.6, PaperHeight = 152.4;

    /// <summary>One format, ^XA … ^XZ. Printers of 203 dots an inch have 8 a millimetre, those of 300 have 11.8.</summary>
    public static void Add(StringBuilder zpl, LabelPage page, int dotsAnInch)
    {
        var scale = dotsAnInch / MillimetresAnInch;
        zpl.Append(CultureInfo.InvariantCulture, $"^XA\n^CI28\n^PW{Dots(PaperWidth)}\n^LL{Dots(PaperHeight)}\n^LH{Dots((PaperWidth - LabelLayout.Width) / 2)},{Dots(2)}\n");
        foreach (var mark in page.Marks)
            Write(zpl, mark, scale);
        zpl.Append("^XZ\n");

        int Dots(double millimetres) => LabelPng.Dots(millimetres, scale);
    }

    private static void Write(StringBuilder zpl, Mark mark, double scale)
    {
        var invariant = CultureInfo.InvariantCulture;
        var (x, y) = (LabelPng.Dots(mark.X, scale), LabelPng.Dots(mark.Y, scale));
        switch (mark)
        {
            case TextMark text when LabelText.IsWestern(text.Text):
                // The printer's font is narrower than ours, so what fits there fits here.
                var height = LabelPng.Dots(text.Size * 1.1, scale);
                zpl.Append(invariant, $"^FT{x},{y}^A0N,{height},{height}{(text.White ? "^FR" : "")}^FH_^FD{Escaped(text.Text)}^FS\n");
                break;
            case TextMark text:
                Picture(zpl, text, x, y, scale);
                break;
            case BoxMark box:
                var (width, tall) = (Math.Max(1, LabelPng.Dots(box.Width, scale)), Math.Max(1, LabelPng.Dots(box.Height, scale)));
                zpl.Append(invariant, $"^FO{x},{y}^GB{width},{tall},{Math.Min(width, tall)}^FS\n");
                break;
            case BarsMark bars:
                var dots = bars.DotsAModule(scale);
                var left = LabelPng.Dots(bars.X + (bars.Width / 2), scale) - (bars.Barcode.Modules.Count * dots / 2);
                zpl.Append(invariant, $"^FO{left},{y}^BY{dots}^BCN,{LabelPng.Dots(bars.Height, scale)},N,N,N,N^FD{bars.Barcode.Zpl()}^FS\n");
                break;
            case SquareMark square:
                var size = square.DotsAModule(scale, square.Barcode.Square().GetLength(0));
                zpl.Append(invariant, $"^FO{x},{y}^BQN,2,{size},M^FDMA,{square.Barcode.Number}^FS\n");
                break;
        }
    }

    // Besides the characters that begin a command, everything outside of ASCII: what lies between here and the printer may not know UTF-8.
    private static string Escaped(string text)
    {
        var escaped = new StringBuilder(text.Length + 8);
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            if (octet is >= (byte)' ' and < 0x7f and not ((byte)'^' or (byte)'~' or (byte)'_' or (byte)'\\'))
                escaped.Append((char)octet);
            else
                escaped.Append(CultureInfo.InvariantCulture, $"_{octet:X2}");
        }

        return escaped.ToString();
    }

    private static void Picture(StringBuilder zpl, TextMark text, int x, int baseline, double scale)
    {
        var em = text.Size * scale;
        var (width, up, height) = ((int)Math.Ceiling(LabelFont.Width(text.Text, em, text.Bold)) + 2, (int)Math.Ceiling(em), (int)Math.Ceiling(em * 1.3));
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque));
        using (var canvas = new SKCanvas(bitmap))
        using (var font = LabelFont.Of(text.Bold, (float)em))
        using (var ink = new SKPaint { Color = SKColors.Black, IsAntialias = true })
        {
            canvas.Clear(SKColors.White);
            canvas.DrawText(text.Text, 0, up, SKTextAlign.Left, font, ink);
        }

        var row = (width + 7) / 8;
        var bits = new byte[row * height];
        var pixels = bitmap.GetPixelSpan();
        for (var line = 0; line < height; line++)
        {
            for (var column = 0; column < width; column++)
            {
                if (pixels[(line * bitmap.RowBytes) + column] < 128)
                    bits[(line * row) + (column / 8)] |= (byte)(0x80 >> (column % 8));
            }
        }

        zpl.Append(CultureInfo.InvariantCulture, $"^FO{x},{baseline - up}{(text.White ? "^FR" : "")}^GFA,{bits.Length},{bits.Length},{row},{Convert.ToHexString(bits)}^FS\n");
    }
}
