using Commerce.Shipments.V1;
using Commerce.Shipping.Postal;
using Commerce.Shipping.Rates;
using CsCheck;

namespace Commerce.Shipping.Tests.Rates;

public sealed class PricedCardTests
{
    private static readonly PricedCard Card = Cards.Read(Cards.Sample());

    [Fact]
    public void A_price_says_zone_weight_and_what_it_is_made_of()
    {
        var quote = Price("ground", Cards.To("20040-002", 1200, new ParcelMeasures(1200, 300, 200, 200)));

        Assert.Equal("south-east", quote.Zone);
        Assert.Equal(2000, quote.VolumetricGrams);
        Assert.Equal(2000, quote.BillableGrams);
        Assert.Equal([("freight", 3200), ("fuel", 400)], quote.Lines.Select(line => (line.Kind, line.Amount.Minor)));
        Assert.Equal(new Money(3600, "BRL"), quote.Price);
        Assert.Equal("12.5 % of 32.00 BRL", quote.Lines[1].Explanation);
    }

    [Theory]
    [InlineData(1, 500, 1490)]
    [InlineData(1000, 1000, 1490)]
    [InlineData(1001, 1500, 1990)]
    [InlineData(5000, 5000, 1990)]
    [InlineData(5001, 5500, 2170)]
    [InlineData(6001, 6500, 2350)]
    public void A_weight_belongs_to_the_break_that_ends_with_it_and_beyond_the_last_each_kilogram_counts(int grams, int billable, long freight)
    {
        var quote = Price("ground", Cards.To("05000-000", grams));

        Assert.Equal(billable, quote.BillableGrams);
        Assert.Equal(freight, quote.Lines[0].Amount.Minor);
    }

    [Fact]
    public void Surcharges_apply_where_they_should_and_fuel_is_taken_of_freight_and_fixed_ones()
    {
        var quote = Price("ground", Cards.To("69000-000", 500, collect: new Money(50_000, "BRL"), signature: true, residential: true));

        // 34.00 + 18.00 remote + 3.50 signature = 55.50; 12.5 % of it is 6.9375: half a cent up. 2 % of 500.00 to collect.
        Assert.Equal(
            [("freight", 3400), ("remote_area", 1800), ("signature", 350), ("fuel", 694), ("cash_on_delivery", 1000)],
            quote.Lines.Select(line => (line.Kind, line.Amount.Minor)));
        Assert.Equal(7244, quote.Price.Minor);
        Assert.Equal(500, Price("ground", Cards.To("05000-000", 500, collect: new Money(100, "BRL"))).Lines[^1].Amount.Minor);
    }

    [Fact]
    public void A_service_that_does_not_collect_or_take_so_much_says_so()
    {
        var quotes = Card.Price(Cards.To("05000-000", 500, collect: new Money(100, "BRL")), out var why);
        Assert.Equal("ground", Assert.Single(quotes).Service);
        Assert.Equal("express: has no cash on delivery", Assert.Single(why));

        Assert.Empty(Card.Price(Cards.To("05000-000", 31_000), out why));
        Assert.Equal(["ground: takes at most 30000 g", "express: takes at most 10000 g to zone local, and this counts as 31000 g"], why);
        Assert.Empty(Card.Price(Cards.To("05000-000", 500, at: Cards.Tuesday.AddYears(-3)), out why));
        Assert.Equal("it counts from 2025-01-01", Assert.Single(why));
    }

    [Fact]
    public void The_least_and_the_measures_of_oversize_count()
    {
        Assert.Equal(("world", 24000), (Price("express", Cards.To("10115", 900, country: "DE")).Zone, Price("express", Cards.To("10115", 900, country: "DE")).Lines[0].Amount.Minor));
        var sample = Cards.Sample();
        sample.Services[0].Minimum = "100";
        Assert.Equal(10_000, Cards.Read(sample).Price(Cards.To("05000-000", 1), out _)[0].Lines[0].Amount.Minor);
        var longOne = Price("ground", Cards.To("05000-000", 100, new ParcelMeasures(100, 10, 1201, 10)));
        Assert.Contains(longOne.Lines, line => line.Kind == "oversize");
        Assert.DoesNotContain(Price("ground", Cards.To("05000-000", 100, new ParcelMeasures(100, 1200, 10, 10))).Lines, line => line.Kind == "oversize");
    }

    [Fact]
    public void Before_the_cut_off_it_arrives_the_same_day_and_after_it_the_next_working_day()
    {
        var now = Price("express", Cards.To("05000-000", 500));
        Assert.True(now.SameDay);
        Assert.Equal(new DateTimeOffset(2026, 11, 25, 3, 0, 0, TimeSpan.Zero), now.LatestAt);

        var late = Price("express", Cards.To("05000-000", 500, at: Cards.Tuesday.AddHours(5)));
        Assert.False(late.SameDay);
        Assert.Equal((1, 1), (late.TransitDaysMin, late.TransitDaysMax));

        // Friday after the cut-off: it leaves on Monday.
        var friday = Price("ground", Cards.To("05000-000", 500, at: Cards.Tuesday.AddDays(3).AddHours(8)));
        Assert.Equal((4, 5), (friday.TransitDaysMin, friday.TransitDaysMax));
    }

    [Fact]
    public void Zones_by_distance_need_to_know_where_both_ends_are()
    {
        var sample = Cards.Sample();
        sample.Zones.Clear();
        sample.Zones.Add(new RateZone { ZoneId = "local", UpToKm = 50, Areas = { new RateArea { RegionCode = "BR" } } });
        sample.Zones.Add(new RateZone { ZoneId = "south-east", OverKm = 50, UpToKm = 500, Areas = { new RateArea { RegionCode = "BR" } } });
        sample.Zones.Add(new RateZone { ZoneId = "national", OverKm = 500, Areas = { new RateArea { RegionCode = "BR" } } });
        sample.Zones.Add(new RateZone { ZoneId = "world", Areas = { new RateArea { Rest = true } } });
        var card = Cards.Read(sample);
        var (paulo, rio, manaus) = (new Position(-23.55, -46.63), new Position(-22.91, -43.17), new Position(-3.1, -60.02));

        Assert.Equal("local", ZoneTo(new Position(-23.6, -46.7)));
        Assert.Equal("south-east", ZoneTo(rio));
        Assert.Equal("national", ZoneTo(manaus));
        Assert.Empty(card.Price(Cards.To("20040-002", 500), out var why));
        Assert.Equal("the distance is not known, or in no zone", Assert.Single(why));

        string ZoneTo(Position to) => card.Price(Cards.To("20040-002", 500) with { From = Cards.Place("BR", "01310-100", position: paulo), To = Cards.Place("BR", "20040-002", position: to) }, out _)[0].Zone;
    }

    [Fact]
    public void What_counts_is_never_lighter_than_the_scales_or_the_size()
    {
        Gen.Select(Gen.Int[0, 30_000], Gen.Int[0, 1200], Gen.Int[0, 800], Gen.Int[0, 600]).Sample((grams, length, width, height) =>
        {
            var parcel = new ParcelMeasures(grams, length, width, height);
            foreach (var quote in Card.Price(Cards.To("69000-000", grams, parcel), out _))
            {
                Assert.True(quote.BillableGrams >= grams && quote.BillableGrams >= quote.VolumetricGrams && quote.BillableGrams > 0);
                Assert.True(quote.VolumetricGrams * 1000 * (quote.Service == "ground" ? 6000L : 5000L) >= (long)length * width * height * 1000);
                Assert.Equal(quote.Price.Minor, quote.Lines.Sum(line => line.Amount.Minor));
                Assert.All(quote.Lines, line => Assert.True(line.Amount.Minor >= 0));
                Assert.True(quote.EarliestAt <= quote.LatestAt && quote.TransitDaysMin <= quote.TransitDaysMax);
            }
        });
    }

    [Fact]
    public void A_heavier_or_larger_parcel_to_the_same_zone_never_costs_less()
    {
        var side = Gen.Int[0, 1500];
        Gen.Select(Gen.Int[0, 40_000], Gen.Int[0, 5_000], Gen.Select(side, side, side), Gen.Int[0, 200]).Sample((grams, more, sides, longer) =>
        {
            var light = new ParcelMeasures(grams, sides.Item1, sides.Item2, sides.Item3);
            var heavy = new ParcelMeasures(grams + more, sides.Item1 + longer, sides.Item2, sides.Item3);
            foreach (var code in (string[])["05000-000", "20040-002", "69000-000"])
            {
                var before = Card.Price(Cards.To(code, 0, light), out _).ToDictionary(quote => quote.Service);
                foreach (var quote in Card.Price(Cards.To(code, 0, heavy), out _))
                    Assert.True(quote.Price.Minor >= before[quote.Service].Price.Minor);
            }
        });
    }

    [Fact]
    public void The_order_of_cards_and_zones_changes_no_price_and_the_card_of_the_latest_day_counts()
    {
        var later = Cards.Sample();
        later.ValidFrom = "2026-11-01";
        later.Services.RemoveAt(1);
        later.Zones.RemoveAt(3);
        later.Surcharges.RemoveAt(5);
        later.Services[0].ZoneRates[0].Breaks[0].Price = "15.90";
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            var shuffled = Cards.Sample();
            var (zones, services) = (shuffled.Zones.ToArray(), shuffled.Services.ToArray());
            random.Shuffle(zones);
            random.Shuffle(services);
            shuffled.Zones.Clear();
            shuffled.Zones.Add(zones);
            shuffled.Services.Clear();
            shuffled.Services.Add(services);
            PricedCard[] cards = [Cards.Read(shuffled, id: "old"), Cards.Read(later, id: "new"), Cards.Read(Cards.Sample(), "dhl", "other")];
            random.Shuffle(cards);
            var quotes = new RateBook(cards).Price("ups", Cards.To("05000-000", 700)).Quotes;

            Assert.Equal([("express", "old", 5063), ("ground", "new", 1789)], quotes.Select(quote => (quote.Service, quote.CardId, quote.Price.Minor)));
        }, iter: 50);
    }

    private static Quote Price(string service, RateRequest request) => Card.Price(request, out var why).SingleOrDefault(quote => quote.Service == service) ?? throw new InvalidOperationException(string.Join("; ", why));
}
