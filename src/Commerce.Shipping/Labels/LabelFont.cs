using System.Text;
using PdfSharp.Fonts;
using SkiaSharp;

namespace Commerce.Shipping.Labels;

/// <summary>
/// DejaVu Sans Condensed, which is free to embed and has Latin, Greek and Cyrillic, from this assembly: labels are the same on
/// every machine. Both renderers draw with it, and what is measured here is what they draw.
/// </summary>
internal sealed class LabelFont : IFontResolver
{
    public const string Family = "commerce";

    private static readonly SKTypeface Regular = Load("DejaVuSansCondensed");
    private static readonly SKTypeface Bold = Load("DejaVuSansCondensed-Bold");
    private static readonly Lock Registering = new();

    /// <summary>In the unit of <paramref name="size"/>.</summary>
    public static double Width(string text, double size, bool bold)
    {
        // Measured large: the width of a small text is rounded by hinting.
        const float large = 1000;
        using var font = Of(bold, large);
        return font.MeasureText(text) * size / large;
    }

    public static bool Has(Rune rune)
    {
        using var font = new SKFont(Regular);
        return font.GetGlyph(rune.Value) != 0;
    }

    public static SKFont Of(bool bold, float size) => new(bold ? Bold : Regular, size)
    {
        Hinting = SKFontHinting.None,
        Subpixel = true,
        LinearMetrics = true,
        Edging = SKFontEdging.Antialias,
    };

    /// <summary>PDFsharp has one resolver a process; whoever comes first has the same family.</summary>
    public static void Register()
    {
        lock (Registering)
            GlobalFontSettings.FontResolver ??= new LabelFont();
    }

    public FontResolverInfo ResolveTypeface(string familyName, bool isBold, bool isItalic) =>
        new(isBold ? "DejaVuSansCondensed-Bold" : "DejaVuSansCondensed");

    public byte[] GetFont(string faceName)
    {
        using var font = Open(faceName);
        var bytes = new byte[font.Length];
        font.ReadExactly(bytes);
        return bytes;
    }

    private static SKTypeface Load(string face)
    {
        using var font = Open(face);
        return SKTypeface.FromStream(font) ?? throw new InvalidOperationException($"The font {face} cannot be read.");
    }

    private static Stream Open(string face) => typeof(LabelFont).Assembly.GetManifestResourceStream($"fonts.{face}.ttf")
        ?? throw new InvalidOperationException($"The font {face} is not embedded.");
}
