using Commerce.Shipments.BuyingLabels;
using Commerce.Shipments.Carriers;
using CsCheck;

namespace Commerce.Shipments.Tests;

public sealed class RateChoiceTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private static readonly Rate Slow = new("usps", "ground", new Money(500, "BRL"), 3, 8);
    private static readonly Rate Middle = new("ups", "ground", new Money(800, "BRL"), 2, 5);
    private static readonly Rate Fast = new("dhl", "express", new Money(2500, "BRL"), 1, 2);

    [Fact]
    public void The_cheapest_that_keeps_the_promise_is_chosen() =>
        Assert.Equal(Middle, RateChoice.Choose([Fast, Middle, Slow], [], Now.AddDays(6), Now));

    [Fact]
    public void A_promise_is_kept_to_the_very_hour() =>
        Assert.Equal(Fast, RateChoice.Choose([Fast, Middle, Slow], [], Now.AddDays(5).AddSeconds(-1), Now));

    [Fact]
    public void Where_none_keeps_the_promise_the_fastest_is_chosen() =>
        Assert.Equal(Fast, RateChoice.Choose([Slow, Fast, Middle], [], Now.AddDays(-1), Now));

    [Fact]
    public void Without_a_promise_the_cheapest_is_chosen() =>
        Assert.Equal(Slow, RateChoice.Choose([Fast, Middle, Slow], [], null, Now));

    [Fact]
    public void A_refusal_leads_to_the_next_best_and_when_all_refused_to_the_first_again()
    {
        var refused = new List<string>();
        foreach (var expected in (Rate[])[Slow, Middle, Fast, Slow, Middle])
        {
            var chosen = RateChoice.Choose([Fast, Middle, Slow], refused, null, Now)!;
            Assert.Equal(expected, chosen);
            refused.Add(chosen.Name);
        }
    }

    [Fact]
    public void Without_a_rate_there_is_no_choice() => Assert.Null(RateChoice.Choose([], [], null, Now));

    [Fact]
    public void An_amount_in_another_currency_is_not_compared() =>
        Assert.Equal(Middle, RateChoice.Choose([Middle, Fast, new Rate("fedex", "x", new Money(1, "JPY"), 1, 1)], [], null, Now));

    [Fact]
    public void The_order_of_the_offers_changes_nothing_and_no_other_offer_in_time_is_cheaper()
    {
        var rate = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3], Gen.Long[0, 5], Gen.Int[0, 6], (carrier, service, price, days) => new Rate($"c{carrier}", $"s{service}", new Money(price, "EUR"), 0, days));
        Gen.Select(rate.Array[1, 8], Gen.Int[0, 6], Gen.Int).Sample((rates, promise, seed) =>
        {
            var promisedAt = Now.AddDays(promise);
            var chosen = RateChoice.Choose(rates, [], promisedAt, Now)!;
            var shuffled = rates.ToArray();
            new Random(seed).Shuffle(shuffled);

            Assert.Equal(chosen, RateChoice.Choose(shuffled, [], promisedAt, Now));
            var inTime = rates.Where(one => Now.AddDays(one.TransitDaysMax) <= promisedAt).ToList();
            if (inTime.Count > 0)
                Assert.Equal(inTime.Min(one => one.Price.Minor), chosen.Price.Minor);
            else
                Assert.Equal(rates.Min(one => one.TransitDaysMax), chosen.TransitDaysMax);
        });
    }
}
