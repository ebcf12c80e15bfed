using System.Globalization;

namespace Commerce.Shipping.Labels;

/// <summary>
/// Where everything stands, for all formats. A side is 100 × 148 mm: A6 with a margin left and right, and what a printer of
/// 4 × 6 inch labels has room for. What is too long is first drawn smaller, then in two lines, then cut with an ellipsis.
/// </summary>
internal sealed class LabelLayout
{
    public const double Width = 100, Height = 148;

    private const double Left = 4, Right = 96;
    private const double Line = 0.4;
    private const int CustomsLinesASide = 7;

    private readonly List<Mark> _marks = [];

    private LabelLayout()
    {
    }

    public static IReadOnlyList<LabelPage> Of(ParcelLabel label)
    {
        var barcode = LabelBarcode.Of(label.Carrier, label.TrackingNumber);
        var pages = new List<LabelPage> { new LabelLayout().Label(label, barcode) };
        if (label.Customs is { } customs)
        {
            var chunks = customs.Lines.Chunk(CustomsLinesASide).DefaultIfEmpty([]).ToList();
            pages.AddRange(chunks.Select((lines, index) => new LabelLayout().Customs(label, customs, barcode, lines, index, chunks.Count)));
        }

        return pages;
    }

    private LabelPage Label(ParcelLabel label, LabelBarcode barcode)
    {
        // Who carries it, how, and which of how many.
        var piece = $"{label.Piece.ToString(CultureInfo.InvariantCulture)} of {label.Pieces.ToString(CultureInfo.InvariantCulture)}";
        Fit(label.CarrierName, Left, 11, 40, 7.5, 4, bold: true);
        FitRight(label.Service, Right, 8.2, 46, 4.2, 2.8, bold: true);
        FitRight(label.IsReturn ? $"RETURN · {piece}" : piece, Right, 13.4, 46, 3.8, 3, bold: false);
        Rule(16);

        // From whom.
        Text(label.IsReturn ? "RETURNED BY" : "FROM", Left, 20, 2.3, bold: false);
        var y = 23.8;
        foreach (var line in Compact(label.From).Take(4))
        {
            Fit(line, Left, y, 54, 3.1, 2.5, bold: false);
            y += 3.7;
        }

        Fact("Reference", label.OrderReference, 19.6);
        Fact("Weight", Weight(label.WeightGrams), 26.2);
        if (label.Date != default)
            Fact("Date", label.Date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), 32.8);
        Rule(38.5);

        // To whom: what the driver reads from afar is largest.
        Text(label.IsReturn ? "RETURN TO" : "DELIVER TO", Left, 42.6, 2.3, bold: false);
        Recipient(label.To);
        var town = Town(label.To);
        Fit(town, Left, 76, Right - Left, 6, 3.2, bold: true);
        Fit(Countries.NameOf(label.To.Country).ToUpperInvariant(), Left, 82, Right - Left, 4.4, 3, bold: true);
        Rule(84.5);

        Instructions(label);

        _marks.Add(new BarsMark(2, 101.5, 96, 23.4, barcode));
        Centred(Grouped(barcode.Number), 129.6, 4.4, 2.6);
        Rule(132);

        _marks.Add(new SquareMark(Left, 133.6, 13.4, barcode));
        Fit(label.OrderReference, 21, 138, Right - 21, 3.6, 2.6, bold: true);
        Fit(
            label.Customs is { } customs
                ? $"Customs declaration enclosed: {(customs.Lines.Count == 1 ? "1 position" : $"{customs.Lines.Count.ToString(CultureInfo.InvariantCulture)} positions")}, {Totals(customs)}"
                : $"{LabelText.Clean(label.CarrierName)} {LabelText.Clean(label.Service)}",
            21, 142.6, Right - 21, 3, 2.3, bold: false);
        return new LabelPage(_marks);
    }

    // Name and street between the heading and the town: as large as their number and length allow.
    private void Recipient(LabelAddress to)
    {
        const double top = 48.2, bottom = 70.8;
        var before = _marks.Count;
        foreach (var (scale, most) in ((double, int)[])[(1, 2), (0.85, 2), (0.72, 2), (0.85, 1), (0.72, 1)])
        {
            _marks.RemoveRange(before, _marks.Count - before);
            var y = Lines(to.Name, Left, top, Right - Left, 5.2 * scale, 3.4, most, bold: true);
            foreach (var line in Cleaned(to.Lines).Take(5))
                y = Lines(line, Left, y, Right - Left, 4.1 * scale, 2.6, most, bold: false);
            if (y <= bottom + (4.1 * scale))
                return;
        }
    }

    private void Instructions(ParcelLabel label)
    {
        const double top = 86, height = 4.4, size = 2.75, step = 4.9;
        const int rows = 3;
        var (x, row) = (Left, 0);
        foreach (var instruction in label.Instructions.Select(LabelText.Clean).Where(text => text.Length > 0))
        {
            var text = Shortened(instruction, size, bold: true, Right - Left - 3);
            var width = LabelFont.Width(text, size, bold: true) + 3;
            if (x + width > Right + 0.01)
                (x, row) = (Left, row + 1);
            // The carrier was told them all with the label.
            if (row == rows)
                return;
            var y = top + (row * step);
            _marks.Add(new BoxMark(x, y, width, height));
            _marks.Add(new TextMark(x + 1.5, y + 3.2, size, Bold: true, text, White: true));
            x += width + 1.5;
        }
    }

    private LabelPage Customs(ParcelLabel label, CustomsDeclaration customs, LabelBarcode barcode, CustomsLine[] lines, int index, int pages)
    {
        // CN 23 is asked for above 300 special drawing rights or by the carrier; its positions are those of CN 22 and more.
        Fit("CUSTOMS DECLARATION", Left, 8.5, 62, 5, 4, bold: true);
        Text("DÉCLARATION EN DOUANE · CN 22 / CN 23", Left, 12.3, 2.5, bold: false);
        FitRight($"{(index + 1).ToString(CultureInfo.InvariantCulture)} / {pages.ToString(CultureInfo.InvariantCulture)}", Right, 8.5, 20, 3.4, 3, bold: false);
        Text("May be opened officially / Peut être ouvert d'office", Left, 15.6, 2.3, bold: false);
        Rule(17);

        Text("FROM / EXPÉDITEUR", Left, 20.3, 2, bold: false);
        Text("TO / DESTINATAIRE", 51, 20.3, 2, bold: false);
        Address(label.From, Left, 23.4, 45);
        Address(label.To, 51, 23.4, 45);
        Rule(39);

        var x = Left;
        foreach (var (box, name) in Boxes)
        {
            Frame(x, 40.8, 2.6, box == customs.Contents);
            Text(name, x + 3.3, 42.9, 2.3, bold: false);
            x += LabelFont.Width(name, 2.3, bold: false) + 6.2;
        }

        Rule(45);
        Text("Description · Qty", Left, 48, 2.1, bold: false);
        Text("HS code", 50, 48, 2.1, bold: false);
        Text("Origin", 64, 48, 2.1, bold: false);
        AtRight("Weight", 80, 48, 2.1, bold: false);
        AtRight("Value", Right, 48, 2.1, bold: false);
        Rule(49.2, 0.2);
        var y = 52.4;
        foreach (var line in lines)
        {
            Lines($"{line.Quantity.ToString(CultureInfo.InvariantCulture)} × {LabelText.Clean(line.Description)}", Left, y, 45, 2.7, 2.3, most: 2, bold: false, step: 3.1);
            Text(Shortened(LabelText.Clean(line.HsCode), 2.7, false, 13), 50, y, 2.7, bold: false);
            Text(Shortened(LabelText.Clean(line.Origin), 2.7, false, 5), 64, y, 2.7, bold: false);
            FitRight(Weight(line.WeightGrams), 80, y, 10.5, 2.6, 1.6, bold: false);
            FitRight(line.Value.ToString(), Right, y, 15, 2.6, 1.6, bold: false);
            y += 7.6;
            Rule(y - 3.6, 0.2);
        }

        Rule(104);
        var weight = customs.Lines.Sum(line => (long)line.WeightGrams);
        Text("Total", Left, 108, 3, bold: true);
        AtRight($"{Weight(weight)} net · {Weight(label.WeightGrams)} gross", 68, 108, 2.7, bold: false);
        FitRight(Totals(customs), Right, 108, 27, 3, 2, bold: true);
        if (customs.Reference.Length > 0)
            Fit($"Sender's reference / N° de référence: {LabelText.Clean(customs.Reference)}", Left, 111.8, Right - Left, 2.5, 2, bold: false);
        Lines(
            "I certify that the particulars given in this declaration are correct and that this item does not contain any dangerous article or articles prohibited by legislation or by postal or customs regulations.",
            Left, 115.2, Right - Left, 2.2, 2, most: 3, bold: false, step: 2.7);
        Text(label.Date == default ? "Date and signature:" : $"Date and signature: {label.Date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}", Left, 124.6, 2.5, bold: false);
        Rule(127);
        _marks.Add(new BarsMark(2, 128.4, 96, 12, barcode));
        Centred(Grouped(barcode.Number), 144.6, 3.4, 2.4);
        return new LabelPage(_marks);
    }

    private static readonly (CustomsContents, string)[] Boxes =
    [
        (CustomsContents.SaleOfGoods, "Sale"), (CustomsContents.Gift, "Gift"), (CustomsContents.Documents, "Documents"),
        (CustomsContents.Sample, "Sample"), (CustomsContents.ReturnedGoods, "Returned goods"), (CustomsContents.Other, "Other"),
    ];

    private void Address(LabelAddress address, double x, double y, double width)
    {
        foreach (var line in Compact(address).Append(Countries.NameOf(address.Country).ToUpperInvariant()).Where(line => line.Length > 0).Take(5))
        {
            Fit(line, x, y, width, 2.6, 2.1, bold: false);
            y += 3.2;
        }
    }

    private void Fact(string name, string value, double y)
    {
        Text(name.ToUpperInvariant(), 62, y, 2.1, bold: false);
        Fit(value, 62, y + 3.6, Right - 62, 3.4, 2.2, bold: true);
    }

    private void Frame(double x, double y, double size, bool ticked)
    {
        const double pen = 0.25;
        _marks.Add(new BoxMark(x, y, size, pen));
        _marks.Add(new BoxMark(x, y + size - pen, size, pen));
        _marks.Add(new BoxMark(x, y, pen, size));
        _marks.Add(new BoxMark(x + size - pen, y, pen, size));
        if (ticked)
            _marks.Add(new BoxMark(x + 0.6, y + 0.6, size - 1.2, size - 1.2));
    }

    private void Rule(double y, double thick = Line) => _marks.Add(new BoxMark(Left, y, Right - Left, thick));

    private void Text(string text, double x, double y, double size, bool bold)
    {
        if (text.Length > 0)
            _marks.Add(new TextMark(x, y, size, bold, text));
    }

    private void AtRight(string text, double right, double y, double size, bool bold) =>
        Text(text, right - LabelFont.Width(text, size, bold), y, size, bold);

    private void Fit(string text, double x, double y, double width, double size, double smallest, bool bold)
    {
        var (line, fitting) = Fitting(LabelText.Clean(text), width, size, smallest, bold);
        Text(line, x, y, fitting, bold);
    }

    private void FitRight(string text, double right, double y, double width, double size, double smallest, bool bold)
    {
        var (line, fitting) = Fitting(LabelText.Clean(text), width, size, smallest, bold);
        AtRight(line, right, y, fitting, bold);
    }

    private void Centred(string text, double y, double size, double smallest)
    {
        var (line, fitting) = Fitting(text, Right - Left, size, smallest, bold: true);
        Text(line, (Width - LabelFont.Width(line, fitting, bold: true)) / 2, y, fitting, bold: true);
    }

    /// <summary>Draws in up to so many lines, each as large as the longest allows; returns the next base line.</summary>
    private double Lines(string text, double x, double y, double width, double size, double smallest, int most, bool bold, double? step = null)
    {
        var clean = LabelText.Clean(text);
        if (clean.Length == 0)
            return y;
        var (one, fitting) = Fitting(clean, width, size, most > 1 ? Math.Max(smallest, size * 0.8) : smallest, bold);
        if (one == clean || most == 1)
        {
            Text(one, x, y, fitting, bold);
            return y + (step ?? size + 1);
        }

        var small = Math.Max(smallest, size * 0.72);
        foreach (var line in Wrapped(clean, small, bold, width, most))
        {
            Text(line, x, y, small, bold);
            y += step ?? small + 0.9;
        }

        return y + (step is null ? 0.4 : 0);
    }

    private static List<string> Wrapped(string text, double size, bool bold, double width, int most)
    {
        var lines = new List<string>();
        var rest = text;
        while (lines.Count < most - 1 && LabelFont.Width(rest, size, bold) > width)
        {
            var cut = rest.Length;
            while (cut > 1 && LabelFont.Width(rest[..cut], size, bold) > width)
                cut--;
            // A word as long as the line is broken where the line ends, and never within a pair of surrogates.
            var blank = rest.LastIndexOf(' ', cut - 1, cut);
            if (blank > 0)
                cut = blank;
            else if (char.IsHighSurrogate(rest[cut - 1]) && cut > 1)
                cut--;
            lines.Add(rest[..cut].TrimEnd());
            rest = rest[cut..].TrimStart();
        }

        if (rest.Length > 0)
            lines.Add(Shortened(rest, size, bold, width));
        return lines;
    }

    private static (string Text, double Size) Fitting(string text, double width, double size, double smallest, bool bold)
    {
        var natural = LabelFont.Width(text, size, bold);
        if (natural <= width)
            return (text, size);
        var fitting = Math.Max(smallest, size * width / natural);
        return (Shortened(text, fitting, bold, width), fitting);
    }

    private static string Shortened(string text, double size, bool bold, double width)
    {
        // Rounding must not cut what was made to fit.
        if (LabelFont.Width(text, size, bold) <= width + 0.01)
            return text;
        var length = text.Length;
        while (length > 1 && LabelFont.Width(text[..length] + "…", size, bold) > width)
            length--;
        if (char.IsHighSurrogate(text[length - 1]))
            length--;
        return text[..length].TrimEnd() + "…";
    }

    private static IEnumerable<string> Cleaned(IEnumerable<string> lines) => lines.Select(LabelText.Clean).Where(line => line.Length > 0);

    private static IEnumerable<string> Compact(LabelAddress address) =>
        Cleaned([address.Name, string.Join(", ", Cleaned(address.Lines)), Town(address)]);

    private static string Town(LabelAddress address) =>
        PostalTown.Line(address.Country, LabelText.Clean(address.PostalCode), LabelText.Clean(address.Locality), LabelText.Clean(address.Region));

    private static string Totals(CustomsDeclaration customs) => string.Join(
        " + ",
        customs.Lines.GroupBy(line => line.Value.Currency, StringComparer.Ordinal).Select(same => new Money(same.Sum(line => line.Value.Minor), same.Key).ToString()));

    private static string Weight(long grams) => string.Create(CultureInfo.InvariantCulture, $"{grams / 1000m:0.0##} kg");

    // In fours, as people read numbers to each other.
    private static string Grouped(string number) => string.Join(' ', number.Chunk(4).Select(four => new string(four)));
}
