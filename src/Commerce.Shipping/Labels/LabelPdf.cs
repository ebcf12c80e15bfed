using System.Text;
using System.Text.RegularExpressions;
using PdfSharp.Drawing;
using PdfSharp.Pdf;

namespace Commerce.Shipping.Labels;

/// <summary>Sides as PDF: vectors, so that a printer of any resolution draws them sharp.</summary>
internal static class LabelPdf
{
    private const double PointsAMillimetre = 72 / 25.4;
    private const double A6Width = 105, A6Height = 148;

    // Bars as wide as whole dots of the coarser label printer: elsewhere it makes no difference.
    private const double DotsAMillimetre = 8;

    public static byte[] Render(IReadOnlyList<LabelPage> pages, LabelPaper paper)
    {
        LabelFont.Register();
        using var pdf = new PdfDocument();
        pdf.Info.Title = "Labels";
        pdf.Options.CompressContentStreams = true;
        foreach (var sheet in pages.Chunk(paper == LabelPaper.A6 ? 1 : 4))
        {
            var page = pdf.AddPage();
            (page.Width, page.Height) = paper == LabelPaper.A6
                ? (XUnit.FromMillimeter(A6Width), XUnit.FromMillimeter(A6Height))
                : (XUnit.FromMillimeter(210), XUnit.FromMillimeter(297));
            using var graphics = XGraphics.FromPdfPage(page);
            foreach (var (index, side) in sheet.Index())
            {
                var state = graphics.Save();
                graphics.TranslateTransform(
                    (((index % 2) * A6Width) + ((A6Width - LabelLayout.Width) / 2)) * PointsAMillimetre,
                    // A4 is a millimetre higher than two of A6.
                    (index / 2) * (A6Height + 0.5) * PointsAMillimetre);
                foreach (var mark in side.Marks)
                    Draw(graphics, mark);
                graphics.Restore(state);
            }
        }

        return PdfBytes.Of(pdf);
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
