using System.Text;
using System.Text.RegularExpressions;
using PdfSharp.Drawing;
using PdfSharp.Pdf;

namespace Commerce.Shipping.Labels;

/// <summary>Sides as PDF: vectors, so that a printer of any resolution draws them sharp.</summary>
internal sealed class LabelPdf : IDisposable
{
    public const double PointsAMillimetre = 72 / 25.4;

    private const double A6Width = 105, A6Height = 148;
    private const int SidesOnA4 = 4;

    // Bars as wide as whole dots of the coarser label printer: elsewhere it makes no difference.
    private const double DotsAMillimetre = 8;

    private readonly PdfDocument _pdf = new();
    private readonly LabelPaper _paper;
    private XGraphics? _sheet;
    private int _sides;

    public LabelPdf(LabelPaper paper)
    {
        LabelFont.Register();
        _paper = paper;
        _pdf.Info.Title = "Labels";
    }

    public void Add(LabelPage side)
    {
        var place = _paper == LabelPaper.A4 ? _sides % SidesOnA4 : 0;
        if (place == 0)
            NewSheet();
        _sides++;
        var state = _sheet!.Save();
        _sheet.TranslateTransform(
            (((place % 2) * A6Width) + ((A6Width - LabelLayout.Width) / 2)) * PointsAMillimetre,
            // A4 is a millimetre higher than two of A6.
            (place / 2) * (A6Height + 0.5) * PointsAMillimetre);
        foreach (var mark in side.Marks)
            Draw(_sheet, mark);
        _sheet.Restore(state);
    }

    public byte[] Finish()
    {
        _sheet?.Dispose();
        _sheet = null;
        return PdfBytes.Of(_pdf);
    }

    public void Dispose()
    {
        _sheet?.Dispose();
        _pdf.Dispose();
    }

    private void NewSheet()
    {
        _sheet?.Dispose();
        var page = _pdf.AddPage();
        (page.Width, page.Height) = _paper == LabelPaper.A6
            ? (XUnit.FromMillimeter(A6Width), XUnit.FromMillimeter(A6Height))
            : (XUnit.FromMillimeter(210), XUnit.FromMillimeter(297));
        _sheet = XGraphics.FromPdfPage(page);
    }

    private static void Draw(XGraphics graphics, Mark mark)
    {
        switch (mark)
        {
            case TextMark text:
                var font = new XFont(LabelFont.Family, text.Size * PointsAMillimetre, text.Bold ? XFontStyleEx.Bold : XFontStyleEx.Regular);
                graphics.DrawString(text.Text, font, text.White ? XBrushes.White : XBrushes.Black, text.X * PointsAMillimetre, text.Y * PointsAMillimetre);
                break;
            case BoxMark box:
                Box(graphics, box.X, box.Y, box.Width, box.Height);
                break;
            case BarsMark bars:
                var module = bars.DotsAModule(DotsAMillimetre) / DotsAMillimetre;
                var left = bars.X + ((bars.Width - (bars.Barcode.Modules.Count * module)) / 2);
                foreach (var (from, count) in LabelPng.Runs(bars.Barcode.Modules))
                    Box(graphics, left + (from * module), bars.Y, count * module, bars.Height);
                break;
            case SquareMark square:
                var modules = square.Barcode.Square();
                var size = square.Size / modules.GetLength(0);
                for (var y = 0; y < modules.GetLength(0); y++)
                {
                    var row = new bool[modules.GetLength(1)];
                    for (var x = 0; x < row.Length; x++)
                        row[x] = modules[y, x];
                    foreach (var (from, count) in LabelPng.Runs(row))
                        Box(graphics, square.X + (from * size), square.Y + (y * size), count * size, size);
                }

                break;
        }
    }

    private static void Box(XGraphics graphics, double x, double y, double width, double height) =>
        graphics.DrawRectangle(XBrushes.Black, x * PointsAMillimetre, y * PointsAMillimetre, width * PointsAMillimetre, height * PointsAMillimetre);
}

/// <summary>A document's file, the same for the same content: what the library takes from clock and chance is replaced, byte for byte.</summary>
internal static partial class PdfBytes
{
    private static readonly DateTime Epoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static byte[] Of(PdfDocument pdf)
    {
        (pdf.Info.CreationDate, pdf.Info.ModificationDate) = (Epoch, Epoch);
        pdf.Internals.FirstDocumentID = pdf.Internals.SecondDocumentID = new string('0', 16);
        using var file = new MemoryStream();
        pdf.Save(file);
        var text = Encoding.Latin1.GetString(file.GetBuffer(), 0, (int)file.Length);
        text = DocumentIds().Replace(text, "00000000-0000-0000-0000-000000000000");
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        text = SubsetTags().Replace(text, match =>
        {
            if (!tags.TryGetValue(match.Value, out var tag))
                tags[match.Value] = tag = $"LABEL{(char)('A' + tags.Count)}";
            return tag;
        });
        return Encoding.Latin1.GetBytes(text);
    }

    [GeneratedRegex("(?<=<xmpMM:(?:Document|Instance)ID>uuid:)[0-9a-f-]{36}")]
    private static partial Regex DocumentIds();

    // A subset of a font has six letters of chance before its name.
    [GeneratedRegex(@"(?<=/)[A-Z]{6}(?=\+DejaVu)")]
    private static partial Regex SubsetTags();
}
