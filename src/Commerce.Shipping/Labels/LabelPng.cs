using SkiaSharp;

namespace Commerce.Shipping.Labels;

/// <summary>Sides as a picture, one below the other.</summary>
internal static class LabelPng
{
    private const double MillimetresAnInch = 25.4;

    // A6 is 105 mm wide.
    private const double Margin = 2.5;

    public static byte[] Render(IReadOnlyList<LabelPage> pages, int dotsAnInch)
    {
        var scale = dotsAnInch / MillimetresAnInch;
        var (width, height) = (Dots(LabelLayout.Width + (2 * Margin), scale), Dots(LabelLayout.Height, scale));
        using var bitmap = new SKBitmap(new SKImageInfo(width, height * pages.Count, SKColorType.Gray8, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.White);
        foreach (var (index, page) in pages.Index())
        {
            canvas.ResetMatrix();
            canvas.Translate(Dots(Margin, scale), height * index);
            foreach (var mark in page.Marks)
                Draw(canvas, mark, scale);
        }

        canvas.Flush();
        using var pixels = bitmap.PeekPixels();
        using var data = pixels.Encode(new SKPngEncoderOptions(SKPngEncoderFilterFlags.NoFilters, 9)) ?? throw new InvalidOperationException("The label cannot be encoded as PNG.");
        return data.ToArray();
    }

    public static int Dots(double millimetres, double scale) => (int)Math.Round(millimetres * scale, MidpointRounding.AwayFromZero);

    private static void Draw(SKCanvas canvas, Mark mark, double scale)
    {
        using var ink = new SKPaint { Color = mark is TextMark { White: true } ? SKColors.White : SKColors.Black, IsAntialias = mark is TextMark };
        switch (mark)
        {
            case TextMark text:
                using (var font = LabelFont.Of(text.Bold, (float)(text.Size * scale)))
                    canvas.DrawText(text.Text, (float)(text.X * scale), (float)(text.Y * scale), SKTextAlign.Left, font, ink);
                break;
            case BoxMark box:
                Box(canvas, ink, Dots(box.X, scale), Dots(box.Y, scale), Math.Max(1, Dots(box.Width, scale)), Math.Max(1, Dots(box.Height, scale)));
                break;
            case BarsMark bars:
                var dots = bars.DotsAModule(scale);
                var left = Dots(bars.X + (bars.Width / 2), scale) - (bars.Barcode.Modules.Count * dots / 2);
                foreach (var (from, count) in Runs(bars.Barcode.Modules))
                    Box(canvas, ink, left + (from * dots), Dots(bars.Y, scale), count * dots, Dots(bars.Height, scale));
                break;
            case SquareMark square:
                var modules = square.Barcode.Square();
                var size = square.DotsAModule(scale, modules.GetLength(0));
                for (var y = 0; y < modules.GetLength(0); y++)
                {
                    for (var x = 0; x < modules.GetLength(1); x++)
                    {
                        if (modules[y, x])
                            Box(canvas, ink, Dots(square.X, scale) + (x * size), Dots(square.Y, scale) + (y * size), size, size);
                    }
                }

                break;
        }
    }

    private static void Box(SKCanvas canvas, SKPaint ink, int x, int y, int width, int height) => canvas.DrawRect(x, y, width, height, ink);

    /// <summary>The black runs: where each begins, and how many modules it has.</summary>
    public static IEnumerable<(int From, int Count)> Runs(IReadOnlyList<bool> modules)
    {
        for (var i = 0; i < modules.Count;)
        {
            var count = 1;
            while (i + count < modules.Count && modules[i + count] == modules[i])
                count++;
            if (modules[i])
                yield return (i, count);
            i += count;
        }
    }
}
