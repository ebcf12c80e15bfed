namespace Commerce.Shipping.Labels;

/// <summary>One thing on a page. Millimetres from the top left corner, everywhere.</summary>
internal abstract record Mark(double X, double Y);

/// <summary>A text; <c>Y</c> is its base line and <paramref name="Size"/> the em.</summary>
internal sealed record TextMark(double X, double Y, double Size, bool Bold, string Text, bool White = false) : Mark(X, Y);

/// <summary>A black box; a line is a thin one.</summary>
internal sealed record BoxMark(double X, double Y, double Width, double Height) : Mark(X, Y);

/// <summary>Bars, centred in a box and as wide as whole dots allow.</summary>
internal sealed record BarsMark(double X, double Y, double Width, double Height, LabelBarcode Barcode) : Mark(X, Y)
{
    private const int QuietModules = 10;
    private const double WidestModule = 0.5;

    /// <summary>How many dots a module is wide: bars of broken dots are what scanners fail at.</summary>
    public int DotsAModule(double dotsAMillimetre)
    {
        var modules = Barcode.Modules.Count + (2 * QuietModules);
        return Math.Max(1, (int)Math.Floor(Math.Min(Width / modules, WidestModule) * dotsAMillimetre));
    }
}

/// <summary>A QR code in a box.</summary>
internal sealed record SquareMark(double X, double Y, double Size, LabelBarcode Barcode) : Mark(X, Y)
{
    public int DotsAModule(double dotsAMillimetre, int modules) => Math.Clamp((int)Math.Floor(Size / modules * dotsAMillimetre), 1, 10);
}

/// <summary>One side of <see cref="LabelLayout.Width"/> × <see cref="LabelLayout.Height"/>.</summary>
internal sealed record LabelPage(IReadOnlyList<Mark> Marks);
