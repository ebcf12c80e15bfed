namespace Commerce.Shipping.Rates;

/// <summary>The rate cards of all carriers. It never changes: another card makes another book.</summary>
public sealed class RateBook
{
    public static readonly RateBook Empty = new([]);

    private readonly ILookup<string, PricedCard> _byCarrier;

    public RateBook(IEnumerable<PricedCard> cards)
    {
        // The card that counts since the latest day goes before older ones; the id settles a tie, so that the order in which cards are
        // given changes nothing.
        var all = cards.OrderByDescending(card => card.ValidFrom).ThenBy(card => card.Id, StringComparer.Ordinal).ThenByDescending(card => card.Version).ToList();
        (Cards, _byCarrier) = (all, all.ToLookup(card => card.Carrier, StringComparer.Ordinal));
    }

    public IReadOnlyList<PricedCard> Cards { get; }

    public IEnumerable<PricedCard> Of(string carrier) => _byCarrier[carrier];

    /// <summary>What a carrier's cards ask for the parcel, one offer a service; and of each card that makes none why.</summary>
    public (IReadOnlyList<Quote> Quotes, IReadOnlyList<string> Why) Price(string carrier, RateRequest request)
    {
        var (quotes, reasons) = (new Dictionary<string, Quote>(StringComparer.Ordinal), new List<string>());
        foreach (var card in _byCarrier[carrier])
        {
            var offered = card.Price(request, out var why);
            foreach (var quote in offered)
                quotes.TryAdd(quote.Service, quote);
            if (offered.Count == 0)
                reasons.AddRange(why.Select(reason => $"{card.Id}: {reason}"));
        }

        return ([.. quotes.Values.OrderBy(quote => quote.Service, StringComparer.Ordinal)], reasons);
    }
}
