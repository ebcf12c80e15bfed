namespace Commerce.Shipping.Rates;

/// <summary>What a store wants of its carriers.</summary>
public enum ShippingGoal
{
    /// <summary>The cheapest that keeps the promise; if none does, the fastest.</summary>
    CheapestInTime,

    /// <summary>The fastest.</summary>
    Fastest,

    /// <summary>The cheapest, promise or not.</summary>
    Cheapest,
}

/// <summary>A store's rules for the choice among offers.</summary>
/// <param name="Preferred">Carriers ("dhl") and services ("ups/ground"), most wanted first: of the offers that keep the promise these go before all others.</param>
/// <param name="Never">Carriers and services that are not to be used.</param>
public sealed record ShippingRules(ShippingGoal Goal, IReadOnlyList<string> Preferred, IReadOnlyList<string> Never)
{
    public static readonly ShippingRules Default = new(ShippingGoal.CheapestInTime, [], []);

    public bool Forbids(string carrier, string service) => Never.Any(name => Names(name, carrier, service));

    /// <summary>How much an offer is wanted: 0 most; one that no rule names last.</summary>
    public int PreferenceOf(Quote quote)
    {
        for (var i = 0; i < Preferred.Count; i++)
        {
            if (Names(Preferred[i], quote.Carrier, quote.Service))
                return i;
        }

        return int.MaxValue;
    }

    private static bool Names(string name, string carrier, string service) =>
        name == carrier || (name.Length == carrier.Length + service.Length + 1 && name.StartsWith(carrier, StringComparison.Ordinal) && name[carrier.Length] == '/' && name.EndsWith(service, StringComparison.Ordinal));
}

/// <summary>How often a service was in time on a lane.</summary>
/// <param name="Share">0 to 1: what was seen, drawn towards what is usual elsewhere the more the fewer parcels were seen.</param>
/// <param name="Delivered">Delivered parcels with a promise that it is measured on, of the lane.</param>
/// <param name="Basis">What was measured: "lane", "service", "carrier", or "none": nothing was.</param>
public sealed record Reliability(double Share, long Delivered, string Basis)
{
    // As if so many parcels had been seen of what stands behind: a lane with 20 parcels of its own speaks as loud as the carrier at large.
    private const double Weight = 20;

    // Before anything is known, nine of ten are in time; public figures lie between 0.85 and 0.97.
    private const double Prior = 0.9;

    public static readonly Reliability Unknown = new(Prior, 0, "none");

    /// <param name="lane">Parcels in time and delivered, of the service on the lane.</param>
    /// <param name="service">The same of the service everywhere.</param>
    /// <param name="carrier">The same of the carrier.</param>
    public static Reliability Of((long InTime, long Delivered) lane, (long InTime, long Delivered) service, (long InTime, long Delivered) carrier) => new(
        Draw(lane, Draw(service, Draw(carrier, Prior))),
        lane.Delivered,
        lane.Delivered > 0 ? "lane" : service.Delivered > 0 ? "service" : carrier.Delivered > 0 ? "carrier" : "none");

    private static double Draw((long InTime, long Delivered) seen, double towards) => (seen.InTime + (Weight * towards)) / (seen.Delivered + Weight);
}

/// <summary>An offer in its place among the others.</summary>
/// <param name="InTime">It keeps the promise in the worst case; without a promise each does.</param>
/// <param name="PriceInTime">The price for each parcel in time: the price divided by the reliability, half a smallest unit up. By it prices are compared.</param>
/// <param name="Reason">Why it stands where it does.</param>
public sealed record RankedQuote(Quote Quote, bool InTime, Reliability Reliability, Money PriceInTime, string Reason);

/// <summary>The one place where it is decided which offer is better.</summary>
public static class QuoteRanking
{
    /// <summary>
    /// Best first: those refused least often, so that a refusal leads to the next best one, and to the first again when all were refused;
    /// then by the store's rules; then by what the price comes to for each parcel in time, by arrival, and by name, so that the same offers
    /// always have the same order. Amounts in two currencies cannot be compared: those in another one than most stand last.
    /// </summary>
    /// <param name="refused"><see cref="Quote.Name"/> of every refusal so far; one that was refused twice is in it twice.</param>
    public static IReadOnlyList<RankedQuote> Rank(
        IEnumerable<Quote> quotes, DateTimeOffset? promisedAt, ShippingRules rules, IReadOnlyList<string> refused, Func<Quote, Reliability> reliabilityOf)
    {
        var allowed = quotes.Where(quote => !rules.Forbids(quote.Carrier, quote.Service)).ToList();
        if (allowed.Count == 0)
            return [];
        var currency = allowed.CountBy(quote => quote.Price.Currency).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).First().Key;
        var ranked = allowed.Select(quote => (Ranked: Of(quote), Wanted: rules.PreferenceOf(quote), Refused: refused.Count(name => name == quote.Name))).ToList();
        var anyInTime = ranked.Exists(one => one.Ranked.InTime && one.Ranked.Quote.Price.Currency == currency);
        var sorted = ranked
            .OrderBy(one => one.Ranked.Quote.Price.Currency == currency ? 0 : 1)
            .ThenBy(one => one.Refused)
            .ThenBy(one => one.Ranked.InTime || rules.Goal == ShippingGoal.Cheapest ? one.Wanted : int.MaxValue)
            .ThenBy(one => rules.Goal == ShippingGoal.CheapestInTime && !one.Ranked.InTime ? 1 : 0);
        // Where the promise cannot be kept, every day counts more than its price.
        sorted = rules.Goal == ShippingGoal.Fastest
            ? sorted.ThenBy(one => one.Ranked.Quote.LatestAt).ThenBy(one => one.Ranked.PriceInTime.Minor)
            : sorted.ThenBy(one => rules.Goal == ShippingGoal.CheapestInTime && !one.Ranked.InTime ? one.Ranked.Quote.LatestAt : DateTimeOffset.MinValue)
                .ThenBy(one => one.Ranked.PriceInTime.Minor).ThenBy(one => one.Ranked.Quote.LatestAt);
        return [.. sorted.ThenBy(one => one.Ranked.Quote.Name, StringComparer.Ordinal).Select((one, place) => one.Ranked with { Reason = Why(one.Ranked, one.Wanted, one.Refused, place) })];

        RankedQuote Of(Quote quote)
        {
            var reliability = reliabilityOf(quote);
            var share = Math.Max((decimal)Math.Round(reliability.Share, 6), 0.000001m);
            var inTime = Math.Min(Math.Round(quote.Price.Minor / share, MidpointRounding.AwayFromZero), long.MaxValue);
            return new RankedQuote(quote, promisedAt is null || quote.LatestAt <= promisedAt, reliability, quote.Price with { Minor = (long)inTime }, "");
        }

        string Why(RankedQuote one, int wanted, int refusals, int place)
        {
            var reason = one.Quote.Price.Currency != currency ? $"in another currency than most, {currency}"
                : refusals > 0 ? $"refused this parcel {refusals} times"
                : wanted != int.MaxValue && (one.InTime || rules.Goal == ShippingGoal.Cheapest) ? "preferred by the store"
                : !one.InTime && rules.Goal == ShippingGoal.CheapestInTime ? anyInTime ? "does not keep the promise" : place == 0 ? "none keeps the promise: the fastest" : "does not keep the promise"
                : rules.Goal == ShippingGoal.Fastest ? place == 0 ? "the fastest" : "slower"
                : place == 0 ? "the least for each parcel in time" : "more for each parcel in time";
            return reason;
        }
    }
}
