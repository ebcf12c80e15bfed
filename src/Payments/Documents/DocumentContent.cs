namespace Commerce.Payments.Documents;

/// <summary>What a document is. The numbers are stored, and are those of the proto's enum.</summary>
public enum DocumentKind
{
    /// <summary>What was bought, and what it came to.</summary>
    Invoice = 1,

    /// <summary>That it was paid, and how.</summary>
    Receipt = 2,

    /// <summary>What was given back.</summary>
    CreditNote = 3,
}

/// <summary>
/// What a document says, as it was when it was issued: a name or a price that changes later does not change it. Amounts are
/// in the smallest unit of the currency. Holds the name and address of the customer, as the law wants it to, and is the one
/// place in Payments that does.
/// </summary>
public sealed record DocumentContent(
    string OrderId,
    string StoreName,
    IReadOnlyList<string> StoreAddress,
    string StoreEmail,
    string Colour,
    string Language,
    string TimeZone,
    string CustomerName,
    IReadOnlyList<string> CustomerAddress,
    DateTimeOffset OrderedAt,
    string Currency,
    IReadOnlyList<DocumentLine> Lines,
    long SubtotalMinor,
    long ShippingMinor,
    IReadOnlyList<DocumentAdjustment> Adjustments,
    long TotalMinor,
    IReadOnlyList<DocumentPayment> Payments,
    string Corrects,
    string Note,
    IReadOnlyList<DocumentTax>? Taxes = null,
    string LogoHash = "",
    long OrderVersion = 0)
{
    /// <summary>The same over another amount, with the taxes that are in that.</summary>
    public DocumentContent Over(long totalMinor) => this with
    {
        TotalMinor = totalMinor,
        Taxes = Taxes is null ? null : DocumentTax.Split(totalMinor, [.. Taxes.Select(t => (t.BasisPoints, t.GrossMinor))]),
    };

    /// <summary>All taxes that are in the total, in minor units.</summary>
    public long TaxMinor => Taxes?.Sum(t => t.TaxMinor) ?? 0;
}

/// <summary>A tax that the amounts include: of a rate in hundredths of a percent, what is taxed and the tax on it.</summary>
public sealed record DocumentTax(int BasisPoints, long NetMinor, long TaxMinor)
{
    /// <summary>What the amounts that include it come to.</summary>
    public long GrossMinor => NetMinor + TaxMinor;

    /// <summary>
    /// The taxes within an amount that falls to several rates in proportion to what was sold at each: shipping, fees and discounts
    /// bear the taxes of the goods that they are for. Shared on the running sum, so net and tax of all rates sum to the amount.
    /// </summary>
    /// <param name="grossMinor">The amount.</param>
    /// <param name="sold">Rates, each once, and what was sold at them; not below zero. Where nothing cost anything, the first has all.</param>
    public static IReadOnlyList<DocumentTax> Split(long grossMinor, IReadOnlyList<(int BasisPoints, long Minor)> sold)
    {
        Int128 whole = 0, before = 0;
        foreach (var (_, minor) in sold)
            whole += minor;
        var taxes = new List<DocumentTax>(sold.Count);
        long given = 0;
        foreach (var (basisPoints, minor) in sold)
        {
            before += minor;
            var until = whole == 0 ? grossMinor : (long)(grossMinor * before / whole);
            taxes.Add(Within(until - given, basisPoints));
            given = until;
        }

        return taxes;
    }

    /// <summary>The tax within an amount that includes it, rounded half up to the smallest unit; net and tax sum to the amount.</summary>
    public static DocumentTax Within(long grossMinor, int basisPoints)
    {
        var whole = 10_000 + basisPoints;
        var tax = (long)((((Int128)grossMinor * basisPoints * 2) + whole) / (2 * whole));
        return new DocumentTax(basisPoints, grossMinor - tax, tax);
    }
}

/// <summary>A position.</summary>
public sealed record DocumentLine(string Sku, string Title, int Quantity, long UnitPriceMinor, long AmountMinor);

/// <summary>A fee or a discount on the whole.</summary>
public sealed record DocumentAdjustment(string Label, long AmountMinor);

/// <summary>What was paid, or given back, by which means.</summary>
public sealed record DocumentPayment(string Method, int Instalments, long AmountMinor);

/// <summary>How an order's lines changed, as far as documents say it.</summary>
public sealed record OrderChange(IReadOnlyList<ChangedLine> Lines);

/// <summary>Pieces of a line that came (positive) or went (negative).</summary>
public sealed record ChangedLine(int LineNumber, int Pieces, long UnitPriceMinor);

/// <summary>
/// An issued document: its content and what issuing gave it. RefundNumber is of a credit note the refund, of a further invoice the
/// order's version that it is about, and otherwise 0.
/// </summary>
public sealed record IssuedDocument(string StoreId, string OrderId, DocumentKind Kind, int Year, int Serial, int RefundNumber, DateTimeOffset IssuedAt, DocumentContent Content)
{
    /// <summary>Its customer was erased: it is kept because the law says so.</summary>
    public bool IsRestricted { get; init; }

    /// <summary>The same without who bought.</summary>
    public IssuedDocument WithoutCustomer() => this with { Content = Content with { CustomerName = "", CustomerAddress = [], Note = "" } };

    /// <summary>For example "INV-2026-000042": without a gap within store, kind and year.</summary>
    public string Number => DocumentNumbers.Of(Kind, Year, Serial);

    /// <summary>For example "main.INV-2026-000042".</summary>
    public string Id => $"{StoreId}.{Number}";
}

/// <summary>How documents are numbered.</summary>
public static class DocumentNumbers
{
    public static string PrefixOf(DocumentKind kind) => kind switch
    {
        DocumentKind.Invoice => "INV",
        DocumentKind.Receipt => "REC",
        _ => "CRN",
    };

    /// <summary>For example "INV-2026-000042".</summary>
    public static string Of(DocumentKind kind, int year, int serial) => FormattableString.Invariant($"{PrefixOf(kind)}-{year:D4}-{serial:D6}");

    /// <summary>Reads "{store_id}.{INV|REC|CRN}-{year}-{serial}"; null if it is not that.</summary>
    public static (string StoreId, DocumentKind Kind, int Year, int Serial)? Read(string id) =>
        id.Split('.') is [{ Length: > 0 and <= 40 } storeId, var number] && ReadNumber(number) is var (kind, year, serial) ? (storeId, kind, year, serial) : null;

    /// <summary>Reads "{INV|REC|CRN}-{year}-{serial}"; null if it is not that.</summary>
    public static (DocumentKind Kind, int Year, int Serial)? ReadNumber(string number)
    {
        if (number.Split('-') is not [var prefix, { Length: 4 } year, { Length: >= 6 and <= 9 } serial]
            || !year.All(char.IsAsciiDigit) || !serial.All(char.IsAsciiDigit))
        {
            return null;
        }

        DocumentKind? kind = prefix switch { "INV" => DocumentKind.Invoice, "REC" => DocumentKind.Receipt, "CRN" => DocumentKind.CreditNote, _ => null };
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        return kind is { } known ? (known, int.Parse(year, invariant), int.Parse(serial, invariant)) : null;
    }
}
