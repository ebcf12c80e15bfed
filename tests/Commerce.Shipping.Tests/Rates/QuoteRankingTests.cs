using Commerce.Shipping.Rates;
using CsCheck;

namespace Commerce.Shipping.Tests.Rates;

public sealed class QuoteRankingTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private static readonly Quote Slow = Of("usps", "ground", 500, 8);
    private static readonly Quote Middle = Of("ups", "ground", 800, 5);
    private static readonly Quote Fast = Of("dhl", "express", 2500, 2);

    [Fact]
    public void The_cheapest_that_keeps_the_promise_is_first() => Assert.Equal(Middle, First([Fast, Middle, Slow], Now.AddDays(6)));

    [Fact]
    public void A_promise_is_kept_to_the_very_hour() => Assert.Equal(Fast, First([Fast, Middle, Slow], Now.AddDays(5).AddSeconds(-1)));

    [Fact]
    public void Where_none_keeps_the_promise_the_fastest_is_first() => Assert.Equal(Fast, First([Slow, Fast, Middle], Now.AddDays(-1)));

    [Fact]
    public void Without_a_promise_the_cheapest_is_first() => Assert.Equal(Slow, First([Fast, Middle, Slow], null));

    [Fact]
    public void A_refusal_leads_to_the_next_best_and_when_all_refused_to_the_first_again()
    {
        var refused = new List<string>();
        foreach (var expected in (Quote[])[Slow, Middle, Fast, Slow, Middle])
        {
            Assert.Equal(expected, First([Fast, Middle, Slow], null, refused: refused));
            refused.Add(expected.Name);
        }
    }

    [Fact]
    public void Without_an_offer_there_is_none() => Assert.Empty(QuoteRanking.Rank([], null, ShippingRules.Default, [], _ => Reliability.Unknown));

    [Fact]
    public void An_amount_in_another_currency_is_not_compared() =>
        Assert.Equal(Middle, First([Middle, Fast, Of("fedex", "x", 1, 1) with { Price = new Money(1, "JPY") }], null));

    [Theory]
    [InlineData(ShippingGoal.Fastest, "", "", "dhl/express")]
    [InlineData(ShippingGoal.Cheapest, "", "", "usps/ground")]
    [InlineData(ShippingGoal.CheapestInTime, "dhl", "", "dhl/express")]
    [InlineData(ShippingGoal.CheapestInTime, "usps", "", "ups/ground")]
    [InlineData(ShippingGoal.Cheapest, "dhl/express", "", "dhl/express")]
    [InlineData(ShippingGoal.CheapestInTime, "", "ups", "dhl/express")]
    [InlineData(ShippingGoal.CheapestInTime, "", "ups/ground", "dhl/express")]
    [InlineData(ShippingGoal.CheapestInTime, "", "ups/air", "ups/ground")]
    public void A_stores_rules_decide(ShippingGoal goal, string preferred, string never, string expected)
    {
        var rules = new ShippingRules(goal, preferred.Length == 0 ? [] : [preferred], never.Length == 0 ? [] : [never]);

        Assert.Equal(expected, First([Slow, Middle, Fast], Now.AddDays(6), rules).Name);
    }

    [Fact]
    public void A_carrier_that_is_often_late_loses_to_one_that_costs_little_more()
    {
        var other = Of("fedex", "ground", 850, 5);
        var late = Reliability.Of((60, 100), (60, 100), (60, 100));
        var good = Reliability.Of((97, 100), (97, 100), (97, 100));

        var ranked = QuoteRanking.Rank([Middle, other], null, ShippingRules.Default, [], quote => quote.Carrier == "ups" ? late : good);

        Assert.Equal([other, Middle], ranked.Select(one => one.Quote));
        Assert.True(ranked[0].PriceInTime < ranked[1].PriceInTime);
    }

    [Fact]
    public void Few_parcels_say_little_and_many_say_what_they_say()
    {
        Assert.Equal(0.9, Reliability.Of(default, default, default).Share, 6);
        Assert.InRange(Reliability.Of((0, 1), (0, 1), (0, 1)).Share, 0.7, 0.9);
        Assert.Equal(0.6, Reliability.Of((6_000, 10_000), (9_500, 10_000), (9_500, 10_000)).Share, 2);
        Gen.Select(Gen.Long[0, 1000], Gen.Long[0, 1000], Gen.Long[0, 1000], Gen.Long[0, 1000]).Sample((a, b, c, d) =>
        {
            var share = Reliability.Of((Math.Min(a, b), b), (Math.Min(c, d), d), (Math.Min(c, d), d)).Share;
            Assert.InRange(share, 0, 1);
            // One more parcel in time never makes a carrier look worse.
            Assert.True(Reliability.Of((Math.Min(a, b) + 1, b + 1), (Math.Min(c, d), d), (Math.Min(c, d), d)).Share >= share - 1e-12);
        });
    }

    [Fact]
    public void The_order_of_the_offers_changes_nothing_and_no_other_offer_in_time_is_cheaper()
    {
        var quote = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3], Gen.Long[0, 5], Gen.Int[0, 6], (carrier, service, price, days) => Of($"c{carrier}", $"s{service}", price, days));
        Gen.Select(quote.Array[1, 8], Gen.Int[0, 6], Gen.Int).Sample((quotes, promise, seed) =>
        {
            var promisedAt = Now.AddDays(promise);
            var shuffled = quotes.ToArray();
            new Random(seed).Shuffle(shuffled);

            var ranked = Rank(quotes, promisedAt);
            Assert.Equal(ranked.Select(one => one.Quote), Rank(shuffled, promisedAt).Select(one => one.Quote));
            Assert.Equal(quotes.Length, ranked.Count);
            var inTime = quotes.Where(one => one.LatestAt <= promisedAt).ToList();
            if (inTime.Count > 0)
                Assert.Equal(inTime.Min(one => one.Price.Minor), ranked[0].Quote.Price.Minor);
            else
                Assert.Equal(quotes.Min(one => one.LatestAt), ranked[0].Quote.LatestAt);
        });
    }

    private static Quote Of(string carrier, string service, long minor, int days) =>
        new(carrier, service, new Money(minor, "BRL"), Now, Now.AddDays(days)) { TransitDaysMax = days };

    private static IReadOnlyList<RankedQuote> Rank(IEnumerable<Quote> quotes, DateTimeOffset? promisedAt, ShippingRules? rules = null, IReadOnlyList<string>? refused = null) =>
        QuoteRanking.Rank(quotes, promisedAt, rules ?? ShippingRules.Default, refused ?? [], _ => Reliability.Unknown);

    private static Quote First(IEnumerable<Quote> quotes, DateTimeOffset? promisedAt, ShippingRules? rules = null, IReadOnlyList<string>? refused = null) => Rank(quotes, promisedAt, rules, refused)[0].Quote;
}
