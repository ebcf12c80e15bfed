using Commerce.Orders.PlacingOrder;
using Commerce.Orders.Storage;
using Commerce.Types.V1;
using Google.Type;
using Npgsql;

namespace Commerce.Orders.FindingOrders;

/// <summary>
/// What an order is found by beside its own columns: rows of order_terms, each a letter for its kind and a text without case,
/// accents and punctuation.
/// </summary>
public static class OrderTerms
{
    /// <summary>
    /// A phone number is found by its last digits, since people leave out the country's code and write a zero for it: as many as
    /// the shortest number has.
    /// </summary>
    public const int PhoneDigits = 7;

    private const int MostWords = 60;

    /// <summary>A word of a name.</summary>
    public static string Name(string word) => "n" + word;

    /// <summary>A word of a note or an adjustment's label.</summary>
    public static string Note(string word) => "o" + word;

    /// <summary>The end of a phone number, given as digits alone.</summary>
    public static string Phone(string digits) => "p" + digits[^Math.Min(PhoneDigits, digits.Length)..];

    /// <summary>A postal code of letters and digits alone.</summary>
    public static string PostalCode(string code) => "z" + code;

    /// <summary>A SKU.</summary>
    public static string Sku(string sku) => "s" + sku.ToLowerInvariant();

    /// <summary>Letters and digits in upper case: how postal codes are compared.</summary>
    public static string PostalKey(string postalCode) => string.Concat(postalCode.Where(char.IsLetterOrDigit)).ToUpperInvariant();

    public static string Digits(string phone) => string.Concat(phone.Where(char.IsAsciiDigit));

    public static IReadOnlyList<string> Of(OrderDraft draft) => Of(
        draft.Customer.Name, draft.ShippingAddress.Recipients, draft.ShippingAddress.Organization, draft.Customer.Phone, draft.ShippingAddress.PostalCode,
        draft.Lines.Select(line => line.Sku), draft.Adjustments.Select(adjustment => adjustment.Label));

    /// <summary>All terms of an order, each once.</summary>
    public static IReadOnlyList<string> Of(
        string customerName, IEnumerable<string> recipients, string organization, string phone, string postalCode, IEnumerable<string> skus, IEnumerable<string?> notes)
    {
        var terms = OfRecipient(customerName, recipients, organization, phone, postalCode);
        terms.AddRange(skus.Select(Sku).Distinct(StringComparer.Ordinal));
        terms.AddRange(SearchWords.Of(notes).Take(MostWords).Select(Note));
        return terms;
    }

    /// <summary>What was found by whom it went to is found by whom it goes to now.</summary>
    public static void ReplaceRecipient(NpgsqlBatch batch, long orderId, (Contact Contact, PostalAddress Address) before, (Contact Contact, PostalAddress Address) after)
    {
        batch.With(Sql.Command(
            """
            DELETE FROM order_terms t USING orders o
            WHERE o.order_id = $1 AND t.store_id = o.store_id AND t.term = ANY ($2) AND t.create_time = o.create_time AND t.order_id = o.order_id
            """).With(orderId).With(Terms(before)));
        AddLater(batch, orderId, Terms(after));

        static string[] Terms((Contact Contact, PostalAddress Address) of) =>
            [.. OfRecipient(of.Contact.Name, of.Address.Recipients, of.Address.Organization, of.Contact.Phone, of.Address.PostalCode)];
    }

    /// <summary>The terms of new orders.</summary>
    public static void Add(NpgsqlBatch batch, IReadOnlyList<(string StoreId, string Term, DateTimeOffset CreateTime, long OrderId)> terms) =>
        batch.With(Sql.Command("INSERT INTO order_terms (store_id, term, create_time, order_id) SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT DO NOTHING")
            .With(terms.Column(t => t.StoreId)).With(terms.Column(t => t.Term)).With(terms.Column(t => t.CreateTime)).With(terms.Column(t => t.OrderId)));

    /// <summary>A note that came later.</summary>
    public static void AddNote(NpgsqlBatch batch, long orderId, string note) =>
        AddLater(batch, orderId, [.. SearchWords.Of(note).Take(MostWords).Select(Note)]);

    /// <summary>Articles that came later.</summary>
    public static void AddSkus(NpgsqlBatch batch, long orderId, IEnumerable<string> skus) =>
        AddLater(batch, orderId, [.. skus.Select(Sku).Distinct(StringComparer.Ordinal)]);

    private static List<string> OfRecipient(string customerName, IEnumerable<string> recipients, string organization, string phone, string postalCode)
    {
        var terms = new List<string>(16);
        terms.AddRange(SearchWords.Of([customerName, organization, .. recipients]).Take(MostWords).Select(Name));
        if (Digits(phone) is { Length: > 0 } digits)
            terms.Add(Phone(digits));
        if (PostalKey(postalCode) is { Length: > 0 } code)
            terms.Add(PostalCode(code));
        return terms;
    }

    private static void AddLater(NpgsqlBatch batch, long orderId, string[] terms) =>
        batch.With(Sql.Command(
            """
            INSERT INTO order_terms (store_id, term, create_time, order_id)
            SELECT o.store_id, t.term, o.create_time, o.order_id FROM orders o CROSS JOIN unnest($2) AS t (term) WHERE o.order_id = $1
            ON CONFLICT DO NOTHING
            """).With(orderId).With(terms));
}
