using System.Globalization;
using PdfSharp.Drawing;
using PdfSharp.Pdf;

namespace Commerce.Shipping.Labels;

/// <summary>The list that a driver signs: what the carrier takes.</summary>
/// <param name="Title">Of the carrier, for example "UPS".</param>
public sealed record ManifestSheet(string Title, string StoreName, string Place, int Number, DateTimeOffset ClosedAt, IReadOnlyList<ManifestRow> Rows);

/// <summary>A parcel on it.</summary>
public sealed record ManifestRow(string TrackingNumber, string Service, string OrderReference, string Destination, int WeightGrams);

/// <summary>A manifest on A4, as many pages as it needs; each says which of how many it is. The same list gives the same bytes.</summary>
public static class ManifestPdf
{
    private const double Left = 40, Right = 555, Top = 56, Bottom = 760;
    private const double RowHeight = 14;

    private static readonly (string Title, double X, double Width)[] Columns =
        [("#", 40, 26), ("Tracking number", 70, 178), ("Service", 252, 90), ("Order", 346, 118), ("To", 468, 40)];

    public static byte[] Render(ManifestSheet manifest)
    {
        LabelFont.Register();
        using var pdf = new PdfDocument();
        pdf.Info.Title = "Manifest";
        var chunks = Chunks(manifest.Rows);
        var first = 1;
        foreach (var (index, rows) in chunks.Index())
        {
            var page = pdf.AddPage();
            page.Size = PdfSharp.PageSize.A4;
            using var graphics = XGraphics.FromPdfPage(page);
            var y = Head(graphics, manifest, index + 1, chunks.Count);
            foreach (var row in rows)
            {
                Row(graphics, row, first++, y);
                y += RowHeight;
            }

            if (index == chunks.Count - 1)
                Sum(graphics, manifest, y + 6);
        }

        return PdfBytes.Of(pdf);
    }

    // The sum and the signature need room on the last page.
    private static List<ManifestRow[]> Chunks(IReadOnlyList<ManifestRow> rows)
    {
        const int most = (int)((Bottom - Top - 80) / RowHeight);
        const int last = most - 7;
        var chunks = rows.Chunk(most).ToList();
        if (chunks.Count == 0 || chunks[^1].Length > last)
            chunks.Add([]);
        return chunks;
    }

    private static double Head(XGraphics page, ManifestSheet manifest, int number, int pages)
    {
        var invariant = CultureInfo.InvariantCulture;
        Text(page, $"{LabelText.Clean(manifest.Title)} manifest no. {manifest.Number.ToString(invariant)}", Left, Top, 16, bold: true, 380);
        TextRight(page, $"Page {number.ToString(invariant)} of {pages.ToString(invariant)}", Right, Top, 9);
        Text(page, string.Join(" · ", new[] { manifest.StoreName, manifest.Place }.Select(LabelText.Clean).Where(part => part.Length > 0)), Left, Top + 18, 10, bold: false, Right - Left);
        Text(page, $"Closed {manifest.ClosedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm", invariant)} UTC", Left, Top + 32, 10, bold: false, 300);
        foreach (var (title, x, width) in Columns)
            Text(page, title, x, Top + 58, 8.5, bold: true, width);
        TextRight(page, "Weight", Right, Top + 58, 8.5, bold: true);
        page.DrawLine(XPens.Black, Left, Top + 62, Right, Top + 62);
        return Top + 76;
    }

    private static void Row(XGraphics page, ManifestRow row, int number, double y)
    {
        Text(page, number.ToString(CultureInfo.InvariantCulture), Columns[0].X, y, 8.5, bold: false, Columns[0].Width);
        Text(page, LabelText.Clean(row.TrackingNumber), Columns[1].X, y, 8.5, bold: true, Columns[1].Width);
        Text(page, LabelText.Clean(row.Service), Columns[2].X, y, 8.5, bold: false, Columns[2].Width);
        Text(page, LabelText.Clean(row.OrderReference), Columns[3].X, y, 8.5, bold: false, Columns[3].Width);
        Text(page, LabelText.Clean(row.Destination), Columns[4].X, y, 8.5, bold: false, Columns[4].Width + 12);
        TextRight(page, Weight(row.WeightGrams), Right, y, 8.5);
    }

    private static void Sum(XGraphics page, ManifestSheet manifest, double y)
    {
        page.DrawLine(XPens.Black, Left, y - 8, Right, y - 8);
        Text(page, manifest.Rows.Count == 1 ? "1 parcel" : $"{manifest.Rows.Count.ToString(CultureInfo.InvariantCulture)} parcels", Left, y + 6, 10, bold: true, 200);
        TextRight(page, Weight(manifest.Rows.Sum(row => (long)row.WeightGrams)), Right, y + 6, 10, bold: true);
        Text(page, "Received by the carrier: name, date and time, signature", Left, y + 66, 8.5, bold: false, 300);
        page.DrawLine(XPens.Black, Left, y + 54, Right, y + 54);
    }

    private static void Text(XGraphics page, string text, double x, double y, double size, bool bold, double width)
    {
        if (text.Length == 0)
            return;
        var natural = LabelFont.Width(text, size, bold);
        // Smaller to two thirds; what is longer still is cut.
        var fitting = natural <= width ? size : Math.Max(size * 0.66, size * width / natural);
        while (text.Length > 1 && LabelFont.Width(text, fitting, bold) > width + 0.1)
            text = text[..^1];
        page.DrawString(text, Font(fitting, bold), XBrushes.Black, x, y);
    }

    private static void TextRight(XGraphics page, string text, double right, double y, double size, bool bold = false) =>
        page.DrawString(text, Font(size, bold), XBrushes.Black, right - LabelFont.Width(text, size, bold), y);

    private static XFont Font(double size, bool bold) => new(LabelFont.Family, size, bold ? XFontStyleEx.Bold : XFontStyleEx.Regular);

    private static string Weight(long grams) => string.Create(CultureInfo.InvariantCulture, $"{grams / 1000m:0.0##} kg");
}
