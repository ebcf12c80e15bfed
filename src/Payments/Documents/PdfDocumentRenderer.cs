using System.Globalization;
using PdfSharp.Drawing;
using PdfSharp.Fonts;
using PdfSharp.Pdf;
using ZXing;

namespace Commerce.Payments.Documents;

/// <summary>
/// A document on A4, as a shop sends it: its name and colour, who gets it, the positions, the sum, how it was paid, and the
/// Order ID with its barcode (Code 128). Rendered on demand from what was issued, with fonts of our own, so that the page is
/// the same on every machine.
/// </summary>
public static class PdfDocumentRenderer
{
    private const double Left = 56, Right = 539, Top = 56, Bottom = 786;
    private const double LineHeight = 13;
    private const string DefaultColour = "#1f3a5f";

    private static readonly Lock Fonts = new();

    /// <summary>The PDF file. A logo that cannot be drawn is left out: the shop's name says who it is.</summary>
    public static byte[] Render(IssuedDocument document, byte[]? logo = null)
    {
        lock (Fonts)
            GlobalFontSettings.FontResolver ??= new EmbeddedFonts();
        using var pdf = new PdfDocument();
        var content = document.Content;
        pdf.Info.Title = $"{DocumentLanguage.Of(content.Language).Title(document.Kind)} {document.Number}";
        pdf.Info.Author = content.StoreName;
        pdf.Info.CreationDate = document.IssuedAt.UtcDateTime;
        using var image = ImageOf(logo);
        new Writer(pdf, document, image).Write();
        using var file = new MemoryStream();
        pdf.Save(file);
        return file.ToArray();
    }

    private static XImage? ImageOf(byte[]? logo)
    {
        if (logo is not { Length: > 0 })
            return null;
        try
        {
            return XImage.FromStream(new MemoryStream(logo));
        }
        // Whatever a decoder makes of what a stranger sent.
        catch (Exception)
        {
            return null;
        }
    }

    private sealed class Writer(PdfDocument pdf, IssuedDocument document, XImage? logo)
    {
        private readonly DocumentContent _content = document.Content;
        private readonly DocumentLanguage _words = DocumentLanguage.Of(document.Content.Language);
        private readonly XColor _colour = ColourOf(document.Content.Colour);
        private readonly XFont _plain = new("commerce", 9.5, XFontStyleEx.Regular);
        private readonly XFont _small = new("commerce", 8, XFontStyleEx.Regular);
        private readonly XFont _bold = new("commerce", 9.5, XFontStyleEx.Bold);
        private readonly XFont _large = new("commerce", 20, XFontStyleEx.Bold);
        private readonly XFont _store = new("commerce", 15, XFontStyleEx.Bold);
        private readonly XBrush _ink = new XSolidBrush(XColor.FromArgb(0x1d, 0x21, 0x29));
        private readonly XBrush _grey = new XSolidBrush(XColor.FromArgb(0x6b, 0x72, 0x80));
        private readonly XPen _rule = new(XColor.FromArgb(0xd5, 0xd9, 0xe0), 0.7);
        private XGraphics _page = null!;
        private double _y;

        public void Write()
        {
            NewPage();
            Head();
            Lines();
            Sums();
            Payments();
            _page.Dispose();
            Feet();
        }

        private void NewPage()
        {
            _page?.Dispose();
            var page = pdf.AddPage();
            page.Size = PdfSharp.PageSize.A4;
            _page = XGraphics.FromPdfPage(page);
            _page.DrawRectangle(new XSolidBrush(_colour), 0, 0, page.Width.Point, 8);
            _y = Top;
        }

        // What does not fit is begun on the next page.
        private bool Room(double height)
        {
            if (_y + height <= Bottom)
                return false;
            NewPage();
            return true;
        }

        private void Head()
        {
            if (logo is not null)
            {
                const double most = 170, tall = 46;
                var scale = Math.Min(most / logo.PixelWidth, tall / logo.PixelHeight);
                _page.DrawImage(logo, Left, _y - 8, logo.PixelWidth * scale, logo.PixelHeight * scale);
                _y += tall + 6;
            }

            var titleY = logo is null ? _y : Top;
            _page.DrawString(Fit(_content.StoreName, _store, 280), _store, new XSolidBrush(_colour), Left, _y + 12);
            var y = _y + 28;
            foreach (var line in _content.StoreAddress.Append(_content.StoreEmail).Where(l => l.Length > 0))
            {
                _page.DrawString(Fit(line, _small, 280), _small, _grey, Left, y);
                y += 11;
            }

            AtRight(_words.Title(document.Kind), _large, _ink, titleY + 15);
            var facts = new List<(string Label, string Value)>
            {
                (_words[Word.Number], document.Number),
                (_words[Word.Date], _words.Date(Local(document.IssuedAt))),
                (_words[Word.Ordered], _words.Date(Local(_content.OrderedAt))),
            };
            if (_content.Corrects.Length > 0)
                facts.Add((_words[Word.Corrects], _content.Corrects));
            var factsY = titleY + 36;
            foreach (var (label, value) in facts)
            {
                AtRight(value, _bold, _ink, factsY);
                _page.DrawString(label, _plain, _grey, new XRect(Left, factsY - 10, Right - Left - 110, 12), XStringFormats.CenterRight);
                factsY += LineHeight;
            }

            _y = Math.Max(y, factsY) + 22;
            _page.DrawString(_words[Word.BillTo], _small, _grey, Left, _y);
            var to = _y + 14;
            foreach (var (line, index) in new[] { _content.CustomerName }.Concat(_content.CustomerAddress).Select((line, index) => (line, index)))
            {
                _page.DrawString(Fit(line, _bold, 250), index == 0 ? _bold : _plain, _ink, Left, to);
                to += LineHeight;
            }

            _y = Math.Max(to, Code(_y)) + 18;
        }

        // The Order ID as people read it and as a scanner does.
        private double Code(double y)
        {
            const double height = 34;
            _page.DrawString(_words[Word.OrderId], _small, _grey, new XRect(Left, y - 9, Right - Left, 12), XStringFormats.CenterRight);
            var bars = new MultiFormatWriter().encode(document.OrderId, BarcodeFormat.CODE_128, 0, 1, new Dictionary<EncodeHintType, object> { [EncodeHintType.MARGIN] = 0 });
            // 0.25 mm a bar: what a hand scanner still reads from a copy.
            const double bar = 0.72;
            var x = Right - (bars.Width * bar);
            for (var i = 0; i < bars.Width;)
            {
                var width = 1;
                while (i + width < bars.Width && bars[i + width, 0] == bars[i, 0])
                    width++;
                if (bars[i, 0])
                    _page.DrawRectangle(XBrushes.Black, x + (i * bar), y + 7, width * bar, height);
                i += width;
            }

            AtRight(document.OrderId, _bold, _ink, y + height + 19);
            return y + height + 22;
        }

        private void Lines()
        {
            TableHead();
            foreach (var line in _content.Lines)
            {
                var title = Wrap(line.Title, _plain, 265);
                var height = (title.Count * LineHeight) + (line.Sku.Length > 0 ? 10 : 0) + 10;
                if (Room(height))
                    TableHead();
                var y = _y + 13;
                foreach (var text in title)
                {
                    _page.DrawString(text, _plain, _ink, Left, y);
                    y += LineHeight;
                }

                if (line.Sku.Length > 0)
                    _page.DrawString(Fit(line.Sku, _small, 265), _small, _grey, Left, y - 2);
                if (line.Quantity > 0)
                {
                    Cell(line.Quantity.ToString(CultureInfo.InvariantCulture), 375, _plain);
                    Cell(_words.Amount(line.UnitPriceMinor, _content.Currency), 457, _plain);
                }

                Cell(_words.Amount(line.AmountMinor, _content.Currency), Right, _plain);
                _y += height;
                _page.DrawLine(_rule, Left, _y, Right, _y);
            }

            _y += 8;
        }

        private void TableHead()
        {
            _page.DrawString(_words[Word.Article], _small, _grey, Left, _y + 8);
            Cell(_words[Word.Quantity], 375, _small, _grey, 8);
            Cell(_words[Word.Price], 457, _small, _grey, 8);
            Cell(_words[Word.Amount], Right, _small, _grey, 8);
            _y += 14;
            _page.DrawLine(new XPen(_colour, 1.2), Left, _y, Right, _y);
        }

        private void Sums()
        {
            var sums = new List<(string Label, long Minor)>();
            if (_content.ShippingMinor != 0 || _content.Adjustments.Count > 0)
            {
                sums.Add((_words[Word.Subtotal], _content.SubtotalMinor));
                if (_content.ShippingMinor != 0)
                    sums.Add((_words[Word.Shipping], _content.ShippingMinor));
                sums.AddRange(_content.Adjustments.Select(a => (a.Label, a.AmountMinor)));
            }

            foreach (var (label, minor) in sums)
            {
                Room(16);
                Cell(Fit(label, _plain, 200), 440, _plain, _grey);
                Cell(_words.Amount(minor, _content.Currency), Right, _plain);
                _y += 15;
            }

            Room(34);
            _page.DrawLine(new XPen(_colour, 1.2), 300, _y + 3, Right, _y + 3);
            var total = new XFont("commerce", 12, XFontStyleEx.Bold);
            Cell(_words[Word.Total], 440, total, _ink, 20);
            Cell(_words.Amount(_content.TotalMinor, _content.Currency), Right, total, _ink, 20);
            _y += 26;
            foreach (var tax in _content.Taxes ?? [])
            {
                Room(16);
                Cell(_words.Text(Word.TaxIncluded, _words.Rate(tax.BasisPoints), _words.Amount(tax.NetMinor, _content.Currency)), 440, _small, _grey);
                Cell(_words.Amount(tax.TaxMinor, _content.Currency), Right, _small, _grey);
                _y += 12;
            }

            _y += 18;
        }

        private void Payments()
        {
            Room(28 + (_content.Payments.Count * LineHeight));
            if (_content.Payments.Count > 0)
            {
                _page.DrawString(_words[document.Kind == DocumentKind.CreditNote ? Word.GivenBackTo : Word.PaidBy], _small, _grey, Left, _y);
                _y += 14;
                foreach (var payment in _content.Payments)
                {
                    var instalments = payment.Instalments > 1 ? " " + _words.Text(Word.Instalments, payment.Instalments) : "";
                    _page.DrawString(_words.Method(payment.Method) + instalments, _plain, _ink, Left, _y);
                    _page.DrawString(_words.Amount(payment.AmountMinor, _content.Currency), _plain, _ink, new XRect(Left, _y - 10, 265, 12), XStringFormats.CenterRight);
                    _y += LineHeight;
                }
            }

            var last = document.Kind == DocumentKind.Receipt ? _words[Word.Thanks] : _content.Note;
            if (last.Length == 0)
                return;
            _y += 8;
            foreach (var text in Wrap(last, _plain, Right - Left))
            {
                Room(LineHeight);
                _page.DrawString(text, _plain, _ink, Left, _y);
                _y += LineHeight;
            }
        }

        // When every page is there, because each says how many there are.
        private void Feet()
        {
            for (var i = 0; i < pdf.PageCount; i++)
            {
                using var foot = XGraphics.FromPdfPage(pdf.Pages[i]);
                foot.DrawLine(_rule, Left, 800, Right, 800);
                foot.DrawString(_words[Word.Keep], _small, _grey, Left, 813);
                foot.DrawString(_words.Text(Word.Page, i + 1, pdf.PageCount), _small, _grey, new XRect(Left, 804, Right - Left, 12), XStringFormats.CenterRight);
            }
        }

        private void Cell(string text, double right, XFont font, XBrush? brush = null, double down = 13) =>
            _page.DrawString(text, font, brush ?? _ink, new XRect(0, _y + down - 10, right, 12), XStringFormats.CenterRight);

        private void AtRight(string text, XFont font, XBrush brush, double y)
        {
            var size = _page.MeasureString(text, font);
            _page.DrawString(text, font, brush, Right - size.Width, y);
        }

        private string Fit(string text, XFont font, double width)
        {
            if (_page.MeasureString(text, font).Width <= width)
                return text;
            var runes = text.EnumerateRunes().ToList();
            while (runes.Count > 1 && _page.MeasureString(string.Concat(runes) + "…", font).Width > width)
                runes.RemoveAt(runes.Count - 1);
            return string.Concat(runes) + "…";
        }

        private List<string> Wrap(string text, XFont font, double width)
        {
            var lines = new List<string>();
            var line = "";
            foreach (var word in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            {
                var longer = line.Length == 0 ? word : $"{line} {word}";
                if (line.Length > 0 && _page.MeasureString(longer, font).Width > width)
                {
                    lines.Add(line);
                    longer = word;
                }

                line = Fit(longer, font, width);
            }

            if (line.Length > 0)
                lines.Add(line);
            return lines;
        }

        private DateTimeOffset Local(DateTimeOffset at) =>
            TimeZoneInfo.TryFindSystemTimeZoneById(_content.TimeZone, out var zone) ? TimeZoneInfo.ConvertTime(at, zone) : at.ToUniversalTime();

        private static XColor ColourOf(string css)
        {
            if (css.Length != 7 || !int.TryParse(css.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var rgb))
                return ColourOf(DefaultColour);
            return XColor.FromArgb(rgb >> 16, (rgb >> 8) & 0xff, rgb & 0xff);
        }
    }

    // DejaVu Sans Condensed: free to embed, and has Latin, Greek and Cyrillic.
    private sealed class EmbeddedFonts : IFontResolver
    {
        public FontResolverInfo ResolveTypeface(string familyName, bool isBold, bool isItalic) =>
            new(isBold ? "DejaVuSansCondensed-Bold" : "DejaVuSansCondensed");

        public byte[] GetFont(string faceName)
        {
            using var font = typeof(EmbeddedFonts).Assembly.GetManifestResourceStream($"fonts.{faceName}.ttf")
                ?? throw new InvalidOperationException($"The font {faceName} is not embedded.");
            var bytes = new byte[font.Length];
            font.ReadExactly(bytes);
            return bytes;
        }
    }
}
