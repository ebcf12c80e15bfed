using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Commerce.Shipping.Labels;
using CsCheck;
using CsvHelper;
using ZXing;

namespace Commerce.Shipping.Tests.Labels;

public sealed partial class LabelTests
{
    private static readonly Lazy<IReadOnlyList<(string Carrier, string Number)>> Published = new(ReadPublished);

    [Fact]
    public void Every_published_number_is_read_back_from_png_and_zpl()
    {
        Assert.True(Published.Value.Count > 100);
        foreach (var (carrier, number) in Published.Value)
        {
            var label = Some.Label(carrier, number);
            Reads(number, Scanner.Png(LabelRenderer.Png(label, 203)), number);
            foreach (var resolution in LabelRenderer.Resolutions)
                Reads(number, Scanner.Zpl(Text(LabelRenderer.Zpl([label], resolution))), number);
        }
    }

    [Theory]
    [InlineData("ups", "1Z879E930346834440")]
    [InlineData("usps", "9400111206206407628845")]
    [InlineData("usps", "4201002334249200190132607600833457")]
    [InlineData("fedex", "986578788855")]
    [InlineData("fedex", "9622001900000000000000776632517510")]
    [InlineData("dhl", "3318810025")]
    [InlineData("dhl", "GM9E44608A27984866BA2D")]
    [InlineData("any", "AB12")]
    [InlineData("any", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345678901234567890123")]
    public void A_scanner_reads_the_number_from_each_format(string carrier, string number)
    {
        var label = Some.Label(carrier, number) with { Customs = Some.Customs() };
        Reads(number, Scanner.Png(LabelRenderer.Png(label with { Customs = null }, 203)), "png 203");
        Reads(number, Scanner.Png(LabelRenderer.Png(label with { Customs = null }, 300)), "png 300");
        Reads(number, Scanner.Zpl(Text(LabelRenderer.Zpl([label], 203))), "zpl 203");
        Reads(number, Scanner.Zpl(Text(LabelRenderer.Zpl([label], 300))), "zpl 300");
        Reads(number, Scanner.Pdf(LabelRenderer.Pdf([label], LabelPaper.A6)), "pdf a6");
        Reads(number, Scanner.Pdf(LabelRenderer.Pdf([label], LabelPaper.A4)), "pdf a4");
        var declaration = Scanner.Pdf(LabelRenderer.Pdf([label], LabelPaper.A6), page: 2);
        Assert.Contains(declaration, read => read.Format == BarcodeFormat.CODE_128 && NumberOf(read.Text) == number);
    }

    [Theory]
    // Odd numbers of digits, letters between digits, one change of code set after the other.
    [InlineData("A1234B56789C12D")]
    [InlineData("12345")]
    [InlineData("123A456789")]
    [InlineData("JJD0002255380054291")]
    [InlineData("0081827099800000200333502 76C")]
    public void What_a_zpl_printer_is_told_is_what_the_other_formats_draw(string text)
    {
        var number = TrackingNumber.Normalise(text)!;
        Reads(number, Scanner.Zpl(Text(LabelRenderer.Zpl([Some.Label("any", number)], 203))), number);
    }

    [Fact]
    public void Postal_numbers_and_container_codes_are_gs1_128_and_others_are_not()
    {
        Assert.True(LabelBarcode.Of("usps", "9400111206206407628845").IsGs1);
        Assert.True(LabelBarcode.Of("fedex", "00012345000000000027").IsGs1);
        Assert.False(LabelBarcode.Of("ups", "1Z879E930346834440").IsGs1);
        Assert.False(LabelBarcode.Of("fedex", "986578788855").IsGs1);
        // The postal code is of variable length, so FNC1 ends it; after it stands the package's own number.
        Assert.Equal(">;>842094117>89261290336128704062441", LabelBarcode.Of("usps", "420941179261290336128704062441").Zpl());
    }

    [Fact]
    public void Any_number_is_read_back_from_zpl() =>
        Gen.Char["ABCXYZ0123456789"].Array[4, 34].Select(chars => new string(chars)).Sample(
            number =>
            {
                Reads(number, Scanner.Zpl(Text(LabelRenderer.Zpl([Some.Label("any", number)], 203))), number);
                return true;
            },
            iter: 100, threads: 1);

    [Fact]
    public void The_same_label_is_the_same_bytes()
    {
        var label = Some.Label() with { Customs = Some.Customs(9), Instructions = ["FRAGILE"], To = Some.Label().To with { Name = "Łukasz Żółć" } };
        Assert.Equal(LabelRenderer.Pdf([label], LabelPaper.A6), LabelRenderer.Pdf([label], LabelPaper.A6));
        Assert.Equal(LabelRenderer.Pdf([label], LabelPaper.A4), LabelRenderer.Pdf([label], LabelPaper.A4));
        Assert.Equal(LabelRenderer.Zpl([label], 300), LabelRenderer.Zpl([label], 300));
        Assert.Equal(LabelRenderer.Png(label, 300), LabelRenderer.Png(label, 300));
    }

    [Fact]
    public void A4_has_four_sides_a_sheet_and_a6_one()
    {
        var labels = Published.Value.Take(5).Select(one => Some.Label(one.Carrier, one.Number)).ToList();
        Assert.Equal(5, Scanner.PagesOf(LabelRenderer.Pdf(labels, LabelPaper.A6)));
        var sheets = LabelRenderer.Pdf(labels, LabelPaper.A4);
        Assert.Equal(2, Scanner.PagesOf(sheets));
        Assert.Equal(
            labels.Take(4).Select(label => label.TrackingNumber),
            Scanner.Quarters(sheets).Select(quarter => NumberOf(quarter.First(read => read.Format == BarcodeFormat.CODE_128).Text)));
    }

    [Fact]
    public void Everything_that_matters_stands_on_the_label()
    {
        var label = Some.Label() with { Instructions = ["SIGNATURE REQUIRED", "Leave at: porch"], Customs = Some.Customs(9) };
        var pdf = LabelRenderer.Pdf([label], LabelPaper.A6);
        var text = Scanner.TextOf(pdf);
        foreach (var part in (string[])["UPS", "Worldwide Saver", "1 of 3", "Maria Oliveira da Silva", "Rua das Laranjeiras 241", "22240-003 Rio de Janeiro, RJ", "BRAZIL", "Lumen & Sons", "21079 Hamburg", "ORD-7K3M9QX-T2F8CRW", "1.25 kg", "2026-11-26", "SIGNATURE REQUIRED", "Leave at: porch", "1Z87 9E93 0346 8344 40", "9 positions, 899.55 EUR"])
            Assert.Contains(part, text, StringComparison.Ordinal);
        // Nine positions do not fit on one side: the second has the rest, and both the sum.
        Assert.Equal(3, Scanner.PagesOf(pdf));
        foreach (var part in (string[])["CUSTOMS DECLARATION", "7 × Lamp no. 7", "94052190", "PT", "139.93 EUR", "899.55 EUR", "EORI DE123456789012345"])
            Assert.Contains(part, Scanner.TextOf(pdf, 2), StringComparison.Ordinal);
        Assert.Contains("9 × Lamp no. 9", Scanner.TextOf(pdf, 3), StringComparison.Ordinal);
        var zpl = Text(LabelRenderer.Zpl([label], 203));
        Assert.Equal(3, Occurrences(zpl, "^XA"));
        Assert.Equal(3, Occurrences(zpl, "^CI28"));
        Assert.Contains("^FDMaria Oliveira da Silva^FS", zpl, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("^XA^FO10,10^A0N,50,50^FDfree label^FS^XZ")]
    [InlineData("~JR")]
    [InlineData("_5EXA _7EJR \\5E")]
    [InlineData("^FS^JUS^FD\r\n^XZ\u0000\u001b%-12345X")]
    [InlineData("\u202e^ZX\u200b^\u200dXA")]
    public void Hostile_text_is_printed_and_not_obeyed(string text)
    {
        var address = new LabelAddress(text, [text, text], text, text, text, text);
        var label = Some.Label() with { From = address, To = address, OrderReference = text, Service = text, CarrierName = text, Instructions = [text], Customs = new CustomsDeclaration(CustomsContents.Other, [new CustomsLine(text, 1, new Money(1, "EUR"), 1, text, text)], text) };
        var harmless = Text(LabelRenderer.Zpl([label with { From = Some.Label().From }], 203));
        var commands = Commands().Matches(harmless).Select(match => match.Value).ToList();
        // Every command is one of ours, and every side begins and ends once.
        Assert.All(commands, command => Assert.Contains(command, (string[])["^XA", "^XZ", "^CI", "^PW", "^LL", "^LH", "^FO", "^FT", "^A0", "^FH", "^FD", "^FS", "^FR", "^GB", "^BY", "^BC", "^BQ", "^GF"]));
        Assert.Equal(2, commands.Count(command => command == "^XA"));
        Assert.Equal(2, commands.Count(command => command == "^XZ"));
        Assert.DoesNotContain('~', harmless);
        Assert.DoesNotContain(harmless, c => char.IsControl(c) && c != '\n');
        // The other formats draw it as well.
        Reads(label.TrackingNumber, Scanner.Png(LabelRenderer.Png(label with { Customs = null }, 203)), "png");
        Reads(label.TrackingNumber, Scanner.Pdf(LabelRenderer.Pdf([label], LabelPaper.A6)), "pdf");
    }

    [Theory]
    [InlineData("深圳市南山区", "ShenZhen")]
    [InlineData("東京都渋谷区", "Dong")]
    [InlineData("हिन्दी", "hindi")]
    [InlineData("서울", "Seo")]
    [InlineData("תל אביב", "tl")]
    [InlineData("Дмитрий", "Дмитрий")]
    [InlineData("Ηλιουπόλεως", "Ηλιουπόλεως")]
    [InlineData("Łódź-Śródmieście", "Łódź-Śródmieście")]
    [InlineData("Nguyễn Thị", "Nguyễn Thị")]
    [InlineData("half \ud800 a character", "half a character")]
    [InlineData("party 🎁 time", "party time")]
    public void Another_script_is_legible_and_never_boxes(string given, string drawn)
    {
        var clean = LabelText.Clean(given);
        Assert.Contains(drawn, clean, StringComparison.OrdinalIgnoreCase);
        Assert.All(clean.EnumerateRunes(), rune => Assert.True(LabelFont.Has(rune), $"U+{rune.Value:X4}"));
    }

    [Fact]
    public void Whatever_people_are_called_nothing_overlaps_and_nothing_leaves_the_paper() =>
        Gen.Select(Gen.String[Gen.Char["aäßŁΩЖ中م W.,-'"], 0, 120].Array[9], Gen.Int[0, 6], Gen.Int[0, 5]).Sample(
            (texts, lines, wishes) =>
            {
                var label = Some.Label() with
                {
                    To = new LabelAddress(texts[0], [.. Enumerable.Repeat(texts[1], lines)], texts[2], texts[3], texts[4], "GS"),
                    From = new LabelAddress(texts[5], [texts[6]], texts[2], texts[7], "", "GB"),
                    OrderReference = texts[8],
                    Service = texts[7],
                    CarrierName = texts[6],
                    Instructions = [.. Enumerable.Repeat(texts[3], wishes)],
                    Customs = new CustomsDeclaration(CustomsContents.Gift, [.. Enumerable.Repeat(new CustomsLine(texts[1], 99999, new Money(long.MaxValue / 100, "VND"), 1_000_000, texts[4], texts[4]), 7)], texts[8]),
                };
                foreach (var page in LabelLayout.Of(label))
                    NothingOverlaps(page);
            },
            iter: 500, threads: 1);

    private static void NothingOverlaps(LabelPage page)
    {
        const double slack = 0.02;
        var black = page.Marks.Where(mark => mark is not TextMark { White: true }).Select(Box).ToList();
        Assert.All(page.Marks.Select(Box), box => Assert.True(box.Left >= -slack && box.Top >= -slack && box.Right <= LabelLayout.Width + slack && box.Bottom <= LabelLayout.Height + slack, box.ToString()));
        for (var i = 0; i < black.Count; i++)
        {
            for (var j = i + 1; j < black.Count; j++)
            {
                var (a, b) = (black[i], black[j]);
                // The lines of a ticked box meet.
                if (a.Mark is BoxMark && b.Mark is BoxMark)
                    continue;
                // Thousands of pairs a page: the words are made for one that fails alone.
                if (a.Left < b.Right - slack && b.Left < a.Right - slack && a.Top < b.Bottom - slack && b.Top < a.Bottom - slack)
                    Assert.Fail($"{a} and {b}");
            }
        }
    }

    // Of a text what is above the base line: accents and tails may touch the next line's, as in print.
    private static (Mark Mark, double Left, double Top, double Right, double Bottom) Box(Mark mark) => mark switch
    {
        TextMark text => (mark, text.X, text.Y - (text.Size * 0.72), text.X + LabelFont.Width(text.Text, text.Size, text.Bold), text.Y),
        BoxMark box => (mark, box.X, box.Y, box.X + box.Width, box.Y + box.Height),
        BarsMark bars => (mark, bars.X, bars.Y, bars.X + bars.Width, bars.Y + bars.Height),
        SquareMark square => (mark, square.X, square.Y, square.X + square.Size, square.Y + square.Size),
        _ => throw new InvalidOperationException(),
    };

    private static void Reads(string number, IReadOnlyList<(BarcodeFormat Format, string Text)> read, string what)
    {
        Assert.True(read.Any(one => one.Format == BarcodeFormat.CODE_128 && NumberOf(one.Text) == number), $"{what}: Code 128 of {number} is not read, but {string.Join(", ", read)}");
        Assert.True(read.Any(one => one.Format == BarcodeFormat.QR_CODE && NumberOf(one.Text) == number), $"{what}: the QR code of {number} is not read, but {string.Join(", ", read)}");
    }

    // "]C1" is how a scanner says that it was GS1-128.
    private static string NumberOf(string scanned) => LabelBarcode.NumberOf(scanned.StartsWith("]C1", StringComparison.Ordinal) ? scanned[3..] : scanned);

    private static string Text(byte[] zpl) => Encoding.UTF8.GetString(zpl);

    private static int Occurrences(string text, string part) => text.Split(part).Length - 1;

    [GeneratedRegex(@"[\^~]..")]
    private static partial Regex Commands();

    private static List<(string, string)> ReadPublished()
    {
        using var reader = new StreamReader(Data.Path("tracking-numbers/test_numbers.csv"));
        using var csv = new CsvReader(reader, CultureInfo.InvariantCulture);
        return [.. csv.GetRecords<dynamic>().Where(row => row.expected == "valid").Select(row => ((string)row.courier, TrackingNumber.Normalise((string)row.number)!)).Distinct()];
    }
}
