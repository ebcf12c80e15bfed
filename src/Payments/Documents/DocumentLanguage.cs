using System.Globalization;
using System.Text;

namespace Commerce.Payments.Documents;

/// <summary>
/// The words of a document, and how its language writes numbers and dates. A table of our own: the service runs without the
/// machine's cultures, so that a document looks the same wherever it is rendered. Languages that are not here read English.
/// </summary>
public sealed class DocumentLanguage
{
    private static readonly Dictionary<string, DocumentLanguage> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["en"] = new('.', ',', "dd MMM yyyy", "Invoice|Receipt|Credit note|Number|Date|Order ID|Ordered|Bill to|Article|Quantity|Price|Amount|Subtotal|Shipping|Total|Paid by|Given back to|in {0} instalments|Corrects invoice|Page {0} of {1}|Keep the Order ID: it is all you need when you ask about this purchase.|Refund|Payment received, thank you.|incl. {0} tax on {1}|Not charged")
        {
            Methods = Words("Card|Debit card|Voucher|Boleto|Wallet|Store credit"),
            Months = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec".Split('|'),
        },
        ["pt"] = new(',', '.', "dd/MM/yyyy", "Fatura|Recibo|Nota de crédito|Número|Data|Pedido|Data do pedido|Cobrar de|Artigo|Quantidade|Preço|Valor|Subtotal|Frete|Total|Pago com|Devolvido a|em {0} parcelas|Corrige a fatura|Página {0} de {1}|Guarde o número do pedido: é tudo de que precisa para perguntar sobre esta compra.|Reembolso|Pagamento recebido, obrigado.|incl. {0} de imposto sobre {1}|Não cobrado")
        {
            Methods = Words("Cartão de crédito|Cartão de débito|Vale|Boleto|Carteira digital|Crédito da loja"),
        },
        ["de"] = new(',', '.', "dd.MM.yyyy", "Rechnung|Quittung|Gutschrift|Nummer|Datum|Bestellnummer|Bestellt am|Rechnung an|Artikel|Menge|Preis|Betrag|Zwischensumme|Versand|Gesamtbetrag|Bezahlt mit|Erstattet auf|in {0} Raten|Berichtigt Rechnung|Seite {0} von {1}|Bewahren Sie die Bestellnummer auf: Mehr brauchen Sie bei Fragen zu diesem Kauf nicht.|Erstattung|Zahlung dankend erhalten.|enthält {0} MwSt. auf {1}|Nicht berechnet")
        {
            Methods = Words("Karte|Debitkarte|Gutschein|Boleto|Wallet|Guthaben"),
        },
        ["fr"] = new(',', '\u00a0', "dd/MM/yyyy", "Facture|Reçu|Avoir|Numéro|Date|Commande|Commandé le|Facturé à|Article|Quantité|Prix|Montant|Sous-total|Livraison|Total|Payé par|Remboursé sur|en {0} mensualités|Corrige la facture|Page {0} sur {1}|Conservez le numéro de commande : il suffit pour toute question sur cet achat.|Remboursement|Paiement reçu, merci.|dont TVA {0} sur {1}|Non facturé")
        {
            Methods = Words("Carte|Carte de débit|Bon|Boleto|Portefeuille|Avoir client"),
        },
        ["es"] = new(',', '.', "dd/MM/yyyy", "Factura|Recibo|Nota de crédito|Número|Fecha|Pedido|Pedido el|Facturar a|Artículo|Cantidad|Precio|Importe|Subtotal|Envío|Total|Pagado con|Devuelto a|en {0} plazos|Corrige la factura|Página {0} de {1}|Guarde el número de pedido: es todo lo que necesita para preguntar por esta compra.|Reembolso|Pago recibido, gracias.|incl. {0} de IVA sobre {1}|No cobrado")
        {
            Methods = Words("Tarjeta|Tarjeta de débito|Vale|Boleto|Monedero|Saldo de la tienda"),
        },
    };

    private static readonly Dictionary<string, string> Symbols = new(StringComparer.Ordinal)
    {
        ["EUR"] = "€",
        ["GBP"] = "£",
        ["USD"] = "$",
        ["BRL"] = "R$",
        ["JPY"] = "¥",
    };

    private readonly char _decimal;
    private readonly char _group;
    private readonly string _date;
    private readonly string[] _words;

    private DocumentLanguage(char decimalMark, char group, string date, string words) =>
        (_decimal, _group, _date, _words) = (decimalMark, group, date, words.Split('|'));

    private Dictionary<string, string> Methods { get; init; } = [];

    private string[] Months { get; init; } = [];

    /// <summary>The language of a BCP 47 tag such as "pt-BR".</summary>
    public static DocumentLanguage Of(string tag) => Known.TryGetValue(tag.Split('-')[0], out var language) ? language : Known["en"];

    public string this[Word word] => _words[(int)word];

    /// <summary>A word with its numbers in it.</summary>
    public string Text(Word word, params object[] values) => string.Format(CultureInfo.InvariantCulture, this[word], values);

    public string Title(DocumentKind kind) => this[(Word)((int)kind - 1)];

    /// <summary>A means of payment, as the order calls it.</summary>
    public string Method(string method) => Methods.TryGetValue(method, out var name) ? name : method;

    /// <summary>With the currency's decimals and symbol, or its code where it has no symbol that is its own: "R$ 1.234,56", "¥1,234", "1,234.567 KWD".</summary>
    public string Amount(long minor, string currency)
    {
        var number = Number(minor, Currencies.MinorUnits(currency) ?? 2);
        if (!Symbols.TryGetValue(currency, out var symbol))
            return $"{number}\u00a0{currency}";
        var negative = minor < 0;
        var digits = negative ? number[1..] : number;
        var text = (_decimal, currency) switch
        {
            ('.', _) => symbol + digits,
            (_, "BRL" or "USD") => $"{symbol}\u00a0{digits}",
            _ => $"{digits}\u00a0{symbol}",
        };
        return negative ? "\u2212" + text : text;
    }

    /// <summary>A rate in hundredths of a percent: "19 %", "7,7 %".</summary>
    public string Rate(int basisPoints) =>
        (basisPoints / 100m).ToString("0.##", CultureInfo.InvariantCulture).Replace('.', _decimal) + "\u00a0%";

    public string Date(DateTimeOffset at)
    {
        var text = at.ToString(_date, CultureInfo.InvariantCulture);
        return Months.Length == 0 ? text : text.Replace(at.ToString("MMM", CultureInfo.InvariantCulture), Months[at.Month - 1], StringComparison.Ordinal);
    }

    // In whole numbers: a double would not hold the large ones.
    private string Number(long minor, int decimals)
    {
        var digits = UInt128.CreateChecked(Int128.Abs(minor)).ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        var whole = digits[..^decimals];
        var text = new StringBuilder(minor < 0 ? "\u2212" : "");
        for (var i = 0; i < whole.Length; i++)
        {
            if (i > 0 && (whole.Length - i) % 3 == 0)
                text.Append(_group);
            text.Append(whole[i]);
        }

        if (decimals > 0)
            text.Append(_decimal).Append(digits.AsSpan(digits.Length - decimals));
        return text.ToString();
    }

    private static Dictionary<string, string> Words(string names) => "CARD|DEBIT_CARD|VOUCHER|BOLETO|WALLET|STORE_CREDIT".Split('|').Zip(names.Split('|')).ToDictionary(p => p.First, p => p.Second);
}

/// <summary>The words of a document; the first three are its kinds.</summary>
public enum Word
{
    Invoice,
    Receipt,
    CreditNote,
    Number,
    Date,
    OrderId,
    Ordered,
    BillTo,
    Article,
    Quantity,
    Price,
    Amount,
    Subtotal,
    Shipping,
    Total,
    PaidBy,
    GivenBackTo,
    Instalments,
    Corrects,
    Page,
    Keep,
    Refund,
    Thanks,
    TaxIncluded,
    NotCharged,
}
