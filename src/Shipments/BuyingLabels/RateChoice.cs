using Commerce.Shipments.Carriers;

namespace Commerce.Shipments.BuyingLabels;

/// <summary>The rule by which a rate is chosen: the cheapest that keeps the promise.</summary>
internal static class RateChoice
{
    /// <summary>
    /// Of the rates refused least often (so that a refusal leads to the next best one, and to the first again when all were
    /// refused): the cheapest that arrives by the promise in the worst case; when none does, the fastest, then the cheapest.
    /// Without a promise, the cheapest. Null if there is no rate.
    /// </summary>
    /// <param name="refused"><see cref="Rate.Name"/> of every refusal so far; one that was refused twice is in it twice.</param>
    public static Rate? Choose(IEnumerable<Rate> rates, IReadOnlyList<string> refused, DateTimeOffset? promisedAt, DateTimeOffset now)
    {
        var candidates = rates.GroupBy(rate => refused.Count(name => name == rate.Name)).MinBy(group => group.Key)?.ToList();
        if (candidates is null)
            return null;

        // Amounts in two currencies cannot be compared; a carrier that answers in another one than most is left out.
        var currency = candidates.CountBy(rate => rate.Price.Currency).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).First().Key;
        candidates.RemoveAll(rate => rate.Price.Currency != currency);

        var inTime = candidates.Where(rate => promisedAt is null || now.AddDays(rate.TransitDaysMax) <= promisedAt).ToList();
        // The name settles a tie, so that the same offers always give the same choice.
        return inTime.Count > 0
            ? inTime.OrderBy(rate => rate.Price.Minor).ThenBy(rate => rate.TransitDaysMax).ThenBy(rate => rate.Name, StringComparer.Ordinal).First()
            : candidates.OrderBy(rate => rate.TransitDaysMax).ThenBy(rate => rate.Price.Minor).ThenBy(rate => rate.Name, StringComparer.Ordinal).First();
    }
}
